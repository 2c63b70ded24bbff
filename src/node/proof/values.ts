/** Types and values of a program that is followed. Only integers and truths are followed; of others, the type. */
import type { Term, TermType } from './terms.ts';
import { UnknownSyntaxError } from './tokens.ts';
import type { Module, TypeName } from './syntax.ts';

export type Type =
  | { kind: 'scalar'; name: TermType | 'f32' | 'f16' }
  | { kind: 'vector'; of: TermType | 'f32' | 'f16'; size: number }
  /** Without a length: as long as its buffer. */
  | { kind: 'array'; of: Type; length?: number }
  | { kind: 'struct'; name: string }
  /** A matrix and the like; `sides` of a subgroup's matrix. */
  | { kind: 'opaque'; name: string; sides?: { columns: number; rows: number } };

export type Value =
  | { kind: 'term'; term: Term }
  /** An integer without a type of its own. */
  | { kind: 'abstract'; value: number }
  /** A vector of integers. */
  | { kind: 'terms'; terms: readonly Term[] }
  | { kind: 'fields'; fields: ReadonlyMap<string, Value> }
  /** Known values of an array or a vector. */
  | { kind: 'list'; values: readonly Value[]; type: Type }
  /** What is not followed. */
  | { kind: 'other'; type: Type; constant?: number }
  | Place;

/** Memory that an index leads into. `size` is that of a texture. */
export interface Place {
  kind: 'place';
  name: string;
  type: Type;
  size?: { width: number; height: number };
}

export const FLOAT: Type = { kind: 'scalar', name: 'f32' };
export const NOTHING: Value = { kind: 'other', type: { kind: 'opaque', name: 'nothing' } };

const SCALARS: Record<string, TermType | 'f32' | 'f16'> = {
  u32: 'u32',
  i32: 'i32',
  bool: 'bool',
  f32: 'f32',
  f16: 'f16',
};
const LETTERS: Record<string, TermType | 'f32' | 'f16'> = { u: 'u32', i: 'i32', f: 'f32', h: 'f16' };

export function isInteger(name: TermType | 'f32' | 'f16'): name is 'u32' | 'i32' {
  return name === 'u32' || name === 'i32';
}

/** The type of a vector by its name, `vec3u` or `vec3<u32>`. */
export function vectorType({ name, args }: TypeName): Extract<Type, { kind: 'vector' }> | undefined {
  const [, size, letter] = /^vec([234])([uifh])?$/.exec(name) ?? [];
  if (!size) return undefined;
  const [arg] = args;
  const of = letter ? LETTERS[letter] : arg && 'name' in arg ? SCALARS[arg.name] : undefined;
  return of && { kind: 'vector', of, size: Number(size) };
}

/** A type by its name. @param length the value of an array's length, which may be a constant's name. */
export function typeOf(written: TypeName, module: Module, length: (of: TypeName['args'][number]) => number): Type {
  const { name, args } = written;
  const scalar = SCALARS[name];
  if (scalar) return { kind: 'scalar', name: scalar };
  const vector = vectorType(written);
  if (vector) return vector;
  if (name === 'array') {
    const [of, count] = args;
    if (!of || 'kind' in of) throw new UnknownSyntaxError('an array without a type');
    return { kind: 'array', of: typeOf(of, module, length), ...(count && { length: length(count) }) };
  }
  // What is stored and loaded there is an integer like any other.
  if (name === 'atomic' && args[0] && !('kind' in args[0])) return typeOf(args[0], module, length);
  const alias = module.aliases.get(name);
  if (alias) return typeOf(alias, module, length);
  if (module.structs.has(name)) return { kind: 'struct', name };
  const [, columns, rows] = args;
  return name.startsWith('subgroup_matrix') && columns && rows
    ? { kind: 'opaque', name, sides: { columns: length(columns), rows: length(rows) } }
    : { kind: 'opaque', name };
}

/** Bytes from an element of an array to the next. */
export function strideOf(type: Type): number {
  if (type.kind === 'scalar') return type.name === 'f16' ? 2 : 4;
  if (type.kind === 'vector') return (type.size === 2 ? 2 : 4) * (type.of === 'f16' ? 2 : 4);
  if (type.kind === 'array' && type.length !== undefined) return type.length * strideOf(type.of);
  throw new UnknownSyntaxError(`an array of ${type.kind === 'array' ? 'arrays without a length' : type.name}`);
}

/** The type that an index leads to, and how many there are; undefined if none does. */
export function elementsOf(type: Type): { of: Type; length: number | undefined } | undefined {
  if (type.kind === 'array') return { of: type.of, length: type.length };
  if (type.kind === 'vector') return { of: { kind: 'scalar', name: type.of }, length: type.size };
  const [, columns, rows] = (type.kind === 'opaque' && /^mat([234])x([234])[fh]?$/.exec(type.name)) || [];
  if (columns) return { of: { kind: 'vector', of: 'f32', size: Number(rows) }, length: Number(columns) };
  return undefined;
}

/** The type of an operation on floats. */
export function wider(values: readonly Value[]): Type {
  const types = values.flatMap((value) => ('type' in value ? [value.type] : []));
  return (
    types.find(({ kind }) => kind === 'vector') ?? types.find(({ kind }) => kind === 'opaque') ?? types[0] ?? FLOAT
  );
}
