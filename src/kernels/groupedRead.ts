/**
 * The read of the global memory: a channel-shuffled grouped 1x1 convolution (spec: Global memory).
 *
 * Group g sees channel g of every slot: `R_g = b_g + sum_s w_{g,s} M_{s,g}`. In NC4HW4 that is, for each output block, a sum over slots of
 * elementwise products of vec4: no shuffle is ever carried out. The memory comes as several tensors (one an encoder layer), so that
 * none outgrows a binding; each holds `slots` slots of the output's channels.
 */
import { elementwiseDispatch, elementwiseProgram } from './elementwise.ts';
import { READ, blocks, buffer, expectSameSize, shapeError, start } from './kernel.ts';
import type { Binding, Kernel, PackedWeights, Program, Shape, WeightTensor } from './kernel.ts';

export interface GroupedReadAttrs {
  /** Tensors `{weights}.weight` [channels, slots, 1, 1] and `{weights}.bias` [channels]. */
  weights: string;
  channels: number;
}

/** The program for a memory in `parts` tensors. */
function program(parts: number): Program {
  const memories = Array.from({ length: parts }, (_, i) => `memory${i}`);
  const bindings: Record<string, Binding> = { weights: READ, bias: READ };
  for (const name of memories) bindings[name] = READ;
  return elementwiseProgram({
    label: `groupedRead of ${parts}`,
    bindings,
    params: { blocks: 'u32', slots: 'u32', ...Object.fromEntries(memories.map((name) => [`${name}_start`, 'u32' as const])) },
    body: `
  var value = bias[block];
  var w = block * params.slots * ${parts}u;
${memories
  .map(
    (name) => `  for (var s = 0u; s < params.slots; s++) {
    value += weights[w] * ${name}[params.${name}_start + (s * params.blocks + block) * params.size + pixel];
    w++;
  }`,
  )
  .join('\n')}`,
  });
}

function totalSlots(attrs: GroupedReadAttrs, inputs: readonly Shape[]): number {
  return inputs.reduce((sum, input) => sum + input.channels / attrs.channels, 0);
}

function weightTensors(attrs: GroupedReadAttrs, inputs: readonly Shape[]): WeightTensor[] {
  return [
    { name: `${attrs.weights}.weight`, shape: [attrs.channels, totalSlots(attrs, inputs), 1, 1] },
    { name: `${attrs.weights}.bias`, shape: [attrs.channels] },
  ];
}

function packedWeights(attrs: GroupedReadAttrs, inputs: readonly Shape[]): PackedWeights[] {
  const [weight, bias] = weightTensors(attrs, inputs);
  const slots = totalSlots(attrs, inputs);
  return [
    {
      // [block][slot] of vec4 (four groups)
      key: `${weight.name}:slots`,
      pack: (tensor) => {
        const packed = new Float32Array(blocks(attrs.channels) * slots * 4);
        tensor(weight.name).forEach((w, i) => {
          const g = Math.floor(i / slots);
          packed[((g >> 2) * slots + (i % slots)) * 4 + (g & 3)] = w;
        });
        return packed;
      },
    },
    {
      key: `${bias.name}:vec4`,
      pack: (tensor) => {
        const packed = new Float32Array(blocks(attrs.channels) * 4);
        packed.set(tensor(bias.name));
        return packed;
      },
    },
  ];
}

/** Inputs: one to four memory tensors of equally many slots. Output: `channels` channels. */
export const groupedRead: Kernel<GroupedReadAttrs> = {
  shape(attrs, inputs) {
    expectSameSize('groupedRead', inputs);
    if (inputs.length < 1 || inputs.length > 4) throw shapeError('groupedRead', `${inputs.length} memory tensors, 1 to 4 are supported`);
    if (attrs.channels % 4 !== 0) throw shapeError('groupedRead', `${attrs.weights}: ${attrs.channels} channels are not a multiple of 4`);
    for (const input of inputs) {
      if (input.channels !== inputs[0].channels || input.channels % attrs.channels !== 0) {
        throw shapeError('groupedRead', `${attrs.weights}: memory of ${input.channels} channels, expected ${inputs[0].channels}, a multiple of ${attrs.channels}`);
      }
    }
    return { ...inputs[0], channels: attrs.channels };
  },
  weights: weightTensors,
  packed: packedWeights,
  multiplyAdds(_, inputs, output) {
    return output.height * output.width * inputs.reduce((sum, input) => sum + input.channels, 0);
  },
  lower({ attrs, inputs, output }) {
    const [weight, bias] = packedWeights(attrs, inputs.map((input) => input.shape));
    const memories = Object.fromEntries(inputs.map((input, i) => [`memory${i}`, buffer(input)]));
    return elementwiseDispatch(
      program(inputs.length),
      output,
      { weights: { kind: 'weights', key: weight.key }, bias: { kind: 'weights', key: bias.key }, ...memories },
      { blocks: blocks(attrs.channels), slots: inputs[0].shape.channels / attrs.channels, ...Object.fromEntries(inputs.map((input, i) => [`memory${i}_start`, start(input)])) },
    );
  },
};
