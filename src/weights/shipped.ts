/** Chooses between the two networks that come with deghost, for every platform. */
import { middleFrame } from '../image/frame.ts';
import { FIXED_FRAMES } from './config.ts';
import type { NetworkConfig } from './config.ts';

/**
 * `fixed` was trained for exactly three frames with the middle one as the reference; `any` takes all other stacks.
 * @param reference from 0 in exposure order; the middle one by default.
 */
export function shippedVariant(frames: number, reference = middleFrame(frames)): NetworkConfig['variant'] {
  return frames === FIXED_FRAMES && reference === middleFrame(frames) ? 'fixed' : 'any';
}
