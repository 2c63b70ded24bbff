/** Which of the two networks that come with deghost a merge takes, on every platform. */
import { middleFrame } from '../image/frame.ts';
import { FIXED_FRAMES } from './config.ts';
import type { NetworkConfig } from './config.ts';

/**
 * `fixed` knows exactly three frames and the middle one as the reference, which it was trained with; `any` takes the
 * rest.
 * @param reference from 0 in exposure order; the middle one by default.
 */
export function shippedVariant(frames: number, reference = middleFrame(frames)): NetworkConfig['variant'] {
  return frames === FIXED_FRAMES && reference === middleFrame(frames) ? 'fixed' : 'any';
}
