/**
 * Reads of the global memory: channel-shuffled grouped 1x1 convolutions (spec: Global memory).
 *
 * Group g sees channel g of every slot: `R_g = b_g + sum_s w_{g,s} M_{s,g}`. In NC4HW4 that is, for each output block, a sum over slots of
 * elementwise products of vec4: no shuffle is ever carried out. The memory comes as several tensors, so that none outgrows a binding; each
 * holds whole slots of the output's channels.
 *
 * Several readers may share one pass, which loads every slot once and gives their results one after another. And a pass may treat some of the slots alone and add
 * to a state in place: then the memory need not be there all at once (graph/fuse/reads.ts).
 */
import { FLAT_WORKGROUP, READ, blocks, buffer, expectSameSize, reads, shapeError, start, texelType, writes } from './kernel.ts';
import type { Binding, Kernel, Lowering, PackedWeights, Program, Shape, Target, View, WeightTensor } from './kernel.ts';

export interface GroupedReadAttrs {
  /** Readers: of each the tensors `{name}.weight` [channels, slots, 1, 1] and `{name}.bias` [channels]. */
  readers: readonly string[];
  channels: number;
  /** The slots that the inputs hold, of how many; all by default. */
  slots?: { held: readonly number[]; of: number };
  /** Whether the first input is a state that results are added to, in place; without it they begin with the bias. */
  adds?: boolean;
}

/** Memory tensors, of a binding each, that fit beside weights, biases and output. */
export const MAX_MEMORIES = 4;

function memoriesOf<T>(attrs: GroupedReadAttrs, inputs: readonly T[]): readonly T[] {
  return attrs.adds ? inputs.slice(1) : inputs;
}

function heldSlots(attrs: GroupedReadAttrs, inputs: readonly Shape[]): { held: readonly number[]; of: number } {
  const count = memoriesOf(attrs, inputs).reduce((sum, input) => sum + input.channels / attrs.channels, 0);
  return attrs.slots ?? { held: Array.from({ length: count }, (_, i) => i), of: count };
}

/** Slots of some memory tensors in the order they are added: the first of each tensor, then the second. Read whole or frame by frame, sums then round alike in f32. */
function order(memories: readonly View[], channels: number): { memory: number; slot: number; index: number }[] {
  let index = 0;
  const all = memories.flatMap(({ shape }, memory) => Array.from({ length: shape.channels / channels }, (_, slot) => ({ memory, slot, index: index++ })));
  return all.sort((a, b) => a.slot - b.slot || a.memory - b.memory);
}

/** Ways to compute it. All are bound by memory; they differ in how often an invocation fetches weights, and how. */
interface Variant {
  /** Whether lanes hold a part of the weights each and hand them round: software adapters load a value lane by lane even where all lanes want the same. */
  subgroup: boolean;
  /** Pixels of an invocation: each weight it fetches is used for all of them. */
  pixels: number;
  workgroup: number;
}

/** By name, the best guess first. */
function variantsOf({ traits = {} }: Target): Map<string, Variant> {
  const found = new Map<string, Variant>();
  if (traits.cpu && traits.subgroupSize) for (const pixels of [2, 4]) found.set(`subgroup x${pixels}`, { subgroup: true, pixels, workgroup: traits.subgroupSize });
  for (const pixels of traits.cpu ? [2] : [1, 2, 4]) found.set(`direct x${pixels}`, { subgroup: false, pixels, workgroup: FLAT_WORKGROUP });
  return found;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function program(attrs: GroupedReadAttrs, inputs: readonly View[], output: View, name: string, { subgroup, pixels, workgroup }: Variant): Program {
  const memories = memoriesOf(attrs, inputs);
  const bindings: Record<string, Binding> = { weights: READ, bias: READ };
  memories.forEach((view, i) => (bindings[`memory${i}`] = reads(view)));
  const slots = order(memories, attrs.channels);
  const count = attrs.readers.length;
  const values = slots.length * count;
  // The weights of a block, of all readers.
  const loads = subgroup ? range(Math.ceil(values / workgroup)).map((j) => `  let w_${j} = weights[w + ${j * workgroup}u + lane];`) : [];
  const weight = (i: number): string => (subgroup ? `subgroupBroadcast(w_${Math.floor(i / workgroup)}, ${i % workgroup}u)` : `weights[w + ${i}u]`);
  const reader = (r: number): string[] => [
    `  {`,
    `    let b = bias[group.y * ${count}u + ${r}u];`,
    ...range(pixels).map((p) => `    let at_${p} = params.output_start + ${r}u * params.count + at${p}; var value_${p} = select(b, vec4f(output[at_${p}]), params.adds == 1u);`),
    ...slots.map(({ index }) => `    { let a = ${weight(r * slots.length + index)}; ${range(pixels).map((p) => `value_${p} += a * m${index}_${p};`).join(' ')} }`),
    ...range(pixels).map((p) => `    if (in_${p}) { output[at_${p}] = ${texelType(output.dtype)}(value_${p}); }`),
    `  }`,
  ];
  const lines = [
    ...range(pixels).map((p) => `  let in_${p} = first + ${p * workgroup}u < params.size; let at${p} = group.y * params.size + min(first + ${p * workgroup}u, params.size - 1u);`),
    ...slots.flatMap(({ memory, slot, index }) => range(pixels).map((p) => `  let m${index}_${p} = vec4f(memory${memory}[params.memory${memory}_start + ${slot}u * params.count + at${p}]);`)),
    `  let w = group.y * ${values}u;`,
    ...loads,
    ...range(count).flatMap(reader),
  ];
  return {
    label: `groupedRead ${slots.length} slots, ${readersText(count)} ${name}`,
    enables: subgroup ? ['subgroups'] : [],
    workgroup: [workgroup, 1, 1],
    constants: {},
    params: { count: 'u32', size: 'u32', output_start: 'u32', adds: 'u32', ...Object.fromEntries(memories.map((_, i) => [`memory${i}_start`, 'u32' as const])) },
    bindings: { ...bindings, output: writes(output) },
    body: `
@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(${subgroup ? 'subgroup_invocation_id' : 'local_invocation_index'}) lane: u32) {
  let first = (group.z * groups.x + group.x) * ${workgroup * pixels}u + lane;
${lines.join('\n')}
}`,
  };
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
          for (let g = 0; g < channels; g++) held.forEach((slot, s) => (packed[(((g >> 2) * readers.length + r) * held.length + s) * 4 + (g & 3)] = weight[g * of + slot]));
        });
        return packed;
      },
    },
    {
      key: `${readers.join()}:biases`,
      pack: (tensor) => {
        // [block][reader] of vec4
        const packed = new Float32Array(readers.length * channels);
        readers.forEach((name, r) => tensor(`${name}.bias`).forEach((value, g) => (packed[((g >> 2) * readers.length + r) * 4 + (g & 3)] = value)));
        return packed;
      },
    },
  ];
}

