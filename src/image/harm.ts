/**
 * The harm of a merge that can be measured without ground truth: a tint, rainbow pixels, and differences from the plain
 * merge where nothing moves.
 *
 * Pictures are linear RGB, interleaved `[height, width, 3]`, where 1 is the saturation of the shortest frame. Pictures
 * that are compared are tone-mapped with one key, that of the plain merge, and compared as sRGB in CIELAB.
 */
import { InputError } from '../errors.ts';
import { colourDifference, srgbToLab } from './lab.ts';
import { expectAlike } from './picture.ts';
import { LUMA, encodeSrgb } from './srgb.ts';

/** Keeps black out of the logarithm. */
const DARK = 1e-6;
/** The key is mapped to MIDDLE_GREY, and a scaled luminance of WHITE to white: Reinhard et al. (SIGGRAPH 2002). */
const [MIDDLE_GREY, WHITE] = [0.18, 4];

function luminance(picture: ArrayLike<number>, at: number): number {
  return (
    LUMA[0] * Math.max(0, picture[at]) + LUMA[1] * Math.max(0, picture[at + 1]) + LUMA[2] * Math.max(0, picture[at + 2])
  );
}

/** The key of a picture: the log-mean of its luminance. */
export function toneKey(radiance: ArrayLike<number>): number {
  let sum = 0;
  for (let p = 0; p < radiance.length; p += 3) sum += Math.log(luminance(radiance, p) + DARK);
  return Math.exp(sum / (radiance.length / 3));
}

/**
 * A picture as shown for comparison: Reinhard's global operator on luminance, then sRGB. Simpler than `toneMap`, whose
 * parameters adapt to each picture.
 * @param key of the picture that all are compared with.
 * @returns sRGB-encoded, interleaved, in [0,1].
 */
export function shownAt(radiance: ArrayLike<number>, key: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(radiance.length);
  for (let p = 0; p < radiance.length; p += 3) {
    const light = luminance(radiance, p);
    const scaled = (light * MIDDLE_GREY) / key;
    const gain = ((scaled / (1 + scaled)) * (1 + scaled / WHITE ** 2)) / Math.max(light, 1e-9);
    for (let i = p; i < p + 3; i++) out[i] = encodeSrgb(Math.min(1, Math.max(0, radiance[i]) * gain));
  }
  return out;
}

/** A picture in CIELAB, tone-mapped at a key. */
export function labAt(radiance: ArrayLike<number>, key: number): Float64Array<ArrayBuffer> {
  return srgbToLab(shownAt(radiance, key));
}

/** A pixel this far in a or b from the median of its neighbours is a rainbow pixel. */
const RAINBOW = 15;
/** The neighbours: 5x5, mirrored at the border with the border's pixel twice; the median is the 13th of the 25. */
const REACH = 2;
const HALF = ((2 * REACH + 1) ** 2 + 1) / 2;

/**
 * The share of rainbow pixels: those more than 15 in a or b from the median of the 5x5 around them. A median is below a
 * limit exactly if at least 13 of the 25 values are, so nothing is sorted.
 * @param lab CIELAB, interleaved `[height, width, 3]`.
 */
export function rainbowShare(lab: Float64Array, width: number, height: number): number {
  if (lab.length !== 3 * width * height)
    throw new InputError(`rainbow pixels: ${lab.length} values, ${width}x${height} needs ${3 * width * height}`);
  const mirrored = (i: number, count: number): number => {
    const at = ((i % (2 * count)) + 2 * count) % (2 * count);
    return at < count ? at : 2 * count - 1 - at;
  };
  const columns = Int32Array.from({ length: width + 2 * REACH }, (_, x) => 3 * mirrored(x - REACH, width));
  let rainbow = 0;
  for (let y = 0; y < height; y++) {
    const rows = Array.from({ length: 2 * REACH + 1 }, (_, dy) => 3 * width * mirrored(y + dy - REACH, height));
    for (let x = 0; x < width; x++) {
      const stands = (channel: number): boolean => {
        const value = lab[3 * (y * width + x) + channel];
        let [below, above] = [0, 0];
        for (const row of rows) {
          for (let dx = x; dx <= x + 2 * REACH; dx++) {
            const other = lab[row + columns[dx] + channel];
            if (other < value - RAINBOW) below++;
            else if (other > value + RAINBOW) above++;
          }
        }
        return below >= HALF || above >= HALF;
      };
      if (stands(1) || stands(2)) rainbow++;
    }
  }
  return rainbow / (width * height);
}

/** The q-quantile of sorted values, interpolated linearly between neighbours. NaN for an empty list. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return NaN;
  const at = q * (sorted.length - 1);
  const low = Math.min(Math.floor(at), Math.max(0, sorted.length - 2));
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** How a picture's colours differ from the reference frame's, apart from brightness. */
export interface ColourCast {
  /** CIEDE2000, the median and the 90th percentile of the pixels. */
  median: number;
  p90: number;
  /** Mean shift of CIELAB's a (towards red) and b (towards yellow). */
  a: number;
  b: number;
}

