/**
 * The camera's response: what turns a photograph's values back into radiance.
 *
 * The network assumes X = radiance^(1/2.2); cameras put a tone curve of their own into their JPEGs. A `CameraResponse` holds,
 * per channel, the inverse response f, and the input stage replaces X by f(X)^(1/2.2). It is estimated from the stack
 * itself: two values that one radiance takes in two frames must map to radiances in the ratio of the exposures
 * (responsePairs.ts finds such values, responseFit.ts fits the curve), and where the stack does not tell, the prior,
 * gamma 2.2, stands. Only ratios are known, so f(1) = 1 fixes the scale.
 */
import { CancelledError, InputError } from '../errors.ts';
import type { Frame } from './frame.ts';
import { covered, encoder, fitCurve, residualOf } from './responseFit.ts';
import { histogramPairs, patchPairs, readPatches } from './responsePairs.ts';
import type { Pair, Patches } from './responsePairs.ts';

/** Inverse camera response f per channel: 256 samples of f at i/255; monotone non-decreasing, f(0) = 0, f(1) = 1. */
export interface CameraResponse {
  r: number[];
  g: number[];
  b: number[];
}

/** How one channel's curve came about. */
export interface ChannelReport {
  /** Whether the stack determined the curve, or the prior (gamma) stands. */
  kept: 'estimated' | 'prior';
  /** Why the prior stands. */
  reason?: string;
  /** Pairs of values the stack gave. */
  pairs: number;
  /** Weighted median of |f(b)^(1/gamma) - (ratio f(a))^(1/gamma)| over the pairs (a, b): fractions of full scale in the gamma domain, as the network sees it. */
  residual: number;
  /** Lowest and highest value (fractions of full scale) about which the stack says something; [0, 0] for none. */
  range: [number, number];
}

/** What `estimateResponse` did, for printing. */
export interface ResponseReport {
  kind: 'gamma' | 'linear' | 'estimated' | 'file';
  channels: { r: ChannelReport; g: ChannelReport; b: ChannelReport };
  /** One or two lines. */
  summary: string;
}

const SAMPLES = 256;
const CHANNELS = ['r', 'g', 'b'] as const;
/** Frames up to this far apart in exposure order are paired. */
const SPAN = 2;
/** The largest exposure ratio of two frames that is still informative: beyond it hardly a value is clear of clipping in both. */
const MAX_RATIO = 64;
/** The smallest spread of exposures from which a curve can be told: a third of a stop is as large as its uncertainty. */
const MIN_RATIO = 1.3;
/** Fewest pairs and narrowest range of values for an estimate. */
const MIN_PAIRS = 24;
const MIN_RANGE = 0.15;
/** A larger residual (gamma domain) means that one curve does not explain the stack. */
const MAX_RESIDUAL = 0.05;
/** Rounds of fitting and leaving out what moved. */
const PASSES = 3;
/** Rounds of reweighting in a fit that only has to show what moved. */
const ROUGH_ROUNDS = 6;
/** A larger difference of two patches (gamma domain) is motion. */
const MOVED = 0.1;
/** Where fewer patches than this seem still, the fit is not yet good enough to tell. */
const MIN_STILL = 0.4;

/** f(x) = x^gamma, the prior and the network's own assumption. */
export function gammaResponse(gamma = 2.2): CameraResponse {
  const curve = (): number[] => Array.from({ length: SAMPLES }, (_, i) => (i / (SAMPLES - 1)) ** gamma);
  return { r: curve(), g: curve(), b: curve() };
}

/** f(x) = x: pictures that hold radiance itself. */
export function linearResponse(): CameraResponse {
  return gammaResponse(1);
}

/**
 * Estimates the camera's inverse response from a bracketed stack, whatever moved in it.
 * @param frames two or more frames of one size, sorted by exposure, shortest first (`sortFrames`).
 * @param options.gamma the network's gamma: the prior, and the domain in which the fit is judged.
 * @returns the curves, and how each came about; a channel that the stack does not determine keeps the prior.
 * @throws CancelledError when `options.signal` fires between steps.
 */
