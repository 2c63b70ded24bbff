/**
 * What a stack says about the camera: pairs of values (a, b) that one radiance has in two frames.
 *
 * There are two sources, each strong where the other is weak:
 * - matching cumulative histograms (Grossberg and Nayar, "What can be known about the radiometric response from
 *   images?", ECCV 2002): value a of the shorter frame and value b of the longer one have equally many pixels below
 *   them, even if things moved or the camera shook. Noise widens a dark frame's histogram, so the match is biased in
 *   deep shadows.
 * - the median partner of small flat patches at the same place: exact in the shadows (noise is averaged, and a flat
 *   patch hardly sees a shift), and right while less than half of the pixels with that value moved.
 */
import { maxSample } from './frame.ts';
import type { Frame } from './frame.ts';
import { median } from './median.ts';

/**
 * Pairs of one channel. `a` and `b` are values in (0,1) of the shorter and the longer frame, `log` the log of their
 * exposure ratio.
 */
export interface Pair {
  a: number;
  b: number;
  log: number;
  /** Trust in the pair: 1 for well-populated values, less for few pixels. */
  weight: number;
}

/** A frame reduced to a grid of 3x3 patches: the estimate looks only at these, whatever the picture's size. */
export interface Patches {
  /** Bins of the histograms: 256 for 8-bit samples, more for deeper ones. */
  bins: number;
  /** Patches per frame. */
  count: number;
  /** Samples per patch. */
  size: number;
  /** Per channel, the bins of the samples, patch after patch. */
  samples: Uint16Array[];
  /** Per channel and patch, the mean in [0,1]. */
  mean: Float32Array[];
  /** Per channel, the value from which on samples count as clipped. */
  top: number[];
  /** Per channel and patch, 1 if the patch is flat and unclipped. */
  flat: Uint8Array[];
  /** Per channel, the cumulative counts over all patches (`cumulate`). */
  cumulative: Float64Array[];
}

/** Most patches per frame, with 9 samples each, so that 60 megapixels cost as much as 1. */
const MAX_PATCHES = 120_000;
/** A patch is flat when its values span no more than this. */
const FLAT = 10 / 255;
/** Values at or below this count as clipped: 0 of the 8-bit scale. */
const LOW = 0.75 / 255;
/**
 * The highest value that may be trusted, and the highest code that always is. Between them, the frame decides
 * (`trustedTop`).
 */
const HIGHEST = 254.6 / 255;
const HIGH = 248;
/** From here to HIGH, the counts of codes tell how many to expect above HIGH. */
const EXPECTED_FROM = 236;
/** A count above this many times the expected one is noise of burnt-out areas. */
const EXCESS = 2;
/** Number of pixels (or patches) around a value at which its pair has half the trust. */
const HALF_TRUST = 40;

/** The grid of a picture's patches: `cols` x `rows` patches, `step` pixels apart, from the top left corner on. */
export function patchGrid(width: number, height: number): { step: number; cols: number; rows: number } {
  const step = Math.max(3, Math.ceil(Math.sqrt((width * height) / MAX_PATCHES)));
  return { step, cols: Math.max(1, Math.floor(width / step)), rows: Math.max(1, Math.floor(height / step)) };
}

