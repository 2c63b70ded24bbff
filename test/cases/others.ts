/**
 * Cases of every kernel but conv2d, for tests and benches: pairwise over sizes, channels, frames and offsets.
 */
import * as exposure from '../reference/exposure.ts';
import type { Hat, InverseResponse } from '../reference/exposure.ts';
import * as ops from '../reference/ops.ts';
import { rng } from '../reference/random.ts';
import type { Rng } from '../reference/random.ts';
import { concat, tensor } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import { gateEvidence, maximumOver, meanOver } from '../reference/gate.ts';
import type { Camera } from '../reference/gate.ts';
import type { GateConfig } from '../../src/weights/config.ts';
import { pairwise } from './pairwise.ts';

/** A case that takes tensors of one size; `frames` is the number of tensors where the kernel takes any. */
export interface OtherCase {
  name: string;
  seed: number;
  width: number;
  height: number;
  channels: number;
  frames: number;
  /** First channel of the input and of the output inside their buffers: multiples of 4. */
  inputOffset: number;
  outputOffset: number;
}

const SIZES: Record<string, [width: number, height: number]> = {
  '1x1': [1, 1],
  '2x2': [2, 2],
  '1x7': [1, 7],
  '16x16': [16, 16],
  '31x9': [31, 9],
  '67x45': [67, 45],
};

function table(op: string, seed: number, channels: number[], frames: number[] = [1]): OtherCase[] {
  const factors = { size: Object.keys(SIZES), channels, frames, inputOffset: [0, 4], outputOffset: [0, 4, 8] };
  return pairwise(factors, { seed }).map(({ size, ...row }, i) => {
    const [width, height] = SIZES[size];
    const count = frames.length > 1 ? ` ${row.frames} frames` : '';
    const name =
      `${op} ${width}x${height} ${row.channels} channels${count} from ${row.inputOffset} to ` +
      `${row.outputOffset} (seed ${seed * 1000 + i})`;
    return { name, seed: seed * 1000 + i, width, height, ...row };
  });
}

const SOME_CHANNELS = [1, 3, 4, 6, 8, 17, 32];
/** Channels of the network's features: multiples of 4. */
const FEATURE_CHANNELS = [4, 8, 12, 32];

/** Odd sizes drop their last row or column; a side of 1 has no output, so it is not a case. */
export const MAX_POOL_CASES = table('maxPool', 2, SOME_CHANNELS).filter((c) => c.width > 1 && c.height > 1);
export const UPSAMPLE_CASES = table('upsample', 3, SOME_CHANNELS);
export const MASK_CASES = table('mask', 4, SOME_CHANNELS);
export const BLEND_CASES = table('blend', 5, SOME_CHANNELS);
export const MEAN_MAX_CASES = table('meanMax', 6, FEATURE_CHANNELS, [1, 2, 3, 5, 16]);
/** `frames` is the number of slots: each of `channels` channels, the read's groups. */
export const READ_CASES = table('groupedRead', 7, FEATURE_CHANNELS, [1, 8, 12]);
/** Pictures to linearise, align, pad and merge: 3 channels. */
export const EXPOSURE_CASES = table('exposure', 8, [3], [2, 3, 5, 9, 16]);

/** Stacks to look for motion in: 3 channels. */
export const GATE_CASES = table('gate', 9, [3], [2, 3, 5, 9, 16]);

/** `count` tensors with values uniform in [low, high). */
export function randomTensors(
  c: OtherCase,
  random: Rng,
  count: number,
  channels = c.channels,
  low = -1,
  high = 1,
): Tensor[] {
  return Array.from({ length: count }, () =>
    tensor(channels, c.height, c.width, random.floats(channels * c.height * c.width, low, high)),
  );
}

export function maxPoolData(c: OtherCase): { input: Tensor; expected: Tensor } {
  const [input] = randomTensors(c, rng(c.seed), 1);
  return { input, expected: ops.maxPool(input) };
}

