/**
 * conv2d's cases, for kernel tests and benches: sizes 1x1 to 67x45 and one large, channels 1 to 17, 32 and 96, every
 * kernel size, dilation, grouping, activation, with and without bias, placed at an offset in a larger buffer.
 */
import type { Rng } from '../reference/random.ts';
import { rng } from '../reference/random.ts';
import { conv2d } from '../reference/ops.ts';
import type { Activation } from '../reference/ops.ts';
import { tensor } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import { pairwise } from './pairwise.ts';

export interface ConvCase {
  name: string;
  /** Seeds the case's data. */
  seed: number;
  width: number;
  height: number;
  /** Input and output channels. */
  inputs: number;
  outputs: number;
  kernel: number;
  dilation: number;
  groups: number;
  activation: Activation;
  slope: number;
  bias: boolean;
  /** First channel of the input inside its buffer: a multiple of 4. */
  inputOffset: number;
  /** First channel of the output inside its buffer: a multiple of 4. */
  outputOffset: number;
  /** Channels of the output's buffer: a multiple of 4. What lies outside the output must stay as it was. */
  outputTotal: number;
}

/** What a case computes on and what it must give. */
export interface ConvData {
  input: Tensor;
  /** `[O, I/groups, k, k]` */
  weight: Float32Array;
  /** `[O]`; absent where the case has no bias. */
  bias?: Float32Array;
  expected: Tensor;
}

/** Multiply-adds of the heaviest case: the f64 reference and a software adapter must both stay fast. */
const MAX_WORK = 60e6;

const SIZES: Record<string, [width: number, height: number]> = {
  '1x1': [1, 1],
  '3x2': [3, 2],
  '1x19': [1, 19],
  '16x8': [16, 8],
  '23x5': [23, 5],
  '33x17': [33, 17],
  '67x45': [67, 45],
};
const CHANNELS: Record<string, number[]> = {
  few: [1, 2, 3],
  blocks: [4, 8, 12, 16],
  ragged: [5, 6, 7, 9, 10, 11, 13, 14, 15, 17],
  many: [32, 96],
};

const FACTORS = {
  size: Object.keys(SIZES),
  inputs: Object.keys(CHANNELS),
  outputs: Object.keys(CHANNELS),
  kernel: [1, 3, 5, 7],
  dilation: [1, 2, 3, 4],
  grouping: ['one', 'one', 'one', 'some', 'depthwise'], // drawn as often as they are listed: the network has no groups
  activation: ['none', 'relu', 'leakyRelu', 'sigmoid'] as Activation[],
  slope: [0.2, 0.01, 1],
  bias: [true, false],
  inputOffset: [0, 4],
  outputOffset: [0, 4, 12],
};

