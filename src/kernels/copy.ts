/**
 * Copies a tensor. Placement puts concatenated tensors next to each other, so the network needs no copies. A graph that
 * concatenates one tensor into two places, or into the buffer it is computed from, gets a copy (graph/place.ts).
 */
import { ANY, elementwise } from './elementwise.ts';
import { expectInputs } from './kernel.ts';
import type { SingleKernel } from './kernel.ts';

const run = elementwise({ label: 'copy', inputs: ['input'], body: '  let value = load_input(index);' });

export const copy: SingleKernel<Record<string, never>> = {
  storage: () => ANY,
  samples: [{ attrs: {}, inputs: [32] }],
  shape(_, inputs) {
    expectInputs('copy', inputs, 1);
    return inputs[0];
  },
  lower: ({ inputs, output }) => run(output, inputs),
};