/** Codes of 255 between which a sample is a mid-tone: neither noise nor burnt out. */
const MIDTONES = [25, 230] as const;
/** Fewest mid-tone pixels for measuring a cast. */
export const MIN_MIDTONES = 500;
const BINS = 64;

/** Pixels whose three samples are mid-tones, as offsets of their first. @param samples in [0,1]. */
function midtones(samples: ArrayLike<number>): Int32Array {
  const [low, high] = MIDTONES.map((code) => code / 255);
  const pixels: number[] = [];
  for (let p = 0; p < samples.length; p += 3) {
    if (
      Math.min(samples[p], samples[p + 1], samples[p + 2]) >= low &&
      Math.max(samples[p], samples[p + 1], samples[p + 2]) <= high
    )
      pixels.push(p);
  }
  return Int32Array.from(pixels);
}

/** The value at `x` of an increasing curve through points (xs, ys): linear between them, constant outside. */
function onCurve(x: number, xs: readonly number[], ys: readonly number[]): number {
  let [low, high] = [0, xs.length - 1];
  if (x <= xs[low]) return ys[low];
  if (x >= xs[high]) return ys[high];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  return ys[low] + ((ys[high] - ys[low]) * (x - xs[low])) / (xs[high] - xs[low]);
}

/**
 * The colour cast of pictures against one reference frame. One increasing curve, shared by the three channels, is
 * fitted that maps a picture's values to the frame's samples (medians of 64 bins of equal count, in the log domain).
 * What the curve does not explain is colour. A camera applies one curve to all channels, so a correct merge leaves
 * little.
 * @param samples the reference frame as taken, in [0,1].
 * @returns a function that measures a merged picture; undefined with fewer than 500 mid-tone pixels (`MIN_MIDTONES`),
 * which are too few to measure.
 */
export function colourCasts(samples: ArrayLike<number>): ((radiance: ArrayLike<number>) => ColourCast) | undefined {
  const pixels = midtones(samples);
  if (pixels.length < MIN_MIDTONES) return undefined;
  const taken = new Float64Array(3 * pixels.length);
  pixels.forEach((p, k) => {
    for (let c = 0; c < 3; c++) taken[3 * k + c] = samples[p + c];
  });
  const expected = srgbToLab(taken);
  return (radiance) => {
    expectAlike('colour cast', radiance, samples);
    const light = new Float64Array(taken.length);
    pixels.forEach((p, k) => {
      for (let c = 0; c < 3; c++) light[3 * k + c] = Math.log(Math.max(0, radiance[p + c]) + 1e-7);
    });
    const { xs, ys } = sharedCurve(light, taken);
    const fitted = srgbToLab(light.map((x) => onCurve(x, xs, ys)));
    const differences = colourDifference(fitted, expected).sort();
    let [a, b] = [0, 0];
    for (let p = 0; p < fitted.length; p += 3) {
      a += (fitted[p + 1] - expected[p + 1]) / pixels.length;
      b += (fitted[p + 2] - expected[p + 2]) / pixels.length;
    }
    return { median: quantile(differences, 0.5), p90: quantile(differences, 0.9), a, b };
  };
}

/**
 * Medians of x and y in bins with equal counts of x; those of y are made non-decreasing. A value on an edge belongs to
 * the bin below.
 */
function sharedCurve(x: Float64Array, y: Float64Array): { xs: number[]; ys: number[] } {
  const sorted = x.slice().sort();
  const edges = Array.from({ length: BINS + 1 }, (_, i) => quantile(sorted, i / BINS));
  const binOf = (value: number): number => {
    let [bin, beyond] = [0, BINS];
    while (beyond - bin > 1) {
      const middle = (bin + beyond) >> 1;
      if (edges[middle] < value) bin = middle;
      else beyond = middle;
    }
    return bin;
  };
  const counts = new Uint32Array(BINS);
  const bins = Uint8Array.from(x, (value) => {
    const bin = binOf(value);
    counts[bin]++;
    return bin;
  });
  // Bins follow each other in the order of x, so the sorted x already is in bins.
  const starts = Uint32Array.from(counts, (_, bin) => counts.subarray(0, bin).reduce((sum, count) => sum + count, 0));
  const next = starts.slice();
  const grouped = new Float64Array(y.length);
  for (let i = 0; i < y.length; i++) grouped[next[bins[i]]++] = y[i];
  const [xs, ys]: [number[], number[]] = [[], []];
  let highest = -Infinity;
  for (let bin = 0; bin < BINS; bin++) {
    if (counts[bin] === 0) continue;
    const [from, to] = [starts[bin], starts[bin] + counts[bin]];
    highest = Math.max(highest, quantile(grouped.subarray(from, to).sort(), 0.5));
    xs.push(quantile(sorted.subarray(from, to), 0.5));
    ys.push(highest);
  }
  return { xs, ys };
}