export function estimateResponse(frames: readonly Frame[], options: { gamma?: number; signal?: AbortSignal } = {}): { response: CameraResponse; report: ResponseReport } {
  const { gamma = 2.2, signal } = options;
  const check = (): void => {
    if (signal?.aborted) throw new CancelledError();
  };
  check();
  const response = gammaResponse(gamma);
  const patches: Patches[] = [];
  const spread = frames.length > 1 ? frames[frames.length - 1].exposure / frames[0].exposure : 1;
  if (spread >= MIN_RATIO) {
    for (const frame of frames) {
      patches.push(readPatches(frame));
      check();
    }
  }
  const channels = {} as ResponseReport['channels'];
  const fits = estimateCurves(frames, patches, gamma, check);
  CHANNELS.forEach((name, c) => {
    const { pairs, curve } = fits[c];
    const range = covered(pairs);
    const prior = (reason: string): ChannelReport => ({ kept: 'prior', reason, pairs: pairs.length, residual: residualOf(pairs, response[name], gamma), range });
    const residual = residualOf(pairs, curve, gamma);
    if (spread < MIN_RATIO) {
      channels[name] = prior(`the exposures differ by a factor of ${spread.toFixed(2)} only`);
    } else if (!isEnough(pairs)) {
      channels[name] = prior(`only ${pairs.length} pairs of unclipped values, from ${percent(range[0])} to ${percent(range[1])}`);
    } else if (residual > MAX_RESIDUAL) {
      channels[name] = prior(`no curve fits (residual ${residual.toFixed(3)})`);
    } else {
      response[name] = curve;
      channels[name] = { kept: 'estimated', pairs: pairs.length, residual, range };
    }
  });
  const estimated = CHANNELS.filter((name) => channels[name].kept === 'estimated');
  return { response, report: { kind: estimated.length > 0 ? 'estimated' : 'gamma', channels, summary: summarize(channels, gamma) } };
}

function isEnough(pairs: readonly Pair[]): boolean {
  const range = covered(pairs);
  return pairs.length >= MIN_PAIRS && range[1] - range[0] >= MIN_RANGE;
}

/**
 * Fits the three curves, PASSES times: the first fit shows which patches moved between two frames, and the next ones
 * leave those out. (Things that come and go change a histogram, and enough of them a median.)
 */
function estimateCurves(frames: readonly Frame[], patches: readonly Patches[], gamma: number, check: () => void): { pairs: Pair[]; curve: number[] }[] {
  const fallback = gammaResponse(gamma);
  let fits: { pairs: Pair[]; curve: number[] }[] = CHANNELS.map((name) => ({ pairs: [], curve: fallback[name] }));
  for (let pass = 0; pass < PASSES; pass++) {
    const collected: Pair[][] = [[], [], []];
    for (let i = 0; i < patches.length; i++) {
      for (let j = i + 1; j < patches.length && j <= i + SPAN; j++) {
        const ratio = frames[j].exposure / frames[i].exposure;
        if (ratio < MIN_RATIO || ratio > MAX_RATIO || patches[i].bins !== patches[j].bins) continue;
        const still = pass === 0 ? new Uint8Array(patches[i].count).fill(1) : stillPatches(patches[i], patches[j], fits.map((fit) => fit.curve), ratio, gamma);
        for (let c = 0; c < 3; c++) {
          histogramPairs(patches[i], patches[j], c, still, Math.log(ratio), collected[c]);
          patchPairs(patches[i], patches[j], c, still, Math.log(ratio), collected[c]);
        }
        check();
      }
    }
    fits = collected.map((pairs, c) => ({ pairs, curve: isEnough(pairs) ? fitCurve(pairs, gamma, pass < PASSES - 1 ? ROUGH_ROUNDS : undefined) : fits[c].curve }));
    check();
  }
  return fits;
}

