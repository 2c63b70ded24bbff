/**
 * What a merge warns of: it ran, but its picture may not be what its owner hopes for. Each warning says what was found and what to do.
 */
import { frameLabel, maxSample } from './image/frame.ts';
import type { Exposed, Frame } from './image/frame.ts';
import { patchGrid } from './image/responsePairs.ts';
import { WRONG_STEP } from './image/response.ts';
import type { ExposureStep, ResponseReport } from './image/response.ts';

/** One warning of a merge. */
export interface MergeWarning {
  kind: 'much-motion' | 'weak-response' | 'poor-reference' | 'contradicted-exposures';
  /** What was found and what to do, in plain text without line breaks. */
  message: string;
  /** The frames it is about, from 0 in exposure order (messages count from 1). */
  frames?: number[];
}

/** What warnings are made from. */
export interface Findings {
  /** In exposure order. */
  frames: readonly Exposed[];
  /** From 0 in exposure order. */
  reference: number;
  /** The reference frame's pixels, where they are at hand. */
  referencePixels: Frame | undefined;
  response: ResponseReport;
  /** The reference's motion map, where the network made it. */
  motion: Float32Array | undefined;
}

/** More of the picture than this called moving is much. */
const MUCH_MOTION = 0.5;
/** An estimated response that rests on fewer pairs of values, or covers less of the scale, is weak. */
const WEAK_PAIRS = 240;
const WEAK_RANGE = 0.4;
/** A reference of which less than this is well exposed is poor. */
const WELL_EXPOSED = 0.1;
/** As in the choice of a reference: a pixel is burnt out where any code is above, black where all codes are below. */
const BURNT = 250;
const BLACK = 5;
/** Where no curve was found to measure with, only a step that the pictures have less than this share of, in stops, is wrong: curves bend it by less. */
const NO_STEP = 0.3;
/** Beyond this the ratio is not told: it hangs on the ends of the curve. */
const LARGEST_TOLD = 100;

/** The warnings of a merge, the gravest first. */
export function mergeWarnings(findings: Findings): MergeWarning[] {
  const contradicted = contradictedExposures(findings);
  // Where the exposures are wrong, the response can be no good.
  return [contradicted, muchMotion(findings), poorReference(findings), contradicted ? undefined : weakResponse(findings)].filter((warning) => warning !== undefined);
}

function numbered(frames: readonly Exposed[], k: number): string {
  const { name } = frames[k];
  return name === undefined ? frameLabel(frames[k], k) : `frame ${k + 1} (${name})`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function contradictedExposures({ frames, response }: Findings): MergeWarning | undefined {
  const wrong = response.steps.flatMap((step, k) => (isContradicted(step, response.kind === 'estimated') ? [{ ...step, k }] : []));
  if (wrong.length === 0) return undefined;
  const found = wrong.map(({ given, measured, k }) => `${numbered(frames, k + 1)} is listed as ${times(given)} as bright as ${numbered(frames, k)}, the pictures say ${times(measured ?? 1)}`);
  return {
    kind: 'contradicted-exposures',
    message: `The pictures contradict their exposures: ${found.join('; ')}. Check the exposures of these frames, which belong to the pictures in the order given, and leave out frames that do not belong to the stack.`,
    frames: [...new Set(wrong.flatMap(({ k }) => [k, k + 1]))],
  };
}

function isContradicted({ given, measured }: ExposureStep, estimated: boolean): boolean {
  if (measured === undefined) return false;
  if (estimated) return Math.abs(Math.log(measured / given)) > Math.log(WRONG_STEP);
  return Math.log(given) > Math.log(WRONG_STEP) && Math.log(measured) < NO_STEP * Math.log(given);
}

/** `4 times`, or for a frame that is darker `0.25 times`. */
function times(ratio: number): string {
  if (ratio > LARGEST_TOLD) return `over ${LARGEST_TOLD} times`;
  if (ratio < 1 / LARGEST_TOLD) return `less than ${1 / LARGEST_TOLD} times`;
  return `${Number(ratio.toPrecision(2))} times`;
}

function muchMotion({ motion }: Findings): MergeWarning | undefined {
  if (!motion) return undefined;
  let moving = 0;
  for (const w of motion) if (w > 0.5) moving++;
  const share = moving / motion.length;
  if (!(share > MUCH_MOTION)) return undefined;
  return {
    kind: 'much-motion',
    message: `${percent(share)} of the picture is called moving, and comes from the reference frame alone. Likely causes: frames taken by hand (align them first), a frame in another orientation, a frame of another scene, or wrong exposures. If so much does move, merge fewer frames.`,
  };
}

function poorReference({ frames, reference, referencePixels, response }: Findings): MergeWarning | undefined {
  if (!referencePixels) return undefined;
  const share = wellExposed(referencePixels, response.kind === 'linear');
  if (share >= WELL_EXPOSED) return undefined;
  return {
    kind: 'poor-reference',
    message: `Only ${percent(share)} of the reference, ${numbered(frames, reference)}, is neither burnt out nor black: what moves is shown from it, and cannot be seen well. Choose another reference.`,
    frames: [reference],
  };
}

/** The share of a frame's pixels that are neither burnt out nor black, on a grid. @param linear whether samples are radiance: they are judged as the codes they would have in a JPEG. */
function wellExposed({ data, width, height }: Frame, linear: boolean): number {
  const { step } = patchGrid(width, height);
  const scale = 1 / maxSample(data);
  const code = (sample: number): number => 255 * (linear ? (sample * scale) ** (1 / 2.2) : sample * scale);
  let good = 0;
  let all = 0;
  const stride = Math.max(1, Math.floor(step / 3));
  for (let y = 0; y < height; y += stride) {
    for (let x = 0; x < width; x += stride) {
      const at = 3 * (y * width + x);
      const [r, g, b] = [code(data[at]), code(data[at + 1]), code(data[at + 2])];
      all++;
      if (Math.max(r, g, b) >= BLACK && Math.max(r, g, b) <= BURNT) good++;
    }
  }
  return good / all;
}

function weakResponse({ response }: Findings): MergeWarning | undefined {
  const remedy = 'If colours or tones look wrong, or still parts are called moving, estimate the response from a stack with more tones and use it for this one, or say what the files hold: gamma or linear.';
  if (response.reason !== undefined) {
    return { kind: 'weak-response', message: `The camera's response could not be estimated (${response.reason}), so gamma 2.2 is used. ${remedy}` };
  }
  const [low, high] = response.range;
  if (response.kind !== 'estimated' || (response.pairs >= WEAK_PAIRS && high - low >= WEAK_RANGE)) return undefined;
  return { kind: 'weak-response', message: `The camera's response rests on little: ${response.pairs} pairs of values, from ${percent(low)} to ${percent(high)} of the scale. ${remedy}` };
}
