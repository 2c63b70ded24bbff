/** What a picture with moments must be, from whole merges with each reference: in f64, from the definition. */
import type { MergeResult } from '../../src/index.ts';

/**
 * Y = sum of a_c Y_c (spec: Another moment for a part), a_c the mean over the 9x9 pixels around each of those that show
 * frame c; outside the picture its edge repeats.
 * @param merges the merge with each frame as the reference.
 */
export function blended(
  map: Uint8Array,
  merges: readonly Pick<MergeResult, 'radiance' | 'width' | 'height'>[],
): Float64Array {
  const { width, height } = merges[0];
  const picture = new Float64Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let v = y - 4; v <= y + 4; v++)
        for (let u = x - 4; u <= x + 4; u++) {
          const frame = map[Math.min(height - 1, Math.max(0, v)) * width + Math.min(width - 1, Math.max(0, u))];
          for (let c = 0; c < 3; c++) {
            const i = 3 * (y * width + x) + c;
            picture[i] += merges[frame].radiance[i] / 81;
          }
        }
  return picture;
}

/** Whether all of the 9x9 pixels around one show the same frame. */
export function isWhole(map: Uint8Array, width: number, height: number, x: number, y: number): boolean {
  const frame = map[y * width + x];
  for (let v = Math.max(0, y - 4); v <= Math.min(height - 1, y + 4); v++)
    for (let u = Math.max(0, x - 4); u <= Math.min(width - 1, x + 4); u++)
      if (map[v * width + u] !== frame) return false;
  return true;
}

/** A map that shows frame `frame` in a rectangle. */
export function mark(
  map: Uint8Array,
  width: number,
  [x, y, w, h]: readonly [number, number, number, number],
  frame: number,
): Uint8Array {
  for (let j = y; j < y + h; j++) map.fill(frame, j * width + x, j * width + x + w);
  return map;
}

/** The largest difference of two pictures. */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}
