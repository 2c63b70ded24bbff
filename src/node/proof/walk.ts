/**
 * Follows a program from its entry on, for all invocations of a dispatch at once: the range of every index is found
 * from the params, the grid, the loops and the conditions that hold, and compared with what is bound.
 */
import { Context, Names } from './context.ts';
import { evaluate } from './expressions.ts';
import { followLoop } from './loops.ts';
import type { Block, Declaration, Expression, FunctionDeclaration, Module, Statement } from './syntax.ts';
import { NOTHING, isInteger } from './values.ts';
import type { Type, Value } from './values.ts';

export class Walk extends Context {
  readonly #inert = new WeakMap<Expression, boolean>();
  #depth = 0;

  constructor(module: Module, source: string, unrolls: boolean) {
    super(module, source, unrolls);
    for (const { name, value } of module.constants) this.globals.set(name, { value: this.evaluate(value!) });
  }

  evaluate(expression: Expression): Value {
    return evaluate(this, expression);
  }

  block({ statements }: Block): boolean {
    const outer = this.names;
    this.names = new Names(outer);
    const goesOn = statements.every((statement) => this.follow(statement));
    this.names = outer;
    return goesOn;
  }

  follow(statement: Statement): boolean {
    switch (statement.kind) {
      case 'block':
        return this.block(statement);
      case 'let':
      case 'const':
      case 'var':
        this.declare(statement);
        return true;
      case 'assign':
        this.#assign(statement);
        return true;
      case 'call':
        this.evaluate(statement.call);
        return true;
      case 'if':
        return this.#if(statement);
      case 'for':
        return followLoop(this, statement);
      case 'continue':
        this.continued.push(this.copy());
        return false;
      case 'return':
        this.returned.push({
          value: statement.value ? this.evaluate(statement.value) : NOTHING,
          facts: this.facts,
        });
        return false;
    }
  }

  declare({ kind, name, type: written, value: expression }: Declaration): void {
    const type = written && this.type(written);
    let value: Value;
    if (expression) {
      value = this.evaluate(expression);
      if (type) value = this.converted(value, type);
      else if (value.kind === 'abstract' && kind !== 'const') value = { kind: 'term', term: this.term(value)! };
    } else value = this.#zero(type!, name);
    // What is not followed does not change, either: a float stays some float.
    if (kind !== 'var' || (value.kind !== 'term' && value.kind !== 'terms')) {
      this.names.set(name, {
        value: value.kind === 'other' && kind === 'var' ? { kind: 'other', type: value.type } : value,
      });
      return;
    }
    this.bind(name, value);
  }

  #zero(type: Type, name: string): Value {
    if (type.kind === 'scalar' && (isInteger(type.name) || type.name === 'bool'))
      return { kind: 'term', term: this.terms.constant(0, type.name) };
    if (type.kind === 'array') return { kind: 'place', name, type };
    return this.anything(type);
  }

  /** Whether an expression has no access and no division, so that floats need not be followed. */
  #isInert(expression: Expression): boolean {
    let known = this.#inert.get(expression);
    if (known === undefined) {
      known =
        expression.kind === 'binary'
          ? !/[/%]/.test(expression.op) && this.#isInert(expression.left) && this.#isInert(expression.right)
          : expression.kind === 'member'
            ? this.#isInert(expression.of)
            : expression.kind === 'name' || expression.kind === 'number';
      this.#inert.set(expression, known);
    }
    return known;
  }

  #assign({ target, op, value: expression }: Extract<Statement, { kind: 'assign' }>): void {
    const bound = target.kind === 'name' ? this.names.find(target.name) : undefined;
    if (!bound) {
      this.#store(target);
      this.evaluate(expression);
      return;
    }
    if ('value' in bound) {
      if (!this.#isInert(expression)) this.evaluate(expression);
      return;
    }
    const whole: Expression = op
      ? { kind: 'binary', op, left: target, right: expression, start: target.start, end: expression.end }
      : expression;
    const value = this.evaluate(whole);
    const before = this.state.variables.get(bound.slot)!;
    const type = before.kind === 'term' ? before.term.type : 'i32';
    this.state.variables.set(
      bound.slot,
      value.kind === 'abstract' ? { kind: 'term', term: this.term(value, type)! } : value,
    );
  }

  /** The place that a value is stored to. What is stored in a part of a vector of integers is forgotten. */
  #store(target: Expression): void {
    let root: Expression = target;
    while (root.kind === 'index' || root.kind === 'member') root = root.of;
    if (root.kind !== 'name') throw this.unknown('a place that is not known', target);
    this.evaluate(target);
    const bound = this.names.find(root.name);
    if (!bound || 'value' in bound) return;
    const before = this.state.variables.get(bound.slot)!;
    if (before.kind !== 'terms') return;
    const terms = before.terms.map(({ type }) => this.terms.unknown(type));
    this.state.variables.set(bound.slot, { kind: 'terms', terms });
  }

  #if({ condition, then, otherwise }: Extract<Statement, { kind: 'if' }>): boolean {
    const truth = this.condition(condition);
    const before = this.copy();
    const ends = [true, false].flatMap((holds) => {
      this.state = { variables: new Map(before.variables), facts: before.facts.where(truth, holds) };
      const branch = holds ? then : otherwise;
      if (this.facts.isDead || (branch && !this.follow(branch))) return [];
      return [this.state];
    });
    if (ends.length === 0) {
      this.state = before;
      return false;
    }
    // Where only one branch goes on, its condition holds from there on.
    this.state = ends.length === 1 ? ends[0] : this.join(ends, before.facts);
    return true;
  }

  call({ name, args, body, result }: FunctionDeclaration, values: readonly Value[]): Value {
    if (++this.#depth > 20) throw this.unknown(`functions that call one another: ${name}`);
    const { names, returned: outer, continued, facts } = this;
    this.names = new Names(this.globals);
    this.returned = [];
    this.continued = [];
    args.forEach((arg, i) => this.names.set(arg.name, { value: this.converted(values[i], this.type(arg.type)) }));
    this.block(body);
    const { returned } = this;
    [this.names, this.returned, this.continued] = [names, outer, continued];
    this.state = { variables: this.state.variables, facts };
    this.#depth--;
    if (!result) return NOTHING;
    const type = this.type(result);
    if (returned.length === 0) return this.anything(type);
    const all = returned.map((one) => ({ value: this.converted(one.value, type), facts: one.facts }));
    return this.any(all);
  }
}
