/** The kernel of a residual block's end (spec: Ablations, `decoder: resnet`; A10 of the paper's Table II). */
import { ANY, elementwise } from '../../kernels/elementwise.ts';
import { expectInputs, expectSameSize, shapeError } from '../../kernels/kernel.ts';
import type { SingleKernel } from '../../kernels/kernel.ts';

const add = elementwise({
  label: 'residual',
  inputs: ['input', 'change'],
  params: { slope: 'f32' },
  body: `
  let sum = load_input(index) + load_change(index);
  let value = max(sum, vec4f(0.0)) + params.slope * min(sum, vec4f(0.0));`,
});

export interface ResidualAttrs {
  /** Of the LeakyReLU. */
  slope: number;
}

/** Inputs: two tensors of one shape. Output: LeakyReLU of their sum. */
export const residual: SingleKernel<ResidualAttrs> = {
  storage: () => ANY,
  samples: [{ attrs: { slope: 0.2 }, inputs: [32, 32] }],
  shape(_, inputs) {
    expectInputs('residual', inputs, 2);
    expectSameSize('residual', inputs);
    if (inputs[0].channels !== inputs[1].channels)
      throw shapeError('residual', `${inputs[0].channels} channels and ${inputs[1].channels}`);
    return inputs[0];
  },
  lower: ({ attrs, inputs, output }) => add(output, inputs, { slope: attrs.slope }),
};
