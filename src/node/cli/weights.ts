/** Reads a weights file and checks it before any GPU work. */
import { checkFrameCount } from '../../weights/config.ts';
import type { NetworkConfig } from '../../weights/config.ts';
import { loadWeights } from '../../model/loadWeights.ts';
import { readFileBytes } from '../plainFile.ts';
import { shown } from '../problems.ts';
import { shippedWeightsPath } from '../package.ts';

/** Largest weights file read: the widest network the config allows is a few hundred MB. */
const MAX_BYTES = 2 ** 30;

export interface WeightsFile {
  path: string;
  bytes: Uint8Array;
  config: NetworkConfig;
}

/**
 * The weights at `path`, or those that come with deghost, for this many frames.
 * @param reference the reference frame, from 0 in exposure order; the middle one by default. It decides between the two
 * weights files that come with deghost.
 * @throws InputError naming the file and the tensor or field.
 */
export async function readWeights(path: string | undefined, frames: number, reference?: number): Promise<WeightsFile> {
  const file = path ?? shippedWeightsPath(frames, reference);
  const name = shown(file);
  const bytes = await readFileBytes(file, MAX_BYTES);
  const { config } = await loadWeights(bytes, name);
  checkFrameCount(config, frames, name);
  return { path: file, bytes, config };
}
