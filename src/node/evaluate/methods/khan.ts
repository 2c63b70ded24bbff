/**
 * Khan, Akyuz and Reinhard, "Ghost Removal in High Dynamic Range Images" (ICIP 2006): pixels are weighted by how likely
 * it is that they belong to what most of their neighbourhood shows, in all frames. No motion is detected, and no frame
 * is the reference: which moment a moving thing is shown at follows from the weights.
 *
 * With x the features of pixel p in frame s, and y those of the pixels of all frames in the 3x3 neighbourhood of p, p
 * itself left out:
 *
 *     P(x) = sum(w_y K_H(x - y)) / sum(w_y)      K_H: a gaussian of bandwidth H
 *     w <- w_0 P(x)                              w_0: 1 - (2z - 1)^12, z a sample in [0,1]
 *
 * again and again; the result is the mean of the frames' radiance with the last w. Features are position and colour, in
 * the logarithmic space l-alpha-beta (Ruderman, Cronin and Chiao 1998, with the matrices of Reinhard et al., "Color
 * Transfer between Images", 2001).
 *
 * Where the paper leaves room or does not suit a stack in float radiance, this was chosen, and nothing of it was tuned
 * on scenes that are measured:
 * - colours are those of radiance, so that frames of different exposures can agree;
 * - H is 1 pixel, and 0.1 in l, alpha and beta, where a doubling of brightness is 0.52 in l. (The paper's H is the
 *   identity. With these units a doubling would then weigh 0.87, and no ghost would go.)
 * - a small radiance is added before the logarithm, because noise near black is large there;
 * - w_0 is that of the worst channel, and one-sided in the shortest and in the longest frame.
 */
import { inBands } from '../../../image/bands.ts';
import { exposureWeights, weightedMerge } from './method.ts';
import type { Method, MethodStack } from './method.ts';

const ITERATIONS = 5;
/** Bandwidth of colour, in log10 units of l-alpha-beta; that of position is 1 pixel. */
const BANDWIDTH = 0.1;
/** X' in the longest frame whose radiance is added before the logarithm. */
const NEAR_BLACK = 0.05;

/** RGB to LMS, rows (Reinhard et al. 2001, equation 4). */
const LMS = [
  [0.3811, 0.5783, 0.0402],
  [0.1967, 0.7244, 0.0782],
  [0.0241, 0.1288, 0.8444],
] as const;

/** l, alpha and beta of every pixel, divided by the bandwidth: `[height, width, 3]`. */
function features(frame: Float32Array, tau: number, gamma: number, nearBlack: number): Float32Array {
  const out = new Float32Array(frame.length);
  for (let p = 0; p < frame.length; p += 3) {
    const [r, g, b] = [0, 1, 2].map((c) => frame[p + c] ** gamma / tau);
    const [l, m, s] = LMS.map((row) => Math.log10(row[0] * r + row[1] * g + row[2] * b + nearBlack));
    out[p] = (l + m + s) / Math.sqrt(3) / BANDWIDTH;
    out[p + 1] = (l + m - 2 * s) / Math.sqrt(6) / BANDWIDTH;
    out[p + 2] = (l - m) / Math.sqrt(2) / BANDWIDTH;
  }
  return out;
}

/** w_0 of a sample. */
function hat(z: number): number {
  return 1 - (2 * z - 1) ** 12;
}

/** Half of the neighbourhood, as steps in x and y; the other half are the same pairs of pixels seen from the other. */
const HALF = [
  [1, 0],
  [-1, 1],
  [0, 1],
  [1, 1],
] as const;

/** P of every pixel of each frame. */
async function memberships(
  colours: readonly Float32Array[],
  weights: readonly Float64Array[],
  { width, height }: MethodStack,
  signal?: AbortSignal,
): Promise<Float64Array[]> {
  const sums = colours.map(() => new Float64Array(width * height));
  const totals = new Float64Array(width * height);
  const addPair = (p: number, q: number, position: number): void => {
    for (let s = 0; s < colours.length; s++) {
      totals[p] += weights[s][q];
      totals[q] += weights[s][p];
      const [a, own] = [colours[s], weights[s][p]];
      for (let k = 0; k < colours.length; k++) {
        const other = weights[k][q];
        if (own === 0 && other === 0) continue;
        const b = colours[k];
        const l = a[3 * p] - b[3 * q];
        const alpha = a[3 * p + 1] - b[3 * q + 1];
        const beta = a[3 * p + 2] - b[3 * q + 2];
        const kernel = position * Math.exp(-(l * l + alpha * alpha + beta * beta) / 2);
        sums[s][p] += other * kernel;
        sums[k][q] += own * kernel;
      }
    }
  };
  const work = (from: number, to: number): void => {
    for (let p = from; p < to; p++) {
      const x = p % width;
      for (const [dx, dy] of HALF) {
        const q = p + dy * width + dx;
        if (x + dx >= 0 && x + dx < width && q < totals.length) addPair(p, q, Math.exp(-(dx * dx + dy * dy) / 2));
      }
    }
  };
  await inBands(totals.length, work, { multiple: width, signal });
  return sums.map((sum) => sum.map((value, p) => (totals[p] > 0 ? value / totals[p] : 1)));
}

/** Where no frame is likely, the weights of exposure decide. */
function product(start: readonly Float64Array[], likely: readonly Float64Array[]): Float64Array[] {
  const out = start.map((weight, k) => weight.map((w, p) => w * likely[k][p]));
  for (let p = 0; p < out[0].length; p++)
    if (out.every((weight) => weight[p] === 0)) for (const [k, weight] of out.entries()) weight[p] = start[k][p];
  return out;
}

export const khan: Method = {
  name: 'khan',
  output: 'radiance',
  async run(stack, signal) {
    const nearBlack = NEAR_BLACK ** stack.gamma / Math.max(...stack.taus);
    const colours = stack.frames.map((frame, k) => features(frame, stack.taus[k], stack.gamma, nearBlack));
    const start = exposureWeights(stack, hat);
    let weights: Float64Array[] = start;
    for (let i = 0; i < ITERATIONS; i++) weights = product(start, await memberships(colours, weights, stack, signal));
    return weightedMerge(stack, weights, signal);
  },
};
