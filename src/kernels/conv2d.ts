/**
 * Convolution: stride 1, zero "same" padding, bias, activation; any odd kernel size, dilation, groups.
 *
 * Versions, and why each exists:
 * - `tiled`, for one group: an invocation keeps PIXELS x 4*OUT_BLOCKS outputs in registers, so each vec4 of input is used 4*OUT_BLOCKS
 *   times and each vec4 of weights PIXELS times. Pixels are counted along the whole picture (row after row), so tiny and odd
 *   sizes waste nothing but the last workgroup; an invocation's pixels are a workgroup apart, so neighbours read neighbours.
 * - `general`, for groups: one pixel, four output channels, scalar loads. Right for any grouping, and slow; the network's only
 *   grouped convolution, the memory read, has a kernel of its own (groupedRead.ts).
 *
 * Dilation, channels and sizes are params, so a whole network needs a handful of pipelines. relu, leakyRelu and none differ only
 * in the slope for negative values (0, slope, 1) and share one.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, READ, WRITE, blocks, buffer, expectInputs, flatGrid, shapeError, start } from './kernel.ts';
import type { Dispatch, Kernel, Lowering, PackedWeights, Program, Shape, WeightTensor } from './kernel.ts';

export type Activation = 'none' | 'relu' | 'leakyRelu' | 'sigmoid';

export interface ConvAttrs {
  /** Tensors `{weights}.weight` [out, in/groups, kernel, kernel] and `{weights}.bias` [out]. */
  weights: string;
  channels: number;
  kernel: number;
  dilation?: number;
  groups?: number;
  activation?: Activation;
  /** Slope for negative values under leakyRelu. */
  slope?: number;
}

const WORKGROUP = 64;
const PIXELS = 4;

/** Output blocks an invocation keeps: as many of 4, 2, 1 as divide the layer's. */
function outBlocks(channels: number): number {
  const n = blocks(channels);
  if (n % 4 === 0) return 4;
  return n % 2 === 0 ? 2 : 1;
}

function negativeSlope(attrs: ConvAttrs): number {
  if (attrs.activation === 'relu') return 0;
  return attrs.activation === 'leakyRelu' ? (attrs.slope ?? 0.2) : 1;
}

const ACTIVATE = {
  slope: 'fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }',
  sigmoid: 'fn activate(x: vec4f) -> vec4f { return 1.0 / (1.0 + exp(-x)); }',
};

