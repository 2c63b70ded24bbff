/** What deghost needs from its own package in Node: the version and the weights that come with it. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** The file of weights that come with deghost for so many frames: `fixed` knows exactly three. */
export function shippedWeightsPath(frames: number): string {
  return join(packageFolder(), 'weights', frames === 3 ? 'fixed.safetensors' : 'any.safetensors');
}

/** The weights that come with deghost for so many frames, for `Deghoster.create`. */
export function readShippedWeights(frames: number): Promise<Uint8Array> {
  return readFile(shippedWeightsPath(frames));
}
