/**
 * What a kernel is, and how its WGSL is generated.
 *
 * A **tensor** lives on the GPU channel-blocked (NC4HW4): `vec4f` of four channels, then columns, rows, blocks. Channels that
 * are not a multiple of four are padded with zeros. A **view** is a tensor inside a larger buffer, from some block on: that
 * is how concatenation works without copies.
 *
 * A **program** is WGSL specialised by constants. Its bindings and run-time params are declared once, and that declaration
 * generates the WGSL, the bind group layout and the packed bytes. Programs are compared by their generated source, which is
 * also the pipeline cache's key; so whatever varies between layers of one kind (sizes, channels, dilation, offsets) is a
 * param, and whatever the compiler must know (kernel size, register tile) is a constant.
 *
 * A **kernel** says, for one op: the shape of its output, the weights it reads, and the dispatch that computes it.
 */

import type { Matrices } from './conv2d/matrices.ts';

/** Channels, rows, columns of one tensor. */
export interface Shape {
  channels: number;
  height: number;
  width: number;
}

/** Blocks of four channels that hold `channels`. */
export function blocks(channels: number): number {
  return Math.ceil(channels / 4);
}

/** How a tensor is stored. Arithmetic is f32 either way. */
export type DType = 'f32' | 'f16';

/** Bytes of four channels of one pixel. */
export function texelBytes(dtype: DType): number {
  return dtype === 'f16' ? 8 : 16;
}

/** Bytes of a tensor in NC4HW4. */
export function tensorBytes(shape: Shape, dtype: DType = 'f32'): number {
  return blocks(shape.channels) * shape.height * shape.width * texelBytes(dtype);
}

export function shapeText(shape: Shape): string {
  return `${shape.channels}x${shape.height}x${shape.width}`;
}

/** A tensor inside a buffer, `block` blocks after its start. */
export interface View {
  shape: Shape;
  dtype: DType;
  buffer: number;
  block: number;
}

type ScalarType = 'u32' | 'i32' | 'f32';
/** A run-time param: a scalar, or an array of vec4f with its length. */
export type ParamType = ScalarType | readonly ['vec4f', number];
export type ParamTypes = Record<string, ParamType>;
export type ParamValues = Record<string, number | readonly number[]>;

/** How a storage binding is used, and its WGSL type. */
export interface Binding {
  access: 'read' | 'read_write';
  type: string;
  /** Of a storage texture. */
  format?: GPUTextureFormat;
}

/** What a device offers beyond what all do; kernels choose their variants by it. */
export interface Traits {
  /** Whether the CPU does the work: its subgroups are its vectors, and its drivers take seconds to compile a program. */
  cpu?: boolean;
  /** Invocations of every subgroup, where the device has subgroups and they are of one size. */
  subgroupSize?: number;
  /** Whether shaders can read and write half floats (`shader-f16`). */
  f16?: boolean;
  /** Matrices that subgroups multiply at once, where the device has units for them, and what computes on them. */
  matrices?: Matrices;
}

/** The variant that each shape class runs with, by the names that kernels give both: what a tuner found. */
export type Choices = ReadonlyMap<string, string>;

/** What a plan is made for. */
export interface Target {
  /** What the device offers; without them a plan runs on every device. */
  traits?: Traits;
  /** How weights, and tensors between the network's layers, are stored: f32 by default. */
  precision?: DType;
  /** A class that is not among them runs with its first variant. */
  choices?: Choices;
}

/** WGSL with everything needed to bind it. */
export interface Program {
  label: string;
  /** WGSL extensions, as in `enable subgroups;`. */
  enables?: readonly string[];
  /** Names of WGSL diagnostics that are switched off. */
  diagnosticsOff?: readonly string[];
  workgroup: readonly [number, number, number];
  constants: Record<string, number>;
  params: ParamTypes;
  bindings: Record<string, Binding>;
  /** WGSL after the generated declarations. Its entry point is `main`. */
  body: string;
}

/** A tensor or named constant buffer that a dispatch binds. */
export type Resource = { kind: 'buffer'; buffer: number } | { kind: 'weights'; key: string };

/** One dispatch of a program: what is bound, its params, its grid. */
export interface Dispatch {
  program: Program;
  resources: Record<string, Resource>;
  params: ParamValues;
  workgroups: readonly [number, number, number];
}

