/**
 * `deghost/warnings`: warnings after a merge that ran, but whose picture may disappoint. Each warning says what was
 * found and what to do. A separate entry, so that a page with its own texts loads none of this code.
 * @module deghost/warnings
 */
import { OBJECT, expect, whole } from './checks.ts';
import type { FrameAlignment } from './align/types.ts';
import type { MergeResult } from './result.ts';
import { clippedShare, countClipped } from './image/chooseReference.ts';
import type { ChosenResponse } from './image/chooseResponse.ts';
import { WRONG_STEP, exposureSteps } from './image/exposureSteps.ts';
import type { ExposureStep } from './image/exposureSteps.ts';
import { frameLabel, sortFrames } from './image/frame.ts';
import type { Exposed, FrameSource } from './image/frame.ts';
import { movingShare } from './image/motion.ts';
import { readFrames } from './image/readFrames.ts';

/** One warning of a merge. */
export interface MergeWarning {
  kind: 'unaligned' | 'much-motion' | 'weak-response' | 'poor-reference' | 'contradicted-exposures';
  /** What was found and what to do, in plain text without line breaks. */
  message: string;
  /** What was found alone, for programs with a remedy of their own. */
  finding: string;
  /** The frames that the warning is about, from 0 in exposure order (messages count from 1). */
  frames?: number[];
}

/** What warnings are made from. */
interface Findings {
  /** In exposure order. */
  frames: readonly (FrameSource & Exposed)[];
  /** From 0 in exposure order. */
  reference: number;
  response: ChosenResponse;
  /** The reference's motion map, if the network made the maps. */
  motion: Float32Array | undefined;
  alignment: readonly FrameAlignment[];
}

/** If more than this share of the picture is marked as moving, that is a lot. */
const MUCH_MOTION = 0.5;
/** An estimated response with fewer pairs of values, or that covers less of the scale, is weak. */
const WEAK_PAIRS = 240;
const WEAK_RANGE = 0.4;
/** A reference is poor if less than this share of it is well exposed. */
const WELL_EXPOSED = 0.1;
/**
 * If no curve was found to measure with, a step is wrong only if the pictures show less than this share of it, in
 * stops: curves change a step by less.
 */
const NO_STEP = 0.3;
/** Ratios above this are not reported: they depend on the ends of the curve. */
const LARGEST_TOLD = 100;

/**
 * The warnings of a merge, most serious first.
 * @param frames as they were given to `merge`. A reference whose pixels are on the device or in an ImageBitmap is not
 * judged. If any frame's pixels are, the exposures are not judged either.
 * @param result the result of `merge`; if the caller gave motion maps, pass `motion: []`.
 * @throws UsageError; InputError naming the frame.
 */
export function mergeWarnings(
  frames: readonly FrameSource[],
  result: Pick<MergeResult, 'order' | 'reference' | 'response' | 'motion' | 'alignment'>,
): MergeWarning[] {
  const { order, reference, response, motion, alignment } = Object(result) as typeof result;
  const given = readFrames(frames);
  sortFrames(given); // checks them
  const isResult =
    [order, motion, alignment].every(Array.isArray) &&
    [reference, ...order].every(whole(0, given.length - 1)[1]) &&
    order.length > reference &&
    Array.from(alignment).every(OBJECT[1]) &&
    [response?.report?.range, response?.response?.r].every(Array.isArray);
  expect('result', result, ['what merge gave for these frames', () => isResult]);
  const sorted = order.map((k) => given[k]);
  const findings: Findings = { frames: sorted, reference, response, motion: motion[reference], alignment };
  const contradicted = contradictedExposures(findings);
  // If the exposures are wrong, the response cannot be right.
  return [
    contradicted,
    unaligned(findings),
    muchMotion(findings),
    poorReference(findings),
    contradicted ? undefined : weakResponse(findings),
  ].filter((warning) => warning !== undefined);
}

function warning(kind: MergeWarning['kind'], finding: string, remedy: string, frames?: number[]): MergeWarning {
  return { kind, message: `${finding} ${remedy}`, finding, ...(frames && { frames }) };
}

