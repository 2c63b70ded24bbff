/**
 * Shared code of kernels that compute one vec4 of output per invocation. A kernel gives a WGSL body that declares
 * `value` from `index` (among the output's vec4), `block`, `pixel` (index in the plane) and, if the body uses them, `x`
 * and `y`.
 *
 * Inputs may be stored as f32 or f16 and start anywhere in their buffers. A body need not care about either: it calls
 * `load_NAME(i)`, which returns the i-th vec4 of the input NAME as vec4f.
 */
import { ROW_WORKGROUP, rowGrid } from './rows.ts';
import type { PackedWeights } from './kernel.ts';
import { Program, buffer, reads, texelType, weights, writes } from './program.ts';
import type { Dispatch, ParamTypes, ParamValues } from './program.ts';
import { blocks, start } from './tensor.ts';
import type { DType, View } from './tensor.ts';

export interface Elementwise {
  label: string;
  /** Names of the inputs: tensors, packed weights. */
  inputs: readonly string[];
  /** Params besides the output's width, height and size (pixels). */
  params?: ParamTypes;
  /** WGSL functions that the body calls. */
  functions?: string;
  /** WGSL statements that declare `value: vec4f`. */
  body: string;
}

const SIZE = { width: 'u32', height: 'u32', size: 'u32' } as const;

/** `load_NAME(i)`: the i-th vec4 of a tensor, from the binding NAME and the param NAME_start. */
export function loadFunction(name: string): string {
  return `fn load_${name}(i: u32) -> vec4f { return vec4f(${name}[params.${name}_start + i]); }`;
}

function generate(
  { label, inputs, params, functions = '', body }: Elementwise,
  dtypes: readonly DType[],
  output: DType,
): Program {
  return new Program({
    label,
    workgroup: [ROW_WORKGROUP, 1, 1],
    params: {
      ...SIZE,
      ...params,
      ...Object.fromEntries([...inputs, 'output'].map((name) => [`${name}_start`, 'u32' as const])),
    },
    bindings: {
      ...Object.fromEntries(inputs.map((name, i) => [name, reads({ dtype: dtypes[i] })])),
      output: writes({ dtype: output }),
    },
    body: `
${inputs.map(loadFunction).join('\n')}
${functions}
@workgroup
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x;
  if (x >= params.width) { return; }
  let y = id.y;
  let block = id.z;
  let pixel = y * params.width + x;
  let index = block * params.size + pixel;
${body}
  output[params.output_start + index] = ${texelType(output)}(value);
}`,
  });
}

/** The dispatch that runs `body` for every vec4 of `output`. @param inputs in the order of their names. */
export type ElementwiseDispatch = (
  output: View,
  inputs: readonly (View | PackedWeights)[],
  params?: ParamValues,
) => Dispatch;

/** Makes programs on demand: one for each combination of storage types. */
export function elementwise(kernel: Elementwise): ElementwiseDispatch {
  const programs = new Map<string, Program>();
  return (output, inputs, params) => {
    const dtypes = inputs.map(({ dtype = 'f32' }) => dtype);
    const key = [...dtypes, output.dtype].join();
    const program = programs.get(key) ?? generate(kernel, dtypes, output.dtype);
    programs.set(key, program);
    const bound = Object.entries<View | PackedWeights>({
      ...Object.fromEntries(kernel.inputs.map((name, i) => [name, inputs[i]])),
      output,
    });
    const { width, height, channels } = output.shape;
    return {
      program,
      resources: Object.fromEntries(
        bound.map(([name, item]) => [name, 'shape' in item ? buffer(item) : weights(item)]),
      ),
      params: {
        width,
        height,
        size: width * height,
        ...params,
        ...Object.fromEntries(bound.map(([name, item]) => [`${name}_start`, 'shape' in item ? start(item) : 0])),
      },
      workgroups: rowGrid(width, height, blocks(channels)),
    };
  };
}

/** Storage of elementwise kernels: any type for all tensors. */
export const ANY = { output: 'any', inputs: 'any' } as const;
