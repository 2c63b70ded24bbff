/** Turning pictures upright by EXIF's orientation, for decoders that do not. */
import type { Samples } from './workingSpace.ts';

/**
 * Orientation as EXIF counts it, 1 to 8: from 5 on rows and columns are exchanged.
 * @param data `[height, width, channels]`.
 */
export function orient<T extends Samples>(
  data: T,
  width: number,
  height: number,
  orientation: number,
  channels = 3,
): { data: T; width: number; height: number } {
  if (!(orientation >= 2 && orientation <= 8)) return { data, width, height };
  const swap = orientation >= 5;
  const [w, h] = swap ? [height, width] : [width, height];
  const flipX = [2, 3, 7, 8].includes(orientation); // of the picture as stored
  const flipY = [3, 4, 6, 7].includes(orientation);
  const out = new (data.constructor as new (length: number) => T)(data.length);
  for (let y = 0, to = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const [sx, sy] = swap ? [y, x] : [x, y];
      const from = channels * ((flipY ? height - 1 - sy : sy) * width + (flipX ? width - 1 - sx : sx));
      for (let c = 0; c < channels; c++) out[to++] = data[from + c];
    }
  }
  return { data: out, width: w, height: h };
}