/** 1 for each patch that is the same in both frames, under the curves, to within MOVED in every channel. All of them where hardly any are. */
function stillPatches(shorter: Patches, longer: Patches, curves: readonly number[][], ratio: number, gamma: number): Uint8Array {
  const gain = ratio ** (1 / gamma);
  const still = new Uint8Array(shorter.count).fill(1);
  curves.forEach((curve, c) => {
    const h = encoder(curve, gamma);
    for (let patch = 0; patch < still.length; patch++) {
      if (Math.abs(Math.min(1, gain * h(shorter.mean[c][patch])) - h(longer.mean[c][patch])) > MOVED) still[patch] = 0;
    }
  });
  let count = 0;
  for (const flag of still) count += flag;
  return count < MIN_STILL * still.length ? still.fill(1) : still;
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}

function summarize(channels: ResponseReport['channels'], gamma: number): string {
  const estimated = CHANNELS.filter((name) => channels[name].kept === 'estimated');
  const parts: string[] = [];
  if (estimated.length > 0) {
    const pairs = estimated.map((name) => channels[name].pairs).join('/');
    const residual = Math.max(...estimated.map((name) => channels[name].residual));
    const low = Math.max(...estimated.map((name) => channels[name].range[0]));
    const high = Math.min(...estimated.map((name) => channels[name].range[1]));
    parts.push(`response ${estimated.join('')} estimated from the stack: ${pairs} pairs, covering ${percent(low)} to ${percent(high)}, residual ${residual.toFixed(3)}`);
  }
  const kept = CHANNELS.filter((name) => channels[name].kept === 'prior');
  if (kept.length > 0) {
    const reasons = [...new Set(kept.map((name) => channels[name].reason))].join('; ');
    parts.push(`gamma ${gamma} kept for ${kept.join('')}: ${reasons}`);
  }
  return parts.join('\n');
}

/** Writes a response as the JSON `parseResponse` reads: `{ r, g, b }`, 256 values of f at i/255 each. */
export function formatResponse(response: CameraResponse): string {
  const rows = CHANNELS.map((name) => `  "${name}": [${response[name].map((value) => Number(value.toPrecision(8))).join(', ')}]`);
  return `{\n${rows.join(',\n')}\n}\n`;
}

/**
 * Reads a response from JSON: `{ r, g, b }`, each 256 finite numbers, f at i/255, not decreasing, from 0 to 1.
 * @param name the file, for messages.
 * @throws InputError naming the file, the channel, the index and the value.
 */
export function parseResponse(json: string, name: string): CameraResponse {
  const wanted = 'expected {"r": [...], "g": [...], "b": [...]} with 256 values of f at i/255 each; --save-response writes such a file';
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new InputError(`${name}: not JSON: ${wanted}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new InputError(`${name}: ${wanted}`);
  const channels = parsed as Record<string, unknown>;
  const [r, g, b] = CHANNELS.map((channel) => checkCurve(channels[channel], `${name}: channel ${channel}`, wanted));
  return { r, g, b };
}

function checkCurve(curve: unknown, where: string, wanted: string): number[] {
  if (curve === undefined) throw new InputError(`${where} is missing: ${wanted}`);
  if (!Array.isArray(curve)) throw new InputError(`${where} is not an array: ${wanted}`);
  if (curve.length !== SAMPLES) throw new InputError(`${where} has ${curve.length} values, ${SAMPLES} are needed: f at i/255 for i = 0 to 255`);
  curve.forEach((value: unknown, i) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new InputError(`${where}, index ${i}: ${JSON.stringify(value)} is not a finite number`);
    if (i > 0 && value < curve[i - 1]) throw new InputError(`${where}, index ${i}: ${value} is below index ${i - 1}'s ${curve[i - 1]}, f must not decrease`);
  });
  for (const [i, end] of [[0, 0], [SAMPLES - 1, 1]] as const) {
    if (Math.abs(curve[i] - end) > 1e-6) throw new InputError(`${where}, index ${i}: ${curve[i]}, f must run from 0 to 1: divide the curve by its last value`);
  }
  const values = curve.map((value: number) => Math.min(1, Math.max(0, value)));
  values[0] = 0;
  values[SAMPLES - 1] = 1;
  return values;
}
