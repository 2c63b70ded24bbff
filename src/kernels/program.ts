/**
 * Programs: WGSL specialised by constants, and how it is generated.
 *
 * A program's bindings and run-time params are declared once, and that declaration generates the WGSL, the bind group
 * layout and the packed bytes. The generated source identifies a program and is the pipeline cache's key. So values
 * that vary between layers of one kind (sizes, channels, dilation, offsets) are params, and values that the compiler
 * must know (kernel size, register tile) are constants.
 */
import type { DType, View } from './tensor.ts';

type ScalarType = 'u32' | 'i32' | 'f32';
/** A run-time param: a scalar, or an array of vec4f with its length. */
export type ParamType = ScalarType | readonly ['vec4f', number];
export type ParamTypes = Record<string, ParamType>;
export type ParamValues = Record<string, number | readonly number[]>;

/** How a storage binding is used, and its WGSL type. */
export interface Binding {
  access: 'read' | 'read_write';
  type: string;
  /** Format of a storage texture. */
  format?: GPUTextureFormat;
  /** Whether the binding is a texture of floats to load from. */
  isTexture?: boolean;
}
export type Bindings = Record<string, Binding>;

/** The parts of a program. */
export interface ProgramParts {
  /** A readable name for errors, plans and profiles. */
  label: string;
  /** WGSL extensions, as in `enable subgroups;`. */
  enables?: readonly string[];
  /** Names of WGSL diagnostics to switch off. */
  diagnosticsOff?: readonly string[];
  workgroup: readonly [number, number, number];
  constants?: Record<string, number>;
  params: ParamTypes;
  bindings: Bindings;
  /**
   * WGSL after the generated declarations. Its entry point is `@workgroup fn main`. Long bodies are functions: plans of
   * tiles that are only considered never call them.
   */
  body: string | (() => string);
}

const PARAM_ALIGN = 16;

interface Field {
  name: string;
  wgsl: string;
  scalar: ScalarType;
  offset: number;
  length: number;
}

/**
 * The params' fields with their byte offsets, by WGSL's uniform layout (https://www.w3.org/TR/WGSL/#memory-layouts).
 */
function layoutParams(params: ParamTypes): { fields: Field[]; bytes: number } {
  let offset = 0;
  const fields = Object.entries(params).map(([name, type]): Field => {
    const isArray = typeof type !== 'string';
    if (isArray) offset = Math.ceil(offset / 16) * 16;
    const length = isArray ? 4 * type[1] : 1;
    const field: Field = {
      name,
      wgsl: isArray ? `array<vec4f, ${type[1]}>` : type,
      scalar: isArray ? 'f32' : type,
      offset,
      length,
    };
    offset += 4 * length;
    return field;
  });
  return { fields, bytes: Math.max(PARAM_ALIGN, Math.ceil(offset / PARAM_ALIGN) * PARAM_ALIGN) };
}

/** WGSL, with everything needed to bind its resources. */
export class Program {
  readonly parts: ProgramParts;
  #source: string | undefined;

  constructor(parts: ProgramParts) {
    this.parts = parts;
  }

  get label(): string {
    return this.parts.label;
  }

  get bindings(): Bindings {
    return this.parts.bindings;
  }

  /**
   * The WGSL: extensions (`f16` if a binding needs it), constants, params at binding 0, the bindings in order, then the
   * body.
   */
  get source(): string {
    return (this.#source ??= this.#generate());
  }

  #generate(): string {
    const { enables = [], diagnosticsOff = [], workgroup, constants = {}, params, bindings, body } = this.parts;
    const usesHalves = Object.values(bindings).some(({ type }) => elementType(type) === 'f16');
    const storage = (name: string, { format, isTexture, access, type }: Binding, i: number): string =>
      `@group(0) @binding(${i + 1}) var${format || isTexture ? '' : `<storage, ${access}>`} ${name}: ${type};`;
    return `${[
      ...(usesHalves ? ['enable f16;'] : []),
      ...enables.map((name) => `enable ${name};`),
      ...diagnosticsOff.map((name) => `diagnostic(off, ${name});`),
      ...Object.entries(constants).map(([name, value]) => `const ${name} = ${value};`),
      'struct Params {',
      ...layoutParams(params).fields.map((field) => `  ${field.name}: ${field.wgsl},`),
      '}',
      '@group(0) @binding(0) var<uniform> params: Params;',
      ...Object.entries(bindings).map(([name, binding], i) => storage(name, binding, i)),
      (typeof body === 'string' ? body : body())
        .replace('@workgroup', `@compute @workgroup_size(${workgroup.join(', ')})`)
        .trim(),
    ].join('\n')}\n`;
  }

