/** Reads the stack of `deghost merge` from the command line's paths. */
import { throwIfCancelled } from '../../errors.ts';
import { sortFrames } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import type { CameraColor, DecodedImage } from '../../image/picture.ts';
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
  /** Of RAW files. */
  camera?: CameraColor;
  /** What to tell of the pictures. */
  notes: string[];
}

/** @throws InputError naming the file and what is wrong with it; CancelledError. */
export async function readSortedStack(
  {
    inputs,
    exposures,
    color,
    reference,
    response,
  }: Pick<MergeOptions, 'inputs' | 'exposures' | 'color' | 'reference' | 'response'>,
  signal: AbortSignal,
  onRead?: (done: number, total: number) => void,
): Promise<Stack> {
  const known = reference === 'auto' ? undefined : reference;
  const linear = response !== undefined && 'name' in response && response.name === 'linear';
  const options = { exposures, colorSpace: color, reference: known, linear, onRead, signal };
  const { frames: read, images, camera, notes } = await readStackFiles(inputs, options);
  throwIfCancelled(signal);
  const { frames, order } = sortFrames(read);
  const { width, height } = frames[0];
  return { frames, width, height, order, images, ...(camera && { camera }), notes };
}
