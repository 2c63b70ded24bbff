/** Calls: of the program's own functions, of types, of WGSL's functions. */
import type { Expression } from './syntax.ts';
import type { Op, Term, TermType } from './terms.ts';
import { FLOAT, NOTHING, elementsOf, isInteger, vectorType, wider } from './values.ts';
import type { Type, Value } from './values.ts';
import type { Context } from './context.ts';

type Call = Extract<Expression, { kind: 'call' }>;

const vector = (size: number): Type => ({ kind: 'vector', of: 'f32', size });

/** WGSL's functions whose results are floats, and what those are; without a type, that of the arguments. */
const FLOATS = new Map<string, Type | undefined>([
  ...(
    'abs acos asin atan atan2 ceil cos cross exp exp2 floor fma fract inverseSqrt log log2 mix normalize pow round ' +
    'sign sin smoothstep sqrt step tan tanh transpose trunc subgroupAdd subgroupShuffle'
  )
    .split(' ')
    .map((name): [string, undefined] => [name, undefined]),
  ['dot', FLOAT],
  ['length', FLOAT],
  ['distance', FLOAT],
  ['unpack2x16unorm', vector(2)],
  ['unpack2x16snorm', vector(2)],
  ['unpack2x16float', vector(2)],
]);

const WORDS = new Set(['pack2x16unorm', 'pack2x16snorm', 'pack2x16float']);
const BARRIERS = new Set(['workgroupBarrier', 'storageBarrier', 'textureBarrier', 'subgroupBarrier']);

export function evaluateCall(walk: Context, call: Call): Value {
  const { name } = call.type;
  const own = walk.module.functions.get(name);
  const values = call.args.map((arg) => walk.evaluate(arg));
  if (own) return walk.call(own, values);
  return constructed(walk, call, values) ?? builtin(walk, call, name, values);
}

/** A value made by its type's name. */
function constructed(walk: Context, call: Call, values: readonly Value[]): Value | undefined {
  const { name } = call.type;
  if (name === 'u32' || name === 'i32') return { kind: 'term', term: integer(walk, values[0], name) };
  if (name === 'f32' || name === 'f16') {
    const constant = values[0].kind === 'other' ? values[0].constant : walk.constantOf(values[0]);
    return { kind: 'other', type: { kind: 'scalar', name }, ...(constant !== undefined && { constant }) };
  }
  if (name === 'bool') return walk.anything({ kind: 'scalar', name: 'bool' });
  const type = vectorType(call.type);
  if (type) {
    const { of, size } = type;
    if (!isInteger(of)) return { kind: 'other', type };
    if (values.length === 0)
      return { kind: 'terms', terms: Array.from({ length: size }, () => walk.terms.constant(0, of)) };
    const terms = values.flatMap((value): Term[] => {
      if (value.kind === 'terms') return value.terms.map((term) => cast(walk, term, of));
      if (value.kind === 'other' && value.type.kind === 'vector')
        return Array.from({ length: value.type.size }, () => walk.terms.unknown(of));
      return [integer(walk, value, of)];
    });
    return { kind: 'terms', terms: terms.length === 1 ? Array.from({ length: size }, () => terms[0]) : terms };
  }
  if (name === 'array') {
    if (call.type.args.length > 0) return { kind: 'other', type: walk.type(call.type) };
    const [first] = values;
    const of: Type = 'type' in first ? first.type : { kind: 'scalar', name: 'i32' };
    return { kind: 'other', type: { kind: 'array', of, length: values.length } };
  }
  const isOwn = walk.module.aliases.has(name) || walk.module.structs.has(name) || /^mat\dx\d/.test(name);
  return isOwn ? { kind: 'other', type: walk.type(call.type) } : undefined;
}

function cast(walk: Context, term: Term, type: 'u32' | 'i32'): Term {
  if (term.type !== 'bool') return walk.terms.of('cast', type, term);
  return walk.terms.of('select', type, walk.terms.constant(0, type), walk.terms.constant(1, type), term);
}

/** A scalar as an integer. A float's is known if the float is. */
function integer(walk: Context, value: Value, type: 'u32' | 'i32'): Term {
  if (value.kind === 'term') return cast(walk, value.term, type);
  if (value.kind === 'abstract') return walk.terms.constant(value.value, type);
  if (value.kind === 'other' && value.constant !== undefined) {
    const whole = Math.trunc(value.constant);
    const [low, high] = type === 'u32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
    if (whole >= low && whole <= high) return walk.terms.constant(whole, type);
  }
  return walk.terms.unknown(type);
}

