/**
 * The end of a block of shared dilated convolutions (spec: D): one 3x3 layer, run at several dilations on channels of
 * its own each, and the 1x1 convolution that merges their results. The results are never stored.
 *
 * A workgroup computes a rectangle of pixels, dilation by dilation: its invocations have some pixels each, one dilation
 * apart, so that they share taps, and some of the channels. They put the activated results into workgroup memory. Then
 * each adds what the 1x1 convolution makes of them to its sums, which are of pixels side by side. A rectangle is
 * covered exactly if its sides are multiples of an invocation's at the largest dilation.
 *
 * This is for GPUs, where memory is expensive compared with arithmetic; graph/fuse/merge.ts says where.
 */
import { negativeSlope } from './conv2d/activate.ts';
import type { ConvAttrs } from './conv2d/attrs.ts';
import { packTiles, packedWeights } from './conv2d/weights.ts';
import { shapeError } from './kernel.ts';
import type { Implementation, PackedWeights, Tensors, TunedKernel } from './kernel.ts';
import { mergeProgram } from './dilatedMergeProgram.ts';
import type { MergeTile } from './dilatedMergeProgram.ts';
import { buffer, weights } from './program.ts';
import type { Dispatch } from './program.ts';
import type { Target, Vendor } from './target.ts';
import { blocks, start } from './tensor.ts';
import type { DType, Shape } from './tensor.ts';

export interface DilatedMergeAttrs extends Pick<ConvAttrs, 'activation' | 'slope'> {
  /** Name of the 3x3 layer, with the tensors `{name}.weight` [channels, inputs, 3, 3] and `{name}.bias` [channels]. */
  weights: string;
  /**
   * Name of the 1x1 layer, with the tensors `{name}.weight` [channels, channels x dilations, 1, 1] and `{name}.bias`
   * [channels].
   */
  merge: string;
  /** Channels of the results, and of each dilation's. */
  channels: number;
  /** At most four. */
  dilations: readonly number[];
}

interface Variant extends MergeTile {
  /** The GPUs that this is for; absent for all. */
  vendors?: readonly Vendor[];
}

/**
 * Best guess first: 32 sums of an invocation, or 64 where registers suffice (on GPUs of Qualcomm that costs a third of
 * the waves). By the compilers, 128 sums take a tenth fewer instructions and half of the waves: a tuner decides. Staged
 * weights are for GPUs that load, and check, for each invocation what all of them share. Of packed halves, see
 * conv2d/methods/halves.ts.
 */
const VARIANTS: readonly Variant[] = [
  { columns: 16, rows: 8, wide: 2, high: 2, out: 2, halves: true, vendors: ['amd'] },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 1, halves: true, vendors: ['amd'] },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 2, vendors: ['amd', 'nvidia'] },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 1 },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 2, vendors: ['qualcomm'] },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 4, vendors: ['amd', 'nvidia'] },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 4, staged: true, vendors: ['nvidia'] },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 2, staged: true, vendors: ['nvidia'] },
  { columns: 16, rows: 8, wide: 2, high: 2, out: 1, staged: true, vendors: ['apple'] },
  { columns: 16, rows: 8, wide: 4, high: 1, out: 2, vendors: ['nvidia'] },
  { columns: 16, rows: 8, wide: 4, high: 1, out: 4, vendors: ['qualcomm'] },
  { columns: 16, rows: 8, wide: 4, high: 1, out: 1 },
  { columns: 8, rows: 8, wide: 2, high: 2, out: 1 },
];

const KERNEL = 3;
/** What each device allows: bytes of workgroup memory, invocations of a workgroup. */
const MOST_BYTES = 16384;
const MOST_INVOCATIONS = 256;
/** Dilations that a param holds. */
const MOST_DILATIONS = 4;

/** The variants for a layer; none where its results are too many for workgroup memory, or a dilation too large. */
function variants(
  { channels, dilations }: Pick<DilatedMergeAttrs, 'channels' | 'dilations'>,
  { precision, capabilities }: Target = {},
): readonly Variant[] {
  if (channels % 4 !== 0 || dilations.length > MOST_DILATIONS) return [];
  return VARIANTS.filter(
    ({ columns, rows, wide, high, out, halves, vendors }) =>
      (!vendors || (capabilities?.vendor && vendors.includes(capabilities.vendor))) &&
      (!halves || precision === 'f16') &&
      blocks(channels) % out === 0 &&
      columns * rows * channels * 4 <= MOST_BYTES &&
      ((columns * rows) / wide / high) * (blocks(channels) / out) <= MOST_INVOCATIONS &&
      dilations.every((dilation) => columns % (wide * dilation) === 0 && rows % (high * dilation) === 0),
  );
}

/** Whether the kernel can compute such layers. */
export function canMerge(attrs: Pick<DilatedMergeAttrs, 'channels' | 'dilations'>): boolean {
  return variants(attrs).length > 0;
}

