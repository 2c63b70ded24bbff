/**
 * A weights file's metadata as the network's configuration (the spec's "Weights file" and "Ablations").
 *
 * The file says which network it holds; the engine has no built-in widths or slopes. Absent fields take the spec's
 * defaults (a wrong default would contradict the tensors' shapes, which are checked later). A known field with an
 * unknown value is refused by name. Any other field is free text about training and is kept in `extra`.
 */
import { InputError } from '../errors.ts';
import { parseStrictJson } from './json.ts';

/** Number of frames that a `fixed` network is made for. */
export const FIXED_FRAMES = 3;

/** The gate (spec: Gate): no motion where both samples can stand for the same light. */
export interface GateConfig {
  /** Tolerance in 8-bit codes on either side of a sample. At least 0. */
  codes: number;
  /** Tolerance as a share of the light. From 0 to below 1. */
  relative: number;
  /** Evidence, in the gamma domain: at `low` and below W becomes 0, at `high` and above it stays. */
  low: number;
  high: number;
}

/**
 * How a network differs from the paper's own, in which every field has its first value (spec: Ablations; the paper's
 * Tables II and III).
 */
export interface Ablation {
  /** Where motion maps come from: S, the simple difference of two frames (A4), or nowhere (A3). */
  segmentation: 'network' | 'difference' | 'none';
  /** Layers of the memory: each its own, one for all writes and one for all reads (A8), no memory. */
  memory: 'full' | 'shared' | 'none';
  /** Whether still and moving regions are fused by two networks, or by one that runs on each. */
  fusion: 'separate' | 'shared';
  /** Dense SDC blocks, SDC blocks (A11), plain convolutions (A9), residual blocks (A10). */
  decoder: 'sdc-dense' | 'sdc' | 'vanilla' | 'resnet';
}

/** Which network the weights are for. */
export interface NetworkConfig {
  /** `fixed`: three frames, with separate weights for each; `any`: 2 to 16 frames. */
  variant: 'fixed' | 'any';
  /** Channels of the encoder, memory slots, fusion and decoder; a multiple of 4. */
  width: number;
  /** Channels of the segmentation U-Nets, finest level first; multiples of 4. */
  segWidths: [number, number, number, number];
  /** LeakyReLU's slope below zero. */
  slope: number;
  /** Exponent that takes a gamma-encoded sample to linear light. */
  gamma: number;
  /** Motion maps: unchanged (`soft`), or thresholded at one half (`binary`). */
  maskMode: 'soft' | 'binary';
  /** `merge`: the network corrects an analytic merge; `none`: it computes the whole picture. */
  base: 'none' | 'merge';
  /** The merge's hat weights: one per channel, or one per pixel, the smallest of its channels'. */
  hat: 'channel' | 'pixel';
  /** Absent: motion maps are the network's own. */
  gate?: GateConfig;
  /** Absent: the paper's network. */
  ablation?: Ablation;
  /** Before names of tensors, where a merge has another network's too. */
  prefix?: string;
  /** Free fields: data, iterations, date. */
  extra: Record<string, unknown>;
}

/**
 * Checks that a network takes this many frames.
 * @param name the file, for messages.
 * @throws InputError
 */
export function checkFrameCount({ variant }: Pick<NetworkConfig, 'variant'>, frames: number, name = 'weights'): void {
  if (variant !== 'fixed' || frames === FIXED_FRAMES) return;
  throw new InputError(
    `${name}: a network of variant fixed takes exactly ${FIXED_FRAMES} frames, ${frames} are given`,
    { problem: 'frame-count', remedy: 'use weights of variant any' },
  );
}

/** Most channels a layer may have: bounds the graphs that a hostile file can demand. */
const MAX_WIDTH = 512;

/** Ablation fields and their values. The first value is the default. */
const ABLATIONS: { [F in keyof Ablation]: readonly Ablation[F][] } = {
  segmentation: ['network', 'difference', 'none'],
  memory: ['full', 'shared', 'none'],
  fusion: ['separate', 'shared'],
  decoder: ['sdc-dense', 'sdc', 'vanilla', 'resnet'],
};

/**
 * Reads and checks `format`, `variant` and `config`.
 * @param name the file, for messages.
 * @throws InputError naming the file, the field, its value and the allowed values.
 */
