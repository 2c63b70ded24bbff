/**
 * The camera's response: what turns a photograph's values back into radiance.
 *
 * The network assumes X = radiance^(1/2.2), but cameras apply their own tone curve to JPEGs. A `CameraResponse` holds
 * the inverse response f of each channel, and the input stage replaces X by f(X)^(1/2.2). The response is estimated
 * from the stack itself: if one radiance has two values in two frames, these must map to radiances in the ratio of the
 * exposures (responsePairs.ts finds such values, responseFit.ts fits the curves). Where the stack gives no information,
 * the prior applies: gamma 2.2. Only ratios are known, so f(1) = 1 fixes the scale. The channels share one curve except
 * for small deviations, so that grey stays grey.
 */
import { OBJECT, SIGNAL, TEXT, expect, from, readOptions, textOf } from '../checks.ts';
import { InputError, throwIfCancelled } from '../errors.ts';
import type { Frame } from './frame.ts';
import { readArrays } from './readFrames.ts';
import { covered, encoder, fitCurves, residualOf } from './responseFit.ts';
import { countOf, meanOf, pairsOf, readPatches } from './responsePairs.ts';
import type { Pair, Patches } from './responsePairs.ts';

/** Inverse camera response f per channel: 256 samples of f at i/255; monotone non-decreasing, f(0) = 0, f(1) = 1. */
export interface CameraResponse {
  r: number[];
  g: number[];
  b: number[];
}

/** What the stack says about one channel. */
export interface ChannelReport {
  /** Number of pairs of values found in the stack. */
  pairs: number;
  /**
   * Weighted median of |f(b)^(1/gamma) - (ratio f(a))^(1/gamma)| over the pairs (a, b): fractions of full scale in the
   * gamma domain, as the network sees it.
   */
  residual: number;
  /** Lowest and highest value (fractions of full scale) that the pairs cover; [0, 0] for none. */
  range: [number, number];
}

/** What `estimateResponse` did, for printing: for all channels together, and for each. */
export interface ResponseReport extends ChannelReport {
  /** Where the curves come from. `gamma` also if the stack did not determine them. */
  kind: 'gamma' | 'linear' | 'estimated' | 'file';
  /** Why the prior (gamma) is used, if an estimate was requested but not found. */
  reason?: string;
  channels: { r: ChannelReport; g: ChannelReport; b: ChannelReport };
  /** A summary in one line. */
  summary: string;
}

const SAMPLES = 256;
const GAMMA = /* @__PURE__ */ from(0.01, 100);
const CHANNELS = ['r', 'g', 'b'] as const;
/** Frames up to this far apart in exposure order are paired. */
const SPAN = 2;
/**
 * The largest exposure ratio of two frames that is still informative: beyond this hardly any value is unclipped in
 * both.
 */
const MAX_RATIO = 64;
/** The smallest spread of exposures that determines a curve: the uncertainty is as large as a third of a stop. */
const MIN_RATIO = 1.3;
/** Fewest pairs, of all channels, and narrowest range of values for an estimate. */
const MIN_PAIRS = 48;
const MIN_RANGE = 0.15;
/** A larger residual (gamma domain) means that one curve does not explain the stack. */
const MAX_RESIDUAL = 0.05;
/** Rounds of fitting, each leaving out what moved. */
const PASSES = 3;
/** Rounds of reweighting in a fit that only has to show motion. */
export const ROUGH_ROUNDS = 6;
/** A larger difference of two patches (gamma domain) is motion. */
const MOVED = 0.1;
/** If a smaller share of the patches seems still, the fit is not yet good enough to tell. */
const MIN_STILL = 0.4;

/** f(x) = x^gamma, the prior and the network's own assumption. @throws UsageError if gamma is not positive. */
export function gammaResponse(gamma = 2.2): CameraResponse {
  expect('gamma', gamma, GAMMA);
  const curve = (): number[] => Array.from({ length: SAMPLES }, (_, i) => (i / (SAMPLES - 1)) ** gamma);
  return { r: curve(), g: curve(), b: curve() };
}

/** f(x) = x: pictures that hold radiance itself. */
export function linearResponse(): CameraResponse {
  return gammaResponse(1);
}

/**
 * Estimates the camera's inverse response from a bracketed stack, even if things move in it.
 * @param frames two or more frames of one size, sorted by exposure, shortest first (`sortFrames`).
 * @param options.gamma the network's gamma: the prior, and the domain in which the fit is judged.
 * @returns the curves and a report; if the stack does not determine the curves, the prior in all channels.
 * @throws CancelledError when `options.signal` fires between steps; InputError naming the frame; UsageError.
 */
export function estimateResponse(
  frames: readonly Frame[],
  options: { gamma?: number; signal?: AbortSignal } = {},
): { response: CameraResponse; report: ResponseReport } {
  const read = readArrays(frames, true);
  return estimateFrom(read, readOptions('estimateResponse', options, { gamma: GAMMA, signal: SIGNAL }));
}

