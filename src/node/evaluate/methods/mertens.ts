/**
 * Mertens, Kautz and Van Reeth, "Exposure Fusion" (Pacific Graphics 2007): a picture for a display straight from the
 * frames, without radiance. It does not remove ghosts, and no frame is the reference.
 *
 * Weights (section 3.1), multiplied with exponents of 1 and made to add up to 1 over the frames:
 * - contrast: the absolute value of the Laplacian (4 neighbours) of grey;
 * - saturation: the standard deviation of R, G and B;
 * - well-exposedness: exp(-(x - 0.5)^2 / (2 sigma^2)) multiplied over the channels, sigma 0.2.
 *
 * Fusion (section 3.2): the Laplacian pyramids of the frames are added up, weighted with the gaussian pyramids of the
 * weights, down to the level where the shorter side is 1.
 */
import { throwIfCancelled } from '../../../errors.ts';
import type { Method, MethodStack } from './method.ts';
import { collapse, gaussianPyramid, laplacianPyramid } from './pyramid.ts';
import type { Layer } from './pyramid.ts';

const SIGMA = 0.2;
/** Added to each weight with data, so that flat grey parts have some. */
const LEAST = 1e-12;
/** Grey (Rec. 601). */
const GREY = [0.299, 0.587, 0.114] as const;

/** The index beyond an edge, mirrored. */
const inside = (i: number, length: number): number =>
  length === 1 ? 0 : i < 0 ? -i : i >= length ? 2 * length - 2 - i : i;

/** The weight of each pixel of one frame, before frames are compared. */
function quality(frame: Float32Array, width: number, height: number, coverage: Uint8Array | undefined): Float64Array {
  const grey = Float64Array.from(
    { length: width * height },
    (_, p) => GREY[0] * frame[3 * p] + GREY[1] * frame[3 * p + 1] + GREY[2] * frame[3 * p + 2],
  );
  return grey.map((value, p) => {
    if (coverage?.[p] === 0) return 0;
    const [x, y] = [p % width, Math.floor(p / width)];
    const at = (u: number, v: number): number => grey[inside(v, height) * width + inside(u, width)];
    const contrast = Math.abs(at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * value);
    const [r, g, b] = frame.subarray(3 * p, 3 * p + 3);
    const mean = (r + g + b) / 3;
    const saturation = Math.sqrt(((r - mean) ** 2 + (g - mean) ** 2 + (b - mean) ** 2) / 3);
    const distance = (r - 0.5) ** 2 + (g - 0.5) ** 2 + (b - 0.5) ** 2;
    return contrast * saturation * Math.exp(-distance / (2 * SIGMA * SIGMA)) + LEAST;
  });
}

/** The frames' weights, which add up to 1; equal where no frame has data. */
function fusionWeights({ frames, width, height, coverage }: MethodStack): Float64Array[] {
  const weights = frames.map((frame, k) => quality(frame, width, height, coverage[k]));
  for (let p = 0; p < width * height; p++) {
    const total = weights.reduce((sum, weight) => sum + weight[p], 0);
    for (const weight of weights) weight[p] = total > 0 ? weight[p] / total : 1 / frames.length;
  }
  return weights;
}

export const mertens: Method = {
  name: 'mertens',
  output: 'display',
  async run(stack, signal) {
    const { frames, width, height } = stack;
    const levels = Math.floor(Math.log2(Math.min(width, height)));
    const weights = fusionWeights(stack);
    let sum: Layer[] | undefined;
    for (const [k, frame] of frames.entries()) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfCancelled(signal);
      const detail = laplacianPyramid({ data: Float64Array.from(frame), width, height, channels: 3 }, levels);
      const share = gaussianPyramid({ data: weights[k], width, height, channels: 1 }, levels);
      const weighted = detail.map((layer, i) => ({
        ...layer,
        data: layer.data.map((value, j) => value * share[i].data[Math.floor(j / 3)]),
      }));
      sum = sum
        ? sum.map((layer, i) => ({ ...layer, data: layer.data.map((value, j) => value + weighted[i].data[j]) }))
        : weighted;
    }
    return Float32Array.from(collapse(sum!).data, (x) => Math.min(1, Math.max(0, x)));
  },
};