/** A tensor of the weights file that a node reads. */
export interface WeightTensor {
  name: string;
  shape: readonly number[];
}

/** Weights packed for one kernel variant; `key` names the packing, so that equal ones are shared. */
export interface PackedWeights {
  key: string;
  /** How the packed values are stored, f32 by default. */
  dtype?: DType;
  /** Texels of a row, where they are stored as a texture: software adapters load texels in a third of the time of buffers' vectors (program.ts). */
  row?: number;
  pack(tensor: (name: string) => Float32Array): Float32Array<ArrayBuffer>;
}

/** What a kernel may look at to build its dispatch. */
export interface Lowering<A> {
  attrs: A;
  inputs: readonly View[];
  output: View;
  /** Further outputs (`Kernel.results`). */
  results: readonly View[];
  target: Target;
  /** One of `Kernel.variants`, where the kernel has any. */
  variant: string;
}

export interface Kernel<A> {
  /** Shape of the output. @throws when the inputs do not fit, naming the op and both values. */
  shape(attrs: A, inputs: readonly Shape[]): Shape;
  /** The input whose buffer is updated in place and becomes the output, if there is one. */
  inPlace?(attrs: A, inputs: number): number | undefined;
  /** Shapes of what it stores besides its output; nodes of op `result` stand for them. */
  results?(attrs: A, inputs: readonly Shape[]): Shape[];
  weights?(attrs: A, inputs: readonly Shape[]): WeightTensor[];
  packed?(attrs: A, inputs: readonly Shape[], target: Target, variant: string): PackedWeights[];
  /** Names of what can compute a node on a device, the best guess first; a kernel without it has one way. */
  variants?(attrs: A, inputs: readonly Shape[], target: Target): string[];
  /** Nodes of one class run with one variant: a tuner times one of them. */
  shapeClass?(attrs: A, inputs: readonly Shape[], target: Target): string;
  /** Multiply-adds, for reports. */
  multiplyAdds?(attrs: A, inputs: readonly Shape[], output: Shape): number;
  lower(node: Lowering<A>): Dispatch;
}

/** Says that an op's inputs do not fit. */
export function shapeError(op: string, what: string): Error {
  return new Error(`${op}: ${what}`);
}

export function expectInputs(op: string, inputs: readonly Shape[], count: number): void {
  if (inputs.length !== count) throw shapeError(op, `${inputs.length} inputs, expected ${count}`);
}

export function expectSameSize(op: string, inputs: readonly Shape[]): void {
  for (const shape of inputs) {
    if (shape.height !== inputs[0].height || shape.width !== inputs[0].width) {
      throw shapeError(op, `input ${shapeText(shape)} differs in size from ${shapeText(inputs[0])}`);
    }
  }
}

const PARAM_ALIGN = 16;

interface Field {
  name: string;
  wgsl: string;
  scalar: ScalarType;
  offset: number;
  length: number;
}

/** The params' fields with their byte offsets, by WGSL's uniform layout (https://www.w3.org/TR/WGSL/#memory-layouts). */
function layoutParams(params: ParamTypes): { fields: Field[]; bytes: number } {
  let offset = 0;
  const fields = Object.entries(params).map(([name, type]): Field => {
    const array = typeof type !== 'string';
    if (array) offset = Math.ceil(offset / 16) * 16;
    const length = array ? 4 * type[1] : 1;
    const field: Field = { name, wgsl: array ? `array<vec4f, ${type[1]}>` : type, scalar: array ? 'f32' : type, offset, length };
    offset += 4 * length;
    return field;
  });
  return { fields, bytes: Math.max(PARAM_ALIGN, Math.ceil(offset / PARAM_ALIGN) * PARAM_ALIGN) };
}

/** Packs param values as the program's uniform struct. */
export function packParams(program: Program, values: ParamValues): ArrayBuffer {
  const { fields, bytes } = layoutParams(program.params);
  const buffer = new ArrayBuffer(bytes);
  const view = new DataView(buffer);
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined) throw new Error(`${program.label}: param ${field.name} has no value`);
    const list = typeof value === 'number' ? [value] : value;
    if (list.length > field.length) throw new Error(`${program.label}: param ${field.name} has ${list.length} values, at most ${field.length}`);
    list.forEach((v, i) => {
      const at = field.offset + 4 * i;
      if (field.scalar === 'f32') view.setFloat32(at, v, true);
      else if (field.scalar === 'u32') view.setUint32(at, v, true);
      else view.setInt32(at, v, true);
    });
  }
  return buffer;
}

