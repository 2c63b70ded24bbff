/**
 * The common frame of kernels that compute one vec4 of output per invocation: a body of WGSL that assigns `value` from
 * `block`, `pixel` (index in the plane) and, where it asks for them, `x` and `y`.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, blocks, buffer, flatGrid, start, texelType, writes } from './kernel.ts';
import type { Binding, DType, Dispatch, ParamTypes, ParamValues, Program, View } from './kernel.ts';

export interface Elementwise {
  label: string;
  /** Storage bindings besides `output`. Each comes with a param `{name}_start`, its first vec4. */
  bindings: Record<string, Binding>;
  /** Params besides starts and the output's size. */
  params: ParamTypes;
  constants?: Record<string, number>;
  /** WGSL functions the body calls. */
  functions?: string;
  /** WGSL statements that declare `value: vec4f`. */
  body: string;
}

const SIZE = { width: 'u32', height: 'u32', size: 'u32', count: 'u32' } as const;

/** A program that runs `body` for every vec4 of its output, which is stored as `dtype`. */
export function elementwiseProgram(kernel: Elementwise, dtype: DType = 'f32'): Program {
  const bindings = { ...kernel.bindings, output: writes({ dtype }) };
  return {
    label: kernel.label,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    constants: kernel.constants ?? {},
    params: { ...SIZE, ...kernel.params, ...Object.fromEntries(Object.keys(bindings).map((name) => [`${name}_start`, 'u32' as const])) },
    bindings,
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

/** The dispatch of an elementwise program over `output`. @param inputs what each of the kernel's bindings is. */
export function elementwiseDispatch(program: Program, output: View, inputs: Record<string, View>, params: ParamValues): Dispatch {
  const views = Object.entries({ ...inputs, output });
  const { width, height, channels } = output.shape;
  const size = width * height;
  const count = size * blocks(channels);
  return {
    program,
    resources: Object.fromEntries(views.map(([name, view]) => [name, buffer(view)])),
    params: { width, height, size, count, ...params, ...Object.fromEntries(views.map(([name, view]) => [`${name}_start`, start(view)])) },
    workgroups: flatGrid(count),
  };
}
