/** Reads the stack of `deghost merge` from the command line's paths. */
import { throwIfCancelled } from '../../errors.ts';
import { sortFrames } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import type { DecodedImage } from '../../image/picture.ts';
import { readStackFiles } from '../readStack.ts';
import type { MergeOptions } from './mergeOptions.ts';

/** A stack that was read: frames in exposure order, and where each came from. */
export interface Stack {
  frames: Frame[];
  width: number;
  height: number;
  /** `order[k]` is the command-line index of frame k. */
  order: number[];
  images: DecodedImage[];
  /** What to tell of the pictures. */
  notes: string[];
}

/** @throws InputError naming the file and what is wrong with it; CancelledError. */
export async function readStack(
  { inputs, exposures, color }: Pick<MergeOptions, 'inputs' | 'exposures' | 'color'>,
  signal: AbortSignal,
): Promise<Stack> {
  const { frames: read, images, notes } = await readStackFiles(inputs, { exposures, colorSpace: color, signal });
  throwIfCancelled(signal);
  const { frames, order } = sortFrames(read);
  const { width, height } = frames[0];
  return { frames, width, height, order, images, notes };
}
