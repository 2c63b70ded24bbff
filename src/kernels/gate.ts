/**
 * The gate (spec: Gate): a frame's motion counts only where its sample and the reference's cannot show the same light.
 *
 * `gateEvidence` computes how far apart the two are, for all frames at once. It packs four frames into a vec4, so the
 * later steps cost as much for four frames as for one. `gateWindow` runs the 5x5 mean, the 9x9 maximum and the 9x9 mean
 * as rows and columns, with 46 loads in all instead of 187. `gateMasks` applies the result to the network's maps. A
 * merge without the gate runs none of this. All in f32.
 */
import { elementwise } from './elementwise.ts';
import { FRAME_PARAMS, LOAD_FRAME, TABLE_SHAPE, expectStack, frameParams } from './exposure.ts';
import type { FrameAttrs } from './exposure.ts';
import { expectInputs, expectSameSize } from './kernel.ts';
import type { SingleKernel } from './kernel.ts';
import { MAX_FRAMES } from '../image/frame.ts';

/**
 * `bound(frame, pixel, side)` is the least (side -1) or most (1) light that a sample can stand for, at the reference's
 * exposure, in the gamma domain. A sample above 253.5 codes of 255 can stand for any amount, which clips to 1.
 */
const findEvidence = elementwise({
  label: 'gate evidence',
  inputs: ['stack', 'response'],
  params: {
    frames: 'u32',
    reference: 'u32',
    codes: 'f32',
    relative: 'f32',
    encode: 'f32',
    decode: 'f32',
    ratio: ['vec4f', MAX_FRAMES / 4],
    ...FRAME_PARAMS,
  },
  functions: `${LOAD_FRAME}
fn bound(frame: u32, pixel: u32, side: f32) -> vec3f {
  let x = clamp(load_stack(frame * params.size + pixel).rgb, vec3f(0.0), vec3f(1.0));
  let v = select(power(x, params.encode), x, params.encode == 1.0) + side * params.codes;
  var light = power(v, params.decode);
  if (params.use_response == 1u) { light = response_at(v); }
  light *= params.ratio[frame / 4u][frame % 4u] * (1.0 + side * params.relative);
  if (side > 0.0) { light = select(light, vec3f(1.0), v > vec3f(${253.5 / 255})); }
  return power(min(light, vec3f(1.0)), 1.0 / params.gamma);
}`,
  body: `
  let least = bound(params.reference, pixel, -1.0);
  let most = bound(params.reference, pixel, 1.0);
  var value = vec4f(0.0);
  for (var frame = 4u * block; frame < min(4u * block + 4u, params.frames); frame++) {
    let gap = max(bound(frame, pixel, -1.0) - most, least - bound(frame, pixel, 1.0));
    value[frame % 4u] = max(max(gap.r, gap.g), max(gap.b, 0.0));
  }`,
});

export interface GateEvidenceAttrs extends FrameAttrs {
  /** tau_k of every frame, shortest first. */
  taus: readonly number[];
  reference: number;
  /** As in `GateConfig`. */
  codes: number;
  relative: number;
  /** Whether samples are linear light with more than 8 bits: they count as x^(1/2.2), in codes of that gamma. */
  linear: boolean;
}

/** Inputs: a stack, the response table. Output: e of each frame, [frames, H, W] in [0,1]; the reference's is 0. */
export const gateEvidence: SingleKernel<GateEvidenceAttrs> = {
  samples: [
    {
      attrs: { taus: [1, 4, 16], reference: 1, codes: 2, relative: 0.06, linear: false, gamma: 2.2, useResponse: true },
      inputs: [12, TABLE_SHAPE],
    },
  ],
  shape({ taus }, inputs) {
    expectInputs('gateEvidence', inputs, 2);
    expectStack('gateEvidence', inputs[0], inputs[1]);
    return { ...inputs[0], channels: taus.length };
  },
  lower({ attrs, inputs, output }) {
    const { taus, reference, codes, relative, linear, gamma, useResponse } = attrs;
    return findEvidence(output, inputs, {
      frames: taus.length,
      reference,
      // A tolerance above 255 codes acts as 255.
      codes: Math.min(1, codes / 255),
      relative,
      encode: linear ? 1 / 2.2 : 1,
      decode: linear ? 2.2 : gamma,
      ratio: taus.map((tau) => taus[reference] / tau),
      ...frameParams({ gamma, useResponse: useResponse && !linear }, inputs[1]),
    });
  },
};

