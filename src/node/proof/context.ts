/** What is known at the place of a program that is being followed, and what may be asked of it. */
import { RefusedError } from './access.ts';
import { Facts } from './facts.ts';
import { UnknownSyntaxError } from './tokens.ts';
import type { Block, Expression, FunctionDeclaration, Module, Statement, TypeName } from './syntax.ts';
import { Terms } from './terms.ts';
import type { Term, TermType } from './terms.ts';
import { isInteger, typeOf } from './values.ts';
import type { Type, Value } from './values.ts';

/** What a name stands for: a value, or a variable whose value changes. */
type Bound = { value: Value } | { slot: number };

/** Names that are visible at a place. */
export class Names {
  readonly #parent: Names | undefined;
  readonly #bound = new Map<string, Bound>();

  constructor(parent?: Names) {
    this.#parent = parent;
  }

  set(name: string, bound: Bound): void {
    this.#bound.set(name, bound);
  }

  find(name: string): Bound | undefined {
    return this.#bound.get(name) ?? this.#parent?.find(name);
  }
}

/** What holds at a place: the values of variables, and the facts. */
export interface State {
  variables: Map<number, Value>;
  facts: Facts;
}

/** What a function that is being followed returned so far, and what was known there. */
export type Returned = { value: Value; facts: Facts }[];

export abstract class Context {
  readonly terms = new Terms();
  readonly module: Module;
  readonly globals = new Names();
  names = this.globals;
  state: State = { variables: new Map(), facts: new Facts() };
  /** Above 0, accesses are not checked: something is only tried. */
  quiet = 0;
  /** Whether short loops are followed step by step. */
  readonly unrolls: boolean;
  /** States at the `continue`s of the innermost loop. */
  continued: State[] = [];
  returned: Returned = [];
  readonly #source: string;
  #slots = 0;

  constructor(module: Module, source: string, unrolls: boolean) {
    this.module = module;
    this.#source = source;
    this.unrolls = unrolls;
  }

  /** The value of an expression. */
  abstract evaluate(expression: Expression): Value;
  /** Follows a statement. @returns whether the place after it can be reached. */
  abstract follow(statement: Statement): boolean;
  abstract block(block: Block): boolean;
  /** Follows a function of the program. */
  abstract call(own: FunctionDeclaration, values: readonly Value[]): Value;

  get facts(): Facts {
    return this.state.facts;
  }

  unknown(message: string, at?: Expression): UnknownSyntaxError {
    return new UnknownSyntaxError(at ? `${message}: ${this.textOf(at)}` : message);
  }

  textOf({ start, end }: { start: number; end: number }): string {
    return this.#source.slice(start, end).replace(/\s+/g, ' ');
  }

  type(written: TypeName): Type {
    return typeOf(written, this.module, (count) => {
      const value: Value | undefined = 'kind' in count ? this.evaluate(count) : this.lookUp(count.name);
      const length = value && this.constantOf(value);
      if (length === undefined) throw this.unknown('an array of unknown length');
      return length;
    });
  }

  lookUp(name: string): Value | undefined {
    const bound = this.names.find(name);
    return bound && ('value' in bound ? bound.value : this.state.variables.get(bound.slot));
  }

  constantOf(value: Value): number | undefined {
    if (value.kind === 'abstract') return value.value;
    return value.kind === 'term' && value.term.op === 'constant' ? value.term.range[0] : undefined;
  }

  /** A value of which nothing is known but its type. */
  anything(type: Type): Value {
    if (type.kind === 'scalar' && (isInteger(type.name) || type.name === 'bool'))
      return { kind: 'term', term: this.terms.unknown(type.name) };
    if (type.kind === 'vector' && isInteger(type.of)) {
      const { of } = type;
      return { kind: 'terms', terms: Array.from({ length: type.size }, () => this.terms.unknown(of)) };
    }
    return { kind: 'other', type };
  }

  /** A value as a declared type holds it. */
  converted(value: Value, type: Type): Value {
    if (value.kind !== 'abstract') return value;
    if (type.kind === 'scalar' && isInteger(type.name))
      return { kind: 'term', term: this.terms.constant(value.value, type.name) };
    return { kind: 'other', type, constant: value.value };
  }

  /** An integer or a truth as a term. */
  term(value: Value, type: TermType = 'i32'): Term | undefined {
    if (value.kind === 'abstract') return this.terms.constant(value.value, type);
    return value.kind === 'term' ? value.term : undefined;
  }

  condition(expression: Expression): Term {
    const value = this.evaluate(expression);
    if (value.kind === 'term' && value.term.type === 'bool') return value.term;
    throw this.unknown('a condition that is no truth', expression);
  }

  /** Refuses an index outside `length`. */
  checkIndex(index: Term, length: number | undefined, at: Expression): void {
    if (this.quiet > 0 || this.facts.isDead) return;
    if (length === undefined) throw this.unknown('memory of unknown length', at);
    const range = this.facts.range(index);
    if (!this.facts.isDead && (range[0] < 0 || range[1] >= length))
      throw new RefusedError({ what: this.textOf(at), range, length });
  }

  /** Refuses a division by what may be zero. */
  checkDivision(divisor: Term, at: Expression): void {
    if (this.quiet > 0 || this.facts.isDead) return;
    const range = this.facts.range(divisor);
    if (!this.facts.isDead && range[0] <= 0) throw new RefusedError({ what: this.textOf(at), range });
  }

  /** Declares a variable that is followed. */
  bind(name: string, value: Value): void {
    const slot = this.#slots++;
    this.names.set(name, { slot });
    this.state.variables.set(slot, value);
  }

  /** Runs something without checks, and forgets what it did. */
  attempt<T>(run: () => T): T {
    const { names, continued } = this;
    const state = this.copy();
    const count = this.returned.length;
    this.quiet++;
    this.continued = [];
    try {
      return run();
    } finally {
      this.quiet--;
      this.returned.length = count;
      [this.names, this.continued, this.state] = [names, continued, state];
    }
  }

  copy(): State {
    return { variables: new Map(this.state.variables), facts: this.state.facts };
  }

  /** The state where several meet. */
  join(states: readonly State[], facts: Facts): State {
    const variables = new Map<number, Value>();
    for (const [slot, value] of states[0].variables) {
      const all = states.map((state) => ({ value: state.variables.get(slot), facts: state.facts }));
      if (all.some((one) => one.value === undefined)) continue;
      variables.set(slot, this.any(all as { value: Value; facts: Facts }[]) ?? value);
    }
    return { variables, facts };
  }

  /** One of several values, each with what is known where it is. */
  any(all: readonly { value: Value; facts: Facts }[]): Value {
    const [{ value: first }] = all;
    if (all.every(({ value }) => value === first)) return first;
    const one = (terms: readonly { term: Term; facts: Facts }[]): Term => {
      if (terms.every(({ term }) => term === terms[0].term)) return terms[0].term;
      const ranges = terms.map(({ term, facts }) => facts.range(term));
      return this.terms.unknown(terms[0].term.type, [
        Math.min(...ranges.map(([low]) => low)),
        Math.max(...ranges.map(([, high]) => high)),
      ]);
    };
    if (first.kind === 'term')
      return { kind: 'term', term: one(all.map(({ value, facts }) => ({ term: this.term(value)!, facts }))) };
    if (first.kind !== 'terms') return first;
    const terms = first.terms.map((_, i) =>
      one(all.map(({ value, facts }) => ({ term: (value as { terms: readonly Term[] }).terms[i], facts }))),
    );
    return { kind: 'terms', terms };
  }
}
