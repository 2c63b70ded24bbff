/**
 * Fits a monotone curve to pairs of values: Debevec and Malik's least squares ("Recovering high dynamic range radiance maps
 * from photographs", SIGGRAPH 1997), on pairs instead of pixels, so that no radiance is unknown.
 *
 * The unknowns are psi = ln h at i/255, i = 1..254, where h = f^(1/gamma) is what the network sees and psi(1) = 0. A pair
 * (a, b) whose exposures differ by `log` asks for psi(b) - psi(a) = log / gamma. Pairs are weighted by how well the curve's
 * slope lets their values tell, and down where they disagree with the rest (Cauchy weights, tightened over the rounds).
 * Where pairs are few the curve bends as little as it can away from the prior, h(x) = x, in a coordinate that stretches both
 * ends: a curve's toe and shoulder turn sharply, its middle does not.
 */
import type { Pair } from './responsePairs.ts';

const SIZE = 256;
const LAST = SIZE - 1;
/** psi at 0 is -Infinity and at 1 is 0: the rest are unknowns, in rows 0 to ROWS - 1. */
const ROWS = SIZE - 2;

/** How stiff the curve is. */
const STIFFNESS = 0.5;
/** Pull to the prior itself, just enough to make the equations soluble. */
const PULL = 1e-6;
/** The stretch of the ends: u(x) = ln(x + TOE) - SHOULDER_SHARE ln(1 - x + SHOULDER). */
const TOE = 0.02;
const SHOULDER = 0.03;
const SHOULDER_SHARE = 0.7;
/** Uncertainty of a pair: of its values, of the difference of psi whatever the slope, and of h, for what no curve explains (colour matrices, flare). */
const VALUE_SIGMA = 1.5 / 255;
const LOG_SIGMA = 0.01;
const MISFIT_SIGMA = 0.01;
const ROUNDS = 10;
/** Rounds before outliers lose weight; then the scale (in sigmas) at which they have lost half of it falls to MIN_OUTLIER. */
const TRUSTING_ROUNDS = 2;
const MIN_OUTLIER = 1.5;
/** The slope of psi is taken over this many samples either side, and at least MIN_SLOPE. */
const SLOPE_REACH = 3;
const MIN_SLOPE = 0.2;

/** A value's place between two samples: `sample` with weight 1 - t, the next one with weight t. */
interface Place {
  sample: number;
  t: number;
}

function placeOf(x: number): Place {
  const position = Math.min(LAST, Math.max(1, x * LAST));
  const sample = Math.min(LAST - 1, Math.floor(position));
  return { sample, t: position - sample };
}

function read(psi: Float64Array, { sample, t }: Place): number {
  return psi[sample] * (1 - t) + psi[sample + 1] * t;
}

function slopeAt(psi: Float64Array, { sample, t }: Place): number {
  const low = Math.max(1, sample + t - SLOPE_REACH);
  const high = Math.min(LAST, sample + t + SLOPE_REACH);
  return Math.max(MIN_SLOPE, ((read(psi, placeOf(high / LAST)) - read(psi, placeOf(low / LAST))) / (high - low)) * LAST);
}

/**
 * Fits f to the pairs of one channel.
 * @param rounds of reweighting; a curve that only has to tell motion needs fewer.
 * @returns 256 samples of f at i/255, non-decreasing, from 0 to 1.
 */
export function fitCurve(pairs: readonly Pair[], gamma: number, rounds = ROUNDS): number[] {
  const prior = Float64Array.from({ length: SIZE }, (_, i) => Math.log(i / LAST));
  const places = pairs.map(({ a, b }) => ({ a: placeOf(a), b: placeOf(b) }));
  const stiffness = stiffnessRows();
  let psi: Float64Array = prior;
  for (let round = 0; round < rounds; round++) {
    const matrix = new Float64Array(ROWS * ROWS);
    const right = new Float64Array(ROWS);
    const outlier = round < TRUSTING_ROUNDS ? Infinity : Math.max(MIN_OUTLIER, 4 - 0.3 * round);
    pairs.forEach((pair, k) => {
      const { a, b } = places[k];
      const target = pair.log / gamma;
      const misfit = MISFIT_SIGMA ** 2 / (Math.exp(2 * read(psi, b)) + 1e-4);
      const variance = LOG_SIGMA ** 2 + misfit + VALUE_SIGMA ** 2 * (slopeAt(psi, a) ** 2 + slopeAt(psi, b) ** 2);
      const miss = (read(psi, b) - read(psi, a) - target) / outlier;
      const weight = pair.weight / variance / (1 + (miss * miss) / variance);
      addEquation(matrix, right, [b.sample, b.sample + 1, a.sample, a.sample + 1], [1 - b.t, b.t, a.t - 1, -a.t], target, weight);
    });
    for (const { samples, factors, weight } of stiffness) {
      const target = samples.reduce((sum, i, k) => sum + factors[k] * prior[i], 0);
      addEquation(matrix, right, samples, factors, target, weight);
    }
    for (let i = 1; i < LAST; i++) addEquation(matrix, right, [i], [1], prior[i], PULL);
    solve(matrix, right, ROWS);
    psi = monotone(right);
  }
  // exp(-Infinity) and exp(0): f runs from 0 to 1 exactly.
  return Array.from(psi, (value) => Math.exp(value * gamma));
}

