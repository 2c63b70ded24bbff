/**
 * What is known of terms at a place in a program: the range of each, from the ranges of what it is made of and from the
 * conditions that hold there.
 */
import { RANGE_OF, isConstant } from './terms.ts';
import type { Range, Term } from './terms.ts';

/** The least range that holds both. */
export function hull([a, b]: Range, [c, d]: Range): Range {
  return [Math.min(a, c), Math.max(b, d)];
}

function meet([a, b]: Range, [c, d]: Range): Range {
  return [Math.max(a, c), Math.min(b, d)];
}

function isEmpty([low, high]: Range): boolean {
  return low > high;
}

/** The least and most of all products, or of what else grows or falls along both ranges. */
function corners([a, b]: Range, [c, d]: Range, of: (x: number, y: number) => number): Range {
  const [p, q, r, s] = [of(a, c), of(a, d), of(b, c), of(b, d)];
  return [Math.min(p, q, r, s), Math.max(p, q, r, s)];
}

/** Of a sum, a difference, a product or a shift, before it wraps. */
function unwrapped(op: Term['op'], a: Range, b: Range): Range {
  switch (op) {
    case '+':
      return [a[0] + b[0], a[1] + b[1]];
    case '-':
      return [a[0] - b[1], a[1] - b[0]];
    case '*':
      return corners(a, b, (x, y) => x * y);
    default:
      return corners(a, b, (x, y) => x * 2 ** y);
  }
}

function fits([low, high]: Range, { type }: Term): boolean {
  return low >= RANGE_OF[type][0] && high <= RANGE_OF[type][1];
}

const UNKNOWN: Range = [0, 1];

/** Places of a program from which on more is known are children of those before. */
export class Facts {
  readonly #parent: Facts | undefined;
  readonly #known = new Map<Term, Range>();
  readonly #memo = new Map<Term, Range>();
  /** Whether conditions contradict one another: nothing runs here. */
  isDead = false;

  constructor(parent?: Facts) {
    this.#parent = parent;
  }

  /** What is known where a condition holds as well, or does not. */
  where(condition: Term, holds: boolean): Facts {
    const child = new Facts(this);
    child.#assume(condition, holds);
    return child;
  }

  /** The range of a term. */
  range(term: Term): Range {
    if (isConstant(term)) return term.range;
    let found = this.#memo.get(term);
    if (!found) {
      found = this.#compute(term);
      for (let facts: Facts | undefined = this; facts; facts = facts.#parent) {
        const known = facts.#known.get(term);
        if (known) found = meet(found, known);
      }
      // What is known of its parts, each by itself, leaves no value.
      if (isEmpty(found)) this.isDead = true;
      this.#memo.set(term, found);
    }
    return found;
  }

  /** Whether a condition holds; undefined if it may or may not. */
  holds(condition: Term): boolean | undefined {
    const [low, high] = this.range(condition);
    return low === high ? low === 1 : undefined;
  }

  #compute(term: Term): Range {
    const { op, type, args } = term;
    if (op === 'unknown') return term.range;
    if (op === 'select') return this.#select(term);
    const [a, b] = args.map((arg) => this.range(arg));
    const whole = RANGE_OF[type];
    switch (op) {
      case '+':
      case '-':
      case '*': {
        const range = unwrapped(op, a, b);
        return fits(range, term) ? range : whole;
      }
      case '<<': {
        const range = b[0] >= 0 && b[1] < 32 ? unwrapped(op, a, b) : whole;
        return fits(range, term) ? range : whole;
      }
      case '>>':
        return b[0] >= 0 && b[1] < 32 ? corners(a, b, (x, y) => Math.floor(x / 2 ** y)) : whole;
      case '/': {
        if (b[0] <= 0) return whole;
        return corners(a, b, (x, y) => Math.trunc(x / y));
      }
      case '%':
        return b[0] <= 0 ? whole : remainder(a, b);
      case '&': {
        const positive = [a, b].filter(([low]) => low >= 0).map(([, high]) => high);
        return positive.length ? [0, Math.min(...positive)] : whole;
      }
      case '|':
      case '^':
        return a[0] >= 0 && b[0] >= 0 ? [0, 2 ** Math.ceil(Math.log2(Math.max(a[1], b[1]) + 1)) - 1] : whole;
      case 'min':
        return [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
      case 'max':
        return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
      case 'cast':
        return a[0] >= whole[0] && a[1] <= whole[1] ? a : whole;
      case '<':
        return a[1] < b[0] ? [1, 1] : a[0] >= b[1] ? [0, 0] : UNKNOWN;
      case '<=':
        return a[1] <= b[0] ? [1, 1] : a[0] > b[1] ? [0, 0] : UNKNOWN;
      case '==':
        if (isEmpty(meet(a, b))) return [0, 0];
        return a[0] === a[1] && b[0] === b[1] ? [1, 1] : UNKNOWN;
      case 'not':
        return [1 - a[1], 1 - a[0]];
      case 'and':
        return [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
      default:
        return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    }
  }

  /** Each value under the condition that it is chosen. */
  #select({ args: [otherwise, then, condition] }: Term): Range {
    const parts = [[otherwise, false] as const, [then, true] as const].flatMap(([value, holds]) => {
      const facts = this.where(condition, holds);
      const range = facts.range(value);
      return facts.isDead ? [] : [range];
    });
    return parts.length === 2 ? hull(parts[0], parts[1]) : (parts[0] ?? this.range(then));
  }