/** `estimateResponse` of frames that were checked, or of small pictures of their patches. */
export function estimateFrom(
  frames: readonly Frame[],
  { gamma = 2.2, signal }: { gamma?: number; signal?: AbortSignal },
): { response: CameraResponse; report: ResponseReport } {
  const check = (): void => throwIfCancelled(signal);
  check();
  const patches: Patches[] = [];
  const spread = frames.length > 1 ? frames[frames.length - 1].exposure / frames[0].exposure : 1;
  if (spread >= MIN_RATIO) {
    for (const frame of frames) {
      patches.push(readPatches(frame));
      check();
    }
  }
  const { neighbours, pairs, curves } = estimateCurves(frames, patches, gamma, check);
  const fit = reportOf(pairs, curves, gamma);
  const covering = `${percent(fit.range[0])} to ${percent(fit.range[1])}`;
  let reason: string | undefined;
  if (spread < MIN_RATIO) reason = `the exposures differ by a factor of ${spread.toFixed(2)} only`;
  else if (!isEnough(pairs.flat())) reason = `only ${fit.pairs} pairs of unclipped values, from ${covering}`;
  else if (fit.residual > MAX_RESIDUAL) reason = `no curve fits (residual ${fit.residual.toFixed(3)})`;
  const isFound = reason === undefined;
  const response = isFound ? { r: curves[0], g: curves[1], b: curves[2] } : gammaResponse(gamma);
  const used = CHANNELS.map((name) => response[name]);
  const [r, g, b] = pairs.map((list, c) => reportOf([list], [used[c]], gamma));
  const report: ResponseReport = {
    kind: isFound ? 'estimated' : 'gamma',
    reason,
    ...reportOf(pairs, used, gamma),
    channels: { r, g, b },
    summary: isFound
      ? `response estimated from the stack: ${fit.pairs} pairs, covering ${covering}, residual ` +
        `${fit.residual.toFixed(3)}`
      : `response: gamma ${gamma} kept: ${reason}`,
  };
  if (patches.length > 0) pairsOfReport.set(report, neighbours);
  return { response, report };
}

const pairsOfReport = new WeakMap<ResponseReport, Pair[][][]>();

/** The pairs of each frame with the next, per channel, that an estimate found; undefined if it did not look. */
export function neighbourPairs(report: ResponseReport): readonly Pair[][][] | undefined {
  return pairsOfReport.get(report);
}

/** The pairs of two frames, if they can be compared. @param still as in `pairsOf`. */
export function comparedPairs(shorter: Patches, longer: Patches, ratio: number, still?: Uint8Array): Pair[][] {
  return shorter.bins === longer.bins ? pairsOf(shorter, longer, ratio, still) : [[], [], []];
}

/** The report on some channels' pairs, under their curves. */
function reportOf(channels: readonly Pair[][], curves: readonly number[][], gamma: number): ChannelReport {
  const all = channels.flat();
  return { pairs: all.length, residual: residualOf(channels, curves, gamma), range: covered(all) };
}

/** Whether pairs of two frames whose exposures differ by this factor help to find the curves. */
export function isInformative(ratio: number): boolean {
  return ratio >= MIN_RATIO && ratio <= MAX_RATIO;
}

/** Whether the pairs, of all channels, are enough to fit curves to. */
export function isEnough(pairs: readonly Pair[]): boolean {
  const range = covered(pairs);
  return pairs.length >= MIN_PAIRS && range[1] - range[0] >= MIN_RANGE;
}

/**
 * Fits the curves, PASSES times: the first fit shows which patches moved between two frames, and the next fits leave
 * those out. (Things that come and go change a histogram, and if there are enough of them, a median.)
 */
function estimateCurves(
  frames: readonly Frame[],
  patches: readonly Patches[],
  gamma: number,
  check: () => void,
): { neighbours: Pair[][][]; pairs: Pair[][]; curves: number[][] } {
  const { r, g, b } = gammaResponse(gamma);
  const neighbours: Pair[][][] = [];
  let pairs: Pair[][] = [[], [], []];
  let curves = [r, g, b];
  for (let pass = 0; pass < PASSES; pass++) {
    pairs = [[], [], []];
    // A frame is in several pairs, but its patches need to be encoded only once.
    const encoded = pass === 0 ? [] : patches.map((frame) => encodedMeans(frame, curves, gamma));
    for (let i = 0; i < patches.length; i++) {
      for (let j = i + 1; j < patches.length && j <= i + SPAN; j++) {
        const ratio = frames[j].exposure / frames[i].exposure;
        const isNeighbour = pass === 0 && j === i + 1;
        if (!isInformative(ratio) && !isNeighbour) continue;
        const still = pass === 0 ? undefined : stillPatches(encoded[i], encoded[j], ratio ** (1 / gamma));
        const found = comparedPairs(patches[i], patches[j], ratio, still);
        if (isNeighbour) neighbours.push(found);
        if (isInformative(ratio)) found.forEach((list, c) => pairs[c].push(...list));
        check();
      }
    }
    if (isEnough(pairs.flat())) curves = fitCurves(pairs, gamma, pass < PASSES - 1 ? ROUGH_ROUNDS : undefined);
    check();
  }
  return { neighbours, pairs, curves };
}

