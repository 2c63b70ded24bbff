/**
 * Dilated convolutions with the 1x1 convolution that merges them, against the references of both, in every variant and
 * at sizes that no workgroup divides.
 */
import { GraphBuilder } from '../../src/graph/graph.ts';
import { halve } from '../../src/graph/fuse/precision.ts';
import { dilatedMerge } from '../../src/kernels/dilatedMerge.ts';
import type { DilatedMergeAttrs } from '../../src/kernels/dilatedMerge.ts';
import { floatToHalf, halfToFloat } from '../../src/float16.ts';
import type { Vendor } from '../../src/kernels/target.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import * as ops from '../reference/ops.ts';
import { expectClose, rng } from '../reference/random.ts';
import { concat, map, tensor, where } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import { inSingles } from './halfImitation.ts';
import { KERNEL_TOLERANCE } from './kernelCheck.ts';
import type { KernelCheck } from './kernelCheck.ts';
import type { KernelHarness } from './harness.ts';

interface MergeCase {
  width: number;
  height: number;
  /** Channels that a dilation reads, and those that it gives. */
  inputs: number;
  channels: number;
  dilations: readonly number[];
  activation: 'none' | 'relu' | 'leakyRelu';
  precision?: DType;
  /** Whose GPU's variants run; without one, those of all. */
  vendor?: Vendor;
  /** Which variants run; only the default by default: a software driver compiles each for seconds. */
  variants?: 'all' | readonly string[];
}

/** The variants with more sums than those that all GPUs have. */
const LARGE = {
  width: 21,
  height: 11,
  inputs: 4,
  channels: 16,
  dilations: [1, 2, 4],
  activation: 'leakyRelu',
} as const;

const CASES: MergeCase[] = [
  { width: 1, height: 1, inputs: 4, channels: 8, dilations: [1, 2, 4], activation: 'leakyRelu' },
  {
    width: 37,
    height: 21,
    inputs: 4,
    channels: 8,
    dilations: [1, 2, 4],
    activation: 'leakyRelu',
    vendor: 'amd',
    variants: 'all',
  },
  { ...LARGE, vendor: 'amd', variants: ['16x8 by 2x2x16'] },
  { ...LARGE, vendor: 'nvidia', variants: ['16x8 by 4x1x8', '16x8 by 2x2x8 staged'] },
  { ...LARGE, inputs: 12, vendor: 'nvidia', variants: ['16x8 by 2x2x16 staged'] },
  { ...LARGE, vendor: 'qualcomm', variants: ['16x8 by 4x1x16'] },
  { width: 17, height: 9, inputs: 12, channels: 8, dilations: [4, 1], activation: 'none' },
  {
    width: 19,
    height: 9,
    inputs: 12,
    channels: 12,
    dilations: [4, 1],
    activation: 'relu',
    precision: 'f16',
    vendor: 'apple',
    variants: ['16x8 by 2x2x4 staged'],
  },
  { width: 9, height: 33, inputs: 8, channels: 12, dilations: [2], activation: 'relu' },
  { width: 33, height: 17, inputs: 32, channels: 32, dilations: [1, 2, 4], activation: 'leakyRelu' },
  { width: 33, height: 17, inputs: 8, channels: 8, dilations: [1, 2, 4], activation: 'leakyRelu', precision: 'f16' },
  {
    width: 33,
    height: 17,
    inputs: 4,
    channels: 4,
    dilations: [1, 2],
    activation: 'leakyRelu',
    precision: 'f16',
    vendor: 'amd',
  },
];

/** Halves keep 11 bits of each weight of two layers, and of the result. */
const HALF_TOLERANCE = 2e-3;

const rounded = (x: Tensor): Tensor => map(x, (value) => halfToFloat(floatToHalf(value)));

async function check(kernels: KernelHarness, c: MergeCase, name: string): Promise<number> {
  const { width, height, inputs, channels, dilations, activation, precision = 'f32', vendor, variants = [] } = c;
  const random = rng(width * 100 + channels);
  const layer = (from: number, kernel: number): { weight: Float32Array; bias: Float32Array } => {
    const most = Math.sqrt(3 / (from * kernel ** 2));
    return { weight: random.floats(channels * from * kernel ** 2, -most, most), bias: random.floats(channels) };
  };
  const [runs, merge] = [layer(inputs, 3), layer(channels * dilations.length, 1)];
  const parts = dilations.map(() => tensor(inputs, height, width, random.floats(inputs * width * height)));
  const common = { outputs: channels, activation, slope: 0.2 };
  const results = parts.map((part, i) =>
    ops.conv2d(precision === 'f16' ? rounded(part) : part, { ...runs, ...common, kernel: 3, dilation: dilations[i] }),
  );
  const expected = ops.conv2d(concat(...results), { ...merge, ...common, kernel: 1 });

  const attrs: DilatedMergeAttrs = { weights: 'runs', merge: 'merge', channels, dilations, activation, slope: 0.2 };
  const g = new GraphBuilder();
  const shape = { channels: inputs * dilations.length, height, width };
  // Between copies, which may store halves, and inside a larger tensor.
  const before = g.add('before', 'copy', [g.input('noise', { ...shape, channels: 4 })], {});
  const x = g.add('x', 'copy', [g.input('input', shape)], {});
  const whole = g.add('whole', 'copy', [g.concat('behind', [before, x])], {});
  const y = g.add('y', 'dilatedMerge', [x], attrs);
  const graph = g.build([g.add('copy of y', 'copy', [y], {}), whole]);
  const weights = {
    'runs.weight': runs.weight,
    'runs.bias': runs.bias,
    'merge.weight': merge.weight,
    'merge.bias': merge.bias,
  };
  const noise = tensor(4, height, width, new Float32Array(4 * height * width).fill(1e3));
  const capabilities = { ...kernels.capabilities, cpu: false, vendor };
  const shapeClass = dilatedMerge.shapeClass(attrs, [shape], { precision });
  const names = dilatedMerge.implementations(attrs, [shape], { precision, capabilities }).map((one) => one.name);
  const tol = precision === 'f16' ? HALF_TOLERANCE : KERNEL_TOLERANCE;
  let worst = 0;
  const chosen = variants === 'all' ? names : variants.length > 0 ? variants : names.slice(0, 1);
  for (const variant of chosen) {
    if (!names.includes(variant)) throw new Error(`${name} has no variant ${variant}: ${names.join(', ')}`);
    const target = { capabilities, precision, choices: new Map([[shapeClass, variant]]) };
    const [actual] = await kernels.runGraph(
      precision === 'f16' ? halve(graph) : graph,
      { input: concat(...parts), noise },
      weights,
      // Of packed halves, what they read and sum: halves themselves take a software driver minutes to compile.
      { target, replace: inSingles },
    );
    const options = { tol, label: `${variant} ${name}`, where: where(expected) };
    worst = Math.max(worst, expectClose(actual.data, expected.data, options));
  }
  return worst;
}

export const MERGE_CHECKS: readonly KernelCheck[] = CASES.map((c): KernelCheck => {
  const { width, height, inputs, channels, dilations, precision, vendor } = c;
  const what = `${width}x${height}, ${inputs} to ${channels} channels at dilations ${dilations.join()}`;
  const name = [what, precision, vendor].filter(Boolean).join(' ');
  return {
    kernel: 'dilatedMerge',
    name,
    ...(precision === 'f16' ? { needs: precision, tolerance: HALF_TOLERANCE } : {}),
    run: (kernels) => check(kernels, c, name),
  };
});