export function upsampleData(c: OtherCase): { input: Tensor; expected: Tensor } {
  const [input] = randomTensors(c, rng(c.seed), 1);
  return { input, expected: ops.upsampleNearest(input) };
}

/** A mask in [0, 1], with exact zeros and ones among its values. */
function randomMask(c: OtherCase, random: Rng): Tensor {
  const [mask] = randomTensors(c, random, 1, 1, -0.25, 1.25);
  mask.data.forEach((value, i) => (mask.data[i] = Math.min(Math.max(value, 0), 1)));
  return mask;
}

export function maskData(c: OtherCase): { input: Tensor; mask: Tensor; times: Tensor; complement: Tensor } {
  const random = rng(c.seed);
  const [input] = randomTensors(c, random, 1);
  const mask = randomMask(c, random);
  return { input, mask, times: ops.maskMultiply(input, mask), complement: ops.maskMultiply(input, mask, true) };
}

/** `expected` is mask * a + (1 - mask) * b. */
export function blendData(c: OtherCase): { mask: Tensor; a: Tensor; b: Tensor; expected: Tensor } {
  const random = rng(c.seed);
  const [a, b] = randomTensors(c, random, 2);
  const mask = randomMask(c, random);
  return { mask, a, b, expected: ops.blend(mask, a, b) };
}

export function meanMaxData(c: OtherCase): { inputs: Tensor[]; mean: Tensor; max: Tensor } {
  const inputs = randomTensors(c, rng(c.seed), c.frames);
  return { inputs, mean: ops.meanFrames(inputs), max: ops.maxFrames(inputs) };
}

/** `memory` has `frames` slots of `channels` channels; weight is `[channels, slots, 1, 1]`. */
export function readData(c: OtherCase): { memory: Tensor; weight: Float32Array; bias: Float32Array; expected: Tensor } {
  const random = rng(c.seed);
  const [memory] = randomTensors(c, random, 1, c.channels * c.frames);
  const bound = Math.sqrt(3 / c.frames);
  const weight = random.floats(c.channels * c.frames, -bound, bound);
  const bias = random.floats(c.channels);
  return { memory, weight, bias, expected: ops.groupedRead(memory, weight, bias) };
}

export interface ExposureData {
  /** Frames in [0, 1], shortest first, with exact zeros and ones (clipped) among their values. */
  frames: Tensor[];
  /** Exposures relative to the shortest. */
  taus: number[];
  reference: number;
  gamma: number;
  /** A curve for each channel; every other case has none. */
  response: InverseResponse;
  /** Motion maps, one a frame; the reference's is the union. */
  masks: Tensor[];
  /** Per frame: X after the response, lin, and A. */
  undone: Tensor[];
  linear: Tensor[];
  aligned: Tensor[];
  /** Every second case has one hat a pixel. */
  hat: Hat;
  /** The base with the masks, the plain merge without. */
  base: Tensor;
  merged: Tensor;
  /** A network's output to add to the base, and the sum. */
  logits: Tensor;
  corrected: Tensor;
}

export function exposureData(c: OtherCase): ExposureData {
  const random = rng(c.seed);
  const frames = randomTensors(c, random, c.frames, 3, -0.1, 1.1);
  for (const frame of frames)
    frame.data.forEach((value, i) => (frame.data[i] = Math.fround(Math.min(Math.max(value, 0), 1))));
  const taus = frames.map((_, k) =>
    Math.fround(2 ** (k * (c.frames > 5 ? 0.75 : 2)) * (k === 0 ? 1 : 1 + random.next() / 4)),
  );
  const reference = random.int(0, c.frames - 1);
  const gamma = random.pick([2.2, 1.8]);
  // S-curves: f(0) = 0, f(1) = 1, monotone, another steepness for each channel.
  const curve = (power: number): Float32Array =>
    Float32Array.from({ length: 256 }, (_, i) => (i / 255) ** power * (0.4 + 0.6 * (i / 255) ** 3));
  const response = c.seed % 2 ? [curve(2.2), curve(1.6), curve(1)] : null;
  const masks = frames.map(() => randomMask(c, random));
  masks[reference] = ops.maxFrames(masks.filter((_, i) => i !== reference));
  const undone = frames.map((frame) => exposure.undoResponse(frame, response, gamma));
  const hat = c.seed % 4 < 2 ? 'channel' : 'pixel';
  const base = exposure.mergeBase(undone, taus, reference, gamma, hat, masks);
  const [logits] = randomTensors(c, random, 1, 3, -3, 3);
  return {
    frames,
    taus,
    reference,
    gamma,
    response,
    masks,
    undone,
    linear: undone.map((x, k) => exposure.linearise(x, taus[k], gamma)),
    aligned: undone.map((x, k) => exposure.align(x, taus[k], taus[reference], gamma)),
    hat,
    base,
    merged: exposure.mergeBase(undone, taus, reference, gamma, hat),
    logits,
    corrected: exposure.addBase(logits, base, taus[c.frames - 1]),
  };
}