/** Adds weight (sum factors psi[samples] - target)^2 to the normal equations. psi[255] = 0 drops out. */
function addEquation(matrix: Float64Array, right: Float64Array, samples: readonly number[], factors: readonly number[], target: number, weight: number): void {
  samples.forEach((i, k) => {
    if (i === LAST || factors[k] === 0) return;
    const scaled = weight * factors[k];
    right[i - 1] += scaled * target;
    samples.forEach((j, l) => {
      if (j < LAST) matrix[(i - 1) * ROWS + j - 1] += scaled * factors[l];
    });
  });
}

/** The integral of the squared second derivative of psi in u, as one equation a sample. */
function stiffnessRows(): { samples: number[]; factors: number[]; weight: number }[] {
  const stretch = (x: number): number => Math.log(x + TOE) - SHOULDER_SHARE * Math.log(1 - x + SHOULDER);
  const u = Float64Array.from({ length: SIZE }, (_, i) => stretch(i / LAST) / (stretch(1) - stretch(1 / LAST)));
  return Array.from({ length: ROWS - 1 }, (_, k) => {
    const i = k + 2;
    const below = u[i] - u[i - 1];
    const above = u[i + 1] - u[i];
    const middle = (below + above) / 2;
    return { samples: [i - 1, i, i + 1], factors: [1 / (below * middle), -1 / (below * middle) - 1 / (above * middle), 1 / (above * middle)], weight: STIFFNESS * middle };
  });
}

/** The whole curve from its unknowns: the nearest non-decreasing one (pool adjacent violators), none above psi(1) = 0. */
function monotone(unknowns: Float64Array): Float64Array {
  const pools: { value: number; count: number }[] = [];
  for (const unknown of unknowns) {
    let pool = { value: Math.min(0, unknown), count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.value > pool.value; last = pools.at(-1)) {
      pools.pop();
      pool = { value: (pool.value * pool.count + last.value * last.count) / (pool.count + last.count), count: pool.count + last.count };
    }
    pools.push(pool);
  }
  const psi = new Float64Array(SIZE);
  psi[0] = -Infinity;
  let i = 1;
  for (const { value, count } of pools) {
    psi.fill(value, i, i + count);
    i += count;
  }
  return psi;
}

/** Solves the symmetric, positive definite `matrix` x = `right` by Cholesky's method; both are overwritten, `right` with x. */
function solve(matrix: Float64Array, right: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    for (let k = 0; k <= j; k++) {
      const a = j * n;
      const b = k * n;
      // Four sums, for one would wait for itself at each step: most of the time of a fit is spent here.
      let s0 = matrix[a + k];
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let i = 0;
      for (; i + 3 < k; i += 4) {
        s0 -= matrix[a + i] * matrix[b + i];
        s1 -= matrix[a + i + 1] * matrix[b + i + 1];
        s2 -= matrix[a + i + 2] * matrix[b + i + 2];
        s3 -= matrix[a + i + 3] * matrix[b + i + 3];
      }
      for (; i < k; i++) s0 -= matrix[a + i] * matrix[b + i];
      const sum = s0 + s1 + (s2 + s3);
      matrix[a + k] = k < j ? sum / matrix[b + k] : Math.sqrt(Math.max(sum, 1e-12));
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) right[i] -= matrix[i * n + k] * right[k];
    right[i] /= matrix[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) right[i] -= matrix[k * n + i] * right[k];
    right[i] /= matrix[i * n + i];
  }
}

/** x -> f(x)^(1/gamma), as the input stage computes it. */
export function encoder(f: readonly number[], gamma: number): (x: number) => number {
  return (x) => {
    const i = Math.min(LAST - 1, Math.floor(x * LAST));
    const t = x * LAST - i;
    return (f[i] * (1 - t) + f[i + 1] * t) ** (1 / gamma);
  };
}

/** Weighted median over pairs of |h(b) - ratio^(1/gamma) h(a)|, h = f^(1/gamma); 0 without pairs. */
export function residualOf(pairs: readonly Pair[], f: readonly number[], gamma: number): number {
  const h = encoder(f, gamma);
  const misses = pairs.map((pair) => ({ miss: Math.abs(h(pair.b) - Math.exp(pair.log / gamma) * h(pair.a)), weight: pair.weight }));
  misses.sort((x, y) => x.miss - y.miss);
  let rest = misses.reduce((sum, { weight }) => sum + weight, 0) / 2;
  for (const { miss, weight } of misses) {
    rest -= weight;
    if (rest <= 0) return miss;
  }
  return 0;
}

/** Lowest and highest value that well-populated pairs speak of; [0, 0] for none. */
export function covered(pairs: readonly Pair[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const { a, b, weight } of pairs) {
    if (weight < 0.5) continue;
    low = Math.min(low, a);
    high = Math.max(high, b);
  }
  return low < high ? [low, high] : [0, 0];
}
