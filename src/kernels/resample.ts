/** 2x2 max-pooling with stride 2 (an odd last row or column is dropped, as PyTorch does) and nearest upsampling by 2. */
import { elementwiseDispatch, elementwiseProgram } from './elementwise.ts';
import type { Elementwise } from './elementwise.ts';
import { expectInputs, reads, shapeError, shapeText } from './kernel.ts';
import type { Dispatch, Kernel, View } from './kernel.ts';

const INPUT_PARAMS = { input_width: 'u32', input_height: 'u32' } as const;

const POOL = {
  label: 'maxPool 2x2',
  body: `
  let first = params.input_start + (block * params.input_height + 2u * y) * params.input_width + 2u * x;
  let second = first + params.input_width;
  let value = vec4f(max(max(input[first], input[first + 1u]), max(input[second], input[second + 1u])));`,
};

const NEAREST = {
  label: 'upsample nearest',
  body: `
  let value = vec4f(input[params.input_start + (block * params.input_height + y / 2u) * params.input_width + x / 2u]);`,
};

function dispatch(how: Pick<Elementwise, 'label' | 'body'>, input: View, output: View): Dispatch {
  const program = elementwiseProgram({ ...how, bindings: { input: reads(input) }, params: INPUT_PARAMS }, output.dtype);
  return elementwiseDispatch(program, output, { input }, { input_width: input.shape.width, input_height: input.shape.height });
}

/** 2x2 max-pooling, stride 2. */
export const maxPool: Kernel<Record<string, never>> = {
  shape(_, inputs) {
    expectInputs('maxPool', inputs, 1);
    const [{ channels, height, width }] = inputs;
    if (height < 2 || width < 2) throw shapeError('maxPool', `input ${shapeText(inputs[0])} is smaller than 2x2`);
    return { channels, height: Math.floor(height / 2), width: Math.floor(width / 2) };
  },
  lower({ inputs: [input], output }) {
    return dispatch(POOL, input, output);
  },
};

/** Nearest upsampling by 2. */
export const upsample: Kernel<Record<string, never>> = {
  shape(_, inputs) {
    expectInputs('upsample', inputs, 1);
    const [{ channels, height, width }] = inputs;
    return { channels, height: height * 2, width: width * 2 };
  },
  lower({ inputs: [input], output }) {
    return dispatch(NEAREST, input, output);
  },
};
