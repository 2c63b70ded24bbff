/** Reading a weights file and judging it before any GPU work. */
import { InputError } from '../../errors.ts';
import { FIXED_FRAMES, checkTensors, expectedTensors } from '../../weights/check.ts';
import { parseConfig } from '../../weights/config.ts';
import type { NetworkConfig } from '../../weights/config.ts';
import { readSafetensors } from '../../weights/safetensors.ts';
import { shown } from '../problems.ts';
import { readFileBytes } from '../readImage.ts';
import { defaultWeights } from './package.ts';

/** Largest weights file read: the widest network the config allows is a few hundred MB. */
const MAX_BYTES = 2 ** 30;

export interface LoadedWeights {
  path: string;
  bytes: Uint8Array;
  config: NetworkConfig;
}

/**
 * The weights at `path`, or those that come with deghost, for so many frames.
 * @throws InputError naming the file and the tensor or field.
 */
export async function loadWeights(path: string | undefined, frames: number): Promise<LoadedWeights> {
  const file = path ?? defaultWeights(frames);
  const name = shown(file);
  const bytes = await readFileBytes(file, MAX_BYTES);
  const { metadata, tensors } = readSafetensors(bytes, name);
  const config = parseConfig(metadata, name);
  checkTensors(tensors, expectedTensors(config), name);
  if (config.variant === 'fixed' && frames !== FIXED_FRAMES) {
    throw new InputError(`${name} holds a network for exactly ${FIXED_FRAMES} frames, ${frames} are given: pass weights of the variant "any", or leave --weights out`);
  }
  return { path: file, bytes, config };
}
