/**
 * A copy of a tensor. Concatenation places tensors where it wants them, so the network needs none; a graph that concatenates one tensor
 * into two places, or into the buffer it is computed from, gets one (graph/place.ts).
 */
import { elementwiseDispatch, elementwiseProgram } from './elementwise.ts';
import { expectInputs, reads } from './kernel.ts';
import type { Kernel, Program, View } from './kernel.ts';

function program(input: View, output: View): Program {
  const bindings = { input: reads(input) };
  return elementwiseProgram({ label: 'copy', bindings, params: {}, body: '  let value = vec4f(input[params.input_start + index]);' }, output.dtype);
}

export const copy: Kernel<Record<string, never>> = {
  shape(_, inputs) {
    expectInputs('copy', inputs, 1);
    return inputs[0];
  },
  lower({ inputs: [input], output }) {
    return elementwiseDispatch(program(input, output), output, { input }, {});
  },
};
