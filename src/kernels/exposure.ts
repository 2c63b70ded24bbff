/**
 * Exposure maths (spec: Before the network, Conventions, S): turns a frame's samples into linear radiance, or aligns
 * them to the reference's exposure. The camera's inverse response f is a table of 256 samples, one vec4 (r, g, b,
 * unused) each, read with linear interpolation. Without a table the samples already are `radiance^(1/gamma)`.
 */
import { elementwise } from './elementwise.ts';
import { expectInputs, shapeError } from './kernel.ts';
import type { SingleKernel } from './kernel.ts';
import { start } from './tensor.ts';
import type { Shape, View } from './tensor.ts';

/** Samples of an inverse response table. */
export const TABLE_SIZE = 256;

/**
 * `load_frame(start, pixel)`: X of a frame in the stack, with the response undone. `sample_of(x)`: X and linear light
 * of a sample. `response_at(x)`: f.
 */
export const LOAD_FRAME = `
fn power(x: vec3f, exponent: f32) -> vec3f {
  return select(pow(max(x, vec3f(1e-30)), vec3f(exponent)), vec3f(0.0), x <= vec3f(0.0));
}

fn response_at(x: vec3f) -> vec3f {
  let at = clamp(x, vec3f(0.0), vec3f(1.0)) * ${TABLE_SIZE - 1}.0;
  let below = min(vec3u(at), vec3u(${TABLE_SIZE - 2}u));
  let part = at - vec3f(below);
  let i = params.response_start + below;
  let low = vec3f(response[i.x].x, response[i.y].y, response[i.z].z);
  let high = vec3f(response[i.x + 1u].x, response[i.y + 1u].y, response[i.z + 1u].z);
  return mix(low, high, part);
}

struct Sample { encoded: vec3f, linear: vec3f }

fn sample_of(x: vec3f) -> Sample {
  if (params.use_response == 1u) {
    let linear = response_at(x);
    return Sample(power(linear, 1.0 / params.gamma), linear);
  }
  return Sample(x, power(x, params.gamma));
}

fn load_frame(first: u32, pixel: u32) -> vec3f {
  let x = stack[first + pixel].rgb;
  if (params.use_response == 1u) { return power(response_at(x), 1.0 / params.gamma); }
  return x;
}
`;

/** Params that `LOAD_FRAME` reads. */
export const FRAME_PARAMS = { use_response: 'u32', response_start: 'u32', gamma: 'f32' } as const;

/** Attributes of every kernel that reads frames. */
export interface FrameAttrs {
  gamma: number;
  /** Whether the response table applies; otherwise samples already are gamma-encoded. */
  useResponse: boolean;
}

/** Values of `FRAME_PARAMS`. */
export function frameParams(
  attrs: FrameAttrs,
  response: View,
): { use_response: number; response_start: number; gamma: number } {
  return { use_response: attrs.useResponse ? 1 : 0, response_start: start(response), gamma: attrs.gamma };
}

export function expectStack(op: string, stack: Shape, response: Shape): void {
  if (stack.channels % 4 !== 0) throw shapeError(op, `a stack of ${stack.channels} channels is not a multiple of 4`);
  if (response.width !== TABLE_SIZE)
    throw shapeError(op, `response table of ${response.width} samples, expected ${TABLE_SIZE}`);
}

/** First vec4 of a frame in a stack. */
export function frameStart(stack: View, frame: number): number {
  return start(stack) + frame * stack.shape.width * stack.shape.height;
}

/** The shape of a response table: (r, g, b, unused) of each sample. */
export const TABLE_SHAPE: Shape = { channels: 4, height: 1, width: TABLE_SIZE };

const encode = elementwise({
  label: 'encoderInput',
  inputs: ['stack', 'response'],
  params: { frame_start: 'u32', tau: 'f32', ...FRAME_PARAMS },
  functions: LOAD_FRAME,
  body: `
  let shown = sample_of(stack[params.frame_start + pixel].rgb);
  let linear = shown.linear / params.tau;
  var value = vec4f(shown.encoded, linear.r);
  if (block == 1u) { value = vec4f(linear.gb, 0.0, 0.0); }`,
});

export interface EncoderInputAttrs extends FrameAttrs {
  frame: number;
  /** Exposure relative to the shortest frame's. */
  tau: number;
}

/** Inputs: a stack, the response table. Output: `concat(X_k, lin_k)`, 6 channels. */
export const encoderInput: SingleKernel<EncoderInputAttrs> = {
  samples: [{ attrs: { frame: 1, tau: 4, gamma: 2.2, useResponse: true }, inputs: [12, TABLE_SHAPE] }],
  shape(_, inputs) {
    expectInputs('encoderInput', inputs, 2);
    expectStack('encoderInput', inputs[0], inputs[1]);
    return { ...inputs[0], channels: 6 };
  },
  lower({ attrs, inputs, output }) {
    const [stack, response] = inputs;
    return encode(output, inputs, {
      frame_start: frameStart(stack, attrs.frame),
      tau: attrs.tau,
      ...frameParams(attrs, response),
    });
  },
};

const alignPair = elementwise({
  label: 'alignedPair',
  inputs: ['stack', 'response'],
  params: { frame_start: 'u32', reference_start: 'u32', gain: 'f32', ...FRAME_PARAMS },
  functions: LOAD_FRAME,
  body: `
  let aligned = clamp(load_frame(params.frame_start, pixel) * params.gain, vec3f(0.0), vec3f(1.0));
  let target_frame = load_frame(params.reference_start, pixel);
  var value = vec4f(aligned, target_frame.r);
  if (block == 1u) { value = vec4f(target_frame.gb, 0.0, 0.0); }`,
});

export interface AlignedPairAttrs extends FrameAttrs {
  frame: number;
  reference: number;
  /** Exposure of the reference relative to the frame's. */
  ratio: number;
}

/**
 * Inputs: a stack, the response table. Output: `concat(A_i, X_r)`, 6 channels,
 * `A_i = clip(X_i * ratio^(1/gamma), 0, 1)`.
 */
export const alignedPair: SingleKernel<AlignedPairAttrs> = {
  samples: [{ attrs: { frame: 0, reference: 1, ratio: 4, gamma: 2.2, useResponse: true }, inputs: [12, TABLE_SHAPE] }],
  shape(_, inputs) {
    expectInputs('alignedPair', inputs, 2);
    expectStack('alignedPair', inputs[0], inputs[1]);
    return { ...inputs[0], channels: 6 };
  },
  lower({ attrs, inputs, output }) {
    const [stack, response] = inputs;
    return alignPair(output, inputs, {
      frame_start: frameStart(stack, attrs.frame),
      reference_start: frameStart(stack, attrs.reference),
      gain: attrs.ratio ** (1 / attrs.gamma),
      ...frameParams(attrs, response),
    });
  },
};