export function parseConfig(metadata: Record<string, string>, name = 'weights'): NetworkConfig {
  const { format, variant, config } = metadata;
  if (format !== 'deghost') {
    throw new InputError(
      `${name}: __metadata__ format is ${show(format)}, expected "deghost": pass a weights file exported for deghost`,
    );
  }
  if (variant !== 'fixed' && variant !== 'any') {
    throw new InputError(
      `${name}: __metadata__ variant is ${show(variant)}, expected "fixed" or "any": export the weights again`,
    );
  }
  if (config === undefined) throw new InputError(`${name}: __metadata__ has no config: export the weights again`);
  const fields = parseFields(config, name);
  const {
    width = 32,
    segWidths = [16, 32, 64, 128],
    slope = 0.2,
    gamma = 2.2,
    maskMode = 'soft',
    base = 'none',
    hat = 'channel',
    gate,
    ...extra
  } = fields;

  function fail(field: string, value: unknown, expected: string): never {
    throw new InputError(
      `${name}: config ${field} is ${show(value)}, expected ${expected}: correct it and export the weights again`,
    );
  }

  function oneOf<T extends string>(field: string, value: unknown, values: readonly T[]): asserts value is T {
    if (!values.includes(value as T)) fail(field, value, values.map(show).join(' or '));
  }

  if (!isWidth(width)) fail('width', width, `a multiple of 4 from 4 to ${MAX_WIDTH}`);
  if (!Array.isArray(segWidths) || segWidths.length !== 4 || !segWidths.every(isWidth)) {
    fail('segWidths', segWidths, `four multiples of 4 from 4 to ${MAX_WIDTH}`);
  }
  if (typeof slope !== 'number' || !(slope >= 0 && slope <= 1)) fail('slope', slope, 'a number from 0 to 1');
  if (typeof gamma !== 'number' || !(gamma >= 0.1 && gamma <= 10)) fail('gamma', gamma, 'a number from 0.1 to 10');
  oneOf('maskMode', maskMode, ['soft', 'binary'] as const);
  oneOf('base', base, ['none', 'merge'] as const);
  oneOf('hat', hat, ['channel', 'pixel'] as const);
  const ablation: Record<string, string> = {};
  let isAblated = false;
  for (const [field, values] of Object.entries(ABLATIONS)) {
    const value = Object.hasOwn(extra, field) ? extra[field] : values[0];
    delete extra[field];
    oneOf(field, value, values);
    ablation[field] = value;
    isAblated ||= value !== values[0];
  }
  const { segmentation } = ablation;
  if (gate !== undefined && segmentation !== 'network')
    fail('segmentation', segmentation, '"network", which the gate needs');
  if (base === 'merge' && segmentation === 'none')
    fail('segmentation', segmentation, '"network" or "difference", which base "merge" needs');
  return {
    variant,
    width,
    segWidths: segWidths as NetworkConfig['segWidths'],
    slope,
    gamma,
    maskMode,
    base,
    hat,
    ...(gate !== undefined && { gate: parseGate(gate, fail) }),
    ...(isAblated && { ablation: ablation as unknown as Ablation }),
    extra,
  };
}

function parseGate(gate: unknown, fail: (field: string, value: unknown, expected: string) => never): GateConfig {
  // A value that is not an object has no fields, or only unknown ones.
  const { codes, relative, low, high, ...others } = Object(gate) as Record<string, unknown>;
  for (const [field, value] of Object.entries(others)) fail(`gate.${field}`, value, 'no such field');
  // Kernels compute in f32.
  const isNumber = (value: unknown): value is number =>
    typeof value === 'number' && Number.isFinite(Math.fround(value));
  if (!isNumber(codes) || codes < 0) fail('gate.codes', codes, 'a number from 0');
  if (!isNumber(relative) || relative < 0 || relative >= 1)
    fail('gate.relative', relative, 'a number from 0 to below 1');
  if (!isNumber(high)) fail('gate.high', high, 'a number');
  if (!isNumber(low) || Math.fround(low) >= Math.fround(high))
    fail('gate.low', low, `a number below gate.high, ${high}`);
  return { codes, relative, low, high };
}

function parseFields(config: string, name: string): Record<string, unknown> {
  let checked: unknown;
  try {
    checked = parseStrictJson(config);
  } catch (cause) {
    throw new InputError(`${name}: config: ${(cause as Error).message}: export the weights again`, { cause });
  }
  if (!(checked instanceof Map))
    throw new InputError(`${name}: config is ${show(config)}, expected a JSON object: export the weights again`);
  return JSON.parse(config) as Record<string, unknown>; // sound and free of duplicates: plain objects read easier
}

function isWidth(value: unknown): value is number {
  return (
    Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_WIDTH && (value as number) % 4 === 0
  );
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);
}