function activate(attrs: ConvAttrs): string {
  return attrs.activation === 'sigmoid' ? ACTIVATE.sigmoid : ACTIVATE.slope;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The register-tiled program. Its accumulators are named scalars (`acc_pixel_block`): arrays would go to memory. */
function tiledProgram(kernel: number, out: number, attrs: ConvAttrs): Program {
  const pixels = range(PIXELS);
  const outs = range(out);
  const each = (text: (p: number) => string): string => pixels.map(text).join('\n');
  const body = `
${activate(attrs)}

fn store(index: u32, block: u32, value: vec4f) {
  output[params.output_start + block * params.size + index] = activate(value + bias[block]);
}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let width = i32(params.width);
  let height = i32(params.height);
  let dilation = i32(params.dilation);
  let first = group.x * (WORKGROUP * PIXELS) + local;
${each((p) => `  let i${p} = first + ${p}u * WORKGROUP; let y${p} = i32(i${p} / params.width); let x${p} = i32(i${p}) - y${p} * width;`)}
${each((p) => `  ${outs.map((o) => `var acc_${p}_${o} = vec4f(0.0);`).join(' ')}`)}
  var w = group.y * params.in_blocks * (KERNEL * KERNEL * 4u * OUT_BLOCKS);
  for (var c = 0u; c < params.in_blocks; c++) {
    let plane = i32(params.input_start + c * params.size);
    for (var ky = -RADIUS; ky <= RADIUS; ky++) {
      let dy = ky * dilation;
${each((p) => `      let row${p} = plane + i32(i${p}) + dy * width; let in${p} = u32(y${p} + dy) < params.height;`)}
      for (var kx = -RADIUS; kx <= RADIUS; kx++) {
        let dx = kx * dilation;
${each((p) => `        let ok${p} = in${p} && u32(x${p} + dx) < params.width; let v${p} = select(vec4f(0.0), input[select(0, row${p} + dx, ok${p})], ok${p});`)}
${outs
  .map(
    (o) => `        { let a = weights[w + ${o}u]; let b = weights[w + ${o + out}u]; let c = weights[w + ${o + 2 * out}u]; let d = weights[w + ${o + 3 * out}u];
${each((p) => `          acc_${p}_${o} += a * v${p}.x + b * v${p}.y + c * v${p}.z + d * v${p}.w;`)} }`,
  )
  .join('\n')}
        w += ${4 * out}u;
      }
    }
  }
  let block = group.y * OUT_BLOCKS;
${each((p) => `  if (i${p} < params.size) { ${outs.map((o) => `store(i${p}, block + ${o}u, acc_${p}_${o});`).join(' ')} }`)}
}`;
  return {
    label: `conv2d ${kernel}x${kernel} tiled ${PIXELS}x${4 * out}`,
    workgroup: [WORKGROUP, 1, 1],
    constants: { KERNEL: kernel, RADIUS: (kernel - 1) / 2, OUT_BLOCKS: out, PIXELS, WORKGROUP },
    params: { width: 'u32', height: 'u32', size: 'u32', in_blocks: 'u32', input_start: 'u32', output_start: 'u32', dilation: 'u32', slope: 'f32' },
    bindings: { input: READ, weights: READ, bias: READ, output: WRITE },
    body,
  };
}

/** The program for any groups: weights stay [out, in/groups, k, k], inputs are read one channel at a time. */
function generalProgram(kernel: number, attrs: ConvAttrs): Program {
  const body = `
${FLAT_INDEX}
${activate(attrs)}

fn load_input(channel: u32, y: i32, x: i32) -> f32 {
  if (u32(y) >= params.height || u32(x) >= params.width) { return 0.0; }
  let index = params.input_start + (channel / 4u) * params.size + u32(y) * params.width + u32(x);
  return input[index][channel % 4u];
}

fn convolve(channel: u32, y: i32, x: i32) -> f32 {
  let in_first = channel / params.group_out * params.group_in;
  var w = channel * params.group_in * (KERNEL * KERNEL);
  var sum = 0.0;
  for (var c = 0u; c < params.group_in; c++) {
    for (var ky = -RADIUS; ky <= RADIUS; ky++) {
      for (var kx = -RADIUS; kx <= RADIUS; kx++) {
        sum += weights[w] * load_input(in_first + c, y + ky * i32(params.dilation), x + kx * i32(params.dilation));
        w++;
      }
    }
  }
  return sum;
}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  let block = index / params.size;
  let pixel = index % params.size;
  if (block * 4u >= params.channels) { return; }
  let y = i32(pixel / params.width);
  let x = i32(pixel % params.width);
  var value = vec4f(0.0);
  for (var lane = 0u; lane < min(4u, params.channels - block * 4u); lane++) {
    value[lane] = convolve(block * 4u + lane, y, x);
  }
  output[params.output_start + index] = activate(value + bias[block]);
}`;
  return {
    label: `conv2d ${kernel}x${kernel} general`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    constants: { KERNEL: kernel, RADIUS: (kernel - 1) / 2 },
    params: {
      width: 'u32', height: 'u32', size: 'u32', channels: 'u32', group_in: 'u32', group_out: 'u32', input_start: 'u32', output_start: 'u32', dilation: 'u32', slope: 'f32',
    },
    bindings: { input: READ, weights: { access: 'read', type: 'array<f32>' }, bias: READ, output: WRITE },
    body,
  };
}

/** OIHW to the tiled program's order: [out group][in block][ky][kx][in lane][out block of the group] of vec4 (four outputs). */
function packTiled(weight: Float32Array, channels: number, inputs: number, kernel: number): Float32Array<ArrayBuffer> {
  const out = outBlocks(channels);
  const groups = blocks(channels) / out;
  const inBlocks = blocks(inputs);
  const taps = kernel * kernel;
  const packed = new Float32Array(groups * inBlocks * taps * 16 * out);
  for (let o = 0; o < channels; o++) {
    const group = Math.floor(o / (4 * out));
    const block = Math.floor(o / 4) % out;
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < taps; tap++) {
        const vec = ((group * inBlocks + (i >> 2)) * taps + tap) * 4 * out + (i & 3) * out + block;
        packed[vec * 4 + (o & 3)] = weight[(o * inputs + i) * taps + tap];
      }
    }
  }
  return packed;
}

