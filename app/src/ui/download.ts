/** Hands a file to the browser's downloads. */
import { make } from './dom.ts';

export function download(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  make('a', { href: url, download: name }).click();
  // The browser has taken the file by then; there is no event for it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