/** The packed weights and biases of both layers. */
function packed(
  { weights: name, merge, channels, dilations }: DilatedMergeAttrs,
  inputs: number,
  { out, halves }: Variant,
  dtype: DType,
): PackedWeights[] {
  const layer = (layerName: string, from: number, kernel: number, isBlockFirst?: boolean): PackedWeights[] =>
    packedWeights(
      { weights: layerName, channels, kernel },
      {
        order: `${isBlockFirst ? 'halves' : 'tiled'}${out}`,
        dtype,
        pack: (layers) => packTiles(layers, channels, from, kernel ** 2, out, isBlockFirst),
      },
    );
  return [...layer(name, inputs, KERNEL, halves), ...layer(merge, channels * dilations.length, 1)];
}

/** Channels that one dilation reads. */
function inputChannels({ dilations }: DilatedMergeAttrs, [input]: readonly Shape[]): number {
  return input.channels / dilations.length;
}

/** Input: the channels of each dilation, one after another. Output: `channels` channels. */
export const dilatedMerge: TunedKernel<DilatedMergeAttrs> = {
  storage: () => ({ output: 'any', inputs: 'any' }),
  samples: [
    {
      attrs: { weights: 'w', merge: 'v', channels: 32, dilations: [1, 2, 4], activation: 'leakyRelu', slope: 0.2 },
      inputs: [96],
    },
  ],
  shape(attrs, inputs) {
    const { weights: name, channels, dilations } = attrs;
    if (inputs.length !== 1) throw shapeError('dilatedMerge', `${name}: ${inputs.length} inputs, expected 1`);
    if (inputChannels(attrs, inputs) % 4 !== 0)
      throw shapeError(
        'dilatedMerge',
        `${name}: ${inputs[0].channels} channels for ${dilations.length} dilations, expected a multiple of 4 for each`,
      );
    if (!canMerge(attrs))
      throw shapeError('dilatedMerge', `${name}: ${channels} channels at dilations ${dilations.join()} do not fit`);
    return { ...inputs[0], channels };
  },
  weights(attrs, inputs) {
    const { weights: name, merge, channels, dilations } = attrs;
    return [
      { name: `${name}.weight`, shape: [channels, inputChannels(attrs, inputs), KERNEL, KERNEL] },
      { name: `${name}.bias`, shape: [channels] },
      { name: `${merge}.weight`, shape: [channels, channels * dilations.length, 1, 1] },
      { name: `${merge}.bias`, shape: [channels] },
    ];
  },
  multiplyAdds(attrs, inputs, { width, height, channels }) {
    const perChannel = inputChannels(attrs, inputs) * KERNEL ** 2 + channels;
    return width * height * channels * attrs.dilations.length * perChannel;
  },
  shapeClass(attrs, inputs, { precision = 'f32' }) {
    const { channels, dilations } = attrs;
    return (
      `dilatedMerge ${inputChannels(attrs, inputs)}>${channels} ${dilations.length} dilations` +
      `${precision === 'f16' ? ' f16' : ''}`
    );
  },
  implementations(attrs, inputs, target) {
    const { precision = 'f32', capabilities } = target;
    const offered = variants(attrs, target);
    // Software drivers take seconds to compile each.
    return offered.slice(0, capabilities?.cpu ? 1 : undefined).map((variant): Implementation => {
      const layers = packed(attrs, inputChannels(attrs, inputs), variant, precision);
      return {
        name: variantName(variant),
        weights: layers,
        dispatch: (tensors) => dispatch(attrs, variant, layers, tensors),
      };
    });
  },
};

function variantName({ columns, rows, wide, high, out, halves, staged }: Variant): string {
  return `${columns}x${rows} by ${wide}x${high}x${4 * out}${halves ? ' halves' : ''}${staged ? ' staged' : ''}`;
}

function dispatch(
  attrs: DilatedMergeAttrs,
  variant: Variant,
  [layer, bias, merge, mergeBias]: readonly PackedWeights[],
  { inputs: [input], output }: Tensors,
): Dispatch {
  const { width, height } = output.shape;
  return {
    program: mergeProgram({
      ...variant,
      name: variantName(variant),
      blocks: blocks(attrs.channels),
      dilations: attrs.dilations.length,
      weights: layer.dtype ?? 'f32',
      input: input.dtype,
      output: output.dtype,
    }),
    resources: {
      input: buffer(input),
      weights: weights(layer),
      bias: weights(bias),
      merge_weights: weights(merge),
      merge_bias: weights(mergeBias),
      output: buffer(output),
    },
    params: {
      width,
      height,
      input_start: start(input),
      output_start: start(output),
      in_blocks: blocks(inputChannels(attrs, [input.shape])),
      blocks: blocks(attrs.channels),
      slope: negativeSlope({ ...attrs, kernel: KERNEL }),
      dilations: attrs.dilations,
    },
    workgroups: [Math.ceil(width / variant.columns), Math.ceil(height / variant.rows), 1],
  };
}
