/**
 * Convolution: stride 1, zero "same" padding, bias, activation; any odd kernel size, dilation, groups.
 *
 * Versions, and why each exists:
 * - `tiled`, for one group: an invocation keeps PIXELS x 4*OUT_BLOCKS outputs in registers, so each vec4 of input is used 4*OUT_BLOCKS
 *   times and each vec4 of weights PIXELS times. Pixels are counted along the whole picture (row after row), so tiny and odd
 *   sizes waste nothing but the last workgroup; an invocation's pixels are a workgroup apart, so neighbours read neighbours.
 * - `subgroup`, for one group, on devices whose subgroups are as wide as a CPU's vectors (software adapters): they load a value lane by lane even where
 *   all lanes want the same, so the weights of a kernel row are loaded once, a part a lane, and handed round by broadcast. A workgroup is a subgroup.
 * - `general`, for groups: one pixel, four output channels, scalar loads. Right for any grouping, and slow; the network's only
 *   grouped convolution, the memory read, has a kernel of its own (groupedRead.ts).
 *
 * Dilation, channels and sizes are params, so a whole network needs a handful of pipelines. relu, leakyRelu and none differ only
 * in the slope for negative values (0, slope, 1) and share one.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, READ, WRITE, blocks, buffer, expectInputs, flatGrid, shapeError, start } from './kernel.ts';
import type { Dispatch, Kernel, Lowering, PackedWeights, Program, Shape, Traits, WeightTensor } from './kernel.ts';

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

/** Params of the tiled and the subgroup program. */
const REGISTER_PARAMS = { width: 'u32', height: 'u32', size: 'u32', in_blocks: 'u32', input_start: 'u32', output_start: 'u32', dilation: 'u32', slope: 'f32' } as const;

/** Subgroups of these sizes are a CPU's vectors: 128, 256 and 512 bits. On GPUs, most of whose subgroups are wider, loads of one address are cheap. */
const VECTOR_LANES = [4, 8, 16];
/** A kernel row is unrolled, so code grows with the kernel: a 7x7 one took a software adapter a minute and a half to compile. */
const UNROLLED_KERNEL = 3;

interface Variant {
  name: 'tiled' | 'subgroup' | 'general';
  /** Output blocks an invocation keeps; their number in the layer is a multiple of it. */
  out: number;
  /** Invocations of a workgroup. */
  workgroup: number;
}

