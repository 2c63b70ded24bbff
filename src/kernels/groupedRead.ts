/**
 * Reads of the global memory: channel-shuffled grouped 1x1 convolutions (spec: Global memory).
 *
 * Group g sees channel g of every slot: `R_g = b_g + sum_s w_{g,s} M_{s,g}`. In NC4HW4 that is, for each output block,
 * a sum over slots of elementwise products of vec4s, without any actual shuffle. The memory is several tensors, so that
 * none exceeds a binding's size; each holds whole slots with the output's channels.
 *
 * Several readers may share one pass, which loads every slot once and stores their results one after another. A pass
 * may also read only some of the slots and add to a state in place: then the memory never has to be stored whole
 * (graph/fuse/reads.ts).
 */
import { FLAT_WORKGROUP } from './flat.ts';
import { expectSameSize, shapeError } from './kernel.ts';
import type { Implementation, PackedWeights, TunedKernel, WeightTensor } from './kernel.ts';
import { Program, READ, buffer, reads, rowsOf, texelType, weights, writes } from './program.ts';
import type { Bindings, Dispatch } from './program.ts';
import type { Target } from './target.ts';
import { blocks, start } from './tensor.ts';
import type { DType, Shape, View } from './tensor.ts';
import { each, laneOf, lines, range } from './text.ts';

export interface GroupedReadAttrs {
  /**
   * Names of the readers. Each has the tensors `{name}.weight` [channels, slots, 1, 1] and `{name}.bias` [channels].
   */
  readers: readonly string[];
  channels: number;
  /** The slots that the inputs hold, and the number of all slots; all by default. */
  slots?: { held: readonly number[]; of: number };
  /** Whether the first input is a state that results are added to in place; otherwise results start from the bias. */
  adds?: boolean;
}

/** Most memory tensors: each takes a binding beside weights, biases and output. */
export const MAX_MEMORIES = 4;

function memoriesOf<T>(attrs: GroupedReadAttrs, inputs: readonly T[]): readonly T[] {
  return attrs.adds ? inputs.slice(1) : inputs;
}

function heldSlots(attrs: GroupedReadAttrs, inputs: readonly Shape[]): { held: readonly number[]; of: number } {
  const count = memoriesOf(attrs, inputs).reduce((sum, input) => sum + input.channels / attrs.channels, 0);
  return attrs.slots ?? { held: Array.from({ length: count }, (_, i) => i), of: count };
}

/**
 * Slots of memory tensors in the order they are added: the first of each tensor, then the second, and so on. With this
 * order, sums round alike in f32 whether the memory is read whole or frame by frame.
 */
function order(memories: readonly View[], channels: number): { memory: number; slot: number; index: number }[] {
  let index = 0;
  const all = memories.flatMap(({ shape }, memory) =>
    Array.from({ length: shape.channels / channels }, (_, slot) => ({ memory, slot, index: index++ })),
  );
  return all.sort((a, b) => a.slot - b.slot || a.memory - b.memory);
}

/**
 * How an invocation works. Memory bounds all variants; they differ in how often an invocation fetches weights, and how.
 */
interface Variant {
  /**
   * Whether each lane holds a part of the weights and broadcasts it: software adapters load a value lane by lane even
   * if all lanes need the same one.
   */
  subgroup: boolean;
  /** Pixels per invocation: all of them use each weight it fetches. */
  pixels: number;
  workgroup: number;
}

/** The variants for a device, best guess first. */
function variants({ capabilities = {} }: Target): Variant[] {
  const { cpu, subgroupSize } = capabilities;
  const shared =
    cpu && subgroupSize ? [2, 4].map((pixels) => ({ subgroup: true, pixels, workgroup: subgroupSize })) : [];
  return [
    ...shared,
    ...(cpu ? [2] : [1, 2, 4]).map((pixels) => ({ subgroup: false, pixels, workgroup: FLAT_WORKGROUP })),
  ];
}

/** What the generated program depends on: plain data. */
interface Recipe extends Variant {
  name: string;
  readers: number;
  /** Type of each memory tensor. */
  memories: readonly DType[];
  slots: readonly { memory: number; slot: number; index: number }[];
  output: DType;
}

