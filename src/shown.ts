/**
 * Text from files, for people: names, headers, and messages about them. It must not steer a terminal, forge a line, or
 * turn the words around it.
 */

/** Control and format characters (C0, C1, bidi, invisible ones), line separators and lone surrogates; no joiners. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Longest message, in UTF-16 units. */
const LONGEST = 2000;

/** Text with `\u001b` and the like in place of characters that act. @param keep one of these that stays. */
export function escaped(text: string, keep?: string): string {
  return text.replace(UNSAFE, (found) =>
    found === keep
      ? found
      : found.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

/** Text for a message: escaped, on one line, and without its middle where it is very long. */
export function shown(text: string): string {
  return escaped(text.length > LONGEST ? `${text.slice(0, LONGEST - 600)} … ${text.slice(-590)}` : text);
}
