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
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, READ, blocks, buffer, expectSameSize, flatGrid, reads, shapeError, start, texelType, writes } from './kernel.ts';
import type { Binding, Kernel, Lowering, PackedWeights, Program, Shape, View, WeightTensor } from './kernel.ts';

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

function program(attrs: GroupedReadAttrs, inputs: readonly View[], output: View): Program {
  const memories = memoriesOf(attrs, inputs);
  const bindings: Record<string, Binding> = { weights: READ, bias: READ };
  memories.forEach((view, i) => (bindings[`memory${i}`] = reads(view)));
  const slots = order(memories, attrs.channels);
  const count = attrs.readers.length;
  return {
    label: `groupedRead ${slots.length} slots, ${count} ${count === 1 ? 'reader' : 'readers'}`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    constants: { READERS: count },
    params: { count: 'u32', size: 'u32', blocks: 'u32', output_start: 'u32', adds: 'u32', ...Object.fromEntries(memories.map((_, i) => [`memory${i}_start`, 'u32' as const])) },
    bindings: { ...bindings, output: writes(output) },
    body: `
${FLAT_INDEX}
@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.count) { return; }
  let block = index / params.size;
${slots.map(({ memory, slot, index }) => `  let m${index} = vec4f(memory${memory}[params.memory${memory}_start + ${slot}u * params.count + index]);`).join('\n')}
  for (var r = 0u; r < READERS; r++) {
    let at = params.output_start + r * params.count + index;
    let row = r * params.blocks + block;
    let w = row * ${slots.length}u;
    var value = select(bias[row], vec4f(output[at]), params.adds == 1u);
${slots.map(({ index }) => `    value += weights[w + ${index}u] * m${index};`).join('\n')}
    output[at] = ${texelType(output.dtype)}(value);
  }
}`,
  };
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
      // [reader][block][slot] of vec4 (four groups)
      key: `${readers.join()}:slots ${held.join()}`,
      pack: (tensor) => {
        const packed = new Float32Array(readers.length * channels * held.length);
        readers.forEach((name, r) => {
          const weight = tensor(`${name}.weight`);
          for (let g = 0; g < channels; g++) held.forEach((slot, s) => (packed[(((r * channels) / 4 + (g >> 2)) * held.length + s) * 4 + (g & 3)] = weight[g * of + slot]));
        });
        return packed;
      },
    },
    {
      key: `${readers.join()}:biases`,
      pack: (tensor) => {
        const packed = new Float32Array(readers.length * channels);
        readers.forEach((name, r) => packed.set(tensor(`${name}.bias`), r * channels));
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
  lower({ attrs, inputs, output }: Lowering<GroupedReadAttrs>) {
    const [weight, bias] = packedWeights(attrs, inputs.map((input) => input.shape));
    const memories = memoriesOf(attrs, inputs);
    const size = output.shape.width * output.shape.height;
    const count = size * blocks(attrs.channels);
    return {
      program: program(attrs, inputs, output),
      resources: {
        weights: { kind: 'weights', key: weight.key },
        bias: { kind: 'weights', key: bias.key },
        ...Object.fromEntries(memories.map((view, i) => [`memory${i}`, buffer(view)])),
        output: buffer(output),
      },
      params: { count, size, blocks: blocks(attrs.channels), output_start: start(output), adds: attrs.adds ? 1 : 0, ...Object.fromEntries(memories.map((view, i) => [`memory${i}_start`, start(view)])) },
      workgroups: flatGrid(count),
    };
  },
};
