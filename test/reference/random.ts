/**
 * Seeded random numbers for tests, and the comparison they end in.
 *
 * Nothing here depends on a test runner, so benches validate with the same code.
 */

/** A seeded generator (xoshiro128**, seeded by splitmix32; https://prng.di.unimi.it). */
export interface Rng {
  readonly seed: number;
  /** Uniform in [0, 1), 24 bits: exact in f32. */
  next(): number;
  /** A uniform integer in [low, high]. */
  int(low: number, high: number): number;
  /** One item of a list. */
  pick<T>(items: readonly T[]): T;
  /** f32 values uniform in [low, high), as f64 for references and f32 for the GPU alike. */
  floats(count: number, low?: number, high?: number): Float32Array;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
}

/** A generator of its own for a seed: equal seeds give equal numbers. */
export function rng(seed: number): Rng {
  let mixed = seed >>> 0;
  const state = new Uint32Array(4).map(() => {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  });
  const rotate = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0;

  function next(): number {
    const result = Math.imul(rotate(Math.imul(state[1], 5), 7), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 11);
    return (result >>> 8) / 2 ** 24;
  }
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    seed,
    next,
    int,
    pick: (items) => items[int(0, items.length - 1)],
    floats: (count, low = -1, high = 1) => new Float32Array(count).map(() => low + next() * (high - low)),
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(0, i);
        [out[i], out[j]] = [out[j], out[i]];
      }
      return out;
    },
  };
}

/** How two arrays may differ. */
export interface Closeness {
  /** Largest |actual - expected|, as a share of `scale`. */
  tol: number;
  /** What the tolerance is relative to; by default the largest |expected|, or 1 where that is smaller. */
  scale?: number;
  /** The case, for the failure's message. */
  label: string;
  /** Names an index, as coordinates say. */
  where?: (index: number) => string;
}

/**
 * The worst difference of two arrays of one length; NaN on one side only, or infinities that differ, are infinitely
 * far.
 */
export function worstDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): { index: number; difference: number } {
  let index = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    const d = Math.abs(actual[i] - expected[i]);
    const far = Number.isNaN(d) ? Infinity : d;
    if (far > difference) [index, difference] = [i, far];
  }
  return { index, difference };
}

/** Values further from what is expected than allowed; `share` is the worst difference as a share of the scale. */
export class TooFarError extends Error {
  readonly share: number;

  constructor(message: string, share: number) {
    super(message);
    this.share = share;
  }
}

/**
 * Throws a TooFarError unless every value is within `tol * scale` of what is expected; the message has the case, the
 * worst index and both values.
 * @returns the worst difference as a share of the scale.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { tol, scale, label, where }: Closeness,
): number {
  if (actual.length !== expected.length)
    throw new Error(`${label}: ${actual.length} values, expected ${expected.length}`);
  let largest = 1;
  if (scale === undefined)
    for (let i = 0; i < expected.length; i++)
      if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  const unit = scale ?? largest;
  const { index, difference } = worstDifference(actual, expected);
  if (difference <= tol * unit) return difference / unit;
  const at = where ? ` (${where(index)})` : '';
  throw new TooFarError(
    `${label}: worst at index ${index}${at}: ${actual[index]}, expected ${expected[index]}, ` +
      `off by ${difference.toExponential(2)}, allowed ${(tol * unit).toExponential(2)} (${tol} of ${unit})`,
    difference / unit,
  );
}
