/**
 * The language of the page: its strings, and how it writes numbers. Which one it is, public/language.js has found out.
 *
 * Each language is a chunk of its own, and only the one in use is loaded. The page's other modules wait for it, so that
 * they can use its strings anywhere. Workers do not import this: they report kinds and figures, which the page words.
 *
 * A language can be chosen at any time. So text that stays is said by `say`, which knows how to say it again; what is
 * written whenever the page's state changes is written again by `onLanguage`.
 */
import './style.css';
import { bytesText } from '../../../src/bytesText.ts';

/** The strings of a language. */
export type Strings = typeof import('./en.ts')['words'];
export type { Words } from './en.ts';

/** By their codes, as browsers name them. */
const LANGUAGES = {
  en: { name: 'English', load: () => import('./en.ts') },
  de: { name: 'Deutsch', load: () => import('./de.ts') },
} satisfies Record<string, { name: string; load: () => Promise<{ words: Strings }> }>;

type Language = keyof typeof LANGUAGES;

export let words: Strings;
let language: Language = 'en';

/** Where the browser keeps the person's choice: language.js reads it. */
const KEPT = 'deghost-language';

async function load(code: Language): Promise<void> {
  ({ words } = await LANGUAGES[code].load());
  language = code;
  document.documentElement.lang = code;
}

const sayings = new WeakMap<Element, Record<string, () => string>>();
const listeners: (() => void)[] = [];

/** Calls back when another language was chosen, after what was said is said again. */
export function onLanguage(listener: () => void): void {
  listeners.push(listener);
}

/** Gives an element its text, or an attribute, in the language in use and in any chosen later. */
export function say<E extends Element>(element: E, text: () => string, attribute = ''): E {
  const all = sayings.get(element) ?? {};
  all[attribute] = text;
  sayings.set(element, all);
  put(element, attribute, text());
  return element;
}

function put(element: Element, attribute: string, text: string): void {
  if (attribute) element.setAttribute(attribute, text);
  // Screen readers read a live region whenever its text is set.
  else if (element.textContent !== text) element.textContent = text;
}

/** Says what the page's HTML names. */
function fill(): void {
  const stringAt = (key: string): string =>
    key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], words) as string;
  const places = { text: '', label: 'aria-label', alt: 'alt' };
  for (const [name, attribute] of Object.entries(places))
    for (const element of document.querySelectorAll<HTMLElement>(`[data-${name}]`))
      say(element, () => stringAt(element.dataset[name] ?? ''), attribute);
}

/** Offers the languages, and changes the page's when another is chosen. */
function offer(): void {
  const choice = document.querySelector<HTMLSelectElement>('#language');
  if (!choice) return;
  for (const [code, { name }] of Object.entries(LANGUAGES)) choice.add(new Option(name, code));
  for (const option of choice.options) option.lang = option.value;
  choice.value = language;
  choice.hidden = false;
  choice.onchange = async () => {
    await load(choice.value as Language).catch(() => undefined);
    choice.value = language;
    try {
      localStorage.setItem(KEPT, language);
    } catch {} // it is asked again next time
    const address = new URL(location.href);
    address.searchParams.delete('lang');
    history.replaceState(history.state, '', address);
    for (const element of document.querySelectorAll('*'))
      for (const [attribute, text] of Object.entries(sayings.get(element) ?? {})) put(element, attribute, text());
    for (const listener of listeners) listener();
  };
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

// As language.js has named it. English is better than a page that does nothing.
const { lang } = document.documentElement;
await load(lang in LANGUAGES ? (lang as Language) : 'en').catch(() => load('en'));
fill();
delete document.documentElement.dataset.words;
offer();
