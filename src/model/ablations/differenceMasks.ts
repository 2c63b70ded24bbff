/** The kernel of the simple difference (spec: Ablations, `segmentation: difference`; A4 of the paper's Table II). */
import { MAX_FRAMES } from '../../image/frame.ts';
import { elementwise } from '../../kernels/elementwise.ts';
import { FRAME_PARAMS, LOAD_FRAME, TABLE_SHAPE, expectStack, frameParams } from '../../kernels/exposure.ts';
import type { FrameAttrs } from '../../kernels/exposure.ts';
import { expectInputs } from '../../kernels/kernel.ts';
import type { SingleKernel } from '../../kernels/kernel.ts';

/** Samples in [0,1] that differ by more show motion. */
const THRESHOLD = 0.1;

const differ = elementwise({
  label: 'difference masks',
  inputs: ['stack', 'response'],
  params: {
    frames: 'u32',
    reference: 'u32',
    gain: ['vec4f', MAX_FRAMES / 4],
    ...FRAME_PARAMS,
  },
  functions: `${LOAD_FRAME}
fn moved(frame: u32, pixel: u32) -> f32 {
  if (frame >= params.frames || frame == params.reference) { return 0.0; }
  let gain = params.gain[frame / 4u][frame % 4u];
  let one = vec3f(1.0);
  let aligned = clamp(load_frame(params.stack_start + frame * params.size, pixel) * gain, vec3f(0.0), one);
  let shown = min(load_frame(params.stack_start + params.reference * params.size, pixel), gain * one);
  return select(0.0, 1.0, any(abs(aligned - shown) > vec3f(${THRESHOLD})));
}`,
  body: `
  var value = vec4f(0.0);
  for (var lane = 0u; lane < 4u; lane++) { value[lane] = moved(4u * block + lane, pixel); }
  let r = params.reference;
  if (block == r / 4u) {
    for (var frame = 0u; frame < params.frames; frame++) { value[r % 4u] = max(value[r % 4u], moved(frame, pixel)); }
  }`,
});

export interface DifferenceMasksAttrs extends FrameAttrs {
  /** tau_k of every frame, shortest first. */
  taus: readonly number[];
  reference: number;
}

/**
 * Inputs: a stack, the response table. Output: masks of each frame, [frames, H, W], 1 where
 * `|A_i - min(X_r, (tau_r / tau_i)^(1/gamma))| > 0.1` in any channel, else 0; the reference's is the union.
 */
export const differenceMasks: SingleKernel<DifferenceMasksAttrs> = {
  samples: [{ attrs: { taus: [1, 4, 16], reference: 1, gamma: 2.2, useResponse: true }, inputs: [12, TABLE_SHAPE] }],
  shape({ taus }, inputs) {
    expectInputs('differenceMasks', inputs, 2);
    expectStack('differenceMasks', inputs[0], inputs[1]);
    return { ...inputs[0], channels: taus.length };
  },
  lower({ attrs, inputs, output }) {
    const { taus, reference, gamma } = attrs;
    return differ(output, inputs, {
      frames: taus.length,
      reference,
      gain: taus.map((tau) => (taus[reference] / tau) ** (1 / gamma)),
      ...frameParams(attrs, inputs[1]),
    });
  },
};
