/**
 * Pece and Kautz, "Bitmap Movement Detection: HDR for Dynamic Scenes" (CVMP 2010): Ward's median threshold bitmaps show
 * where frames differ, and each moving region comes from one frame. No frame is the reference.
 *
 * 1. Each frame's bitmap is 1 where its grey value is above its median (Ward, "Fast, Robust Image Registration for
 *    Compositing High Dynamic Range Photographs from Handheld Exposures", 2003): the same in every exposure of a static
 *    scene, because a camera's curve keeps the order of values.
 * 2. Where the bitmaps of the frames differ, something moves.
 * 3. This map is eroded against noise, then dilated.
 * 4. Its connected parts (8 neighbours) are the moving regions. Each takes the frame that is best exposed in it: the
 *    largest sum of Mertens's well-exposedness, exp(-(x - 0.5)^2 / (2 sigma^2)) multiplied over channels, sigma 0.2.
 * 5. Elsewhere all frames count, and within a region only its own.
 *
 * What differs: the paper fuses exposures into a picture for a display; here the last step is deghost's plain merge, so
 * that radiance can be compared. Ward's 17th or 83rd percentile replaces the median where that is nearly white or black
 * in a frame. The sizes of the squares, 3 and 17 pixels, were not checked against the paper's text.
 */
import { exposureWeights, triangle, weightedMerge } from './method.ts';
import type { Method, MethodStack } from './method.ts';

/** Half the sides of the squares that erode and dilate. */
const EROSION = 1;
const DILATION = 8;
const SIGMA = 0.2;
/** Medians outside these bounds say little; then the other percentile is the threshold of all frames (Ward 2003). */
const USABLE = [20 / 255, 235 / 255] as const;
const MEDIAN = 0.5;
const LOWER = 0.17;
const UPPER = 0.83;

/** Ward's integer grey: (54 R + 183 G + 19 B) / 256. */
function greyOf(frame: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: frame.length / 3 },
    (_, p) => (54 * frame[3 * p] + 183 * frame[3 * p + 1] + 19 * frame[3 * p + 2]) / 256,
  );
}

/** Where each frame's grey is above the same percentile; percentiles are of the pixels that all frames have. */
function bitmaps(greys: readonly Float32Array[], shared: Uint8Array): Uint8Array[] {
  const sorted = greys.map((grey) => grey.filter((_, p) => shared[p] !== 0).sort());
  const at = (share: number): number[] => sorted.map((values) => values[Math.floor(share * (values.length - 1))]);
  const medians = at(MEDIAN);
  const [isDark, isBright] = [medians.some((m) => m < USABLE[0]), medians.some((m) => m > USABLE[1])];
  const thresholds = isDark === isBright ? medians : at(isDark ? UPPER : LOWER);
  return greys.map((grey, k) => Uint8Array.from(grey, (value) => (value > thresholds[k] ? 1 : 0)));
}

/** The smallest or the largest value of a square around each pixel; outside the picture there is nothing. */
function extreme(map: Uint8Array, width: number, height: number, half: number, isMax: boolean): Uint8Array {
  const found = isMax ? 1 : 0; // the value that wins
  const pass = (from: Uint8Array, length: number, step: number, lines: number, lineStep: number): Uint8Array => {
    const out = new Uint8Array(from.length).fill(1 - found);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        if (from[line * lineStep + i * step] !== found) continue;
        for (let j = Math.max(0, i - half); j <= Math.min(length - 1, i + half); j++)
          out[line * lineStep + j * step] = found;
      }
    }
    return out;
  };
  return pass(pass(map, width, 1, height, width), height, width, width, 1);
}

/** Connected parts of a map by 8 neighbours, as lists of pixels. */
function regions(map: Uint8Array, width: number, height: number): number[][] {
  const left = Uint8Array.from(map);
  const found: number[][] = [];
  for (let start = 0; start < left.length; start++) {
    if (left[start] === 0) continue;
    left[start] = 0;
    const region = [start];
    for (let next = 0; next < region.length; next++) {
      const [x, y] = [region[next] % width, Math.floor(region[next] / width)];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
          if (left[v * width + u] !== 0) {
            left[v * width + u] = 0;
            region.push(v * width + u);
          }
    }
    found.push(region);
  }
  return found;
}

/**
 * Where the frames' bitmaps differ, after erosion and dilation: `[height, width]` of 0 and 1. A frame says nothing
 * where it has no data.
 */
export function movement({ frames, coverage, width, height }: MethodStack): Uint8Array {
  const hasData = (k: number, p: number): boolean => coverage[k]?.[p] !== 0;
  const shared = Uint8Array.from({ length: width * height }, (_, p) => (frames.every((_, k) => hasData(k, p)) ? 1 : 0));
  const above = bitmaps(frames.map(greyOf), shared);
  const differ = Uint8Array.from(shared, (_, p) => {
    const seen = above.filter((_, k) => hasData(k, p));
    return seen.some((bitmap) => bitmap[p] !== seen[0][p]) ? 1 : 0;
  });
  return extreme(extreme(differ, width, height, EROSION, false), width, height, DILATION, true);
}

export const pece: Method = {
  name: 'pece',
  output: 'radiance',
  run(stack, signal) {
    const { frames, taus, coverage, width, height } = stack;
    const weights = exposureWeights(stack, triangle);
    for (const region of regions(movement(stack), width, height)) {
      const scores = frames.map((frame, k) => {
        let score = 0;
        for (const p of region) {
          if (coverage[k]?.[p] === 0) continue;
          let distance = 0;
          for (let i = 3 * p; i < 3 * p + 3; i++) distance += (frame[i] - 0.5) ** 2;
          score += Math.exp(-distance / (2 * SIGMA * SIGMA));
        }
        return score;
      });
      // Of equally good frames the shortest, whatever their order.
      const best = taus.reduce(
        (a, tau, k) => (scores[k] > scores[a] || (scores[k] === scores[a] && tau < taus[a]) ? k : a),
        0,
      );
      for (const p of region) {
        if (coverage[best]?.[p] === 0) continue;
        for (const [k, weight] of weights.entries()) weight[p] = k === best ? 1 : 0;
      }
    }
    return weightedMerge(stack, weights, signal);
  },
};