/** The variant that a layer takes on a device. */
function variantOf(attrs: ConvAttrs, { subgroupSize = 0 }: Traits): Variant {
  if (groupsOf(attrs) !== 1) return { name: 'general', out: 1, workgroup: FLAT_WORKGROUP };
  const n = blocks(attrs.channels);
  const dividing = (sizes: readonly number[]): number => sizes.find((size) => n % size === 0)!;
  if (VECTOR_LANES.includes(subgroupSize) && attrs.kernel <= UNROLLED_KERNEL) return { name: 'subgroup', out: dividing([8, 4, 2, 1]), workgroup: subgroupSize };
  return { name: 'tiled', out: dividing([4, 2, 1]), workgroup: WORKGROUP };
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

const PIXEL_LIST = range(PIXELS);

/** WGSL for each of an invocation's pixels. */
function each(text: (pixel: number) => string): string {
  return PIXEL_LIST.map(text).join('\n');
}

/** Loads `v0..` of a tap, `dx` columns away, from the row that `row0..` and `in0..` are. Beyond the picture it is zero. */
const LOAD_TAP = each((p) => `        let ok${p} = in${p} && u32(x${p} + dx) < params.width; let v${p} = select(vec4f(0.0), input[select(0, row${p} + dx, ok${p})], ok${p});`);

/**
 * What the tiled and the subgroup program share: PIXELS x OUT_BLOCKS accumulators an invocation, for which `kernelRow` adds up one row of the kernel and
 * one input block. They are named scalars (`acc_pixel_block`): arrays would go to memory. `w` is the row's first vec4 of weights.
 */
function registerProgram({ name, out, workgroup }: Variant, attrs: ConvAttrs, lane: string, kernelRow: string): Program {
  const { kernel } = attrs;
  const outs = range(out);
  const body = `
${activate(attrs)}

fn store(index: u32, block: u32, value: vec4f) {
  output[params.output_start + block * params.size + index] = activate(value + bias[block]);
}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(${lane}) lane: u32) {
  let width = i32(params.width);
  let height = i32(params.height);
  let dilation = i32(params.dilation);
  let first = (group.z * groups.x + group.x) * (WORKGROUP * PIXELS) + lane;
${each((p) => `  let i${p} = first + ${p}u * WORKGROUP; let y${p} = i32(i${p} / params.width); let x${p} = i32(i${p}) - y${p} * width;`)}
${each((p) => `  ${outs.map((o) => `var acc_${p}_${o} = vec4f(0.0);`).join(' ')}`)}
  var w = group.y * params.in_blocks * (KERNEL * KERNEL * 4u * OUT_BLOCKS);
  for (var c = 0u; c < params.in_blocks; c++) {
    let plane = i32(params.input_start + c * params.size);
    for (var ky = -RADIUS; ky <= RADIUS; ky++) {
      let dy = ky * dilation;
${each((p) => `      let row${p} = plane + i32(i${p}) + dy * width; let in${p} = u32(y${p} + dy) < params.height;`)}
${kernelRow}
      w += KERNEL * 4u * OUT_BLOCKS;
    }
  }
  let block = group.y * OUT_BLOCKS;
${each((p) => `  if (i${p} < params.size) { ${outs.map((o) => `store(i${p}, block + ${o}u, acc_${p}_${o});`).join(' ')} }`)}
}`;
  return {
    label: `conv2d ${kernel}x${kernel} ${name} ${PIXELS}x${4 * out}`,
    enables: name === 'subgroup' ? ['subgroups'] : [],
    workgroup: [workgroup, 1, 1],
    constants: { KERNEL: kernel, RADIUS: (kernel - 1) / 2, OUT_BLOCKS: out, PIXELS, WORKGROUP: workgroup },
    params: REGISTER_PARAMS,
    bindings: { input: READ, weights: READ, bias: READ, output: WRITE },
    body,
  };
}

/** Every invocation loads the weights it multiplies with. */
function tiledProgram(variant: Variant, attrs: ConvAttrs): Program {
  const { out } = variant;
  const block = (o: number): string => `        { let a = weights[t + ${o}u]; let b = weights[t + ${o + out}u]; let c = weights[t + ${o + 2 * out}u]; let d = weights[t + ${o + 3 * out}u];
${each((p) => `          acc_${p}_${o} += a * v${p}.x + b * v${p}.y + c * v${p}.z + d * v${p}.w;`)} }`;
  return registerProgram(variant, attrs, 'local_invocation_index', `      var t = w;
      for (var kx = -RADIUS; kx <= RADIUS; kx++) {
        let dx = kx * dilation;
${LOAD_TAP}
${range(out).map(block).join('\n')}
        t += ${4 * out}u;
      }`);
}

/** The weights of a kernel row are in a few registers of every lane, broadcast from the lane that has them. */
function subgroupProgram(variant: Variant, attrs: ConvAttrs): Program {
  const { out, workgroup: lanes } = variant;
  const { kernel } = attrs;
  const multiply = (kx: number, o: number, i: number): string => {
    const at = (kx * 4 + i) * out + o;
    return `        { let a = subgroupBroadcast(w${Math.floor(at / lanes)}, ${at % lanes}u); ${PIXEL_LIST.map((p) => `acc_${p}_${o} += a * v${p}.${'xyzw'[i]};`).join(' ')} }`;
  };
  const tap = (kx: number): string => `      {
        let dx = ${kx - (kernel - 1) / 2} * dilation;
${LOAD_TAP}
${range(out).flatMap((o) => range(4).map((i) => multiply(kx, o, i))).join('\n')}
      }`;
  const loads = range(Math.ceil((kernel * 4 * out) / lanes)).map((j) => `      let w${j} = weights[w + ${j * lanes}u + lane];`);
  return registerProgram(variant, attrs, 'subgroup_invocation_id', [...loads, ...range(kernel).map(tap)].join('\n'));
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

/** OIHW to the order of the tiled and the subgroup program: [out group][in block][ky][kx][in lane][out block of the group] of vec4 (four outputs). */
function packTiled(weight: Float32Array, channels: number, inputs: number, kernel: number, out: number): Float32Array<ArrayBuffer> {
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

function packedWeights(attrs: ConvAttrs, inputs: readonly Shape[], traits: Traits): PackedWeights[] {
  const [weight, bias] = weightTensors(attrs, inputs);
  const { name, out } = variantOf(attrs, traits);
  return [
    {
      key: `${weight.name}:${name === 'general' ? name : `tiled${out}`}`,
      pack: (tensor) => (name === 'general' ? padTo4(tensor(weight.name)) : packTiled(tensor(weight.name), attrs.channels, inputs[0].channels, attrs.kernel, out)),
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
  lower({ attrs, inputs, output, traits }: Lowering<ConvAttrs>): Dispatch {
    const [input] = inputs;
    const { width, height } = output.shape;
    const size = width * height;
    const groups = groupsOf(attrs);
    const variant = variantOf(attrs, traits);
    const [weight, bias] = packedWeights(attrs, [input.shape], traits);
    const common = { width, height, size, input_start: start(input), output_start: start(output), dilation: attrs.dilation ?? 1, slope: negativeSlope(attrs) };
    const resources = { input: buffer(input), weights: { kind: 'weights', key: weight.key }, bias: { kind: 'weights', key: bias.key }, output: buffer(output) } as const;
    if (variant.name !== 'general') {
      const grid = Math.ceil(size / (variant.workgroup * PIXELS));
      const across = Math.min(grid, 65535); // WebGPU's limit in one dimension; the rest goes into z
      return {
        program: variant.name === 'tiled' ? tiledProgram(variant, attrs) : subgroupProgram(variant, attrs),
        resources,
        params: { ...common, in_blocks: blocks(input.shape.channels) },
        workgroups: [across, blocks(attrs.channels) / variant.out, Math.ceil(grid / across)],
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
