/** The values of expressions. On the way, each access and each division is checked. */
import { evaluateCall } from './calls.ts';
import type { Expression } from './syntax.ts';
import type { Op, Term, TermType } from './terms.ts';
import { FLOAT, elementsOf, wider } from './values.ts';
import type { Value } from './values.ts';
import type { Context } from './context.ts';

const VECTOR = /^[xyzw]{1,4}$|^[rgba]{1,4}$/;
const COMPARISONS = new Set(['<', '>', '<=', '>=', '==', '!=']);

export function evaluate(walk: Context, expression: Expression): Value {
  switch (expression.kind) {
    case 'number':
      if (expression.type === 'float') return { kind: 'other', type: FLOAT, constant: expression.value };
      return expression.type === 'abstract'
        ? { kind: 'abstract', value: expression.value }
        : { kind: 'term', term: walk.terms.constant(expression.value, expression.type) };
    case 'bool':
      return { kind: 'term', term: walk.terms.constant(Number(expression.value), 'bool') };
    case 'name': {
      const value = walk.lookUp(expression.name);
      if (!value) throw walk.unknown('a name that is not declared', expression);
      return value;
    }
    case 'member':
      return member(walk, walk.evaluate(expression.of), expression);
    case 'index':
      return element(walk, expression);
    case 'unary':
      return unary(walk, expression);
    case 'binary':
      return binary(walk, expression);
    case 'call':
      return evaluateCall(walk, expression);
  }
}

function member(walk: Context, of: Value, expression: Extract<Expression, { kind: 'member' }>): Value {
  const { name } = expression;
  if (of.kind === 'fields') {
    const value = of.fields.get(name);
    if (value) return value;
  }
  if (of.kind === 'terms' && VECTOR.test(name)) {
    const terms = [...name].map((letter) => of.terms[('xyzw'.indexOf(letter) + 1 || 'rgba'.indexOf(letter) + 1) - 1]);
    return terms.length === 1 ? { kind: 'term', term: terms[0] } : { kind: 'terms', terms };
  }
  if (of.kind === 'other' || of.kind === 'place' || of.kind === 'list') {
    const { type } = of;
    if (type.kind === 'vector' && VECTOR.test(name))
      return walk.anything(
        name.length === 1 ? { kind: 'scalar', name: type.of } : { kind: 'vector', of: type.of, size: name.length },
      );
    if (type.kind === 'struct') {
      const field = walk.module.structs.get(type.name)!.find((one) => one.name === name);
      if (field) return walk.anything(walk.type(field.type));
    }
  }
  throw walk.unknown('a part that is not known', expression);
}

function element(walk: Context, expression: Extract<Expression, { kind: 'index' }>): Value {
  const of = walk.evaluate(expression.of);
  const index = walk.term(walk.evaluate(expression.index));
  if (!index || index.type === 'bool') throw walk.unknown('an index that is no integer', expression);
  if (of.kind === 'list') {
    walk.checkIndex(index, of.values.length, expression);
    const at = walk.constantOf({ kind: 'term', term: index });
    return at !== undefined && of.values[at] ? of.values[at] : walk.anything(elementsOf(of.type)!.of);
  }
  if (of.kind === 'terms') {
    walk.checkIndex(index, of.terms.length, expression);
    const at = walk.constantOf({ kind: 'term', term: index });
    const term = at === undefined ? walk.terms.unknown(of.terms[0].type) : of.terms[at];
    return { kind: 'term', term: term ?? walk.terms.unknown(of.terms[0].type) };
  }
  const elements = of.kind === 'other' || of.kind === 'place' ? elementsOf(of.type) : undefined;
  if (!elements) throw walk.unknown('an index into what has none', expression);
  walk.checkIndex(index, elements.length, expression);
  return walk.anything(elements.of);
}

function unary(walk: Context, expression: Extract<Expression, { kind: 'unary' }>): Value {
  const value = walk.evaluate(expression.of);
  if (expression.op === '&') return value;
  if (value.kind === 'abstract' && expression.op === '-') return { kind: 'abstract', value: -value.value };
  if (value.kind === 'term' && expression.op === '!') return termOf(walk, 'not', 'bool', value.term);
  if (value.kind === 'term' && expression.op === '-')
    return termOf(walk, '-', value.term.type, walk.terms.constant(0, value.term.type), value.term);
  if (value.kind === 'other') return { ...value, ...(value.constant !== undefined && { constant: -value.constant }) };
  throw walk.unknown('an operation that is not known', expression);
}

