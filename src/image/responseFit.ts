/**
 * Fits monotone curves, one for each channel and all nearly the same, to pairs of values: Debevec and Malik's least
 * squares ("Recovering high dynamic range radiance maps from photographs", SIGGRAPH 1997), on pairs instead of pixels,
 * so that no radiance is unknown.
 *
 * There are two kinds of unknowns: the difference of psi = ln h from the prior's psi at i/255, i = 1..254, where h =
 * f^(1/gamma) is what the network sees and psi(1) = 0; and for each channel c a few knots of a smooth deviation
 * delta_c: psi_c = psi + delta_c. A pair (a, b) of channel c whose exposures differ by `log` requires psi_c(b) -
 * psi_c(a) = log / gamma. That leaves psi_c's offset undetermined if pairs do not reach up to white, and an offset of
 * one channel tints the picture. So deviations are penalised. (Cameras apply one curve to white-balanced channels.)
 * Pairs are weighted by how precisely their values determine the curve, given its slope, and have less weight if they
 * disagree with the rest (Cauchy weights, tightened over the rounds). Where pairs are few, the curve bends as little as
 * possible away from the prior, h(x) = x, in a coordinate that stretches both ends: a curve's toe and shoulder turn
 * sharply, its middle does not.
 */
import { addEquation, addTerm, emptyEquations, solve } from './leastSquares.ts';
import type { Equations } from './leastSquares.ts';
import type { Pair } from './responsePairs.ts';

const SIZE = 256;
const LAST = SIZE - 1;
/** psi is -Infinity at 0 and 0 at 1: the other samples are unknowns, in rows 0 to ROWS - 1. */
const ROWS = SIZE - 2;

/** Stiffness of the curve. */
const STIFFNESS = 0.5;
/** Pull towards the prior itself, just enough to make the equations solvable. */
const PULL = 1e-6;
/** Knots of a channel's deviation, which is linear between them and 0 at white. */
const KNOTS = 6;
/**
 * Penalty for deviations: each knot is pulled to 0 by this many times the mean weight that the pairs have for a knot.
 * Measured on real stacks as the cast (median dE2000) of the plain merge: 1 lets noise tint the picture (up to 1.7
 * where one curve gives 1.3); 16 and more keep the channels from following their real differences.
 */
const DEVIATION_PENALTY = 4;
/** The stretch of the ends: u(x) = ln(x + TOE) - SHOULDER_SHARE ln(1 - x + SHOULDER). */
const TOE = 0.02;
const SHOULDER = 0.03;
const SHOULDER_SHARE = 0.7;
/**
 * Uncertainty of a pair: of its values; of the difference of psi, whatever the slope; and of h, for effects that no
 * curve explains (colour matrices, flare).
 */
const VALUE_SIGMA = 1.5 / 255;
const LOG_SIGMA = 0.01;
const MISFIT_SIGMA = 0.01;
const ROUNDS = 10;
/**
 * Rounds before outliers lose weight. After these, the scale (in sigmas) at which an outlier has half its weight falls
 * to MIN_OUTLIER.
 */
const TRUSTING_ROUNDS = 2;
const MIN_OUTLIER = 1.5;
/** The slope of psi is taken over this many samples on either side, and is at least MIN_SLOPE. */
const SLOPE_REACH = 3;
const MIN_SLOPE = 0.2;

/** A value's place among the samples: the whole part is the sample below, the rest the share of the one above. */
function placeOf(x: number): number {
  return Math.min(LAST, Math.max(1, x * LAST));
}

function sampleBelow(place: number): number {
  return Math.min(LAST - 1, Math.floor(place));
}

function read(psi: Float64Array, place: number): number {
  const sample = sampleBelow(place);
  const t = place - sample;
  return psi[sample] * (1 - t) + psi[sample + 1] * t;
}

/** The slope of psi at each sample. */
function slopesOf(psi: Float64Array): Float64Array {
  return psi.map((_, i) => {
    const low = Math.max(1, i - SLOPE_REACH);
    const high = Math.min(LAST, i + SLOPE_REACH);
    return Math.max(MIN_SLOPE, ((psi[high] - psi[low]) / (high - low)) * LAST);
  });
}

/**
 * Fits f to the pairs of all channels.
 * @param channels the pairs of each channel.
 * @param rounds rounds of reweighting; curves that only have to show motion need fewer.
 * @returns for each channel 256 samples of f at i/255, non-decreasing, from 0 to 1. A channel without pairs gets the
 * others' curve.
 */