/** Inputs: with `adds` the state, then one to four memory tensors. Output: `channels` channels a reader. */
export const groupedRead: Kernel<GroupedReadAttrs> = {
  inPlace: ({ adds }) => (adds ? 0 : undefined),
  shape(attrs, inputs) {
    const { channels, readers } = attrs;
    const memories = memoriesOf(attrs, inputs);
    expectSameSize('groupedRead', inputs);
    if (memories.length < 1 || memories.length > MAX_MEMORIES) throw shapeError('groupedRead', `${memories.length} memory tensors, 1 to ${MAX_MEMORIES} are supported`);
    if (channels % 4 !== 0) throw shapeError('groupedRead', `${readers[0]}: ${channels} channels are not a multiple of 4`);
    for (const memory of memories) {
      if (memory.channels % channels !== 0) throw shapeError('groupedRead', `${readers[0]}: memory of ${memory.channels} channels, expected a multiple of ${channels}`);
    }
    const count = memories.reduce((sum, memory) => sum + memory.channels / channels, 0);
    const { held } = heldSlots(attrs, inputs);
    if (held.length !== count) throw shapeError('groupedRead', `${readers[0]}: ${held.length} slots are named, ${count} are given`);
    return { ...memories[0], channels: channels * readers.length };
  },
  weights: weightTensors,
  packed: packedWeights,
  multiplyAdds(attrs, inputs, output) {
    return output.height * output.width * attrs.channels * attrs.readers.length * heldSlots(attrs, inputs).held.length;
  },
  variants: (_, __, target) => [...variantsOf(target).keys()],
  shapeClass(attrs, inputs, { precision = 'f32' }) {
    return `groupedRead ${heldSlots(attrs, inputs).held.length} slots, ${readersText(attrs.readers.length)}${precision === 'f16' ? ' f16' : ''}`;
  },
  lower({ attrs, inputs, output, target, variant: name }: Lowering<GroupedReadAttrs>) {
    const [weight, bias] = packedWeights(attrs, inputs.map((input) => input.shape));
    const memories = memoriesOf(attrs, inputs);
    const size = output.shape.width * output.shape.height;
    const planes = blocks(attrs.channels);
    const variant = variantsOf(target).get(name)!;
    const grid = Math.ceil(size / (variant.workgroup * variant.pixels));
    const x = Math.min(grid, 65535); // WebGPU's limit in one dimension
    return {
      program: program(attrs, inputs, output, name, variant),
      resources: {
        weights: { kind: 'weights', key: weight.key },
        bias: { kind: 'weights', key: bias.key },
        ...Object.fromEntries(memories.map((view, i) => [`memory${i}`, buffer(view)])),
        output: buffer(output),
      },
      params: { count: size * planes, size, output_start: start(output), adds: attrs.adds ? 1 : 0, ...Object.fromEntries(memories.map((view, i) => [`memory${i}_start`, start(view)])) },
      workgroups: [x, planes, Math.ceil(grid / x)],
    };
  },
};
