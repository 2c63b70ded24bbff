/**
 * Chooses the reference frame, if the caller leaves that to the engine: the frame that shows most. Moving things are
 * taken from the reference alone, so they cannot be shown where it is burnt out or black. (The paper, Section III,
 * wants the frame with the fewest saturated pixels; black ones count here as well.)
 */
import { BOOLEAN, expect } from '../checks.ts';
import { maxSample, middleFrame } from './frame.ts';
import type { Frame } from './frame.ts';
import { readArrays } from './readFrames.ts';

/** What `reference: 'auto'` found in one frame, on its grid of sampled pixels. */
export interface ClippedPixels {
  /** Number of pixels sampled. */
  sampled: number;
  /** Those with a channel above code 250 of 255. */
  burnt: number;
  /** Those with every channel below code 5. */
  black: number;
}

/** The frame that `reference: 'auto'` takes, and why. */
export interface ReferenceChoice {
  /** From 0 in exposure order. */
  reference: number;
  /** What each frame has lost, in exposure order. */
  frames: ClippedPixels[];
}

/** Codes of 255: a pixel is burnt out where a channel is above the first, black where all are below the second. */
const BURNT = 250;
const BLACK = 5;
/** More than the rounding error of float32. */
const ROUNDING = 1e-6;
/** The exponent that turns linear samples into codes. */
const GAMMA = 2.2;
/**
 * The middle frame is kept if it loses at most this share of the picture more than the best one: one percentage point.
 */
const MARGIN = 0.01;
/** About the most pixels that are sampled: a share of 1 % is then known to within 0.02 %. */
const SAMPLES = 2 ** 18;

/**
 * The grid of sampled pixels: every `step`-th column of every `step`-th row, from the first; all pixels up to 512x512.
 */
export function referenceGrid(width: number, height: number): { step: number; cols: number; rows: number } {
  const step = Math.max(1, Math.ceil(Math.sqrt((width * height) / SAMPLES)));
  return { step, cols: Math.ceil(width / step), rows: Math.ceil(height / step) };
}

/**
 * Counts the burnt-out and the black pixels of a frame, on `referenceGrid`.
 * @param linear whether samples are linear light (`response: 'linear'`): their codes are 255 x^(1/2.2); otherwise 255
 * x.
 * @param step of the grid: 1 where `frame` holds the grid's pixels alone.
 */
export function countClipped(
  { data, width, height }: Pick<Frame, 'data' | 'width' | 'height'>,
  linear = false,
  step = referenceGrid(width, height).step,
): ClippedPixels {
  const [cols, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
  const limit = (code: number): number => (linear ? (code / 255) ** GAMMA : code / 255) * maxSample(data);
  // Code 250 itself must not count as above 250, however a float was rounded.
  const [high, low] = [limit(BURNT) * (1 + ROUNDING), limit(BLACK) * (1 - ROUNDING)];
  let [burnt, black] = [0, 0];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < cols; x++) {
      const i = 3 * (y * step * width + x * step);
      const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
      if (r > high || g > high || b > high) burnt++;
      else if (r < low && g < low && b < low) black++;
    }
  }
  return { sampled: rows * cols, burnt, black };
}

/** The share of a frame that is burnt out or black, 0 to 1. @throws UsageError */
export function clippedShare(pixels: ClippedPixels): number {
  const { sampled, burnt, black } = Object(pixels) as ClippedPixels;
  const isRight = [sampled, burnt, black].every(Number.isFinite) && sampled > 0;
  expect('pixels', pixels, ['{ sampled, burnt, black }', () => isRight]);
  return (burnt + black) / sampled;
}

/**
 * The frame with the fewest burnt-out or black pixels; the middle frame if it has at most 1 % of the picture's pixels
 * more. Ties go to the frame nearest the middle, then to the darker one.
 * @param frames what each has lost, in exposure order.
 */
export function pickReference(frames: readonly ClippedPixels[]): number {
  const middle = middleFrame(frames.length);
  const shares = frames.map(clippedShare);
  const least = Math.min(...shares);
  const nearestFirst = [...shares.keys()].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b);
  return nearestFirst.find((k) => shares[k] <= (k === middle ? least + MARGIN : least))!;
}

/** The choice that follows from the counts. */
export function choiceOf(frames: ClippedPixels[]): ReferenceChoice {
  return { reference: pickReference(frames), frames };
}

/**
 * What `reference: 'auto'` chooses, for callers that must know it before the merge, for example to choose weights.
 * @param frames arrays sorted by exposure, shortest first.
 * @param linear whether they will be merged with `response: 'linear'`.
 * @throws InputError naming the frame; UsageError.
 */
export function chooseReference(
  frames: readonly Pick<Frame, 'data' | 'width' | 'height'>[],
  linear = false,
): ReferenceChoice {
  expect('linear', linear, BOOLEAN);
  return choiceOf(readArrays(frames, false).map((frame) => countClipped(frame, linear)));
}

/** A line for reports: which frame was chosen and what each frame has lost. */
export function referenceSummary({ reference, frames }: ReferenceChoice): string {
  const percent = (k: number): string => `${(100 * clippedShare(frames[k])).toFixed(1)} %`;
  const others = frames.map((_, k) => k).filter((k) => k !== reference);
  const why = others.map((k) => `${percent(k)} of frame ${k + 1}`).join(', ');
  const isKept = others.some((k) => clippedShare(frames[k]) < clippedShare(frames[reference]));
  return (
    `reference: frame ${reference + 1} was chosen, of which ${percent(reference)} is burnt out or black ` +
    `(${why})${isKept ? '; the middle frame is kept if it loses at most 1 % more than the best' : ''}`
  );
}