interface Channels {
  inputs: number;
  outputs: number;
  groups: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Every choice of channels that fits two classes and a grouping. */
function channelChoices(inputs: string, outputs: string, grouping: string): Channels[] {
  return CHANNELS[inputs].flatMap((i) =>
    CHANNELS[outputs].flatMap((o): Channels[] => {
      if (grouping === 'one') return [{ inputs: i, outputs: o, groups: 1 }];
      if (grouping === 'depthwise') return i > 1 && o % i === 0 ? [{ inputs: i, outputs: o, groups: i }] : [];
      const common = gcd(i, o);
      const divisors = Array.from({ length: common }, (_, d) => d + 1).filter(
        (d) => d > 1 && common % d === 0 && d < i,
      );
      return divisors.map((groups) => ({ inputs: i, outputs: o, groups }));
    }),
  );
}

function work([width, height]: [number, number], { inputs, outputs, groups }: Channels, kernel: number): number {
  return (width * height * outputs * inputs * kernel * kernel) / groups;
}

function named(c: Omit<ConvCase, 'name'>): ConvCase {
  const parts = [`${c.width}x${c.height}`, `${c.inputs}->${c.outputs}`, `${c.kernel}x${c.kernel}`];
  if (c.dilation > 1) parts.push(`dilation ${c.dilation}`);
  if (c.groups > 1) parts.push(`${c.groups} groups`);
  parts.push(c.activation === 'leakyRelu' ? `leakyRelu ${c.slope}` : c.activation);
  if (!c.bias) parts.push('no bias');
  if (c.inputOffset) parts.push(`from ${c.inputOffset}`);
  if (c.outputOffset || c.outputTotal > c.outputs + 3) parts.push(`to ${c.outputOffset} of ${c.outputTotal}`);
  return { name: `${parts.join(' ')} (seed ${c.seed})`, ...c };
}

/** The network's own layers, and the channel counts that pairing left out, in 3x3 without groups. */
function plainCase(seed: number, inputs: number, outputs: number, kernel: number, dilation = 1): ConvCase {
  const [width, height] = inputs * outputs > 1000 ? [33, 17] : [67, 45];
  const outputTotal = Math.ceil(outputs / 4) * 4;
  return named({
    seed,
    width,
    height,
    inputs,
    outputs,
    groups: 1,
    kernel,
    dilation,
    activation: 'leakyRelu',
    slope: 0.2,
    bias: true,
    inputOffset: 0,
    outputOffset: 0,
    outputTotal,
  });
}

function buildCases(): ConvCase[] {
  const pairs = pairCases();
  const layers: [number, number, number, number][] = [
    [6, 32, 3, 1],
    [32, 32, 3, 1],
    [32, 32, 3, 2],
    [32, 32, 3, 4],
    [96, 32, 3, 1],
    [96, 32, 1, 1],
    [96, 3, 1, 1],
  ];
  const plain = layers.map((layer, i) => plainCase(2000 + i, ...layer));
  const missing = (side: 'inputs' | 'outputs'): number[] => {
    const seen = new Set([...pairs, ...plain].filter((c) => c.groups === 1).map((c) => c[side]));
    return Object.values(CHANNELS)
      .flat()
      .filter((count) => !seen.has(count));
  };
  const [inputs, outputs] = [missing('inputs'), missing('outputs')];
  for (let i = 0; i < Math.max(inputs.length, outputs.length); i++)
    plain.push(plainCase(2100 + i, inputs[i] ?? 5, outputs[i] ?? 5, 3));
  // More pixels than one dimension of a grid has workgroups for, at 4 pixels of 8 lanes each.
  const large = named({
    seed: 2200,
    width: 2100,
    height: 1010,
    inputs: 1,
    outputs: 1,
    groups: 1,
    kernel: 1,
    dilation: 1,
    activation: 'none',
    slope: 0,
    bias: true,
    inputOffset: 0,
    outputOffset: 0,
    outputTotal: 4,
  });
  return [...pairs, ...plain, large];
}

function pairCases(): ConvCase[] {
  const choices = (row: {
    size: unknown;
    inputs: unknown;
    outputs: unknown;
    grouping: unknown;
    kernel: unknown;
  }): Channels[] =>
    channelChoices(row.inputs as string, row.outputs as string, row.grouping as string).filter(
      (c) => work(SIZES[row.size as string], c, row.kernel as number) <= MAX_WORK,
    );
  const used = new Map<string, number>();
  const uses = ({ inputs, outputs }: Channels): number =>
    (used.get(`i${inputs}`) ?? 0) + (used.get(`o${outputs}`) ?? 0);
  return pairwise(FACTORS, { seed: 1, valid: (row) => choices(row).length > 0 }).map((row, i) => {
    // Of the channel counts that fit, takes those used least so far, so that each is used.
    const channels = choices(row).reduce((best, c) => (uses(c) < uses(best) ? c : best));
    for (const key of [`i${channels.inputs}`, `o${channels.outputs}`]) used.set(key, (used.get(key) ?? 0) + 1);
    const [width, height] = SIZES[row.size];
    const { kernel, dilation, activation, slope, bias, inputOffset, outputOffset } = row;
    const outputTotal = outputOffset + Math.ceil(channels.outputs / 4) * 4 + (i % 2) * 4;
    return named({
      seed: 1000 + i,
      width,
      height,
      ...channels,
      kernel,
      dilation,
      activation,
      slope,
      bias,
      inputOffset,
      outputOffset,
      outputTotal,
    });
  });
}

/** The table: every two values of every two factors meet, and every channel count is an ungrouped input and output. */
export const CONV_CASES: readonly ConvCase[] = buildCases();

/** Cases for every variant: odd sizes, dilations, channels that are no multiple of 4. */
export const VARIANT_CASES: readonly ConvCase[] = (
  [
    [33, 17, 6, 8, 3, 1],
    [23, 5, 9, 7, 3, 3],
    [1, 1, 2, 8, 3, 2],
    [19, 11, 10, 8, 1, 1],
  ] as const
).map(([width, height, inputs, outputs, kernel, dilation], i) =>
  named({
    seed: 2300 + i,
    width,
    height,
    inputs,
    outputs,
    groups: 1,
    kernel,
    dilation,
    activation: 'leakyRelu',
    slope: 0.2,
    bias: true,
    inputOffset: 4,
    outputOffset: 4,
    outputTotal: 16,
  }),
);

/**
 * Cases for variants on matrix units, which take 8 inputs and more: channels that fill no matrix or several groups of
 * them, borders of tiles, kernels, dilations.
 */
export const MATRIX_CASES: readonly ConvCase[] = (
  [
    [33, 17, 9, 8, 3, 1],
    [23, 5, 12, 7, 3, 3],
    [1, 1, 8, 8, 3, 2],
    [19, 11, 10, 40, 1, 1],
    [18, 9, 40, 72, 3, 1],
    [16, 8, 32, 32, 3, 4],
  ] as const
).map(([width, height, inputs, outputs, kernel, dilation], i) =>
  named({
    seed: 2400 + i,
    width,
    height,
    inputs,
    outputs,
    groups: 1,
    kernel,
    dilation,
    activation: i % 2 ? 'sigmoid' : 'leakyRelu',
    slope: 0.2,
    bias: true,
    inputOffset: 4,
    outputOffset: 4,
    outputTotal: 80,
  }),
);

/** A case with every property drawn at random; for property tests, which print the seed. */
export function randomCase(random: Rng): ConvCase {
  for (;;) {
    const pool = [...Array.from({ length: 17 }, (_, i) => i + 1), 32, 96];
    const kernel = random.pick(FACTORS.kernel);
    const width = random.int(1, 67);
    const height = random.int(1, 45);
    let [inputs, outputs, groups] = [random.pick(pool), random.pick(pool), 1];
    if (random.next() < 0.5) {
      groups = random.int(1, 8);
      inputs = groups * random.int(1, 4);
      outputs = groups * random.int(1, 4);
    }
    if (work([width, height], { inputs, outputs, groups }, kernel) > MAX_WORK / 4) continue;
    const outputOffset = 4 * random.int(0, 4);
    return named({
      seed: random.int(0, 2 ** 30),
      width,
      height,
      inputs,
      outputs,
      groups,
      kernel,
      dilation: random.int(1, 5),
      activation: random.pick(FACTORS.activation),
      slope: random.int(0, 100) / 100,
      bias: random.next() < 0.5,
      inputOffset: 4 * random.int(0, 2),
      outputOffset,
      outputTotal: outputOffset + Math.ceil(outputs / 4) * 4 + 4 * random.int(0, 2),
    });
  }
}

/**
 * A case's data and result. Inputs are uniform in [-1, 1), weights scaled by their fan-in: outputs are of order 1,
 * whatever the channels, so 1 is the case's scale.
 */
export function convData(c: ConvCase, random = rng(c.seed)): ConvData {
  const input = tensor(c.inputs, c.height, c.width, random.floats(c.inputs * c.height * c.width));
  const fanIn = (c.inputs / c.groups) * c.kernel * c.kernel;
  const bound = Math.sqrt(3 / fanIn);
  const weight = random.floats(c.outputs * fanIn, -bound, bound);
  const bias = c.bias ? random.floats(c.outputs) : undefined;
  const { outputs, kernel, dilation, groups, activation, slope } = c;
  return {
    input,
    weight,
    bias,
    expected: conv2d(input, { weight, bias, outputs, kernel, dilation, groups, activation, slope }),
  };
}
