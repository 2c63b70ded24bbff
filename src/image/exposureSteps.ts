/**
 * Measures exposures from the pictures themselves: how many times brighter each frame is than the previous one, under
 * the response that a merge used.
 */
import type { ChosenResponse } from './chooseResponse.ts';
import type { Frame, FrameSource } from './frame.ts';
import { ROUGH_ROUNDS, comparedPairs, isEnough, isInformative, neighbourPairs } from './response.ts';
import { encoder, fitCurves, weightedMedian } from './responseFit.ts';
import { readPatches } from './responsePairs.ts';
import type { Pair } from './responsePairs.ts';

/** Two neighbouring frames, in exposure order: how many times brighter the second is. */
export interface ExposureStep {
  /** According to the given exposures. */
  given: number;
  /**
   * According to the pictures; undefined if no value is unclipped in both. A camera's nominal times are off by up to 15
   * %.
   */
  measured?: number;
}

/**
 * A step of exposure this many times off is wrong. Cameras' nominal times are off by up to 15 %, two frames in opposite
 * directions by 1.35.
 */
export const WRONG_STEP = 1.6;
/** The gamma of the domain in which curves are fitted, as the engine fits its own. */
const GAMMA = 2.2;

/**
 * Compares each frame with the next.
 * @param frames sorted by exposure, shortest first.
 * @param chosen the response that they were merged with.
 * @returns the steps from each frame to the next; none if a frame is not an array, or if the response was not to be
 * estimated.
 */
export function exposureSteps(
  frames: readonly FrameSource[],
  { response: { r, g, b }, report }: ChosenResponse,
): ExposureStep[] {
  const isEstimated = report.kind === 'estimated';
  if (!areArrays(frames) || (!isEstimated && report.reason === undefined)) return [];
  const neighbours = neighbourPairs(report) ?? pairsAlong(frames);
  const steps = stepsOf(frames, neighbours, [r, g, b]);
  if (!isEstimated) return steps;
  // A wrong step has bent the curves towards itself. So the pictures are measured again, with curves fitted to the
  // other steps only.
  const off = steps.map(({ given, measured = given }) => Math.abs(Math.log(measured / given)));
  const worst = off.indexOf(Math.max(...off));
  if (off[worst] < Math.log(WRONG_STEP)) return steps;
  const others = neighbours.filter((_, i) => i !== worst && isInformative(steps[i].given));
  const rest = [0, 1, 2].map((c) => others.flatMap((pairs) => pairs[c]));
  return isEnough(rest.flat()) ? stepsOf(frames, neighbours, fitCurves(rest, GAMMA, ROUGH_ROUNDS)) : steps;
}

/** The pairs of each frame with the next, per channel. */
function pairsAlong(frames: readonly Frame[]): Pair[][][] {
  const patches = frames.map(readPatches);
  return frames
    .slice(1)
    .map((frame, i) => comparedPairs(patches[i], patches[i + 1], frame.exposure / frames[i].exposure));
}

function areArrays(frames: readonly FrameSource[]): frames is readonly Frame[] {
  return frames.every((frame) => 'data' in frame);
}

/**
 * The steps under some curves, by the median over all pairs of values, so moving things and camera shake do not matter.
 */
function stepsOf(
  frames: readonly Frame[],
  neighbours: readonly (readonly Pair[][])[],
  curves: readonly (readonly number[])[],
): ExposureStep[] {
  return neighbours.map((channels, i) => {
    const given = frames[i + 1].exposure / frames[i].exposure;
    const logs = channels.flatMap((pairs, c) => {
      const f = encoder(curves[c], 1);
      return pairs.map(({ a, b, weight }) => ({ value: Math.log(f(b) / f(a)), weight }));
    });
    const value = weightedMedian(logs);
    return { given, ...(value !== undefined && { measured: Math.exp(value) }) };
  });
}