/** Reads a frame on its grid of patches. */
export function readPatches(frame: Frame): Patches {
  const { data, width, height } = frame;
  const scale = 1 / maxSample(data);
  const isEight = scale === 1 / 255;
  const bins = isEight ? 256 : 4096;
  const { step, cols, rows } = patchGrid(width, height);
  const sizeX = Math.min(3, width);
  const sizeY = Math.min(3, height);
  const size = sizeX * sizeY;
  const count = cols * rows;
  const samples = [0, 1, 2].map(() => new Uint16Array(count * size));
  const mean = [0, 1, 2].map(() => new Float32Array(count));
  const flat = [0, 1, 2].map(() => new Uint8Array(count));
  const counts = [0, 1, 2].map(() => new Uint32Array(bins));
  const codes = isEight ? counts : counts.map(() => new Uint32Array(256));
  // Samples of 8 bits are bins and codes as they are; what is done for each sample here is most of an estimate.
  const [toBin, toCode] = [scale * (bins - 1), scale * 255];
  const high = isEight ? 255 : 1 / scale;
  // Each row by a call: one long loop would run before it is compiled, and be compiled again and again.
  const readRow = (row: number, c: number): void => {
    const [binsOf, meanOf, flatOf, countsOf, codesOf] = [samples[c], mean[c], flat[c], counts[c], codes[c]];
    for (let patch = row * cols; patch < (row + 1) * cols; patch++) {
      const at = (row * step * width + (patch - row * cols) * step) * 3 + c;
      let sum = 0;
      let min = high;
      let max = 0;
      let k = patch * size;
      for (let y = 0; y < sizeY; y++) {
        const start = at + y * width * 3;
        const end = start + sizeX * 3;
        for (let i = start; i < end; i += 3) {
          let value = data[i];
          if (isEight) {
            binsOf[k++] = value;
            countsOf[value]++;
          } else {
            value = Math.min(high, Math.max(0, value));
            const bin = Math.round(value * toBin);
            binsOf[k++] = bin;
            countsOf[bin]++;
            codesOf[Math.round(value * toCode)]++;
          }
          sum += value;
          if (value < min) min = value;
          if (value > max) max = value;
        }
      }
      meanOf[patch] = (sum * scale) / size;
      // The largest value, until it is known from which value on samples count as clipped.
      flatOf[patch] = (max - min) * scale <= FLAT && min * scale > LOW ? Math.round(max * toCode) : 0;
    }
  };
  for (let row = 0; row < rows; row++) for (let c = 0; c < 3; c++) readRow(row, c);
  const top = codes.map(trustedTop);
  for (let c = 0; c < 3; c++)
    for (let patch = 0; patch < count; patch++)
      flat[c][patch] = flat[c][patch] > 0 && flat[c][patch] < top[c] * 255 ? 1 : 0;
  return { bins, count, size, samples, mean, flat, top, cumulative: counts.map(cumulated) };
}

/**
 * The value from which on samples may come from burnt-out areas. JPEG does not keep these at 255 but adds noise, down
 * to 250 or so, and such a sample says nothing about its light. So codes above HIGH are used only up to the first one
 * with more samples than the lower codes predict.
 */
function trustedTop(counts: Uint32Array): number {
  const expected = median(counts.slice(EXPECTED_FROM, HIGH + 1));
  const limit = EXCESS * expected + 3 * Math.sqrt(expected) + 3;
  for (let code = HIGH + 1; code < 255; code++) if (counts[code] > limit) return (code - 0.5) / 255;
  return HIGHEST;
}

/** Cumulative counts at the edges of the bins: `edges[i]` samples lie below (i - 0.5) / (bins - 1). */
function cumulated(counts: Uint32Array): Float64Array {
  const edges = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) edges[i + 1] = edges[i] + counts[i];
  return edges;
}

/** Cumulative counts of one channel over the patches whose `still` is 1, or over all. */
function cumulate(patches: Patches, channel: number, still?: Uint8Array): Float64Array {
  const { bins, count, size, samples, cumulative } = patches;
  if (!still) return cumulative[channel];
  // Few patches moved.
  const moved = new Uint32Array(bins);
  const values = samples[channel];
  for (let patch = 0; patch < count; patch++)
    if (!still[patch]) for (let i = patch * size; i < (patch + 1) * size; i++) moved[values[i]]++;
  const edges = cumulated(moved);
  return cumulative[channel].map((below, i) => below - edges[i]);
}

/**
 * The value below which `count` samples lie; the middle of the gap if that holds for several values. NaN in the end
 * bins, which hold clipped samples.
 */
function quantile(edges: Float64Array, count: number): number {
  const bins = edges.length - 1;
  let low = 0;
  let high = bins;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] < count) low = middle + 1;
    else high = middle;
  }
  // edges[low - 1] < count <= edges[low]
  if (low <= 1 || low >= bins) return NaN;
  let position: number;
  if (edges[low] === count) {
    let end = low;
    while (end < bins && edges[end + 1] === count) end++;
    position = (low + end) / 2;
  } else position = low - 1 + (count - edges[low - 1]) / (edges[low] - edges[low - 1]);
  return (position - 0.5) / (bins - 1);
}

