/**
 * The common frame of kernels that compute one vec4 of output per invocation: a body of WGSL that assigns `value` from
 * `block`, `pixel` (index in the plane) and, where it asks for them, `x` and `y`.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, blocks, buffer, flatGrid, start, texelType, writes } from './kernel.ts';
import type { Binding, DType, Dispatch, ParamTypes, ParamValues, Program, Resource, View } from './kernel.ts';

export interface Elementwise {
  label: string;
  /** Storage bindings besides `output`. */
  bindings: Record<string, Binding>;
  /** Params besides the output's size and start. */
  params: ParamTypes;
  constants?: Record<string, number>;
  /** WGSL functions the body calls. */
  functions?: string;
  /** WGSL statements that declare `value: vec4f`. */
  body: string;
}

const SIZE = { width: 'u32', height: 'u32', size: 'u32', count: 'u32', output_start: 'u32' } as const;

/** A program that runs `body` for every vec4 of its output, which is stored as `dtype`. */
export function elementwiseProgram(kernel: Elementwise, dtype: DType = 'f32'): Program {
  return {
    label: kernel.label,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    constants: kernel.constants ?? {},
    params: { ...SIZE, ...kernel.params },
    bindings: { ...kernel.bindings, output: writes({ dtype }) },
    body: `
${FLAT_INDEX}
${kernel.functions ?? ''}
@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.count) { return; }
  let block = index / params.size;
  let pixel = index % params.size;
  let y = pixel / params.width;
  let x = pixel % params.width;
${kernel.body}
  output[params.output_start + index] = ${texelType(dtype)}(value);
}`,
  };
}

/** The dispatch of an elementwise program over `output`. */
export function elementwiseDispatch(program: Program, output: View, resources: Record<string, Resource>, params: ParamValues): Dispatch {
  const { width, height, channels } = output.shape;
  const size = width * height;
  const count = size * blocks(channels);
  return {
    program,
    resources: { ...resources, output: buffer(output) },
    params: { width, height, size, count, output_start: start(output), ...params },
    workgroups: flatGrid(count),
  };
}
