/** The stack of `deghost merge`, as the command line names it. */
import { basename } from 'node:path';
import { throwIfCancelled } from '../../errors.ts';
import { exposures as exifExposures } from '../../image/exif.ts';
import { sortFrames } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import type { DecodedImage } from '../../image/picture.ts';
import { shown } from '../problems.ts';
import { readFrameFiles } from '../readImage.ts';
import type { MergeOptions } from './mergeOptions.ts';

/** A stack as read: frames in exposure order, and where each came from. */
export interface Stack {
  frames: Frame[];
  width: number;
  height: number;
  /** `order[k]` is the command-line index of frame k. */
  order: number[];
  images: DecodedImage[];
}

/** @throws InputError naming the file and what is wrong with it; CancelledError. */
export async function readStack({ inputs, exposures: given }: Pick<MergeOptions, 'inputs' | 'exposures'>, signal: AbortSignal): Promise<Stack> {
  const images: DecodedImage[] = [];
  for await (const image of readFrameFiles(inputs, signal)) images.push(image);
  throwIfCancelled(signal);
  const exposures = given ?? exifExposures(images.map(({ exif }, i) => ({ name: shown(inputs[i]), exif })));
  const short = inputs.map((path) => basename(path));
  const names = new Set(short).size === short.length ? short : inputs;
  const { frames, order } = sortFrames(images.map(({ data, width, height }, i) => ({ data, width, height, exposure: exposures[i], name: shown(names[i]) })));
  const { width, height } = frames[0];
  return { frames, width, height, order, images };
}