/** Samples within 2/255 of a value. */
function populationAt(edges: Float64Array, value: number): number {
  const bins = edges.length - 1;
  const at = (v: number): number => edges[Math.min(bins, Math.max(0, Math.round(v * (bins - 1) + 0.5)))];
  return at(value + 2.5 / 255) - at(value - 2.5 / 255);
}

/**
 * Called with a value of one frame, the matching value of the other frame (NaN if unknown), and the number of pixels or
 * patches with that value.
 */
type Match = (value: number, match: number, count: number) => void;

/**
 * The pairs of two frames, per channel.
 * @param ratio of their exposures.
 * @param still 1 for each patch to look at; all of them by default.
 */
export function pairsOf(shorter: Patches, longer: Patches, ratio: number, still?: Uint8Array): Pair[][] {
  const looked = still ?? new Uint8Array(shorter.count).fill(1);
  return [0, 1, 2].map((channel) => {
    const pairs: Pair[] = [];
    const add: Match = (a, b, count) => {
      if (count >= 3 && a > LOW && a < shorter.top[channel] && b > LOW && b < longer.top[channel])
        pairs.push({ a, b, log: Math.log(ratio), weight: count / (count + HALF_TRUST) });
    };
    const addSwapped: Match = (b, a, count) => add(a, b, count);
    const edges = [shorter, longer].map((patches) => cumulate(patches, channel, still));
    matchHistograms(edges[0], edges[1], add);
    matchHistograms(edges[1], edges[0], addSwapped);
    const both = flatInBoth(shorter.flat[channel], longer.flat[channel], looked);
    matchPatches(shorter.mean[channel], longer.mean[channel], both, add);
    matchPatches(longer.mean[channel], shorter.mean[channel], both, addSwapped);
    return pairs;
  });
}

/** Matches two cumulative histograms at 255 edges of one frame's values. */
function matchHistograms(from: Float64Array, to: Float64Array, add: Match): void {
  const bins = from.length - 1;
  const stride = bins / 256;
  for (let i = stride; i < bins; i += stride) {
    const value = (i - 0.5) / (bins - 1);
    const match = quantile(to, from[i]);
    add(value, match, Math.min(populationAt(from, value), populationAt(to, match)) / 9);
  }
}

/** The patches to look at that are flat in two frames. */
function flatInBoth(flat: Uint8Array, otherFlat: Uint8Array, still: Uint8Array): Uint32Array {
  const found = new Uint32Array(flat.length);
  let count = 0;
  for (let patch = 0; patch < flat.length; patch++)
    if (flat[patch] & otherFlat[patch] & still[patch]) found[count++] = patch;
  return found.subarray(0, count);
}

/**
 * Matches flat patches: for every 1/255 of one frame's values, their mean and the median of the other frame's values.
 * @param values, others the patches' means in the two frames.
 */
function matchPatches(values: Float32Array, others: Float32Array, patches: Uint32Array, add: Match): void {
  // Partners bin after bin in one array: lists for each bin take three times as long.
  const bins = new Uint8Array(patches.length);
  const sums = new Float64Array(256);
  const ends = new Uint32Array(257);
  for (let i = 0; i < patches.length; i++) {
    const value = values[patches[i]];
    const bin = Math.round(value * 255);
    bins[i] = bin;
    sums[bin] += value;
    ends[bin + 1]++;
  }
  for (let bin = 0; bin < 256; bin++) ends[bin + 1] += ends[bin];
  const partners = new Float32Array(ends[256]);
  const next = ends.slice(0, 256);
  for (let i = 0; i < patches.length; i++) partners[next[bins[i]]++] = others[patches[i]];
  for (let bin = 0; bin < 256; bin++) {
    const count = ends[bin + 1] - ends[bin];
    if (count > 0) add(sums[bin] / count, median(partners.subarray(ends[bin], ends[bin + 1])), count);
  }
}
