/**
 * Integers and truths of a program as terms. Equal terms are one object, so that what is known of a term holds wherever
 * it is used. Constants are folded, with the wrap of 32 bits.
 */

export type IntegerType = 'u32' | 'i32';
export type TermType = IntegerType | 'bool';

/** Both ends included. Truths are 0 and 1. */
export type Range = readonly [low: number, high: number];

export type Op =
  /** A value in `range`, of which nothing else is known. */
  | 'unknown'
  | 'constant'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '<<'
  | '>>'
  | '&'
  | '|'
  | '^'
  | 'min'
  | 'max'
  /** The same 32 bits as the other integer type. */
  | 'cast'
  /** Arguments: where false, where true, the truth. */
  | 'select'
  | '<'
  | '<='
  | '=='
  | 'not'
  | 'and'
  | 'or';

export interface Term {
  id: number;
  op: Op;
  type: TermType;
  args: readonly Term[];
  /** Of constants and unknown values. */
  range: Range;
  /** The unknown values in it, by their ids. */
  unknowns: ReadonlySet<number>;
}

export const RANGE_OF: Record<TermType, Range> = {
  u32: [0, 2 ** 32 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  bool: [0, 1],
};

const NONE: ReadonlySet<number> = new Set();

/** A value as its type holds it. */
export function wrap(value: number, type: TermType): number {
  if (type === 'bool') return value ? 1 : 0;
  const bits = Number(BigInt.asUintN(32, BigInt(Math.trunc(value))));
  return type === 'u32' ? bits : bits | 0;
}

/** What an operation gives for constants; undefined if that is not defined. */
function fold(op: Op, type: TermType, [a, b, c]: readonly number[]): number | undefined {
  switch (op) {
    case '+':
      return wrap(a + b, type);
    case '-':
      return wrap(a - b, type);
    case '*':
      return Number.isSafeInteger(a * b) ? wrap(a * b, type) : undefined;
    case '/':
      return b === 0 ? undefined : wrap(Math.trunc(a / b), type);
    case '%':
      return b === 0 ? undefined : wrap(a % b, type);
    case '<<':
      return b < 32 ? wrap(a * 2 ** b, type) : undefined;
    case '>>':
      return b < 32 ? Math.floor(a / 2 ** b) : undefined;
    case '&':
      return wrap(a & b, type);
    case '|':
      return wrap(a | b, type);
    case '^':
      return wrap(a ^ b, type);
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    case 'cast':
      return wrap(a, type);
    case 'select':
      return c ? b : a;
    case '<':
      return Number(a < b);
    case '<=':
      return Number(a <= b);
    case '==':
      return Number(a === b);
    case 'not':
      return 1 - a;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    default:
      return undefined;
  }
}

/** Makes terms. */
export class Terms {
  readonly #known = new Map<string, Term>();
  #count = 0;

  #add(op: Op, type: TermType, args: readonly Term[], range: Range, unknowns: ReadonlySet<number>): Term {
    return { id: this.#count++, op, type, args, range, unknowns };
  }

  constant(value: number, type: TermType): Term {
    const held = wrap(value, type);
    const key = `${type}${held}`;
    let term = this.#known.get(key);
    if (!term) this.#known.set(key, (term = this.#add('constant', type, [], [held, held], NONE)));
    return term;
  }

  /** A value that may be any in a range: its type's by default. */
  unknown(type: TermType, range: Range = RANGE_OF[type]): Term {
    if (range[0] === range[1]) return this.constant(range[0], type);
    const id = this.#count;
    return this.#add('unknown', type, [], range, new Set([id]));
  }

  of(op: Op, type: TermType, ...args: Term[]): Term {
    if (args.every(isConstant)) {
      const value = fold(
        op,
        type,
        args.map(({ range }) => range[0]),
      );
      if (value !== undefined) return this.constant(value, type);
    }
    const simple = this.#simplified(op, type, args);
    if (simple) return simple;
    const key = `${op} ${type} ${args.map(({ id }) => id).join()}`;
    let term = this.#known.get(key);
    if (!term) {
      const unknowns = new Set(args.flatMap(({ unknowns: inside }) => [...inside]));
      this.#known.set(key, (term = this.#add(op, type, args, RANGE_OF[type], unknowns)));
    }
    return term;
  }

  #simplified(op: Op, type: TermType, args: readonly Term[]): Term | undefined {
    const [a, b, c] = args;
    const is = (term: Term | undefined, value: number): boolean =>
      term !== undefined && isConstant(term) && term.range[0] === value;
    switch (op) {
      case '+':
        if (is(b, 0)) return a;
        if (is(a, 0)) return b;
        // Constants go last and are added up: sums that differ by a constant then have a part in common.
        if (isConstant(a)) return this.of('+', type, b, a);
        if (isConstant(b) && a.op === '+' && isConstant(a.args[1]))
          return this.of('+', type, a.args[0], this.constant(a.args[1].range[0] + b.range[0], type));
        if (!isConstant(b) && a.op === '+' && isConstant(a.args[1]))
          return this.of('+', type, this.of('+', type, a.args[0], b), a.args[1]);
        return undefined;
      case '-':
        return is(b, 0) ? a : a === b ? this.constant(0, type) : undefined;
      case '*':
        if (is(b, 1)) return a;
        if (is(a, 1)) return b;
        if (is(a, 0) || is(b, 0)) return this.constant(0, type);
        return isConstant(a) ? this.of('*', type, b, a) : undefined;
      case '/':
      case '>>':
      case '<<':
        return is(b, op === '/' ? 1 : 0) ? a : undefined;
      case 'min':
      case 'max':
        return a === b ? a : undefined;
      case 'select':
        return isConstant(c) ? (c.range[0] ? b : a) : a === b ? a : undefined;
      case 'cast':
        return a.type === type ? a : undefined;
      case 'not':
        return a.op === 'not' ? a.args[0] : undefined;
      case 'and':
        return is(a, 0) || is(b, 1) ? a : is(b, 0) || is(a, 1) ? b : undefined;
      case 'or':
        return is(a, 1) || is(b, 0) ? a : is(b, 1) || is(a, 0) ? b : undefined;
      default:
        return undefined;
    }
  }
}

export function isConstant(term: Term): boolean {
  return term.op === 'constant';
}