  #assume(condition: Term, holds: boolean): void {
    this.#narrow(condition, holds ? [1, 1] : [0, 0]);
  }

  /** Takes in that a term lies in a range, and what follows for the terms that it is made of. */
  #narrow(term: Term, to: Range): void {
    if (this.isDead) return;
    const before = this.range(term);
    const range = meet(before, to);
    if (isEmpty(range)) {
      this.isDead = true;
      return;
    }
    if (range[0] === before[0] && range[1] === before[1] && term.type !== 'bool') return;
    if (!isConstant(term)) {
      this.#known.set(term, range);
      this.#memo.clear();
    }
    if (term.type === 'bool') {
      if (range[0] === range[1]) this.#narrowTruth(term, range[0] === 1);
      return;
    }
    const [a, b] = term.args;
    if (!a) return;
    const [x, y] = [this.range(a), b ? this.range(b) : ([0, 0] as const)];
    const [low, high] = range;
    switch (term.op) {
      case '+':
        if (!fits(unwrapped('+', x, y), term)) return;
        this.#narrow(a, [low - y[1], high - y[0]]);
        this.#narrow(b, [low - x[1], high - x[0]]);
        return;
      case '-':
        if (!fits(unwrapped('-', x, y), term)) return;
        this.#narrow(a, [low + y[0], high + y[1]]);
        this.#narrow(b, [x[0] - high, x[1] - low]);
        return;
      case '*':
        if (isConstant(b) && y[0] > 0 && fits(unwrapped('*', x, y), term))
          this.#narrow(a, [Math.ceil(low / y[0]), Math.floor(high / y[0])]);
        return;
      case '/':
        if (isConstant(b) && y[0] > 0 && x[0] >= 0) this.#narrow(a, [low * y[0], high * y[0] + y[0] - 1]);
        return;
      case '>>':
        if (isConstant(b) && y[0] < 32) this.#narrow(a, [low * 2 ** y[0], (high + 1) * 2 ** y[0] - 1]);
        return;
      case 'cast': {
        // The same bits: below 2^31 both types agree.
        if (high < 2 ** 31 && low >= 0) this.#narrow(a, range);
        return;
      }
      case 'min':
        this.#narrow(a, [low, Infinity]);
        this.#narrow(b, [low, Infinity]);
        return;
      case 'max':
        this.#narrow(a, [-Infinity, high]);
        this.#narrow(b, [-Infinity, high]);
        return;
      default:
    }
  }

  #narrowTruth({ op, args }: Term, holds: boolean): void {
    const [a, b] = args;
    if (op === 'not') {
      this.#assume(a, !holds);
      return;
    }
    if (op === 'and' || op === 'or') {
      if (holds === (op === 'and')) {
        this.#assume(a, holds);
        this.#assume(b, holds);
        return;
      }
      // One of the two must be the cause.
      const decided = op === 'and';
      if (this.holds(a) === decided) this.#assume(b, holds);
      else if (this.holds(b) === decided) this.#assume(a, holds);
      return;
    }
    if (op === '<' || op === '<=') {
      // Not a < b is b <= a.
      const [least, most, gap] = holds ? [a, b, op === '<' ? 1 : 0] : [b, a, op === '<' ? 0 : 1];
      this.#narrow(least, [-Infinity, this.range(most)[1] - gap]);
      if (!this.isDead) this.#narrow(most, [this.range(least)[0] + gap, Infinity]);
      return;
    }
    if (op !== '==') return;
    if (holds) {
      this.#narrow(a, this.range(b));
      if (!this.isDead) this.#narrow(b, this.range(a));
      return;
    }
    this.#without(a, this.range(b));
    if (!this.isDead) this.#without(b, this.range(a));
  }

  /** Takes in that a term is not a value, if there is one such value and it is at an end of the term's range. */
  #without(term: Term, [low, high]: Range): void {
    if (low !== high) return;
    const range = this.range(term);
    if (range[0] === low) this.#narrow(term, [low + 1, Infinity]);
    else if (range[1] === low) this.#narrow(term, [-Infinity, low - 1]);
  }
}

/** The remainder of a division by a positive number, which has the dividend's sign. */
function remainder(a: Range, b: Range): Range {
  const most = b[1] - 1;
  if (a[0] >= 0) {
    if (a[1] < b[0]) return a;
    const [d] = b;
    if (d === b[1] && Math.floor(a[0] / d) === Math.floor(a[1] / d)) return [a[0] % d, a[1] % d];
    return [0, Math.min(a[1], most)];
  }
  return [Math.max(a[0], -most), Math.max(0, Math.min(a[1], most))];
}
