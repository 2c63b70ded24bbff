/** Reads the golden files in test/goldens (golden.ts says what they are). Nothing here needs Python. */
import { readdirSync, readFileSync } from 'node:fs';
import { goldenFiles, goldensAmong, parseGolden } from './golden.ts';
import type { Golden } from './golden.ts';

export type { Golden } from './golden.ts';

const FOLDER = new URL('../goldens/', import.meta.url);

/** Names of the goldens there are. */
export function goldenNames(): string[] {
  return goldensAmong(readdirSync(FOLDER));
}

export function readGolden(name: string): Golden {
  const [bytes, weightsBytes] = goldenFiles(name).map((file) => readFileSync(new URL(file, FOLDER)));
  return parseGolden(name, bytes, weightsBytes);
}
