/**
 * Homographies of the plane, on the CPU in f64: 9 numbers, rows first, as in types.ts. Compositions read from right to
 * left, as matrices do.
 */
import { invert3, multiply3 } from '../image/colorSpace.ts';
import type { Homography } from './types.ts';

/** A picture's size in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Every point stays where it is. */
export const IDENTITY: Homography = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** The same homography with 1 as its last number. */
export function normalized(h: Homography): number[] {
  return h.map((value) => value / h[8]);
}

/** First b, then a. */
export function compose(a: Homography, b: Homography): number[] {
  return normalized(multiply3(a, b));
}

/** The way back. */
export function inverse(h: Homography): number[] {
  return normalized(invert3(h));
}

/** Where a point goes. */
export function apply(h: Homography, x: number, y: number): [x: number, y: number] {
  const w = h[6] * x + h[7] * y + h[8];
  return [(h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w];
}

/** A homography between pictures, in pixels of pictures that are `factor` times as large: pixel 0 stays at 0. */
export function scaled(h: Homography, factor: number): number[] {
  return normalized([h[0], h[1], h[2] * factor, h[3], h[4], h[5] * factor, h[6] / factor, h[7] / factor, h[8]]);
}

/** Origin and unit of normalised coordinates: the picture's middle, and half its longer side. */
export function normalization({ width, height }: Size): { cx: number; cy: number; unit: number } {
  return { cx: (width - 1) / 2, cy: (height - 1) / 2, unit: Math.max(width, height) / 2 };
}

/** From normalised coordinates of a picture to its pixels. */
export function toPixels(n: Homography, size: Size): number[] {
  const { cx, cy, unit } = normalization(size);
  const k = [unit, 0, cx, 0, unit, cy, 0, 0, 1];
  return normalized(multiply3(multiply3(k, n), invert3(k)));
}

/** Points a side of the grid over which distances are measured. */
const GRID = 9;

/** How far the points of a 9x9 grid over the picture move, in pixels; NaN where one does not land anywhere. */
export function distances(h: Homography, { width, height }: Size): number[] {
  return Array.from({ length: GRID * GRID }, (_, i) => {
    const x = ((i % GRID) / (GRID - 1)) * (width - 1);
    const y = (Math.floor(i / GRID) / (GRID - 1)) * (height - 1);
    const [u, v] = apply(h, x, y);
    return Math.hypot(u - x, v - y);
  });
}

/** The largest of the distances. */
export function displacement(h: Homography, size: Size): number {
  return Math.max(...distances(h, size));
}

/** The mean distance that points are off after the way there and another way back. */
export function roundTrip(there: Homography, back: Homography, size: Size): number {
  const all = distances(compose(back, there), size);
  return all.reduce((sum, d) => sum + d, 0) / all.length;
}

/** Furthest that the picture's middle may move, and a corner beside it, as shares of the longer side. */
const MOST_SHIFT = 0.25;
const MOST_TURN = 0.1;

/**
 * Whether a hand can have moved the camera so between two frames: the picture's middle moves by at most a quarter of
 * the longer side, and no corner by more than a tenth more or less (about 9 degrees, or 17 % of scale).
 */
export function isPlausible(h: Homography, { width, height }: Size): boolean {
  const [right, bottom, longer] = [width - 1, height - 1, Math.max(width, height)];
  const [u, v] = apply(h, right / 2, bottom / 2);
  const shift = [u - right / 2, v - bottom / 2];
  if (!(Math.hypot(...shift) <= MOST_SHIFT * longer)) return false;
  return [0, right].every((x) =>
    [0, bottom].every((y) => {
      const [cornerU, cornerV] = apply(h, x, y);
      return (
        h[6] * x + h[7] * y + h[8] > 0 &&
        Math.hypot(cornerU - x - shift[0], cornerV - y - shift[1]) <= MOST_TURN * longer
      );
    }),
  );
}