export interface GateData {
  /**
   * Frames of one scene, a code or four of noise on them, of which a third shows something else; shortest first. 8
   * bits, except linear ones.
   */
  frames: Tensor[];
  taus: number[];
  reference: number;
  camera: Camera;
  gate: GateConfig;
  /** e of every frame, 0 of the reference, and b. */
  evidence: Tensor;
  windowed: Tensor;
  /** Logits of every frame but the reference. */
  logits: Tensor[];
}

export function gateData(c: OtherCase): GateData {
  const random = rng(c.seed);
  const taus = Array.from({ length: c.frames }, (_, k) => Math.fround(2 ** (k * (c.frames > 5 ? 0.75 : 2))));
  const reference = random.int(0, c.frames - 1);
  const curve = (power: number): Float32Array =>
    Float32Array.from({ length: 256 }, (_, i) => (i / 255) ** power * (0.4 + 0.6 * (i / 255) ** 3));
  const linear = c.seed % 3 === 2;
  const camera: Camera = {
    gamma: random.pick([2.2, 1.8]),
    linear,
    response: linear
      ? [0, 1, 2].map(() => Array.from({ length: 256 }, (_, i) => i / 255))
      : c.seed % 3
        ? [curve(2.2), curve(1.6), curve(1)]
        : null,
  };
  const gate: GateConfig = {
    codes: random.pick([0, 0.75, 2, 3]),
    relative: random.pick([0, 0.06, 0.2]),
    low: 0.01,
    high: 0.5,
  };
  const [scene] = randomTensors(c, random, 1, 3, 0, 1);
  const [others] = randomTensors(c, random, 1, 3, -2, 1);
  const encode = (light: number, channel: number): number => {
    if (camera.linear) return light;
    if (!camera.response) return light ** (1 / camera.gamma);
    const at = Array.from(camera.response[channel]).findIndex((value) => value >= light);
    return (at < 0 ? 255 : at) / 255;
  };
  const size = c.width * c.height;
  const frames = taus.map((tau, k) => {
    const values = scene.data.map((x, i) => {
      const light = Math.min(
        1,
        (((others.data[i] > 0 && k !== reference ? others.data[i] : x) * tau) / taus[c.frames - 1]) * 2,
      );
      const sample = encode(light, Math.floor(i / size)) + random.int(-2, 2) / 255;
      return Math.fround(Math.min(1, Math.max(0, linear ? sample : Math.round(sample * 255) / 255)));
    });
    return tensor(3, c.height, c.width, values);
  });
  const maps = frames.map((frame, k) =>
    k === reference
      ? tensor(1, c.height, c.width)
      : gateEvidence(gate, frame, frames[reference], taus[reference] / taus[k], camera),
  );
  const evidence = concat(...maps);
  return {
    frames,
    taus,
    reference,
    camera,
    gate,
    evidence,
    windowed: meanOver(maximumOver(meanOver(evidence, 5), 9), 9),
    logits: randomTensors(c, random, c.frames, 1, -4, 4),
  };
}
