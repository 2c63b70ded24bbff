/**
 * Where a convolution's inputs come from. The code of source n defines `load_input_n(c, at)`: the vec4 of block c at
 * pixel `at` of its plane. This code also computes what a graph would otherwise compute and store beforehand: frames
 * made linear, features times masks.
 */
import { FRAME_PARAMS, LOAD_FRAME, frameParams, frameStart } from '../exposure.ts';
import { READ, buffer, reads } from '../program.ts';
import type { ParamValues } from '../program.ts';
import { blocks, start } from '../tensor.ts';
import type { DType, View } from '../tensor.ts';
import { dilationsOf, isHalf, rolesOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import type { Code, Values } from './code.ts';

export type SourceRecipe =
  /** `half`: the source's plane has half the size, so rows and columns are halved (nearest upsampling). */
  | { kind: 'tensor'; dtype: DType; half: boolean }
  /**
   * Features of all frames times their masks: (1 - W_k) for the first layer, W_k for the second (spec: F_S and F_D).
   */
  | { kind: 'masked'; dtype: DType; half: false }
  /** For the network's first layers: exposure maths as frames are loaded (spec: Conventions, S). */
  | { kind: 'encoder' | 'pair'; half: false };

export interface SourceCode extends Code {
  /** WGSL at the start of `main`, where `group` is declared. */
  setup: string;
}

export interface SourceValues extends Values {
  /** Blocks that one layer reads at one dilation. */
  blocks: number;
}

export function sourceRecipes(attrs: ConvAttrs, inputs: readonly View[], output: View): SourceRecipe[] {
  const { sources } = rolesOf(attrs, inputs);
  const kind = attrs.read?.kind;
  if (kind === 'masked') return [{ kind, dtype: sources[0].dtype, half: false }];
  if (kind) return [{ kind, half: false }];
  return sources.map((view) => ({ kind: 'tensor', dtype: view.dtype, half: isHalf(view.shape, output.shape) }));
}

const NO_SETUP = { setup: '' };

function tensorCode(dtype: DType, half: boolean, n: number): SourceCode {
  return {
    label: half ? 'upsampled' : '',
    functions:
      `fn load_input_${n}(c: u32, at: u32) -> vec4f { return vec4f(input_${n}[params.start_${n} + c * ` +
      `params.plane_${n} + at]); }`,
    bindings: { [`input_${n}`]: reads({ dtype }) },
    params: { [`start_${n}`]: 'u32', [`plane_${n}`]: 'u32' },
    ...NO_SETUP,
  };
}

function maskedCode(dtype: DType): SourceCode {
  const plain = tensorCode(dtype, false, 0);
  return {
    label: 'masked',
    functions: `
var<private> keep: vec2f;
fn load_input_0(c: u32, at: u32) -> vec4f {
  let w = stack[params.mask_start + (c / params.frame_blocks) * params.size + at].w;
  return (keep.x + keep.y * w) * vec4f(input_0[params.start_0 + c * params.plane_0 + at]);
}`,
    bindings: { ...plain.bindings, stack: READ },
    params: { ...plain.params, mask_start: 'u32', frame_blocks: 'u32', moving_group: 'u32' },
    setup: '  keep = select(vec2f(1.0, -1.0), vec2f(0.0, 1.0), group.y >= params.moving_group);',
  };
}

const FRAME_BINDINGS = { stack: READ, response: READ };

const ENCODER: SourceCode = {
  label: 'of a frame',
  functions: `${LOAD_FRAME}
fn load_input_0(c: u32, at: u32) -> vec4f {
  let encoded = load_frame(params.frame_start, at);
  let linear = power(encoded, params.gamma) / params.frame_tau;
  return select(vec4f(encoded, linear.r), vec4f(linear.gb, 0.0, 0.0), c == 1u);
}`,
  bindings: FRAME_BINDINGS,
  params: { frame_start: 'u32', frame_tau: 'f32', ...FRAME_PARAMS },
  ...NO_SETUP,
};

const PAIR: SourceCode = {
  label: 'of a pair',
  functions: `${LOAD_FRAME}
fn load_input_0(c: u32, at: u32) -> vec4f {
  let aligned = clamp(load_frame(params.frame_start, at) * params.gain, vec3f(0.0), vec3f(1.0));
  let reference = load_frame(params.reference_start, at);
  return select(vec4f(aligned, reference.r), vec4f(reference.gb, 0.0, 0.0), c == 1u);
}`,
  bindings: FRAME_BINDINGS,
  params: { frame_start: 'u32', reference_start: 'u32', gain: 'f32', ...FRAME_PARAMS },
  ...NO_SETUP,
};

/** The code of source n. */
export function sourceCode(recipe: SourceRecipe, n: number): SourceCode {
  if (recipe.kind === 'tensor') return tensorCode(recipe.dtype, recipe.half, n);
  if (recipe.kind === 'masked') return maskedCode(recipe.dtype);
  return recipe.kind === 'encoder' ? ENCODER : PAIR;
}

function tensorValues(attrs: ConvAttrs, view: View, n: number): SourceValues {
  const { width, height, channels } = view.shape;
  return {
    resources: { [`input_${n}`]: buffer(view) },
    params: { [`start_${n}`]: start(view), [`plane_${n}`]: width * height },
    blocks: blocks(channels) / (attrs.split ? dilationsOf(attrs).length : 1),
  };
}

/**
 * Values for the bindings and params of each source's code. @param groupsOfLayer workgroups in y that compute one
 * layer.
 */
export function sourceValues(attrs: ConvAttrs, inputs: readonly View[], groupsOfLayer: number): SourceValues[] {
  const { read } = attrs;
  const { sources, stack, response } = rolesOf(attrs, inputs);
  const values = sources.map((view, n) => tensorValues(attrs, view, n));
  if (!read) return values;
  if (read.kind === 'masked') {
    const [{ resources, params, blocks: count }] = values;
    return [
      {
        resources: { ...resources, stack: buffer(stack!) },
        params: {
          ...params,
          mask_start: start(stack!),
          frame_blocks: blocks(sources[0].shape.channels) / read.frames,
          moving_group: groupsOfLayer,
        },
        blocks: count,
      },
    ];
  }
  const own: ParamValues =
    read.kind === 'encoder'
      ? { frame_tau: read.tau }
      : { reference_start: frameStart(stack!, read.reference), gain: read.ratio ** (1 / read.gamma) };
  return [
    {
      resources: { stack: buffer(stack!), response: buffer(response!) },
      params: { frame_start: frameStart(stack!, read.frame), ...own, ...frameParams(read, response!) },
      blocks: 2,
    },
  ];
}
