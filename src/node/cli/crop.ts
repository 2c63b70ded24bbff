/** `--crop`: cuts a result to what all frames cover. */
import { coveredRectangle } from '../../align/index.ts';
import type { Rectangle } from '../../align/index.ts';
import type { MergeResult } from '../../result.ts';
import { InputError } from '../../errors.ts';
import type { Frame } from '../../image/frame.ts';

/** A result, and the part of the reference that it shows if it was cut. */
export interface CroppedResult extends MergeResult {
  crop?: Rectangle;
}

/** A part of an array `[height, width, channels]`. */
function cut(data: Float32Array, width: number, channels: number, part: Rectangle): Float32Array<ArrayBuffer> {
  const out = new Float32Array(part.width * part.height * channels);
  const length = part.width * channels;
  for (let y = 0; y < part.height; y++) {
    const at = ((part.y + y) * width + part.x) * channels;
    out.set(data.subarray(at, at + length), y * length);
  }
  return out;
}

/**
 * Cuts the picture and the motion maps.
 * @param frames in exposure order.
 * @throws InputError if the frames cover nothing together.
 */
export function cropResult(result: MergeResult, frames: readonly Frame[]): CroppedResult {
  const { width, height, alignment } = result;
  const covering = alignment.map(({ kind, matrix, mesh }, k) => ({
    ...(kind !== 'none' && kind !== 'reference' && { warp: { matrix, mesh } }),
    coverage: frames[k].coverage,
  }));
  const crop = coveredRectangle({ width, height }, covering);
  if (!crop) throw new InputError('no part of the picture is covered by all frames: leave --crop out');
  if (crop.width === width && crop.height === height) return { ...result, crop };
  return {
    ...result,
    crop,
    width: crop.width,
    height: crop.height,
    radiance: cut(result.radiance, width, 3, crop),
    motion: result.motion.map((map) => cut(map, width, 1, crop)),
  };
}