/** Per channel, the means of a frame's patches as the curves encode them. */
function encodedMeans(frame: Patches, curves: readonly number[][], gamma: number): Float64Array[] {
  return curves.map((curve, c) => {
    const h = encoder(curve, gamma);
    const means = frame.mean[c];
    const out = new Float64Array(means.length);
    // Float64Array.from takes ten times as long.
    if (frame.bins !== 256) for (let i = 0; i < out.length; i++) out[i] = h(means[i]);
    else {
      // Samples of 8 bits have few sums, and powers take long.
      const largest = 255 * frame.size;
      const table = Float64Array.from({ length: largest + 1 }, (_, sum) => h(meanOf(sum * (1 / 255), frame.size)));
      for (let i = 0; i < out.length; i++) out[i] = table[Math.round(means[i] * largest)];
    }
    return out;
  });
}

/**
 * 1 for each patch that is the same in both frames under the curves, to within MOVED in every channel. All patches
 * count as still if hardly any is.
 * @param shorter, longer their encoded means.
 * @param gain of encoded values, between the two exposures.
 */
function stillPatches(shorter: readonly Float64Array[], longer: readonly Float64Array[], gain: number): Uint8Array {
  const still = new Uint8Array(shorter[0].length).fill(1);
  for (let c = 0; c < shorter.length; c++) {
    const [means, others] = [shorter[c], longer[c]];
    for (let patch = 0; patch < still.length; patch++)
      if (Math.abs(Math.min(1, gain * means[patch]) - others[patch]) > MOVED) still[patch] = 0;
  }
  const count = countOf(still);
  return count < MIN_STILL * still.length ? still.fill(1) : still;
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}

/**
 * Writes a response as the JSON `parseResponse` reads: `{ r, g, b }`, 256 values of f at i/255 each.
 * @throws InputError; UsageError.
 */
export function formatResponse(response: CameraResponse): string {
  expect('response', response, OBJECT);
  const read = checkResponse(response, (what) => {
    throw new InputError(`response: ${what}`);
  });
  const rows = CHANNELS.map(
    (name) => `  "${name}": [${read[name].map((value) => Number(value.toPrecision(8))).join(', ')}]`,
  );
  return `{\n${rows.join(',\n')}\n}\n`;
}

/**
 * Reads a response from JSON: `{ r, g, b }`, each 256 finite numbers, f at i/255, not decreasing, from 0 to 1.
 * @param name the file, for messages.
 * @throws InputError naming the file, the channel, the index and the value.
 */
export function parseResponse(json: string, name = 'response'): CameraResponse {
  expect('json', json, TEXT);
  expect('name', name, TEXT);
  const fail = (what: string): never => {
    throw new InputError(
      `${name}: ${what}, expected {"r": [...], "g": [...], "b": [...]} with 256 values of f at i/255 each`,
      { problem: 'response-file', remedy: '`formatResponse` writes such a file' },
    );
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return fail('not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) fail('no object');
  return checkResponse(parsed, fail);
}

/** A copy of a response, whose ends are exact. @param fail is told what is wrong with it. */
export function checkResponse(response: unknown, fail: (what: string) => never): CameraResponse {
  const channels = response as Record<string, unknown>;
  const [r, g, b] = CHANNELS.map((channel) => checkCurve(channels[channel], `channel ${channel}`, fail));
  return { r, g, b };
}

function checkCurve(given: unknown, where: string, fail: (what: string) => never): number[] {
  if (!Array.isArray(given) && !ArrayBuffer.isView(given))
    return fail(`${where} is ${given === undefined ? 'missing' : 'not an array'}`);
  const { length } = given as unknown[];
  if (length !== SAMPLES) fail(`${where} has ${length} values, ${SAMPLES} are needed`);
  const curve = Array.from(given as unknown[]) as number[];
  curve.forEach((value, i) => {
    if (!Number.isFinite(value)) fail(`${where}, index ${i}: ${textOf(value)} is not a finite number`);
    if (i > 0 && value < curve[i - 1])
      fail(`${where}, index ${i}: ${value} is below index ${i - 1}'s ${curve[i - 1]}, f must not decrease`);
  });
  for (const [i, end] of [
    [0, 0],
    [SAMPLES - 1, 1],
  ] as const) {
    if (Math.abs(curve[i] - end) > 1e-6)
      fail(`${where}, index ${i}: ${curve[i]}, f must run from 0 to 1 (divide the curve by its last value)`);
  }
  const values = curve.map((value) => Math.min(1, Math.max(0, value)));
  values[0] = 0;
  values[SAMPLES - 1] = 1;
  return values;
}
