/**
 * Motion masks on the GPU (spec: S, F_S and F_D, Z).
 *
 * A mask is one channel and is stored in the fourth lane of a frame's block: a **stack** tensor holds N frames in 4N
 * channels, block k being (R, G, B, W_k) of frame k.
 */
import { ANY, elementwise } from './elementwise.ts';
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, flatGrid } from './flat.ts';
import { expectInputs, expectSameSize, shapeError } from './kernel.ts';
import type { SingleKernel } from './kernel.ts';
import { Program, READ, buffer, reads, texelType, writes } from './program.ts';
import { blocks, start } from './tensor.ts';
import type { View } from './tensor.ts';

export interface MaskMultiplyAttrs {
  /** Frame whose mask is used. */
  frame: number;
  /** `moving` multiplies by W, `still` by 1 - W. */
  keep: 'moving' | 'still';
}

/** `factor(pixel)`: the factor for the values of a frame's pixel. */
const FACTOR = `
fn factor(pixel: u32) -> f32 {
  return params.offset + params.scale * stack[params.mask_start + pixel].w;
}`;
const FACTOR_PARAMS = { mask_start: 'u32', scale: 'f32', offset: 'f32' } as const;

function factorParams({ frame, keep }: MaskMultiplyAttrs, stack: View): Record<keyof typeof FACTOR_PARAMS, number> {
  return {
    mask_start: start(stack) + frame * stack.shape.width * stack.shape.height,
    scale: keep === 'moving' ? 1 : -1,
    offset: keep === 'moving' ? 0 : 1,
  };
}

function expectFrame(op: string, frame: number, channels: number): void {
  if (frame * 4 + 4 > channels) throw shapeError(op, `frame ${frame} of a stack of ${channels / 4}`);
}

const multiply = elementwise({
  label: 'maskMultiply',
  inputs: ['input', 'stack'],
  params: FACTOR_PARAMS,
  functions: FACTOR,
  body: '  let value = load_input(index) * factor(pixel);',
});

/** Storage of kernels that read a tensor and the stack: the stack, which `factor` reads, is f32. */
const WITH_STACK = { output: 'any', inputs: ['any', 'f32', 'any'] } as const;

/** Inputs: a tensor, a stack. Output: the tensor times the mask, or times one minus it. */
export const maskMultiply: SingleKernel<MaskMultiplyAttrs> = {
  storage: () => WITH_STACK,
  samples: [{ attrs: { frame: 0, keep: 'moving' }, inputs: [32, 12] }],
  shape(attrs, inputs) {
    expectInputs('maskMultiply', inputs, 2);
    expectSameSize('maskMultiply', inputs);
    expectFrame('maskMultiply', attrs.frame, inputs[1].channels);
    return inputs[0];
  },
  lower: ({ attrs, inputs, output }) => multiply(output, inputs, factorParams(attrs, inputs[1])),
};

export interface BlendAttrs {
  frame: number;
}

const blendByMask = elementwise({
  label: 'blend',
  inputs: ['moving', 'still', 'stack'],
  params: { mask_start: 'u32' },
  body: `
  let w = load_stack(params.mask_start + pixel).w;
  let value = w * load_moving(index) + (1.0 - w) * load_still(index);`,
});

/** Inputs: the moving tensor, the still one, a stack. Output: `W * moving + (1 - W) * still`. */
export const blend: SingleKernel<BlendAttrs> = {
  storage: () => ANY,
  samples: [{ attrs: { frame: 0 }, inputs: [32, 32, 12] }],
  shape(attrs, inputs) {
    expectInputs('blend', inputs, 3);
    expectSameSize('blend', inputs);
    expectFrame('blend', attrs.frame, inputs[2].channels);
    if (inputs[0].channels !== inputs[1].channels)
      throw shapeError('blend', `${inputs[0].channels} moving channels, ${inputs[1].channels} still ones`);
    return inputs[0];
  },
  lower: ({ attrs, inputs, output }) =>
    blendByMask(output, inputs, { mask_start: attrs.frame * output.shape.width * output.shape.height }),
};

const COLLECT = new Program({
  label: 'collectMask',
  workgroup: [FLAT_WORKGROUP, 1, 1],
  params: {
    size: 'u32',
    logit_start: 'u32',
    masks_start: 'u32',
    frame: 'u32',
    reference: 'u32',
    clear: 'u32',
    binary: 'u32',
    shift: 'f32',
  },
  bindings: { logit: READ, masks: { access: 'read_write', type: 'array<f32>' } },
  body: `
${FLAT_INDEX}
fn mask_index(frame: u32, pixel: u32) -> u32 {
  return 4u * (params.masks_start + frame / 4u * params.size + pixel) + frame % 4u;
}

@workgroup
fn main(${FLAT_ARGS}) {
  let pixel = flat_index(group, local, groups);
  if (pixel >= params.size) { return; }
  let l = logit[params.logit_start + pixel].x + params.shift;
  let soft = 1.0 / (1.0 + exp(-l));
  let w = select(soft, select(0.0, 1.0, l > 0.0), params.binary == 1u);
  let at = mask_index(params.reference, pixel);
  masks[mask_index(params.frame, pixel)] = w;
  masks[at] = select(max(masks[at], w), w, params.clear == 1u);
}`,
});