/** WGSL that loads all readers' weights for a block, and an expression for the i-th. */
function weightAccess({ subgroup, workgroup }: Recipe, count: number): { load: string; weight(i: number): string } {
  if (!subgroup) return { load: '', weight: (i) => `weights[w + ${i}u]` };
  return {
    load: each(Math.ceil(count / workgroup), (j) => `  let w_${j} = weights[w + ${laneOf(count, workgroup, j)}];`),
    weight: (i) => `subgroupBroadcast(w_${Math.floor(i / workgroup)}, ${i % workgroup}u)`,
  };
}

function generate(recipe: Recipe): Program {
  const { name, readers, memories, slots, output, subgroup, pixels, workgroup } = recipe;
  const count = slots.length * readers;
  const { load, weight } = weightAccess(recipe, count);
  const lane = subgroup ? 'subgroup_invocation_id' : 'local_invocation_index';
  const loadSlot = (p: number, memory: number, slot: number, index: number): string =>
    `  let m${index}_${p} = vec4f(memory${memory}[params.memory${memory}_start + ${slot}u * params.count + at${p}]);`;
  const addSlot = (i: number, index: number): string =>
    `    { let a = ${weight(i)}; ${range(pixels)
      .map((p) => `value_${p} += a * m${index}_${p};`)
      .join(' ')} }`;
  const reader = (r: number): string => `  {
    let b = bias[group.y * ${readers}u + ${r}u];
${each(pixels, (p) => `    let at_${p} = params.output_start + ${r}u * params.count + at${p};`)}
${each(pixels, (p) => `    var value_${p} = select(b, vec4f(output[at_${p}]), params.adds == 1u);`)}
${lines(slots.map(({ index }) => addSlot(r * slots.length + index, index)))}
${each(pixels, (p) => `    if (in_${p}) { output[at_${p}] = ${texelType(output)}(value_${p}); }`)}
  }`;
  const inputs: Bindings = Object.fromEntries(memories.map((dtype, i) => [`memory${i}`, reads({ dtype })]));
  return new Program({
    label: `groupedRead ${slots.length} slots, ${readersText(readers)} ${name}`,
    enables: subgroup ? ['subgroups'] : [],
    workgroup: [workgroup, 1, 1],
    params: {
      count: 'u32',
      size: 'u32',
      output_start: 'u32',
      adds: 'u32',
      ...Object.fromEntries(memories.map((_, i) => [`memory${i}_start`, 'u32' as const])),
    },
    bindings: { weights: READ, bias: READ, ...inputs, output: writes({ dtype: output }) },
    body: `
@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(${lane}) lane: u32) {
  let first = (group.z * groups.x + group.x) * ${workgroup * pixels}u + lane;
${each(pixels, (p) => `  let in_${p} = first + ${p * workgroup}u < params.size;`)}
${each(pixels, (p) => `  let at${p} = group.y * params.size + min(first + ${p * workgroup}u, params.size - 1u);`)}
${lines(slots.flatMap(({ memory, slot, index }) => range(pixels).map((p) => loadSlot(p, memory, slot, index))))}
  let w = group.y * ${count}u;
${load}
${each(readers, reader)}
}`,
  });
}

function readersText(count: number): string {
  return `${count} ${count === 1 ? 'reader' : 'readers'}`;
}

function weightTensors(attrs: GroupedReadAttrs, inputs: readonly Shape[]): WeightTensor[] {
  const { of } = heldSlots(attrs, inputs);
  return attrs.readers.flatMap((name) => [
    { name: `${name}.weight`, shape: [attrs.channels, of, 1, 1] },
    { name: `${name}.bias`, shape: [attrs.channels] },
  ]);
}

function packedWeights(attrs: GroupedReadAttrs, inputs: readonly Shape[]): PackedWeights[] {
  const { held, of } = heldSlots(attrs, inputs);
  const { readers, channels } = attrs;
  return [
    {
      // [block][reader][slot] of vec4 (four groups)
      key: `${readers.join()}:slots ${held.join()}`,
      pack: (tensor) => {
        const packed = new Float32Array(readers.length * channels * held.length);
        readers.forEach((name, r) => {
          const weight = tensor(`${name}.weight`);
          for (let g = 0; g < channels; g++)
            held.forEach(
              (slot, s) =>
                (packed[(((g >> 2) * readers.length + r) * held.length + s) * 4 + (g & 3)] = weight[g * of + slot]),
            );
        });
        return packed;
      },
    },
    {
      key: `${readers.join()}:biases`,
      pack: (tensor) => {
        // [block][reader] of vec4
        const packed = new Float32Array(readers.length * channels);
        readers.forEach((name, r) =>
          tensor(`${name}.bias`).forEach((value, g) => (packed[((g >> 2) * readers.length + r) * 4 + (g & 3)] = value)),
        );
        return packed;
      },
    },
  ];
}

