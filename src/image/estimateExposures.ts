/**
 * Exposures of frames that say nothing of them, from their pixels.
 *
 * The frames are compared block by block: the median sample of a block in one frame and in the next. Blocks are large
 * beside what a hand moves, most of them show nothing that moves, and the median of all comparisons counts.
 *
 * Pictures alone cannot tell a wide bracket through a flat response from a narrow one through a steep response: both
 * are known only up to a common power (Grossberg and Nayar, "What can be known about the radiometric response from
 * images?", ECCV 2002). So a response must be assumed, and the estimate is as wrong as that is.
 */
import type { Frame } from './frame.ts';
import { select } from './median.ts';

/** Exposures estimated from pixels. */
export interface EstimatedExposures {
  /** Relative exposures in the order of the frames; the darkest frame has 1. */
  exposures: number[];
  /**
   * How wrong they may be, in stops: for each step between neighbours half of the range of the middle half of all
   * comparisons, or what the assumed response may cost if that is more; the largest of all steps.
   */
  uncertainty: number;
  /** The neighbours, as indices into the frames, that have too little in common to be compared. */
  incomparable?: readonly [darker: number, brighter: number];
}

type Samples = Pick<Frame, 'data' | 'width' | 'height'>;

/**
 * A sample's light is this power of it, for cameras' pictures. sRGB's is about 2.2, but cameras add contrast: with 2.2,
 * the steps of ten real brackets came out 1.3 to 1.7 times too wide.
 */
const CAMERA_EXPONENT = 1.47;
/** How far the steps of those brackets are off with it, as a share of them. */
const RESPONSE_ERROR = 0.15;
/** Samples at either end of the scale say little: noise and veils below, the shoulder and clipping above. */
const USABLE = { low: 0.06, high: 0.92 } as const;
/** In linear light, the same pixels have smaller samples. */
const USABLE_LINEAR = { low: 0.004, high: 0.92 } as const;
/** Blocks along the longer side. */
const BLOCKS = 40;
/** With fewer blocks in common, a comparison is a guess. */
const LEAST_BLOCKS = 8;
/** Samples of a block that are looked at, about: rows and columns evenly apart. */
const SAMPLES = 256;

/** The median green sample of every block, 0 to 1, row after row. */
function medians({ data, width, height }: Samples): number[] {
  const side = Math.max(1, Math.ceil(Math.max(width, height) / BLOCKS));
  const step = Math.max(1, Math.floor(side / Math.sqrt(SAMPLES)));
  const scale = data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 65535 : 255;
  const found: number[] = [];
  const samples = data.slice(0, Math.min(Math.ceil(side / step) ** 2, data.length));
  // Each block by a call: one long loop would run before it is compiled.
  const medianOf = (left: number, top: number): number => {
    const [right, bottom] = [Math.min(left + side, width), Math.min(top + side, height)];
    let count = 0;
    for (let y = top; y < bottom; y += step)
      for (let x = left; x < right; x += step) samples[count++] = data[3 * (y * width + x) + 1];
    return select(samples.subarray(0, count), count >> 1) / scale;
  };
  for (let top = 0; top < height; top += side)
    for (let left = 0; left < width; left += side) found.push(medianOf(left, top));
  return found;
}

function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.floor(at * (sorted.length - 1))];
}

/** Estimates the exposures of a stack, in the order of the frames. @param linear whether samples are linear light. */
export function estimateExposures(frames: readonly Samples[], linear: boolean): EstimatedExposures {
  const { low, high } = linear ? USABLE_LINEAR : USABLE;
  const isUsable = (sample: number): boolean => sample >= low && sample <= high;
  const exponent = linear ? 1 : CAMERA_EXPONENT;
  const all = frames.map(medians);
  const sums = all.map((values) => values.reduce((sum, value) => sum + value, 0));
  const order = frames.map((_, i) => i).sort((a, b) => sums[a] - sums[b]);
  const exposures = new Array<number>(frames.length).fill(1);
  let uncertainty = 0;
  let incomparable: EstimatedExposures['incomparable'];
  order.slice(1).forEach((brighter, i) => {
    const darker = order[i];
    const stops: number[] = [];
    all[darker].forEach((from, block) => {
      const to = all[brighter][block];
      if (isUsable(from) && isUsable(to)) stops.push(exponent * Math.log2(to / from));
    });
    if (stops.length < LEAST_BLOCKS) incomparable ??= [darker, brighter];
    stops.sort((a, b) => a - b);
    const step = stops.length > 0 ? Math.max(0, quantile(stops, 0.5)) : 0;
    const halfRange = stops.length > 0 ? (quantile(stops, 0.75) - quantile(stops, 0.25)) / 2 : 0;
    uncertainty = Math.max(uncertainty, halfRange, linear ? 0 : RESPONSE_ERROR * step);
    exposures[brighter] = exposures[darker] * 2 ** step;
  });
  return { exposures, uncertainty, ...(incomparable && { incomparable }) };
}
