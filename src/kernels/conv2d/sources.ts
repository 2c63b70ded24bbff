/**
 * Where a convolution's inputs come from. A source defines `load_N(c, at)`: the vec4 of block c at pixel `at` of its plane. What
 * a graph would compute beforehand and store (frames made linear, features times masks, upsampling) is computed there instead.
 */
import { FRAME_PARAMS, LOAD_FRAME, frameParams, frameStart } from '../exposure.ts';
import { READ, blocks, buffer, reads, start } from '../kernel.ts';
import type { View } from '../kernel.ts';
import { dilationsOf, isHalf, rolesOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import type { Snippet } from './snippet.ts';

/** Its functions define `load_N`. */
export interface Source extends Snippet {
  /** Blocks that one layer at one dilation reads. */
  blocks: number;
  /** Whether its plane has half the size: rows and columns are halved. */
  half: boolean;
  /** WGSL at the start of `main`, which has `group`. */
  setup?: string;
}

function tensorSource(attrs: ConvAttrs, view: View, output: View, n: number): Source {
  const { width, height } = view.shape;
  const half = isHalf(view.shape, output.shape);
  return {
    label: half ? 'upsampled' : '',
    functions: `fn load_${n}(c: u32, at: u32) -> vec4f { return vec4f(input_${n}[params.start_${n} + c * params.plane_${n} + at]); }`,
    bindings: { [`input_${n}`]: reads(view) },
    resources: { [`input_${n}`]: buffer(view) },
    params: { [`start_${n}`]: 'u32', [`plane_${n}`]: 'u32' },
    values: { [`start_${n}`]: start(view), [`plane_${n}`]: width * height },
    blocks: blocks(view.shape.channels) / (attrs.split ? dilationsOf(attrs).length : 1),
    half,
  };
}

/** The network's first layers: exposure maths as frames are loaded (spec: Conventions, S). */
function frameSource(attrs: ConvAttrs, stack: View, response: View): Source {
  const { read } = attrs;
  if (read?.kind !== 'encoder' && read?.kind !== 'pair') throw new Error('conv2d: frames are read by encoder or pair');
  const encoder = read.kind === 'encoder';
  const values = encoder ? 'let first = load_frame(params.frame_start, at); let second = power(first, params.gamma) / params.frame_tau;'
    : 'let first = clamp(load_frame(params.frame_start, at) * params.gain, vec3f(0.0), vec3f(1.0)); let second = load_frame(params.reference_start, at);';
  return {
    label: encoder ? 'of a frame' : 'of a pair',
    functions: `${LOAD_FRAME}
fn load_0(c: u32, at: u32) -> vec4f {
  ${values}
  return select(vec4f(first, second.r), vec4f(second.gb, 0.0, 0.0), c == 1u);
}`,
    bindings: { stack: READ, response: READ },
    resources: { stack: buffer(stack), response: buffer(response) },
    params: { frame_start: 'u32', ...(encoder ? { frame_tau: 'f32' } : { reference_start: 'u32', gain: 'f32' }), ...FRAME_PARAMS },
    values: {
      frame_start: frameStart(stack, read.frame),
      ...(read.kind === 'encoder' ? { frame_tau: read.tau } : { reference_start: frameStart(stack, read.reference), gain: read.ratio ** (1 / read.gamma) }),
      ...frameParams(read, response),
    },
    blocks: 2,
    half: false,
  };
}

/** Features of all frames times their masks: (1 - W_k) for the first layer, W_k for the second (spec: F_S and F_D). */
function maskedSource(attrs: ConvAttrs, features: View, stack: View, output: View, groupsOfLayer: number): Source {
  if (attrs.read?.kind !== 'masked') throw new Error('conv2d: masks are read by masked');
  const plain = tensorSource(attrs, features, output, 0);
  return {
    ...plain,
    label: 'masked',
    functions: `
var<private> keep: vec2f;
fn load_0(c: u32, at: u32) -> vec4f {
  let w = stack[params.mask_start + (c / params.frame_blocks) * params.size + at].w;
  return (keep.x + keep.y * w) * vec4f(input_0[params.start_0 + c * params.plane_0 + at]);
}`,
    bindings: { ...plain.bindings, stack: READ },
    resources: { ...plain.resources, stack: buffer(stack) },
    params: { ...plain.params, mask_start: 'u32', frame_blocks: 'u32', moving_group: 'u32' },
    values: { ...plain.values, mask_start: start(stack), frame_blocks: blocks(features.shape.channels) / attrs.read.frames, moving_group: groupsOfLayer },
    setup: '  keep = select(vec2f(1.0, -1.0), vec2f(0.0, 1.0), group.y >= params.moving_group);',
  };
}

/** @param groupsOfLayer workgroups in y that compute one layer. */
export function sourcesOf(attrs: ConvAttrs, inputs: readonly View[], output: View, groupsOfLayer: number): Source[] {
  const { sources, stack, response } = rolesOf(attrs, inputs);
  if (attrs.read?.kind === 'masked') return [maskedSource(attrs, sources[0], stack!, output, groupsOfLayer)];
  if (attrs.read) return [frameSource(attrs, stack!, response!)];
  return sources.map((view, n) => tensorSource(attrs, view, output, n));
}