export function fitCurves(channels: readonly (readonly Pair[])[], gamma: number, rounds = ROUNDS): number[][] {
  const prior = Float64Array.from({ length: SIZE }, (_, i) => Math.log(i / LAST));
  const stiffness = stiffnessEquations();
  const basis = deviationBasis();
  const equations = equationsOf(channels, gamma, prior, basis);
  const size = ROWS + channels.length * KNOTS;
  const matrix = new Float64Array(size * size);
  let curves: Float64Array[] = channels.map(() => prior);
  for (let round = 0; round < rounds; round++) {
    matrix.fill(0);
    const right = new Float64Array(size);
    const outlier = round < TRUSTING_ROUNDS ? Infinity : Math.max(MIN_OUTLIER, 4 - 0.3 * round);
    const slopes = curves.map(slopesOf);
    let total = 0;
    for (let i = 0; i < equations.weights.length; i++) {
      const channel = equations.channels[i];
      const weight = weightOf(equations, i, curves[channel], slopes[channel], outlier);
      total += weight;
      addEquation(matrix, right, size, equations, i, weight);
    }
    for (let i = 0; i < stiffness.weights.length; i++)
      addEquation(matrix, right, size, stiffness, i, stiffness.weights[i]);
    const penalty = (DEVIATION_PENALTY * total) / (size - ROWS);
    for (let column = 0; column < size; column++) matrix[column * (size + 1)] += PULL + (column < ROWS ? 0 : penalty);
    solve(matrix, right, size);
    const shared = right.subarray(0, ROWS).map((value, i) => prior[i + 1] + value);
    curves = channels.map((_, c) =>
      monotone(
        shared.map((value, i) =>
          basis[i + 1].reduce((sum, [knot, share]) => sum + share * right[ROWS + c * KNOTS + knot], value),
        ),
      ),
    );
  }
  // exp(-Infinity) and exp(0): f runs from 0 to 1 exactly.
  return curves.map((psi) => Array.from(psi, (value) => Math.exp(value * gamma)));
}

/** The equations of pairs, psi_c(b) - psi_c(a) = rise = log / gamma. */
interface PairEquations extends Equations {
  channels: Uint8Array;
  /** Places of the pairs' values. */
  a: Float64Array;
  b: Float64Array;
  rises: Float64Array;
}

/** Most terms of a pair's equation: two samples of each of two values, and two knots for each sample. */
const MOST_TERMS = 12;

function equationsOf(
  pairs: readonly (readonly Pair[])[],
  gamma: number,
  prior: Float64Array,
  basis: readonly KnotShare[][],
): PairEquations {
  const count = pairs.reduce((sum, { length }) => sum + length, 0);
  const equations: PairEquations = {
    ...emptyEquations(count, MOST_TERMS),
    channels: new Uint8Array(count),
    a: new Float64Array(count),
    b: new Float64Array(count),
    rises: new Float64Array(count),
  };
  let i = 0;
  for (let channel = 0; channel < pairs.length; channel++)
    for (const { a, b, log, weight } of pairs[channel]) {
      const rise = log / gamma;
      equations.channels[i] = channel;
      equations.weights[i] = weight;
      equations.rises[i] = rise;
      const from = (equations.a[i] = placeOf(a));
      const to = (equations.b[i] = placeOf(b));
      equations.targets[i] = rise - read(prior, to) + read(prior, from);
      const start = equations.starts[i];
      let end = addSamples(equations, start, start, to, 1, channel, basis);
      end = addSamples(equations, start, end, from, -1, channel, basis);
      equations.starts[++i] = end;
    }
  return equations;
}

/** Adds the terms of psi_c at a place. @returns the new end. */
function addSamples(
  equations: Equations,
  start: number,
  end: number,
  place: number,
  sign: number,
  channel: number,
  basis: readonly KnotShare[][],
): number {
  const below = sampleBelow(place);
  const t = place - below;
  let last = end;
  for (let above = 0; above < 2; above++) {
    const sample = below + above;
    if (sample === LAST) continue;
    const share = sign * (above === 1 ? t : 1 - t);
    last = addTerm(equations, start, last, sample - 1, share);
    const knots = basis[sample];
    for (let i = 0; i < knots.length; i++)
      last = addTerm(equations, start, last, ROWS + channel * KNOTS + knots[i][0], share * knots[i][1]);
  }
  return last;
}