function termOf(walk: Context, op: Op, type: TermType, ...args: Term[]): Value {
  return { kind: 'term', term: walk.terms.of(op, type, ...args) };
}

function binary(walk: Context, expression: Extract<Expression, { kind: 'binary' }>): Value {
  const { op } = expression;
  if (op === '&&' || op === '||') return lazily(walk, expression, op === '&&');
  const [left, right] = [walk.evaluate(expression.left), walk.evaluate(expression.right)];
  if (left.kind === 'abstract' && right.kind === 'abstract') {
    const type = 'i32';
    const value = integers(walk, op, walk.term(left, type)!, walk.term(right, type)!, expression);
    const constant = walk.constantOf({ kind: 'term', term: value });
    return value.type === 'bool' || constant === undefined
      ? { kind: 'term', term: value }
      : { kind: 'abstract', value: constant };
  }
  const lefts = partsOf(left);
  const rights = partsOf(right);
  if (lefts && rights) {
    const size = Math.max(lefts.length, rights.length);
    const type = [...lefts, ...rights].find((part) => typeof part !== 'number')!.type;
    // The bits that a shift is by are u32, whatever is shifted.
    const shift = op === '<<' || op === '>>' ? 'u32' : type;
    const at = (parts: readonly (Term | number)[], i: number, as: TermType): Term => {
      const part = parts[parts.length === 1 ? 0 : i];
      return typeof part === 'number' ? walk.terms.constant(part, as) : part;
    };
    const all = Array.from({ length: size }, (_, i) =>
      integers(walk, op, at(lefts, i, type), at(rights, i, shift), expression),
    );
    if (left.kind !== 'terms' && right.kind !== 'terms') return { kind: 'term', term: all[0] };
    return all[0].type === 'bool'
      ? { kind: 'other', type: { kind: 'vector', of: 'bool', size } }
      : { kind: 'terms', terms: all };
  }
  const type = wider([left, right]);
  if (!COMPARISONS.has(op)) return { kind: 'other', type };
  return walk.anything(
    type.kind === 'vector' ? { kind: 'vector', of: 'bool', size: type.size } : { kind: 'scalar', name: 'bool' },
  );
}

function partsOf(value: Value): readonly (Term | number)[] | undefined {
  if (value.kind === 'abstract') return [value.value];
  if (value.kind === 'term') return [value.term];
  return value.kind === 'terms' ? value.terms : undefined;
}

function integers(walk: Context, op: string, a: Term, b: Term, at: Expression): Term {
  const { terms } = walk;
  switch (op) {
    case '<':
    case '<=':
    case '==':
      return terms.of(op, 'bool', a, b);
    case '>':
      return terms.of('<', 'bool', b, a);
    case '>=':
      return terms.of('<=', 'bool', b, a);
    case '!=':
      return terms.of('not', 'bool', terms.of('==', 'bool', a, b));
    case '/':
    case '%':
      walk.checkDivision(b, at);
      return terms.of(op, a.type, a, b);
    case '+':
    case '-':
    case '*':
    case '<<':
    case '>>':
      return terms.of(op, a.type, a, b);
    case '&':
    case '|':
      return terms.of(a.type === 'bool' ? (op === '&' ? 'and' : 'or') : op, a.type, a, b);
    case '^':
      return terms.of(op, a.type, a, b);
    default:
      throw walk.unknown('an operation that is not known', at);
  }
}

/** `&&` or `||`: the right side is evaluated only where the left does not decide. */
function lazily(walk: Context, { left, right }: Extract<Expression, { kind: 'binary' }>, isAnd: boolean): Value {
  const first = walk.condition(left);
  const before = walk.state.facts;
  walk.state.facts = before.where(first, isAnd);
  const second = walk.state.facts.isDead ? walk.terms.constant(Number(isAnd), 'bool') : walk.condition(right);
  walk.state.facts = before;
  return termOf(walk, isAnd ? 'and' : 'or', 'bool', first, second);
}