/** Inputs: with `adds` the state, then one to four memory tensors. Output: `channels` channels per reader. */
export const groupedRead: TunedKernel<GroupedReadAttrs> = {
  storage: () => ({ output: 'any', inputs: 'any' }),
  samples: [
    { attrs: { readers: ['w'], channels: 32 }, inputs: [96, 96, 96, 96] },
    { attrs: { readers: ['w', 'v', 'u'], channels: 32 }, inputs: [128] },
    { attrs: { readers: ['w', 'v', 'u'], channels: 32 }, inputs: [384] },
  ],
  inPlace: ({ adds }) => (adds ? 0 : undefined),
  shape(attrs, inputs) {
    const { channels, readers } = attrs;
    const memories = memoriesOf(attrs, inputs);
    expectSameSize('groupedRead', inputs);
    if (memories.length < 1 || memories.length > MAX_MEMORIES)
      throw shapeError('groupedRead', `${memories.length} memory tensors, 1 to ${MAX_MEMORIES} are supported`);
    if (channels % 4 !== 0)
      throw shapeError('groupedRead', `${readers[0]}: ${channels} channels are not a multiple of 4`);
    for (const memory of memories) {
      if (memory.channels % channels !== 0)
        throw shapeError(
          'groupedRead',
          `${readers[0]}: memory of ${memory.channels} channels, expected a multiple of ${channels}`,
        );
    }
    const count = memories.reduce((sum, memory) => sum + memory.channels / channels, 0);
    const { held } = heldSlots(attrs, inputs);
    if (held.length !== count)
      throw shapeError('groupedRead', `${readers[0]}: ${held.length} slots are named, ${count} are given`);
    return { ...memories[0], channels: channels * readers.length };
  },
  weights: weightTensors,
  multiplyAdds(attrs, inputs, output) {
    return output.height * output.width * attrs.channels * attrs.readers.length * heldSlots(attrs, inputs).held.length;
  },
  shapeClass(attrs, inputs, { precision = 'f32' }) {
    return (
      `groupedRead ${heldSlots(attrs, inputs).held.length} slots, ` +
      `${readersText(attrs.readers.length)}${precision === 'f16' ? ' f16' : ''}`
    );
  },
  implementations(attrs, inputs, target) {
    const packed = packedWeights(attrs, inputs);
    return variants(target).map((variant): Implementation => {
      const name = `${variant.subgroup ? 'subgroup' : 'direct'} x${variant.pixels}`;
      return {
        name,
        weights: packed,
        dispatch: (tensors) => dispatch(attrs, tensors.inputs, tensors.output, packed, name, variant),
      };
    });
  },
};

function dispatch(
  attrs: GroupedReadAttrs,
  inputs: readonly View[],
  output: View,
  [weight, bias]: readonly PackedWeights[],
  name: string,
  variant: Variant,
): Dispatch {
  const memories = memoriesOf(attrs, inputs);
  const size = output.shape.width * output.shape.height;
  const planes = blocks(attrs.channels);
  const [x, z] = rowsOf(Math.ceil(size / (variant.workgroup * variant.pixels)));
  return {
    program: generate({
      ...variant,
      name,
      readers: attrs.readers.length,
      memories: memories.map(({ dtype }) => dtype),
      slots: order(memories, attrs.channels),
      output: output.dtype,
    }),
    resources: {
      weights: weights(weight),
      bias: weights(bias),
      ...Object.fromEntries(memories.map((view, i) => [`memory${i}`, buffer(view)])),
      output: buffer(output),
    },
    params: {
      count: size * planes,
      size,
      output_start: start(output),
      adds: attrs.adds ? 1 : 0,
      ...Object.fromEntries(memories.map((view, i) => [`memory${i}_start`, start(view)])),
    },
    workgroups: [x, planes, z],
  };
}