function numbered(frames: readonly Exposed[], k: number): string {
  const { name } = frames[k];
  return name === undefined ? frameLabel(frames[k], k) : `frame ${k + 1} (${name})`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function contradictedExposures({ frames, response }: Findings): MergeWarning | undefined {
  const wrong = exposureSteps(frames, response).flatMap((step, k) =>
    isContradicted(step, response.report.kind === 'estimated') ? [{ ...step, k }] : [],
  );
  if (wrong.length === 0) return undefined;
  const found = wrong.map(
    ({ given, measured, k }) =>
      `${numbered(frames, k + 1)} is listed as ${times(given)} as bright as ${numbered(frames, k)}, the pictures say ` +
      `${times(measured ?? 1)}`,
  );
  return warning(
    'contradicted-exposures',
    `The pictures contradict their exposures: ${found.join('; ')}.`,
    'Check the exposures of these frames, which belong to the pictures in the order given, and leave out frames that ' +
      'do not belong to the stack.',
    [...new Set(wrong.flatMap(({ k }) => [k, k + 1]))],
  );
}

function isContradicted({ given, measured }: ExposureStep, estimated: boolean): boolean {
  if (measured === undefined) return false;
  if (estimated) return Math.abs(Math.log(measured / given)) > Math.log(WRONG_STEP);
  return Math.log(given) > Math.log(WRONG_STEP) && Math.log(measured) < NO_STEP * Math.log(given);
}

/** `4 times`, or `0.25 times` for a frame that is darker. */
function times(ratio: number): string {
  if (ratio > LARGEST_TOLD) return `over ${LARGEST_TOLD} times`;
  if (ratio < 1 / LARGEST_TOLD) return `less than ${1 / LARGEST_TOLD} times`;
  return `${Number(ratio.toPrecision(2))} times`;
}

function unaligned({ frames, alignment }: Findings): MergeWarning | undefined {
  const failed = alignment.flatMap(({ failed }, k) => (failed ? [k] : []));
  if (failed.length === 0) return undefined;
  const found = failed.map((k) => {
    const { kind, overlap = 0 } = alignment[k];
    const what = kind === 'none' ? 'taken as it is' : `aligned by a ${kind} alone`;
    return `${numbered(frames, k)} is ${what}, with ${percent(overlap)} of the picture to compare`;
  });
  return warning(
    'unaligned',
    `The alignment of ${failed.length === 1 ? 'a frame' : `${failed.length} frames`} could not be trusted: ` +
      `${found.join('; ')}.`,
    'Where the picture is doubled or soft, leave out frames that do not belong to the stack.',
    failed,
  );
}

function muchMotion({ motion }: Findings): MergeWarning | undefined {
  if (!motion) return undefined;
  const share = movingShare(motion);
  if (!(share > MUCH_MOTION)) return undefined;
  return warning(
    'much-motion',
    `${percent(share)} of the picture is marked as moving and comes from the reference frame alone. Likely causes: ` +
      'frames that are not aligned, a frame in another orientation, a frame of another scene, or wrong exposures.',
    'If so much does move, merge fewer frames.',
  );
}

function poorReference({ frames, reference, response }: Findings): MergeWarning | undefined {
  const frame = frames[reference];
  if (!('data' in frame)) return undefined;
  const share = 1 - clippedShare(countClipped(frame, response.report.kind === 'linear'));
  if (share >= WELL_EXPOSED) return undefined;
  return warning(
    'poor-reference',
    `Only ${percent(share)} of the reference, ${numbered(frames, reference)}, is neither burnt out nor black: moving ` +
      'things are shown from it and are hard to see.',
    'Choose another reference.',
    [reference],
  );
}

function weakResponse({ response: { report } }: Findings): MergeWarning | undefined {
  const remedy =
    'If colours or tones look wrong, or still parts are marked as moving, estimate the response from a stack with ' +
    'more tones and use it for this one, or say what the files hold: gamma or linear.';
  if (report.reason !== undefined)
    return warning(
      'weak-response',
      `The camera's response could not be estimated (${report.reason}), so gamma 2.2 is used.`,
      remedy,
    );
  const [low, high] = report.range;
  if (report.kind !== 'estimated' || (report.pairs >= WEAK_PAIRS && high - low >= WEAK_RANGE)) return undefined;
  return warning(
    'weak-response',
    `The estimate of the camera's response is weak: ${report.pairs} pairs of values, from ${percent(low)} to ` +
      `${percent(high)} of the scale.`,
    remedy,
  );
}