/** WGSL source of a program: extensions (`f16` where a binding has it), constants, params at binding 0, its bindings in order, then the body. */
export function wgsl(program: Program): string {
  const half = Object.values(program.bindings).some(({ type }) => /vec4h|f16/.test(type));
  const lines = [...(half ? ['f16'] : []), ...(program.enables ?? [])].map((name) => `enable ${name};`);
  lines.push(...(program.diagnosticsOff ?? []).map((name) => `diagnostic(off, ${name});`));
  lines.push(...Object.entries(program.constants).map(([name, value]) => `const ${name} = ${value};`));
  const { fields } = layoutParams(program.params);
  lines.push('struct Params {', ...fields.map((field) => `  ${field.name}: ${field.wgsl},`), '}');
  lines.push('@group(0) @binding(0) var<uniform> params: Params;');
  Object.entries(program.bindings).forEach(([name, binding], i) => {
    lines.push(`@group(0) @binding(${i + 1}) var${binding.format ? '' : `<storage, ${binding.access}>`} ${name}: ${binding.type};`);
  });
  const [x, y, z] = program.workgroup;
  lines.push(program.body.replace('@workgroup', `@compute @workgroup_size(${x}, ${y}, ${z})`).trim());
  return lines.join('\n') + '\n';
}

/** Entries of the bind group layout that `wgsl` declares. `visibility` is GPUShaderStage.COMPUTE. */
export function layoutEntries(program: Program, visibility: number): GPUBindGroupLayoutEntry[] {
  const storage = Object.values(program.bindings).map(
    (binding, i): GPUBindGroupLayoutEntry => ({
      binding: i + 1,
      visibility,
      ...(binding.format ? { storageTexture: { access: 'read-only', format: binding.format } } : { buffer: { type: binding.access === 'read' ? 'read-only-storage' : 'storage' } }),
    }),
  );
  return [{ binding: 0, visibility, buffer: { type: 'uniform' } }, ...storage];
}

/** A vec4 as a tensor stores it. */
export function texelType(dtype: DType): 'vec4f' | 'vec4h' {
  return dtype === 'f16' ? 'vec4h' : 'vec4f';
}

/** A read-only binding of vec4f. */
export const READ: Binding = { access: 'read', type: 'array<vec4f>' };

/** A read-only binding of a tensor. Its texels are of either type, so shaders read them as `vec4f(input[i])`. */
export function reads(view: { dtype: DType }): Binding {
  return { access: 'read', type: `array<${texelType(view.dtype)}>` };
}

/** A texture of packed weights. */
export function readsTexture({ dtype = 'f32' }: { dtype?: DType }): Binding {
  const format = dtype === 'f16' ? 'rgba16float' : 'rgba32float';
  return { access: 'read', type: `texture_storage_2d<${format}, read>`, format };
}

/** A written binding of a tensor. Shaders store `${texelType(view.dtype)}(value)`. */
export function writes(view: { dtype: DType }): Binding {
  return { access: 'read_write', type: `array<${texelType(view.dtype)}>` };
}

/** The resource of a view's buffer. */
export function buffer(view: View): Resource {
  return { kind: 'buffer', buffer: view.buffer };
}

/** First vec4 of a view. */
export function start(view: View): number {
  return view.block * view.shape.height * view.shape.width;
}

/** Threads of the kernels that treat one vec4 each. */
export const FLAT_WORKGROUP = 64;

/** Grid for `count` elements of one vec4 each, in rows of at most 65535 workgroups (WebGPU's limit in one dimension). */
export function flatGrid(count: number): readonly [number, number, number] {
  const groups = Math.ceil(count / FLAT_WORKGROUP);
  const x = Math.min(groups, 65535);
  return [x, Math.ceil(groups / x), 1];
}

/** WGSL that turns the flat grid's ids into an element index. */
export const FLAT_INDEX = `
fn flat_index(group: vec3u, local: u32, groups: vec3u) -> u32 {
  return (group.y * groups.x + group.x) * ${FLAT_WORKGROUP}u + local;
}
`;

/** Arguments of an entry point that calls `flat_index`. */
export const FLAT_ARGS = '@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u';
