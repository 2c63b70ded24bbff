/**
 * Proves of a dispatch that every access of its program lies inside what it is bound to, and that no integer is divided
 * by zero: then the implementation's own checks of both change nothing.
 *
 * The program's text is followed from its entry on (walk.ts), with the dispatch's params and grid and the sizes of what
 * it binds. What is not understood is refused. A range that is too wide is tried again in smaller parts: short loops
 * step by step, rows of workgroups one by one.
 */
import type { ParamTypes, ParamValues, Program } from '../../kernels/program.ts';
import { RefusedError, refusalText } from './access.ts';
import { parse } from './parse.ts';
import type { Argument, FunctionDeclaration, Module } from './syntax.ts';
import { wrap } from './terms.ts';
import type { Range, Term } from './terms.ts';
import { UnknownSyntaxError } from './tokens.ts';
import { FLOAT, isInteger, strideOf } from './values.ts';
import type { Type, Value } from './values.ts';
import { Walk } from './walk.ts';

/** What a binding has: bytes of a buffer, or a texture's size in texels. */
export type BoundSize = { bytes: number } | { width: number; height: number };

/** A dispatch to prove. */
export interface Proved {
  program: Pick<Program, 'source' | 'bindings' | 'label'>;
  params: ParamValues;
  workgroups: readonly [number, number, number];
  /** By the names of the program's bindings. */
  sizes: Readonly<Record<string, BoundSize | undefined>>;
  /** Invocations per subgroup; without it, any that WebGPU allows. */
  subgroupSize?: number;
}

/** Most invocations of a subgroup on any device. */
const MOST_LANES = 128;
/** Most rows of workgroups that are followed one by one. */
const MOST_ROWS = 64;

/** Parsed programs by source. */
const parsed = new Map<string, Module>();

function moduleOf(source: string): Module {
  const module = parsed.get(source) ?? parse(source);
  parsed.set(source, module);
  return module;
}

/** How finely a program is followed. */
interface Way {
  unrolls: boolean;
  /** The only workgroups of y and z that are followed. */
  rows?: { y: number; z: number };
}

/**
 * Why a dispatch is refused: the access, its range and what is allowed, or what of the program is not understood.
 * Undefined if every access was proved inside.
 */
