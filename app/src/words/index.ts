/**
 * The language of the page: which one it is, its strings, and how it writes numbers.
 *
 * Each language is a chunk of its own, and only the one in use is loaded. The page's other modules wait for it, so that
 * they can use its strings anywhere. Workers do not import this: they report kinds and figures, which the page words.
 */
import { bytesText } from '../../../src/bytesText.ts';

/** The strings of a language. */
export type Strings = typeof import('./en.ts')['words'];
export type { Words } from './en.ts';

const LANGUAGES = {
  en: () => import('./en.ts'),
  de: () => import('./de.ts'),
} satisfies Record<string, () => Promise<{ words: Strings }>>;

type Language = keyof typeof LANGUAGES;

export let words: Strings;
let language: Language = 'en';

/** What `?lang=` asks for, or the browser. A page whose HTML names no strings, such as the bench, is in English. */
function wanted(): Language {
  if (!document.querySelector('[data-text]')) return 'en';
  const wishes = [new URLSearchParams(location.search).get('lang') ?? '', ...navigator.languages];
  const found = wishes.map((wish) => wish.toLowerCase().replace(/-.*/, '')).find((code) => code in LANGUAGES);
  return (found ?? 'en') as Language;
}

async function load(code: Language): Promise<void> {
  ({ words } = await LANGUAGES[code]());
  language = code;
}

/** Puts the strings that the page's HTML names in their places. */
function fill(): void {
  const stringAt = (key = ''): string =>
    key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], words) as string;
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]'))
    element.textContent = stringAt(element.dataset.text);
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]'))
    element.setAttribute('aria-label', stringAt(element.dataset.label));
}

/** A number with `most` decimals, and at least `least` of them, as the language writes it. */
export function number(value: number, most: number, least = most): string {
  const digits = { minimumFractionDigits: least, maximumFractionDigits: most };
  return new Intl.NumberFormat(language, { ...digits, useGrouping: false }).format(value);
}

/** A number with its sign, where it is not 0. */
export function numberWithSign(value: number, digits: number): string {
  const sign = { maximumFractionDigits: digits, signDisplay: 'exceptZero', useGrouping: false } as const;
  return new Intl.NumberFormat(language, sign).format(value).replace('-', '−');
}

/** A share in per cent. */
export function percent(share: number, digits: number): string {
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: digits }).format(share);
}

/** Bytes in a readable unit. */
export function bytes(count: number): string {
  const [value, unit] = bytesText(count).split(' ');
  return `${number(Number(value), value.includes('.') ? 1 : 0)} ${unit === 'bytes' ? words.page.bytes : unit}`;
}

// English is better than a page that does nothing.
await load(wanted()).catch(() => load('en'));
fill();
