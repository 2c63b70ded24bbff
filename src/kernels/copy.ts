/**
 * A copy of a tensor. Concatenation places tensors where it wants them, so the network needs none; a graph that concatenates one tensor
 * into two places, or into the buffer it is computed from, gets one (graph/place.ts).
 */
import { elementwiseDispatch, elementwiseProgram } from './elementwise.ts';
import { READ, buffer, expectInputs, start } from './kernel.ts';
import type { Kernel } from './kernel.ts';

const COPY = elementwiseProgram({
  label: 'copy',
  bindings: { input: READ },
  params: { input_start: 'u32' },
  body: `
  let value = input[params.input_start + index];`,
});

export const copy: Kernel<Record<string, never>> = {
  shape(_, inputs) {
    expectInputs('copy', inputs, 1);
    return inputs[0];
  },
  lower({ inputs: [input], output }) {
    return elementwiseDispatch(COPY, output, { input: buffer(input) }, { input_start: start(input) });
  },
};
