/**
 * The gate (spec: Gate): a frame's motion counts only where its sample and the reference's cannot show the same light.
 *
 * `gateEvidence` finds how far apart the two are, of all frames at once: four a vec4, so that what follows costs as much for four frames as for one. `gateWindow` runs
 * the 5x5 mean, the 9x9 maximum and the 9x9 mean as rows and columns, 46 loads in all instead of 187. `gateMasks` applies the result.
 * The maps of the network are made before: a merge without the gate runs none of this. All in f32.
 */
import { elementwiseDispatch, elementwiseProgram } from './elementwise.ts';
import { FRAME_PARAMS, LOAD_FRAME, expectStack, frameParams } from './exposure.ts';
import type { FrameAttrs } from './exposure.ts';
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, READ, buffer, expectInputs, expectSameSize, flatGrid, shapeError, start } from './kernel.ts';
import type { Kernel, Program } from './kernel.ts';
import { MAX_FRAMES } from '../image/frame.ts';

/** A sample from here on can be any light above: in codes of 8 bits, between the last two. */
const WHITE = 253.5 / 255;
/** Linear input counts as codes of this gamma. */
const LINEAR_GAMMA = 2.2;

/** `LANES`, to tell the frames of a block apart. */
const LANES = 'const LANES = vec4u(0u, 1u, 2u, 3u);';

const EVIDENCE = elementwiseProgram({
  label: 'gate evidence',
  bindings: { stack: READ, response: READ },
  params: { stack_start: 'u32', frames: 'u32', reference: 'u32', linear_input: 'u32', codes: 'f32', relative: 'f32', tau: ['vec4f', MAX_FRAMES / 4], ...FRAME_PARAMS },
  functions: `${LOAD_FRAME}${LANES}
struct Light { least: vec3f, most: vec3f }

fn light_of(seen: vec3f) -> vec3f {
  if (params.linear_input == 1u) { return power(seen, ${LINEAR_GAMMA}); }
  if (params.use_response == 1u) { return response_at(seen); }
  return power(seen, params.gamma);
}

/** What a frame's sample can show, brought to the reference's exposure, in the gamma domain. */
fn light(frame: u32, pixel: u32) -> Light {
  var seen = clamp(stack[params.stack_start + frame * params.size + pixel].rgb, vec3f(0.0), vec3f(1.0));
  if (params.linear_input == 1u) { seen = power(seen, 1.0 / ${LINEAR_GAMMA}); }
  let ratio = tau(params.reference) / tau(frame);
  let below = seen - params.codes;
  let above = seen + params.codes;
  let least = select(light_of(below) * ratio * (1.0 - params.relative), vec3f(0.0), below <= vec3f(0.0));
  let most = select(light_of(above) * ratio * (1.0 + params.relative), vec3f(1.0), above > vec3f(${WHITE}));
  let exponent = 1.0 / params.gamma;
  return Light(power(min(least, vec3f(1.0)), exponent), power(min(most, vec3f(1.0)), exponent));
}

fn tau(frame: u32) -> f32 { return params.tau[frame / 4u][frame % 4u]; }
`,
  body: `
  let target_light = light(params.reference, pixel);
  var value = vec4f(0.0);
  for (var lane = 0u; lane < 4u; lane++) {
    let frame = 4u * block + lane;
    if (frame >= params.frames || frame == params.reference) { continue; }
    let other = light(frame, pixel);
    let gap = max(other.least - target_light.most, target_light.least - other.most);
    value = select(value, vec4f(max(max(gap.r, gap.g), max(gap.b, 0.0))), LANES == vec4u(lane));
  }`,
});

export interface GateEvidenceAttrs extends FrameAttrs {
  /** tau_k of every frame, shortest first. */
  taus: readonly number[];
  reference: number;
  /** As in `GateConfig`. */
  codes: number;
  relative: number;
  /** Whether samples are linear light, finer than 8 bits: they count as x^(1/2.2). */
  linear: boolean;
}

/** Inputs: a stack, the response table. Output: e of each frame, [frames, H, W] in [0,1]; the reference's is 0. */
export const gateEvidence: Kernel<GateEvidenceAttrs> = {
  shape({ taus }, inputs) {
    expectInputs('gateEvidence', inputs, 2);
    expectStack('gateEvidence', inputs[0], inputs[1]);
    if (inputs[0].channels !== 4 * taus.length) throw shapeError('gateEvidence', `${taus.length} exposures for a stack of ${inputs[0].channels / 4} frames`);
    return { ...inputs[0], channels: taus.length };
  },
  lower({ attrs, inputs: [stack, response], output }) {
    const { taus, reference, codes, relative, linear } = attrs;
    return elementwiseDispatch(EVIDENCE, output, { stack: buffer(stack), response: buffer(response) }, {
      stack_start: start(stack),
      frames: taus.length,
      reference,
      linear_input: linear ? 1 : 0,
      // More than all codes is all codes.
      codes: Math.min(1, codes / 255),
      relative,
      tau: taus,
      ...frameParams(attrs, response),
    });
  },
};

