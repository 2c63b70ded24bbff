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
import { Program, READ, buffer, reads, readsRows, texelType, weights, writes } from './program.ts';
import type { Dispatch } from './program.ts';
import { blocks, start } from './tensor.ts';
import type { DType, Shape } from './tensor.ts';
import { each, lines, range } from './text.ts';

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

/** Pixels of a workgroup; pixels of an invocation along x and y, and its output blocks. */
interface Variant {
  columns: number;
  rows: number;
  wide: number;
  high: number;
  out: number;
}

/** Best guess first: 32 sums of an invocation. With 64, Apple's GPUs have too few registers. */
const VARIANTS: readonly Variant[] = [
  { columns: 16, rows: 8, wide: 2, high: 2, out: 1 },
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
function variants({ channels, dilations }: Pick<DilatedMergeAttrs, 'channels' | 'dilations'>): readonly Variant[] {
  if (channels % 4 !== 0 || dilations.length > MOST_DILATIONS) return [];
  return VARIANTS.filter(
    ({ columns, rows, wide, high, out }) =>
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

/** What the generated program depends on: plain data. */
interface Recipe extends Variant {
  name: string;
  blocks: number;
  dilations: number;
  weights: DType;
  input: DType;
  output: DType;
}

function generate(recipe: Recipe): Program {
  const { name, columns, rows, wide, high, out, dilations } = recipe;
  const parts = recipe.blocks / out;
  const taps = wide + KERNEL - 1;
  const pixels = range(high).flatMap((ty) => range(wide).map((tx) => ({ ty, tx })));
  const eachPixel = (line: (ty: number, tx: number) => string): string =>
    lines(pixels.map(({ ty, tx }) => line(ty, tx)));
  const eachSum = (line: (ty: number, tx: number, o: number) => string): string =>
    eachPixel((ty, tx) => each(out, (o) => line(ty, tx, o)));
  // Coordinates are clamped, so that a tap outside needs no address of its own.
  const loadRow = (r: number, line: string): string => `      {
        let tap_y = y + (${line}) * d;
        let inside = u32(tap_y) < params.height;
        let base = plane + clamp(tap_y, 0, last_y) * width;
${each(taps, (j) => `        tap_${r}_${j} = select(vec4f(0.0), vec4f(input[u32(base + x_${j})]), inside && in_${j});`)}
      }`;
  const multiply = (kx: number, o: number, lane: number): string =>
    `        { let a = vec4f(weights[row][${(kx * 4 + lane) * out + o}]); ${pixels
      .map(({ ty, tx }) => `acc_${ty}_${tx}_${o} += a * tap_${ty}_${tx + kx}.${'xyzw'[lane]};`)
      .join(' ')} }`;
  const mergeBy = (o: number, lane: number): string =>
    `      { let a = vec4f(merge_weights[m][${lane * out + o}]); ${pixels
      .map(({ ty, tx }) => `sum_${ty}_${tx}_${o} += a * value_${ty}_${tx}.${'xyzw'[lane]};`)
      .join(' ')} }`;
  return new Program({
    label: `dilatedMerge ${dilations} dilations ${name}`,
    workgroup: [(columns * rows) / wide / high, parts, 1],
    constants: { COLUMNS: columns, ROWS: rows, PIXELS: columns * rows, BLOCKS: recipe.blocks, OUT: out },
    params: {
      width: 'u32',
      height: 'u32',
      input_start: 'u32',
      output_start: 'u32',
      in_blocks: 'u32',
      blocks: 'u32',
      slope: 'f32',
      dilations: ['vec4f', 1],
    },
    bindings: {
      input: reads({ dtype: recipe.input }),
      weights: readsRows(recipe.weights, KERNEL * 4 * out),
      bias: READ,
      merge_weights: readsRows(recipe.weights, 4 * out),
      merge_bias: READ,
      output: writes({ dtype: recipe.output }),
    },
    body: () => `
var<workgroup> results: array<vec4f, PIXELS * BLOCKS>;

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let width = i32(params.width);
  let size = width * i32(params.height);
  let last_y = i32(params.height) - 1;
  let left = i32(group.x) * COLUMNS;
  let top = i32(group.y) * ROWS;
  let column = i32(local.x % ${columns / wide}u);
  let line = i32(local.x / ${columns / wide}u);
  let first_block = local.y * OUT;
${eachSum((ty, tx, o) => `  var sum_${ty}_${tx}_${o} = merge_bias[first_block + ${o}u];`)}
  var m = local.y * ${dilations}u * BLOCKS;
  for (var s = 0; s < ${dilations}; s++) {
    let d = i32(params.dilations[0][s]);
    let from_left = column / d * ${wide} * d + column % d;
    let from_top = line / d * ${high} * d + line % d;
    let y = top + from_top;
    let x = left + from_left;
${each(
  taps,
  (j) => `    let in_${j} = u32(x + ${j - 1} * d) < params.width; let x_${j} = clamp(x + ${j - 1} * d, 0, width - 1);`,
)}
${eachSum((ty, tx, o) => `    var acc_${ty}_${tx}_${o} = vec4f(0.0);`)}
    var row = local.y * params.in_blocks * ${KERNEL}u;
    for (var c = 0; c < i32(params.in_blocks); c++) {
      let plane = i32(params.input_start) + (s * i32(params.in_blocks) + c) * size;
${each(
  high,
  (r) =>
    `      ${range(taps)
      .map((j) => `var tap_${r}_${j} = vec4f(0.0);`)
      .join(' ')}`,
)}
${each(high - 1, (r) => loadRow(r, `${r - 1}`))}
      for (var ky = 0; ky < ${KERNEL}; ky++) {
${loadRow(high - 1, `ky + ${high - 2}`)}
${lines(range(KERNEL).flatMap((kx) => range(out).flatMap((o) => range(4).map((lane) => multiply(kx, o, lane)))))}
${each(high - 1, (r) => each(taps, (j) => `        tap_${r}_${j} = tap_${r + 1}_${j};`))}
        row++;
      }
    }
    workgroupBarrier();
    let result = i32(first_block * PIXELS) + from_top * COLUMNS + from_left;
${eachSum(
  (ty, tx, o) =>
    `    results[result + ${o} * PIXELS + (${ty} * COLUMNS + ${tx}) * d] = ` +
    `activate(acc_${ty}_${tx}_${o} + bias[first_block + ${o}u]);`,
)}
    workgroupBarrier();
    for (var block = 0; block < i32(params.blocks); block++) {
      let neighbours = block * PIXELS + ${high} * line * COLUMNS + ${wide} * column;
${eachPixel((ty, tx) => `      let value_${ty}_${tx} = results[neighbours + ${ty} * COLUMNS + ${tx}];`)}
${lines(range(out).flatMap((o) => range(4).map((lane) => mergeBy(o, lane))))}
      m++;
    }
  }
${eachPixel(
  (ty, tx) => `  {
    let x = left + ${wide} * column + ${tx};
    let y = top + ${high} * line + ${ty};
    if (x < width && y < i32(params.height)) {
      let at = params.output_start + first_block * u32(size) + u32(y * width + x);
${each(
  out,
  (o) => `      output[at + ${o}u * u32(size)] = ${texelType(recipe.output)}(activate(sum_${ty}_${tx}_${o}));`,
)}
    }
  }`,
)}
}`,
  });
}

/** The packed weights and biases of both layers. */
function packed(
  { weights: name, merge, channels, dilations }: DilatedMergeAttrs,
  inputs: number,
  out: number,
  dtype: DType,
): PackedWeights[] {
  const layer = (layerName: string, from: number, kernel: number): PackedWeights[] =>
    packedWeights(
      { weights: layerName, channels, kernel },
      {
        order: `tiled${out}`,
        dtype,
        pack: (layers) => packTiles(layers, channels, from, kernel ** 2, out),
      },
    );
  return [...layer(name, inputs, KERNEL), ...layer(merge, channels * dilations.length, 1)];
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
  implementations(attrs, inputs, { precision = 'f32', capabilities }) {
    const offered = variants(attrs);
    // Software drivers take seconds to compile each.
    return offered.slice(0, capabilities?.cpu ? 1 : undefined).map((variant): Implementation => {
      const layers = packed(attrs, inputChannels(attrs, inputs), variant.out, precision);
      return {
        name: variantName(variant),
        weights: layers,
        dispatch: (tensors) => dispatch(attrs, variant, layers, tensors),
      };
    });
  },
};

function variantName({ columns, rows, wide, high, out }: Variant): string {
  return `${columns}x${rows} by ${wide}x${high}x${4 * out}`;
}

function dispatch(
  attrs: DilatedMergeAttrs,
  variant: Variant,
  [layer, bias, merge, mergeBias]: readonly PackedWeights[],
  { inputs: [input], output }: Tensors,
): Dispatch {
  const { width, height } = output.shape;
  return {
    program: generate({
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