function padTo4(values: Float32Array): Float32Array<ArrayBuffer> {
  const padded = new Float32Array(blocks(values.length) * 4);
  padded.set(values);
  return padded;
}

function groupsOf(attrs: ConvAttrs): number {
  return attrs.groups ?? 1;
}

function weightTensors(attrs: ConvAttrs, inputs: readonly Shape[]): WeightTensor[] {
  const perGroup = inputs[0].channels / groupsOf(attrs);
  return [
    { name: `${attrs.weights}.weight`, shape: [attrs.channels, perGroup, attrs.kernel, attrs.kernel] },
    { name: `${attrs.weights}.bias`, shape: [attrs.channels] },
  ];
}

function packedWeights(attrs: ConvAttrs, inputs: readonly Shape[]): PackedWeights[] {
  const [weight, bias] = weightTensors(attrs, inputs);
  const tiled = groupsOf(attrs) === 1;
  return [
    {
      key: `${weight.name}:${tiled ? `tiled${outBlocks(attrs.channels)}` : 'general'}`,
      pack: (tensor) => (tiled ? packTiled(tensor(weight.name), attrs.channels, inputs[0].channels, attrs.kernel) : padTo4(tensor(weight.name))),
    },
    { key: `${bias.name}:vec4`, pack: (tensor) => padTo4(tensor(bias.name)) },
  ];
}

export const conv2d: Kernel<ConvAttrs> = {
  shape(attrs, inputs) {
    expectInputs('conv2d', inputs, 1);
    const groups = groupsOf(attrs);
    const [input] = inputs;
    if (attrs.kernel % 2 !== 1) throw shapeError('conv2d', `kernel size ${attrs.kernel} of ${attrs.weights} is not odd`);
    if (input.channels % groups !== 0 || attrs.channels % groups !== 0) {
      throw shapeError('conv2d', `${attrs.weights}: ${groups} groups do not divide ${input.channels} inputs and ${attrs.channels} outputs`);
    }
    return { ...input, channels: attrs.channels };
  },
  weights: weightTensors,
  packed: packedWeights,
  multiplyAdds(attrs, [input], output) {
    return output.height * output.width * output.channels * (input.channels / groupsOf(attrs)) * attrs.kernel ** 2;
  },
  lower({ attrs, inputs, output }: Lowering<ConvAttrs>): Dispatch {
    const [input] = inputs;
    const { width, height } = output.shape;
    const size = width * height;
    const groups = groupsOf(attrs);
    const [weight, bias] = packedWeights(attrs, [input.shape]);
    const common = { width, height, size, input_start: start(input), output_start: start(output), dilation: attrs.dilation ?? 1, slope: negativeSlope(attrs) };
    const resources = { input: buffer(input), weights: { kind: 'weights', key: weight.key }, bias: { kind: 'weights', key: bias.key }, output: buffer(output) } as const;
    if (groups === 1) {
      const out = outBlocks(attrs.channels);
      return {
        program: tiledProgram(attrs.kernel, out, attrs),
        resources,
        params: { ...common, in_blocks: blocks(input.shape.channels) },
        workgroups: [Math.ceil(size / (WORKGROUP * PIXELS)), blocks(attrs.channels) / out, 1],
      };
    }
    return {
      program: generalProgram(attrs.kernel, attrs),
      resources,
      params: { ...common, channels: attrs.channels, group_in: input.shape.channels / groups, group_out: attrs.channels / groups },
      workgroups: flatGrid(size * blocks(attrs.channels)),
    };
  },
};
