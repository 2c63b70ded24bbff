/**
 * Which frame a merge shows the moment of, where it is left to the engine: the frame that shows most. What moved is
 * taken from the reference alone, so what is burnt out or black in it cannot be shown there (the paper, Section III,
 * wants the frame with the fewest saturated pixels; black ones count here as well).
 */
import { maxSample, middleFrame } from './frame.ts';
import type { Frame } from './frame.ts';

/** What `reference: 'auto'` found in one frame, on the grid of pixels that it looks at. */
export interface ClippedPixels {
  /** Pixels looked at. */
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
/** More than float32 rounds by. */
const ROUNDING = 1e-6;
/** The exponent that linear samples are brought to codes with. */
const GAMMA = 2.2;
/**
 * The middle frame is kept where it loses at most this share of the picture more than the best one: a hundredth, in
 * percentage points.
 */
const MARGIN = 0.01;
/** Most pixels that are looked at, about: a share of 1 % comes out to 0.02 % then. */
const SAMPLES = 2 ** 18;

/**
 * The grid of pixels that is looked at: every `step`-th column of every `step`-th row, from the first; all of them up
 * to 512x512.
 */
export function referenceGrid(width: number, height: number): { step: number; cols: number; rows: number } {
  const step = Math.max(1, Math.ceil(Math.sqrt((width * height) / SAMPLES)));
  return { step, cols: Math.ceil(width / step), rows: Math.ceil(height / step) };
}

/**
 * Counts the burnt-out and the black pixels of a frame, on `referenceGrid`.
 * @param linear whether samples are light itself (`response: 'linear'`): their codes are 255 x^(1/2.2); otherwise 255
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
  // Code 250 itself is not above 250, however a float was rounded.
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

/** The share of a frame that is burnt out or black, 0 to 1. */
export function clippedShare({ sampled, burnt, black }: ClippedPixels): number {
  return (burnt + black) / sampled;
}

/**
 * The frame with the fewest pixels burnt out or black; the middle one where it has at most 1 % of the picture's pixels
 * more than that. Of equal ones the nearest to the middle, of these the darker.
 * @param frames what each has lost, in exposure order.
 */
export function pickReference(frames: readonly ClippedPixels[]): number {
  const middle = middleFrame(frames.length);
  const shares = frames.map(clippedShare);
  const least = Math.min(...shares);
  const nearestFirst = [...shares.keys()].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b);
  return nearestFirst.find((k) => shares[k] <= (k === middle ? least + MARGIN : least))!;
}

/** The choice that counts lead to. */
export function choiceOf(frames: ClippedPixels[]): ReferenceChoice {
  return { reference: pickReference(frames), frames };
}

/**
 * What `reference: 'auto'` chooses, for whoever must know it before the merge: to choose weights, say.
 * @param frames arrays sorted by exposure, shortest first.
 * @param linear whether they will be merged with `response: 'linear'`.
 */
export function chooseReference(
  frames: readonly Pick<Frame, 'data' | 'width' | 'height'>[],
  linear = false,
): ReferenceChoice {
  return choiceOf(frames.map((frame) => countClipped(frame, linear)));
}

/** A line for people: what was taken and what each frame has lost. */
export function referenceSummary({ reference, frames }: ReferenceChoice): string {
  const percent = (k: number): string => `${(100 * clippedShare(frames[k])).toFixed(1)} %`;
  const others = frames.map((_, k) => k).filter((k) => k !== reference);
  const why = others.map((k) => `${percent(k)} of frame ${k + 1}`).join(', ');
  const isKept = others.some((k) => clippedShare(frames[k]) < clippedShare(frames[reference]));
  return (
    `reference: frame ${reference + 1} was chosen, of which ${percent(reference)} is burnt out or black ` +
    `(${why})${isKept ? '; the middle frame is kept where it loses at most 1 % more than the best' : ''}`
  );
}
