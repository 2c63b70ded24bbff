/** Whether a result is right: the largest difference from what a trusted engine says. */
import { worstDifference } from '../test/reference/random.ts';
import type { Planes } from './engine.ts';

/**
 * Largest difference within the part of a result that the expected one has too; infinite where either is not a number,
 * or planes are missing.
 */
export function largestDifference(actual: Planes, expected: Planes): number {
  if (actual.c !== expected.c || actual.h < expected.h || actual.w < expected.w) return Infinity;
  let largest = 0;
  for (let row = 0; row < expected.c * expected.h; row++) {
    const from = (Math.floor(row / expected.h) * actual.h + (row % expected.h)) * actual.w;
    const { difference } = worstDifference(
      actual.data.subarray(from, from + expected.w),
      expected.data.subarray(row * expected.w, (row + 1) * expected.w),
    );
    largest = Math.max(largest, difference);
  }
  return largest;
}