export function refusalOf(dispatch: Proved): string | undefined {
  const coarse = [{ unrolls: false }, { unrolls: true }];
  let refused: string | undefined;
  for (const way of coarse) {
    refused = tried(dispatch, way);
    if (refused === undefined) return undefined;
  }
  const [, y, z] = dispatch.workgroups;
  if (y * z === 1 || y * z > MOST_ROWS) return refused;
  for (let row = 0; row < y * z; row++) {
    refused = tried(dispatch, { unrolls: true, rows: { y: row % y, z: Math.floor(row / y) } });
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function tried(dispatch: Proved, way: Way): string | undefined {
  try {
    follow(dispatch, way);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return refusalText(error.refusal);
    if (error instanceof UnknownSyntaxError) return `it is not understood: ${error.message}`;
    throw error;
  }
}

function follow(dispatch: Proved, way: Way): void {
  const { source } = dispatch.program;
  const module = moduleOf(source);
  const walk = new Walk(module, source, way.unrolls);
  const entry = [...module.functions.values()].find(({ workgroup }) => workgroup);
  if (!entry) throw new UnknownSyntaxError('a program without an entry');
  for (const { name, space, type: written } of module.variables) {
    if (space === 'uniform') {
      walk.globals.set(name, { value: paramsOf(walk, source, module.structs.get(written.name)!, dispatch.params) });
      continue;
    }
    const type = walk.type(written);
    if (space === 'private' && type.kind !== 'array') {
      // It is assigned to anywhere: only what never matters is of that kind.
      const value = walk.anything(type);
      if (value.kind !== 'other') throw new UnknownSyntaxError(`the private variable ${name} of integers`);
      walk.globals.set(name, { value });
    } else walk.globals.set(name, { value: placeOf(name, space, type, dispatch.sizes[name]) });
  }
  entry.args.forEach((arg, i) => walk.names.set(arg.name, { value: builtins(walk, entry, dispatch, way)[i] }));
  walk.block(entry.body);
}

/** Memory as it is bound. */
function placeOf(name: string, space: string, type: Type, size: BoundSize | undefined): Value {
  if (space !== 'storage') return { kind: 'place', name, type, ...(size && 'width' in size && { size: { ...size } }) };
  if (type.kind !== 'array' || type.length !== undefined)
    throw new UnknownSyntaxError(`the buffer ${name}, which is no array as long as it is bound`);
  if (!size || !('bytes' in size)) throw new UnknownSyntaxError(`the buffer ${name}, whose size is not known`);
  return { kind: 'place', name, type: { ...type, length: Math.floor(size.bytes / strideOf(type.of)) } };
}

/**
 * The params that a proof depends on: all integers, and arrays of floats that the program makes integers of. Verdicts
 * on dispatches that differ in others alone are the same.
 */
export function provedParams({ source }: Proved['program'], params: ParamValues, types: ParamTypes): ParamValues {
  return Object.fromEntries(
    Object.entries(params).filter(([name]) => {
      const type = types[name];
      return type === 'u32' || type === 'i32' || isMadeInteger(source, name);
    }),
  );
}

function isMadeInteger(source: string, name: string): boolean {
  return new RegExp(`\\b[iu]32\\(params\\.${name}\\[`).test(source);
}

/** The params' values. Floats that the program makes no integers of are not known. */
function paramsOf(walk: Walk, source: string, fields: readonly Argument[], params: ParamValues): Value {
  const float = (constant: number): Value => ({ kind: 'other', type: FLOAT, constant: Math.fround(constant) });
  return {
    kind: 'fields',
    fields: new Map(
      fields.map(({ name, type: written }): [string, Value] => {
        const type = walk.type(written);
        const isScalar = type.kind === 'scalar';
        if (isScalar ? !isInteger(type.name) : !isMadeInteger(source, name)) return [name, { kind: 'other', type }];
        const value = params[name];
        if (value === undefined) throw new UnknownSyntaxError(`the param ${name}, which has no value`);
        if (isScalar && isInteger(type.name) && typeof value === 'number')
          return [name, { kind: 'term', term: walk.terms.constant(wrap(value, type.name), type.name) }];
        if (type.kind !== 'array' || type.of.kind !== 'vector')
          throw new UnknownSyntaxError(`the param ${name} of a type that params do not have`);
        const { of } = type;
        const list = typeof value === 'number' ? [value] : value;
        // Values that are not given are 0.
        const values = Array.from({ length: type.length! }, (_, i): Value => {
          const lanes = Array.from({ length: of.size }, (__, lane) => float(list[of.size * i + lane] ?? 0));
          return { kind: 'list', values: lanes, type: of };
        });
        return [name, { kind: 'list', values, type }];
      }),
    ),
  };
}

/** The entry's arguments. */
function builtins(walk: Walk, entry: FunctionDeclaration, dispatch: Proved, { rows }: Way): Value[] {
  const { terms } = walk;
  const sides = [0, 1, 2].map((i) => {
    const written = entry.workgroup![i];
    const side = written ? walk.constantOf(walk.evaluate(written)) : 1;
    if (side === undefined) throw new UnknownSyntaxError('a workgroup of unknown size');
    return side;
  });
  const { workgroups, subgroupSize = MOST_LANES } = dispatch;
  const count = sides.reduce((a, b) => a * b);
  const upTo = (most: number): Term => terms.unknown('u32', [0, Math.max(0, most - 1)]);
  const only = rows && [undefined, rows.y, rows.z];
  const groups = workgroups.map((most, i) => {
    const range: Range = only?.[i] === undefined ? [0, Math.max(0, most - 1)] : [only[i], only[i]];
    return terms.unknown('u32', range);
  });
  const locals = sides.map(upTo);
  const lane = upTo(count);
  const all: Record<string, () => Value> = {
    workgroup_id: () => ({ kind: 'terms', terms: groups }),
    num_workgroups: () => ({ kind: 'terms', terms: workgroups.map((most) => terms.constant(most, 'u32')) }),
    local_invocation_id: () => ({ kind: 'terms', terms: locals }),
    local_invocation_index: () => ({ kind: 'term', term: lane }),
    global_invocation_id: () => ({
      kind: 'terms',
      terms: groups.map((group, i) => {
        const first = terms.of('*', 'u32', group, terms.constant(sides[i], 'u32'));
        return terms.of('+', 'u32', first, locals[i]);
      }),
    }),
    subgroup_invocation_id: () => ({ kind: 'term', term: upTo(subgroupSize) }),
    subgroup_id: () => ({ kind: 'term', term: upTo(dispatch.subgroupSize ? Math.ceil(count / subgroupSize) : count) }),
  };
  return entry.args.map(({ builtin = '' }) => {
    const value = all[builtin]?.();
    if (!value) throw new UnknownSyntaxError(`the builtin ${builtin}`);
    return value;
  });
}