function builtin(walk: Context, call: Call, name: string, values: readonly Value[]): Value {
  // The access was looked at with the argument.
  if (BARRIERS.has(name) || name === 'atomicStore') return NOTHING;
  if (name === 'select') return chosen(walk, call, values);
  if (name === 'min' || name === 'max') return eachOf(walk, name, values);
  if (name === 'clamp') return eachOf(walk, 'min', [eachOf(walk, 'max', values.slice(0, 2)), values[2]]);
  if (name === 'abs' && (values[0].kind === 'term' || values[0].kind === 'terms')) {
    const zeros: Value = { kind: 'abstract', value: 0 };
    return eachOf(walk, 'max', [values[0], eachOf(walk, '-', [zeros, values[0]])]);
  }
  if (name === 'all' || name === 'any') return walk.anything({ kind: 'scalar', name: 'bool' });
  if (name === 'textureLoad') return texel(walk, call, values);
  if (/^subgroupMatrix(Load|Store)$/.test(name)) return matrixAccess(walk, call, values);
  if (name === 'subgroupMatrixMultiplyAccumulate') return values[2];
  if (name === 'bitcast') return walk.anything(walk.type(call.type.args[0] as never));
  if (WORDS.has(name)) return walk.anything({ kind: 'scalar', name: 'u32' });
  if (name === 'subgroupBroadcast') return fresh(walk, values[0]);
  if (name === 'workgroupUniformLoad' && 'type' in values[0]) return walk.anything(values[0].type);
  if (FLOATS.has(name)) return { kind: 'other', type: FLOATS.get(name) ?? wider(values) };
  throw walk.unknown('a function that is not known', call);
}

/** Some value of a value's type. */
function fresh(walk: Context, value: Value): Value {
  if (value.kind === 'term') return walk.anything({ kind: 'scalar', name: value.term.type });
  return 'type' in value ? walk.anything(value.type) : value;
}

/** An operation on integers, or on each part of vectors of integers; of floats, the type. */
function eachOf(walk: Context, op: Op, [a, b]: readonly Value[]): Value {
  const known = [a, b].flatMap((value) =>
    value.kind === 'term' ? [value.term] : value.kind === 'terms' ? value.terms : [],
  );
  if (a.kind === 'other' || b.kind === 'other') return { kind: 'other', type: wider([a, b]) };
  const type: TermType = known[0]?.type ?? 'i32';
  const part = (value: Value, i: number): Term => (value.kind === 'terms' ? value.terms[i] : walk.term(value, type)!);
  const size = Math.max(...[a, b].map((value) => (value.kind === 'terms' ? value.terms.length : 1)));
  const terms = Array.from({ length: size }, (_, i) => walk.terms.of(op, type, part(a, i), part(b, i)));
  return a.kind === 'terms' || b.kind === 'terms' ? { kind: 'terms', terms } : { kind: 'term', term: terms[0] };
}

/** `select(where false, where true, condition)`. */
function chosen(walk: Context, call: Call, [otherwise, then, condition]: readonly Value[]): Value {
  const truth = walk.term(condition);
  const type = [otherwise, then].flatMap((value) => (value.kind === 'term' ? [value.term.type] : []))[0];
  if (otherwise.kind === 'terms' && then.kind === 'terms') {
    const terms = otherwise.terms.map((term, i) =>
      truth ? walk.terms.of('select', term.type, term, then.terms[i], truth) : walk.terms.unknown(term.type),
    );
    return { kind: 'terms', terms };
  }
  if (otherwise.kind === 'other' || then.kind === 'other') return { kind: 'other', type: wider([otherwise, then]) };
  const [a, b] = [walk.term(otherwise, type), walk.term(then, type)];
  if (!a || !b || !truth) throw walk.unknown('a choice that is not known', call);
  return { kind: 'term', term: walk.terms.of('select', a.type, a, b, truth) };
}

/**
 * A subgroup's matrix from memory or to it: `Load<Type, order>(&memory, at, stride)`,
 * `Store<order>(&memory, at, value, stride)`. The index of its last element must lie inside.
 */
function matrixAccess(walk: Context, call: Call, values: readonly Value[]): Value {
  const isLoad = call.type.name.endsWith('Load');
  const [first, second] = call.type.args;
  const order = isLoad ? second : first;
  const matrix: Value = isLoad && first && !('kind' in first) ? { kind: 'other', type: walk.type(first) } : values[2];
  const [memory, begin] = values;
  const at = walk.term(begin, 'u32');
  const stride = walk.constantOf(values[isLoad ? 2 : 3]);
  const sides = matrix.kind === 'other' && matrix.type.kind === 'opaque' ? matrix.type.sides : undefined;
  const elements = memory.kind === 'place' ? elementsOf(memory.type) : undefined;
  if (!at || !order || 'kind' in order || stride === undefined || !sides || elements?.of.kind !== 'scalar')
    throw walk.unknown('a matrix that is not known', call);
  const { columns, rows } = sides;
  const [lines, length] = order.name === 'row_major' ? [rows, columns] : [columns, rows];
  walk.checkIndex(at, elements.length, call);
  const last = walk.terms.constant((lines - 1) * stride + length - 1, 'u32');
  walk.checkIndex(walk.terms.of('+', 'u32', at, last), elements.length, call);
  return isLoad ? matrix : NOTHING;
}

/** A texel: both of its coordinates must lie inside. */
function texel(walk: Context, call: Call, [texture, coordinates]: readonly Value[]): Value {
  if (texture.kind !== 'place' || coordinates.kind !== 'terms') throw walk.unknown('a texel that is not known', call);
  walk.checkIndex(coordinates.terms[0], texture.size?.width, call);
  walk.checkIndex(coordinates.terms[1], texture.size?.height, call);
  return { kind: 'other', type: vector(4) };
}
