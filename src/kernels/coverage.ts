/**
 * Motion where frames have no data (spec: Before the network): where a frame or the reference has none, the frame's W
 * is 0, and the union leaves it out. A merge whose frames all have data everywhere does not run this.
 */
import { elementwise } from './elementwise.ts';
import { expectInputs, expectSameSize } from './kernel.ts';
import type { SingleKernel } from './kernel.ts';

const uncover = elementwise({
  label: 'covered masks',
  inputs: ['masks', 'stack'],
  params: { frames: 'u32', reference: 'u32' },
  functions: `
fn covered(block: u32, pixel: u32) -> vec4f {
  var w = load_masks(block * params.size + pixel);
  let shown = load_stack(params.reference * params.size + pixel).w >= 0.0;
  for (var lane = 0u; lane < 4u; lane++) {
    let frame = 4u * block + lane;
    if (frame >= params.frames || frame == params.reference || !shown) { w[lane] = 0.0; }
    else if (load_stack(frame * params.size + pixel).w < 0.0) { w[lane] = 0.0; }
  }
  return w;
}`,
  body: `
  var most = vec4f(0.0);
  for (var b = 0u; 4u * b < params.frames; b++) { most = max(most, covered(b, pixel)); }
  var value = covered(block, pixel);
  let r = params.reference;
  if (block == r / 4u) { value[r % 4u] = max(max(most.x, most.y), max(most.z, most.w)); }`,
});

export interface CoveredMasksAttrs {
  reference: number;
}

/** Inputs: masks of each frame, a stack. Output: masks, 0 where there is no data; W_r is the maximum of the others. */
export const coveredMasks: SingleKernel<CoveredMasksAttrs> = {
  samples: [{ attrs: { reference: 1 }, inputs: [3, 12] }],
  shape(_, inputs) {
    expectInputs('coveredMasks', inputs, 2);
    expectSameSize('coveredMasks', inputs);
    return inputs[0];
  },
  lower({ attrs: { reference }, inputs, output }) {
    return uncover(output, inputs, { frames: output.shape.channels, reference });
  },
};

const uncoverStack = elementwise({
  label: 'covered stack',
  inputs: ['stack'],
  params: { frames: 'u32', reference: 'u32' },
  body: `
  var value = load_stack(index);
  let shown = load_stack(params.reference * params.size + pixel).w >= 0.0;
  if (value.w >= 0.0 && (block == params.reference || !shown)) {
    value.w = 0.0;
    for (var k = 0u; shown && k < params.frames; k++) {
      if (k != params.reference) { value.w = max(value.w, load_stack(k * params.size + pixel).w); }
    }
  }`,
});

/**
 * The same for maps that are given: input and output are a stack, whose W are 0 where the reference has no data, and
 * W_r the maximum of the others that have data.
 */
export const coveredStack: SingleKernel<CoveredMasksAttrs> = {
  samples: [{ attrs: { reference: 1 }, inputs: [12] }],
  shape(_, inputs) {
    expectInputs('coveredStack', inputs, 1);
    return inputs[0];
  },
  lower({ attrs: { reference }, inputs, output }) {
    return uncoverStack(output, inputs, { frames: output.shape.channels / 4, reference });
  },
};
