/**
 * What runners outside browsers share: golden files from disk, events on stdout. Node, Bun and Deno all have these
 * modules.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errorText } from '../events.ts';
import type { Report } from '../events.ts';
import type { GoldenFolder } from '../suite.ts';

const FOLDER = new URL('../../goldens/', import.meta.url);

/** test/goldens. */
export function goldenFolder(): GoldenFolder {
  return { files: readdirSync(FOLDER), read: (file) => readFile(new URL(file, FOLDER)) };
}

/** Prints an event as a line of stdout. */
export const print: Report = (event) => console.log(JSON.stringify(event));

/** Runs a runner's main function; what it throws becomes an `error` event. */
export async function main(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    await print({ type: 'error', message: errorText(error) });
  }
}
