/** Reads from deghost's own package in Node: the version and the included weights. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkFrameNumbers } from './arguments.ts';
import { shippedVariant } from '../weights/shipped.ts';

let root: string | undefined;

/** deghost's package folder, from `src` (run through tsx) as well as from `dist`. */
export function packageFolder(): string {
  if (root) return root;
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    const manifest = join(dir, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'deghost') return (root = dir);
  }
  throw new Error("deghost's package.json is missing: install the package again");
}

export function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')).version;
}

/**
 * The path of the included weights for this many frames: `fixed` for three with the middle one as the reference, else
 * `any`.
 * @param reference the reference frame, from 0 in exposure order; the middle one by default.
 * @throws UsageError
 */
export function shippedWeightsPath(frames: number, reference?: number): string {
  checkFrameNumbers(frames, reference);
  return join(packageFolder(), 'weights', `${shippedVariant(frames, reference)}.safetensors`);
}

/**
 * The included weights for this many frames, for `Deghoster.create`.
 * @param reference the reference frame, from 0 in exposure order; the middle one by default. For `reference: 'auto'`
 * call `chooseReference` first.
 * @throws UsageError
 */
export async function readShippedWeights(frames: number, reference?: number): Promise<Uint8Array> {
  return readFile(shippedWeightsPath(frames, reference));
}
