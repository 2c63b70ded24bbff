/** What must not reach a terminal or a page: C0, delete, C1, bidi controls, line separators, lone surrogates. */
export const CONTROLS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u;
