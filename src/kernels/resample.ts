/**
 * 2x2 max-pooling with stride 2 (an odd last row or column is dropped, as PyTorch does) and nearest upsampling by 2.
 */
import { ANY, elementwise } from './elementwise.ts';
import type { ElementwiseDispatch } from './elementwise.ts';
import { expectInputs, shapeError } from './kernel.ts';
import type { SingleKernel, Tensors } from './kernel.ts';
import { shapeText } from './tensor.ts';

const INPUT_SIZE = { input_width: 'u32', input_height: 'u32' } as const;

const pool = elementwise({
  label: 'maxPool 2x2',
  inputs: ['input'],
  params: INPUT_SIZE,
  body: `
  let first = (block * params.input_height + 2u * y) * params.input_width + 2u * x;
  let second = first + params.input_width;
  let value = max(max(load_input(first), load_input(first + 1u)), max(load_input(second), load_input(second + 1u)));`,
});

const enlarge = elementwise({
  label: 'upsample nearest',
  inputs: ['input'],
  params: INPUT_SIZE,
  body: `
  let value = load_input((block * params.input_height + y / 2u) * params.input_width + x / 2u);`,
});

function resample(run: ElementwiseDispatch, { inputs, output }: Tensors): ReturnType<ElementwiseDispatch> {
  const { width, height } = inputs[0].shape;
  return run(output, inputs, { input_width: width, input_height: height });
}

/** 2x2 max-pooling, stride 2. */
export const maxPool: SingleKernel<Record<string, never>> = {
  storage: () => ANY,
  samples: [{ attrs: {}, inputs: [32] }],
  shape(_, inputs) {
    expectInputs('maxPool', inputs, 1);
    const [{ channels, height, width }] = inputs;
    if (height < 2 || width < 2) throw shapeError('maxPool', `input ${shapeText(inputs[0])} is smaller than 2x2`);
    return { channels, height: Math.floor(height / 2), width: Math.floor(width / 2) };
  },
  lower: (node) => resample(pool, node),
};

/** Nearest upsampling by 2. */
export const upsample: SingleKernel<Record<string, never>> = {
  storage: () => ANY,
  samples: [{ attrs: {}, inputs: [32] }],
  shape(_, inputs) {
    expectInputs('upsample', inputs, 1);
    const [{ channels, height, width }] = inputs;
    return { channels, height: height * 2, width: width * 2 };
  },
  lower: (node) => resample(enlarge, node),
};