/** The weight of a pair's equation: by how precisely its values tell the curve, and less if it disagrees. */
function weightOf(
  { weights, a, b, rises }: PairEquations,
  i: number,
  psi: Float64Array,
  slope: Float64Array,
  outlier: number,
): number {
  const end = read(psi, b[i]);
  const misfit = MISFIT_SIGMA ** 2 / (Math.exp(2 * end) + 1e-4);
  const variance = LOG_SIGMA ** 2 + misfit + VALUE_SIGMA ** 2 * (read(slope, a[i]) ** 2 + read(slope, b[i]) ** 2);
  const miss = (end - read(psi, a[i]) - rises[i]) / outlier;
  return weights[i] / variance / (1 + (miss * miss) / variance);
}

/** The coordinate that stretches both ends, from 0 at 1/255 to 1 at white. */
function stretched(): Float64Array {
  const stretch = (x: number): number => Math.log(x + TOE) - SHOULDER_SHARE * Math.log(1 - x + SHOULDER);
  const first = stretch(1 / LAST);
  return Float64Array.from({ length: SIZE }, (_, i) => (stretch(i / LAST) - first) / (stretch(1) - first));
}

/** The integral of the squared second derivative of psi in u, as one equation per sample. psi(1) = 0 drops out. */
function stiffnessEquations(): Equations {
  const u = stretched();
  const equations = emptyEquations(ROWS - 1, 3);
  for (let k = 0; k < ROWS - 1; k++) {
    const i = k + 2;
    const below = u[i] - u[i - 1];
    const above = u[i + 1] - u[i];
    const middle = (below + above) / 2;
    const start = equations.starts[k];
    let end = addTerm(equations, start, start, i - 2, 1 / (below * middle));
    end = addTerm(equations, start, end, i - 1, -1 / (below * middle) - 1 / (above * middle));
    if (i + 1 < LAST) end = addTerm(equations, start, end, i, 1 / (above * middle));
    equations.starts[k + 1] = end;
    equations.weights[k] = STIFFNESS * middle;
  }
  return equations;
}

type KnotShare = [knot: number, share: number];

/**
 * For each sample from 1 on, the shares of a deviation's knots. At white, beyond the last knot, every deviation is 0.
 */
function deviationBasis(): KnotShare[][] {
  return Array.from(stretched(), (u) => {
    const knot = Math.floor(u * KNOTS);
    const t = u * KNOTS - knot;
    return (
      [
        [knot, 1 - t],
        [knot + 1, t],
      ] as KnotShare[]
    ).filter(([k]) => k < KNOTS);
  });
}

/**
 * The whole curve from its unknowns: the nearest non-decreasing one (pool adjacent violators), none above psi(1) = 0.
 */
function monotone(unknowns: Float64Array): Float64Array {
  const pools: { value: number; count: number }[] = [];
  for (const unknown of unknowns) {
    let pool = { value: Math.min(0, unknown), count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.value > pool.value; last = pools.at(-1)) {
      pools.pop();
      pool = {
        value: (pool.value * pool.count + last.value * last.count) / (pool.count + last.count),
        count: pool.count + last.count,
      };
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

/** x -> f(x)^(1/gamma), as the input stage computes it. */
export function encoder(f: readonly number[], gamma: number): (x: number) => number {
  return (x) => {
    const i = Math.min(LAST - 1, Math.floor(x * LAST));
    const t = x * LAST - i;
    return (f[i] * (1 - t) + f[i + 1] * t) ** (1 / gamma);
  };
}

/**
 * Weighted median over the pairs of all channels of |h(b) - ratio^(1/gamma) h(a)|, h = f^(1/gamma); 0 without pairs.
 */
export function residualOf(
  channels: readonly (readonly Pair[])[],
  curves: readonly (readonly number[])[],
  gamma: number,
): number {
  const misses = channels.flatMap((pairs, c) => {
    const h = encoder(curves[c], gamma);
    return pairs.map((pair) => ({
      value: Math.abs(h(pair.b) - Math.exp(pair.log / gamma) * h(pair.a)),
      weight: pair.weight,
    }));
  });
  return weightedMedian(misses) ?? 0;
}

/** The value below which half of the weight lies; undefined for an empty list. Sorts the list. */
export function weightedMedian(list: { value: number; weight: number }[]): number | undefined {
  list.sort((x, y) => x.value - y.value);
  let rest = list.reduce((sum, { weight }) => sum + weight, 0) / 2;
  for (const { value, weight } of list) {
    rest -= weight;
    if (rest <= 0) return value;
  }
  return undefined;
}

/** Lowest and highest value that well-populated pairs cover; [0, 0] for none. */
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
