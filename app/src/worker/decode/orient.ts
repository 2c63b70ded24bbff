/** Turning pictures upright by EXIF's orientation, for decoders that do not. */

type Samples = Uint8Array | Uint16Array;

/**
 * Orientation as EXIF counts it, 1 to 8: from 5 on rows and columns are exchanged.
 * @param data RGB, `[height, width, 3]`.
 */
export function orient<T extends Samples>(
  data: T,
  width: number,
  height: number,
  orientation: number,
): { data: T; width: number; height: number } {
  if (!(orientation >= 2 && orientation <= 8)) return { data, width, height };
  const swap = orientation >= 5;
  const [w, h] = swap ? [height, width] : [width, height];
  const flipX = [2, 3, 7, 8].includes(orientation); // of the picture as stored
  const flipY = [3, 4, 6, 7].includes(orientation);
  const out = new (data.constructor as new (length: number) => T)(data.length);
  for (let y = 0, to = 0; y < h; y++) {
    for (let x = 0; x < w; x++, to += 3) {
      const [sx, sy] = swap ? [y, x] : [x, y];
      const from = 3 * ((flipY ? height - 1 - sy : sy) * width + (flipX ? width - 1 - sx : sx));
      out[to] = data[from];
      out[to + 1] = data[from + 1];
      out[to + 2] = data[from + 2];
    }
  }
  return { data: out, width: w, height: h };
}