const slideWindow = elementwise({
  label: 'gate window',
  inputs: ['input'],
  params: { radius: 'i32', step_x: 'i32', step_y: 'i32', maximum: 'u32' },
  body: `
  let last = vec2i(i32(params.width), i32(params.height)) - 1;
  var sum = vec4f(0.0);
  var peak = vec4f(0.0);
  for (var i = -params.radius; i <= params.radius; i++) {
    let at = clamp(vec2i(i32(x), i32(y)) + i * vec2i(params.step_x, params.step_y), vec2i(0), last);
    let value = load_input(block * params.size + u32(at.y) * params.width + u32(at.x));
    sum += value;
    peak = max(peak, value);
  }
  let value = select(sum / f32(2 * params.radius + 1), peak, params.maximum == 1u);`,
});

export interface GateWindowAttrs {
  /** Pixels either side. */
  radius: number;
  /** Along rows (`x`) or columns. */
  axis: 'x' | 'y';
  of: 'mean' | 'maximum';
}

/**
 * Input: a tensor without negative values. Output: for every pixel, the mean or the maximum along one axis of the
 * window around it. Edge pixels repeat; for a maximum that equals leaving out what is outside.
 */
export const gateWindow: SingleKernel<GateWindowAttrs> = {
  samples: [
    { attrs: { radius: 2, axis: 'x', of: 'mean' }, inputs: [3] },
    { attrs: { radius: 4, axis: 'y', of: 'maximum' }, inputs: [3] },
  ],
  shape: (_, inputs) => inputs[0],
  lower({ attrs: { radius, axis, of }, inputs, output }) {
    return slideWindow(output, inputs, {
      radius,
      step_x: axis === 'x' ? 1 : 0,
      step_y: axis === 'y' ? 1 : 0,
      maximum: of === 'maximum' ? 1 : 0,
    });
  },
};

/**
 * The reference's mask is the union of the maps before the gate, and the last block may have lanes without a frame:
 * both count as 0.
 */
const applyGate = elementwise({
  label: 'gate masks',
  inputs: ['evidence', 'masks'],
  params: { frames: 'u32', reference: 'u32', binary: 'u32', low: 'f32', high: 'f32' },
  functions: `
fn gated(block: u32, pixel: u32) -> vec4f {
  let at = block * params.size + pixel;
  let soft = load_masks(at) * smoothstep(vec4f(params.low), vec4f(params.high), load_evidence(at));
  let w = select(soft, vec4f(soft > vec4f(0.5)), params.binary == 1u);
  let frame = 4u * block + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(0.0), w, (frame < vec4u(params.frames)) & (frame != vec4u(params.reference)));
}`,
  body: `
  var most = vec4f(0.0);
  for (var b = 0u; 4u * b < params.frames; b++) { most = max(most, gated(b, pixel)); }
  var value = gated(block, pixel);
  let r = params.reference;
  if (block == r / 4u) { value[r % 4u] = max(max(most.x, most.y), max(most.z, most.w)); }`,
});

export interface GateMasksAttrs {
  reference: number;
  /** Whether masks are 1 where W is above one half, instead of W. */
  binary: boolean;
  /** As in `GateConfig`. */
  low: number;
  high: number;
}

/**
 * Inputs: evidence b of each frame, soft masks. Output: masks `W_k * smoothstep(low, high, b_k)`; W_r is their maximum.
 */
export const gateMasks: SingleKernel<GateMasksAttrs> = {
  samples: [{ attrs: { reference: 1, binary: false, low: 0.004, high: 0.02 }, inputs: [3, 3] }],
  shape(_, inputs) {
    expectInputs('gateMasks', inputs, 2);
    expectSameSize('gateMasks', inputs);
    return inputs[1];
  },
  lower({ attrs: { reference, binary, low, high }, inputs, output }) {
    return applyGate(output, inputs, { frames: output.shape.channels, reference, binary: binary ? 1 : 0, low, high });
  },
};
