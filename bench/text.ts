/** How figures are written, and tables: for Markdown, the terminal and the bench's page alike. */

/** Two significant digits, all of them from 100. */
export function digits(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toPrecision(2);
}

export function timeText(ms: number): string {
  if (ms >= 100_000) return `${Math.round(ms / 1000)} s`;
  return ms >= 1000 ? `${(ms / 1000).toPrecision(3)} s` : `${ms >= 100 ? Math.round(ms) : ms.toPrecision(2)} ms`;
}

export function percent(share: number): string {
  return `${share >= 0.095 ? Math.round(100 * share) : Number((100 * share).toPrecision(1))} %`;
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`;
}

/** Columns of words; those of figures are aligned right. */
const WORDS: readonly string[] = [
  '',
  'engine',
  'kernel',
  'mode',
  'deghost is',
  'result',
  'on a real GPU',
  'merge',
  'variants',
  'layer',
  'default',
  'fastest',
  'variant',
  'refused because',
];

/** A table as Markdown's texts: a page takes the marks out. */
export interface Table {
  header: readonly string[];
  rows: readonly (readonly string[])[];
}

/** Whether a column is of words and not of figures. */
export const isWords = (column: string): boolean => WORDS.includes(column);

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(header),
    `|${header.map((name) => (isWords(name) ? '---' : '---:')).join('|')}|`,
    ...rows.map(line),
  ].join('\n');
}

/** A text that can stand in a cell of a Markdown table. */
export const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A rate, and its share of what the adapter can do at best where that is known. */
export const ofPeak = (rate: number, peak: number | undefined): string =>
  peak ? `${digits(rate)} (${percent(rate / peak)})` : digits(rate);