export interface CollectMaskAttrs {
  /** Frames in the stack, which is the number of channels of the masks tensor. */
  frames: number;
  /** The frame of this mask, and the reference, whose mask is the maximum of all masks so far. */
  frame: number;
  reference: number;
  /** Whether masks are 1 where the logit is positive, instead of its sigmoid. */
  binary: boolean;
  /** Added to the logit. */
  shift: number;
}

/**
 * Inputs: a one-channel logit and, except for the first frame, the masks so far, which are updated in place. Output:
 * masks, where channel k is W_k; `W_k = sigmoid(logit + shift)`, `W_r = max(W_r, W_k)`.
 */
export const collectMask: SingleKernel<CollectMaskAttrs> = {
  samples: [{ attrs: { frames: 2, frame: 0, reference: 1, binary: false, shift: 0.25 }, inputs: [1] }],
  inPlace: (_, inputs) => (inputs === 2 ? 1 : undefined),
  shape(attrs, inputs) {
    expectSameSize('collectMask', inputs);
    return { ...inputs[0], channels: attrs.frames };
  },
  lower({ attrs, inputs, output }) {
    const size = output.shape.width * output.shape.height;
    return {
      program: COLLECT,
      resources: { logit: buffer(inputs[0]), masks: buffer(output) },
      params: {
        size,
        logit_start: start(inputs[0]),
        masks_start: start(output),
        frame: attrs.frame,
        reference: attrs.reference,
        clear: inputs.length === 1 ? 1 : 0,
        binary: attrs.binary ? 1 : 0,
        shift: attrs.shift,
      },
      workgroups: flatGrid(size),
    };
  },
};

/** The program of a mean and maximum, of plain values or of values times a mask. */
function meanMaxProgram(input: View, output: View, masked: boolean): Program {
  const texel = texelType(output.dtype);
  return new Program({
    label: masked ? 'meanMax masked' : 'meanMax',
    workgroup: [FLAT_WORKGROUP, 1, 1],
    params: {
      count: 'u32',
      size: 'u32',
      input_start: 'u32',
      output_start: 'u32',
      clear: 'u32',
      share: 'f32',
      ...(masked ? FACTOR_PARAMS : {}),
    },
    bindings: { input: reads(input), output: writes(output), ...(masked ? { stack: READ } : {}) },
    body: `
${FLAT_INDEX}
${masked ? FACTOR : ''}
@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.count) { return; }
  let mean = params.output_start + index;
  let peak = mean + params.count;
  let v = vec4f(input[params.input_start + index])${masked ? ' * factor(index % params.size)' : ''};
  let fresh = params.clear == 1u;
  output[mean] = ${texel}(select(vec4f(output[mean]), vec4f(0.0), fresh) + v * params.share);
  output[peak] = ${texel}(select(max(vec4f(output[peak]), v), v, fresh));
}`,
  });
}

export interface MeanMaxAttrs {
  /** This frame's number, and the number of frames. */
  index: number;
  count: number;
  /** If present, values are multiplied by a mask first; the inputs then are the tensor, the stack and the state. */
  mask?: MaskMultiplyAttrs;
}

/**
 * Mean and maximum over frames, one frame at a time, so that memory does not grow with their number. Inputs: a tensor
 * of C channels (a multiple of 4); with a mask, the stack; and, except for the first frame, the state, updated in
 * place. Output: mean then maximum, 2C channels.
 */
export const meanMax: SingleKernel<MeanMaxAttrs> = {
  storage: ({ mask }) => (mask ? WITH_STACK : ANY),
  samples: [{ attrs: { index: 0, count: 3 }, inputs: [32] }],
  inPlace: ({ index, mask }) => (index === 0 ? undefined : mask ? 2 : 1),
  shape(attrs, inputs) {
    expectInputs('meanMax', inputs, 1 + (attrs.mask ? 1 : 0) + (attrs.index > 0 ? 1 : 0));
    expectSameSize('meanMax', inputs);
    if (attrs.mask) expectFrame('meanMax', attrs.mask.frame, inputs[1].channels);
    if (inputs[0].channels % 4 !== 0)
      throw shapeError('meanMax', `${inputs[0].channels} channels are not a multiple of 4`);
    return { ...inputs[0], channels: 2 * inputs[0].channels };
  },
  lower({ attrs, inputs, output }) {
    const size = output.shape.width * output.shape.height;
    const count = size * blocks(inputs[0].shape.channels);
    return {
      program: meanMaxProgram(inputs[0], output, attrs.mask !== undefined),
      resources: {
        input: buffer(inputs[0]),
        output: buffer(output),
        ...(attrs.mask ? { stack: buffer(inputs[1]) } : {}),
      },
      params: {
        count,
        size,
        input_start: start(inputs[0]),
        output_start: start(output),
        clear: attrs.index === 0 ? 1 : 0,
        share: 1 / attrs.count,
        ...(attrs.mask ? factorParams(attrs.mask, inputs[1]) : {}),
      },
      workgroups: flatGrid(count),
    };
  },
};
