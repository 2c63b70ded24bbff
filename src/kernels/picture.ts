/**
 * The picture: the hat-weighted radiance average of the stack (spec: Base), and the network's correction of it.
 *
 * - `plain`: `B`, unclipped, with every W = 0 or with given maps. No network is needed.
 * - `base`: `Y = sigmoid(o + ln B' - ln(1 - B'))`, where moving pixels count only from the reference.
 * - `none`: `Y = sigmoid(o)`. All in f32. `ln B' - ln(1 - B')` then sigmoid cancels where o = 0, so this form loses no
 *   accuracy.
 */
import { elementwise } from './elementwise.ts';
import { FRAME_PARAMS, LOAD_FRAME, TABLE_SHAPE, expectStack, frameParams } from './exposure.ts';
import type { FrameAttrs } from './exposure.ts';
import { expectSameSize, shapeError } from './kernel.ts';
import type { SingleKernel } from './kernel.ts';
import type { ParamValues } from './program.ts';
import { start } from './tensor.ts';
import type { View } from './tensor.ts';
import { MAX_FRAMES } from '../image/frame.ts';

/**
 * `average_frames(pixel)` returns B, `correct(logits, pixel)` returns Y. They read `PICTURE_PARAMS`, `params.size` and
 * the bindings `stack` and `response`.
 */
export const PICTURE = `${LOAD_FRAME}
fn hat(x: vec3f, frame: u32) -> vec3f {
  let shortest_bright = frame == 0u;
  let longest_dark = frame == params.frames - 1u;
  var weight = 1.0 - abs(2.0 * x - 1.0);
  if (shortest_bright) { weight = select(weight, vec3f(1.0), x > vec3f(0.5)); }
  if (longest_dark) { weight = select(weight, vec3f(1.0), x < vec3f(0.5)); }
  if (params.hat_of_pixel == 1u) { weight = vec3f(min(weight.r, min(weight.g, weight.b))); }
  return weight;
}

// A frame without data (its W is negative) weighs nothing; the reference does only where no other frame has any. Where
// the reference has none, nothing moves, whatever given maps say.
fn average_frames(pixel: u32) -> vec3f {
  var sum = vec3f(0.0);
  var weights = vec3f(0.0);
  let shown = stack[params.stack_start + params.reference * params.size + pixel].w >= 0.0;
  for (var k = 0u; k < params.frames; k++) {
    let stored = stack[params.stack_start + k * params.size + pixel];
    let w = stored.w;
    let sample = sample_of(stored.rgb);
    let x = sample.encoded;
    let motion = select(0.0, max(w, 0.0), shown && params.use_masks == 1u);
    var weight = hat(x, k) * (1.0 - motion);
    if (k == params.reference) { weight = max(hat(x, k), vec3f(motion)) + 1e-3; }
    if (w < 0.0) { weight = vec3f(select(0.0, 1e-9, k == params.reference)); }
    sum += weight * sample.linear / params.tau[k / 4u][k % 4u];
    weights += weight;
  }
  return sum / weights;
}

fn correct(logits: vec3f, pixel: u32) -> vec3f {
  let base = clamp(average_frames(pixel), vec3f(1e-6 / params.longest), vec3f(1.0 - 1e-4));
  return 1.0 / (1.0 + exp(-(logits + log(base) - log(1.0 - base))));
}
`;

export const PICTURE_PARAMS = {
  stack_start: 'u32',
  frames: 'u32',
  reference: 'u32',
  use_masks: 'u32',
  hat_of_pixel: 'u32',
  longest: 'f32',
  tau: ['vec4f', MAX_FRAMES / 4],
  ...FRAME_PARAMS,
} as const;

const plain = elementwise({
  label: 'picture plain',
  inputs: ['stack', 'response'],
  params: PICTURE_PARAMS,
  functions: PICTURE,
  body: `
  let value = vec4f(average_frames(pixel), 0.0);`,
});

const corrected = elementwise({
  label: 'picture corrected',
  inputs: ['stack', 'response', 'logit'],
  params: PICTURE_PARAMS,
  functions: PICTURE,
  body: `
  let value = vec4f(correct(load_logit(pixel).rgb, pixel), 0.0);`,
});

export interface PictureAttrs extends FrameAttrs {
  /** tau_k of every frame, shortest first. */
  taus: readonly number[];
  reference: number;
  /** Whether W in the stack's fourth lanes is used. */
  useMasks: boolean;
  /** Whether each channel has its own weight, or a pixel has one weight. */
  hat: 'channel' | 'pixel';
}

/** Values of `PICTURE_PARAMS`. */
export function pictureParams(attrs: PictureAttrs, stack: View, response: View): ParamValues {
  return {
    stack_start: start(stack),
    frames: attrs.taus.length,
    reference: attrs.reference,
    use_masks: attrs.useMasks ? 1 : 0,
    hat_of_pixel: attrs.hat === 'pixel' ? 1 : 0,
    longest: attrs.taus[attrs.taus.length - 1],
    tau: attrs.taus,
    ...frameParams(attrs, response),
  };
}

const SAMPLE: PictureAttrs = {
  taus: [1, 4, 16],
  reference: 1,
  useMasks: true,
  hat: 'pixel',
  gamma: 2.2,
  useResponse: true,
};

/**
 * Inputs: a stack, the response table and, unless the merge is plain, the network's three logits o. Output: the
 * picture, 3 channels.
 */
export const picture: SingleKernel<PictureAttrs> = {
  samples: [
    { attrs: SAMPLE, inputs: [12, TABLE_SHAPE] },
    { attrs: SAMPLE, inputs: [12, TABLE_SHAPE, 3] },
  ],
  shape(attrs, inputs) {
    expectStack('picture', inputs[0], inputs[1]);
    if (inputs[0].channels !== 4 * attrs.taus.length)
      throw shapeError('picture', `${attrs.taus.length} exposures for a stack of ${inputs[0].channels / 4} frames`);
    if (inputs.length === 3) expectSameSize('picture', [inputs[0], inputs[2]]);
    return { ...inputs[0], channels: 3 };
  },
  lower({ attrs, inputs, output }) {
    const run = inputs.length === 3 ? corrected : plain;
    return run(output, inputs, pictureParams(attrs, inputs[0], inputs[1]));
  },
};