  /** Packs param values as the uniform struct. @throws naming the param if its value is missing or too long. */
  pack(values: ParamValues): ArrayBuffer {
    const { fields, bytes } = layoutParams(this.parts.params);
    const buffer = new ArrayBuffer(bytes);
    const view = new DataView(buffer);
    for (const field of fields) {
      const value = values[field.name];
      if (value === undefined) throw new Error(`${this.label}: param ${field.name} has no value`);
      const list = typeof value === 'number' ? [value] : value;
      if (list.length > field.length)
        throw new Error(`${this.label}: param ${field.name} has ${list.length} values, at most ${field.length}`);
      list.forEach((v, i) => {
        const at = field.offset + 4 * i;
        if (field.scalar === 'f32') view.setFloat32(at, v, true);
        else if (field.scalar === 'u32') view.setUint32(at, v, true);
        else view.setInt32(at, v, true);
      });
    }
    return buffer;
  }

  /** Entries of the bind group layout. `visibility` is GPUShaderStage.COMPUTE. */
  layoutEntries(visibility: number): GPUBindGroupLayoutEntry[] {
    const kind = ({ format, isTexture, access }: Binding): Partial<GPUBindGroupLayoutEntry> => {
      if (isTexture) return { texture: { sampleType: 'unfilterable-float' } };
      return format
        ? { storageTexture: { access: 'read-only', format } }
        : { buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' } };
    };
    const storage = Object.values(this.bindings).map(
      (binding, i): GPUBindGroupLayoutEntry => ({ binding: i + 1, visibility, ...kind(binding) }),
    );
    return [{ binding: 0, visibility, buffer: { type: 'uniform' } }, ...storage];
  }
}

/** The storage type of a binding's elements, from its WGSL type. */
export function elementType(type: string): DType {
  return /vec4h|f16|rgba16float/.test(type) ? 'f16' : 'f32';
}

/** The WGSL type of a tensor's vec4s. */
export function texelType(dtype: DType): 'vec4f' | 'vec4h' {
  return dtype === 'f16' ? 'vec4h' : 'vec4f';
}

/** A read-only binding of a tensor. Its elements may have either type, so shaders read them as `vec4f(input[i])`. */
export function reads({ dtype }: { dtype: DType }): Binding {
  return { access: 'read', type: `array<${texelType(dtype)}>` };
}

/** A read-only binding of a tensor in f32. */
export const READ: Binding = reads({ dtype: 'f32' });

/**
 * A read-only binding of rows of vec4s. Where an implementation checks that indices lie in their buffer, a constant
 * place in a row needs no check of its own.
 */
export function readsRows(dtype: DType, length: number): Binding {
  return { access: 'read', type: `array<array<${texelType(dtype)}, ${length}>>` };
}

/** A texture of packed weights. */
export function readsTexture({ dtype = 'f32' }: { dtype?: DType }): Binding {
  const format = dtype === 'f16' ? 'rgba16float' : 'rgba32float';
  return { access: 'read', type: `texture_storage_2d<${format}, read>`, format };
}

/** A written binding of a tensor. Shaders store `${texelType(view.dtype)}(value)`. */
export function writes({ dtype }: { dtype: DType }): Binding {
  return { access: 'read_write', type: `array<${texelType(dtype)}>` };
}

/**
 * What a dispatch binds: a buffer of tensors, or packed weights by key. `plan` checks the type of its elements against
 * the binding.
 */
export type Resource =
  | { kind: 'buffer'; buffer: number; dtype: DType }
  | { kind: 'weights'; key: string; dtype: DType };
export type Resources = Record<string, Resource>;

/** The resource of a view's buffer. */
export function buffer({ buffer, dtype }: View): Resource {
  return { kind: 'buffer', buffer, dtype };
}

/** The resource of packed weights. */
export function weights({ key, dtype = 'f32' }: { key: string; dtype?: DType }): Resource {
  return { kind: 'weights', key, dtype };
}

/** One dispatch of a program: its resources, params and grid. */
export interface Dispatch {
  program: Program;
  resources: Resources;
  params: ParamValues;
  workgroups: readonly [number, number, number];
}

/** WebGPU's limit of workgroups in one dimension (`maxComputeWorkgroupsPerDimension`) on every device. */
const MOST_WORKGROUPS = 65535;

/** `count` workgroups as rows along x, as many rows as needed. */
export function rowsOf(count: number): [x: number, rows: number] {
  const x = Math.min(count, MOST_WORKGROUPS);
  return [x, Math.ceil(count / x)];
}