const WINDOW = elementwiseProgram({
  label: 'gate window',
  bindings: { input: READ },
  params: { input_start: 'u32', radius: 'i32', across: 'u32', maximum: 'u32' },
  body: `
  let first = params.input_start + block * params.size;
  var sum = vec4f(0.0);
  var peak = vec4f(0.0);
  for (var i = -params.radius; i <= params.radius; i++) {
    let column = u32(clamp(select(i32(x), i32(x) + i, params.across == 1u), 0, i32(params.width) - 1));
    let row = u32(clamp(select(i32(y) + i, i32(y), params.across == 1u), 0, i32(params.height) - 1));
    let it = input[first + row * params.width + column];
    sum += it;
    peak = max(peak, it);
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
 * Input: a tensor without negative values. Output: of every pixel the mean or the maximum along one axis of the window around it. Edges repeat, which for a maximum is as good as
 * leaving out what is beyond.
 */
export const gateWindow: Kernel<GateWindowAttrs> = {
  shape(_, inputs) {
    expectInputs('gateWindow', inputs, 1);
    return inputs[0];
  },
  lower({ attrs: { radius, axis, of }, inputs: [input], output }) {
    return elementwiseDispatch(WINDOW, output, { input: buffer(input) }, { input_start: start(input), radius, across: axis === 'x' ? 1 : 0, maximum: of === 'maximum' ? 1 : 0 });
  },
};

const GATE_MASKS: Program = {
  label: 'gate masks',
  workgroup: [FLAT_WORKGROUP, 1, 1],
  constants: {},
  params: { size: 'u32', frames: 'u32', evidence_start: 'u32', masks_start: 'u32', reference: 'u32', binary: 'u32', low: 'f32', high: 'f32' },
  bindings: { evidence: READ, masks: { access: 'read_write', type: 'array<vec4f>' } },
  body: `
${FLAT_INDEX}
${LANES}
@workgroup
fn main(${FLAT_ARGS}) {
  let pixel = flat_index(group, local, groups);
  if (pixel >= params.size) { return; }
  var most = 0.0;
  for (var block = 0u; 4u * block < params.frames; block++) {
    let at = params.masks_start + block * params.size + pixel;
    let part = clamp((evidence[params.evidence_start + block * params.size + pixel] - params.low) / (params.high - params.low), vec4f(0.0), vec4f(1.0));
    var w = masks[at] * part * part * (3.0 - 2.0 * part);
    if (params.binary == 1u) { w = select(vec4f(0.0), vec4f(1.0), w > vec4f(0.5)); }
    // The reference's is the union of the maps before the gate, and a last block may have lanes of no frame.
    let lanes = LANES + 4u * block;
    w = select(vec4f(0.0), w, (lanes < vec4u(params.frames)) & (lanes != vec4u(params.reference)));
    most = max(most, max(max(w.x, w.y), max(w.z, w.w)));
    masks[at] = w;
  }
  let at = params.masks_start + params.reference / 4u * params.size + pixel;
  masks[at] = select(masks[at], vec4f(most), LANES == vec4u(params.reference % 4u));
}`,
};

export interface GateMasksAttrs {
  reference: number;
  /** 1 where W is above one half, instead of W. */
  binary: boolean;
  /** As in `GateConfig`. */
  low: number;
  high: number;
}

/** Inputs: evidence b of each frame, soft masks, which are updated in place: `W_k <- W_k * smoothstep(low, high, b_k)`, W_r their maximum. */
export const gateMasks: Kernel<GateMasksAttrs> = {
  inPlace: () => 1,
  shape(_, inputs) {
    expectInputs('gateMasks', inputs, 2);
    expectSameSize('gateMasks', inputs);
    if (inputs[0].channels !== inputs[1].channels) throw shapeError('gateMasks', `evidence of ${inputs[0].channels} frames, masks of ${inputs[1].channels}`);
    return inputs[1];
  },
  lower({ attrs: { reference, binary, low, high }, inputs: [evidence], output }) {
    const size = output.shape.width * output.shape.height;
    return {
      program: GATE_MASKS,
      resources: { evidence: buffer(evidence), masks: buffer(output) },
      params: { size, frames: output.shape.channels, evidence_start: start(evidence), masks_start: start(output), reference, binary: binary ? 1 : 0, low, high },
      workgroups: flatGrid(size),
    };
  },
};
