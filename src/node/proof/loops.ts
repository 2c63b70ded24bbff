/**
 * Loops. A loop is tried once to see how each variable changes in a step; a variable that grows by a constant then is
 * its first value plus that constant for each step before. If the number of steps is known, so is the range of each
 * variable in the loop and its value after it.
 */
import { hull } from './facts.ts';
import { Names } from './context.ts';
import type { Context } from './context.ts';
import type { Expression, Statement } from './syntax.ts';
import { RANGE_OF, isConstant } from './terms.ts';
import type { Range, Term } from './terms.ts';
import type { Value } from './values.ts';

type Loop = Extract<Statement, { kind: 'for' }>;

/** Most steps that are counted one by one, and most that are followed one by one. */
const MOST_COUNTED = 5000;
const MOST_FOLLOWED = 4;
/** Most tries to find a range that a variable never leaves. */
const MOST_ROUNDS = 3;

/** How a variable changes in a step. */
type Change =
  | { kind: 'same' }
  | { kind: 'grows'; by: number }
  /** It is set anew, to a value in the range; `term` if that is the same in each step. */
  | { kind: 'set'; range: Range; term?: Term }
  | { kind: 'any' };

/** By variable. */
type Changes = Map<number, Change>;

/** Names that a statement assigns to. */
function assigned(statement: Statement | undefined, found: Set<string>): Set<string> {
  if (!statement) return found;
  if (statement.kind === 'block') statement.statements.forEach((one) => assigned(one, found));
  else if (statement.kind === 'if') [statement.then, statement.otherwise].forEach((one) => assigned(one, found));
  else if (statement.kind === 'for')
    [statement.begin, statement.step, statement.body].forEach((one) => assigned(one, found));
  else if (statement.kind === 'assign') {
    let root: Expression = statement.target;
    while (root.kind === 'index' || root.kind === 'member') root = root.of;
    if (root.kind === 'name') found.add(root.name);
  }
  return found;
}

/** Follows the body and the step once from the current state. @returns whether the next step can be reached. */
function once(walk: Context, loop: Loop): boolean {
  const outer = walk.continued;
  const { facts } = walk;
  walk.continued = [];
  const goesOn = walk.block(loop.body);
  const ends = [...walk.continued, ...(goesOn ? [walk.state] : [])];
  walk.continued = outer;
  if (ends.length === 0) return false;
  walk.state = ends.length === 1 ? ends[0] : walk.join(ends, facts);
  if (loop.step) walk.follow(loop.step);
  return true;
}

export function followLoop(walk: Context, loop: Loop): boolean {
  const outer = walk.names;
  walk.names = new Names(outer);
  if (loop.begin) walk.follow(loop.begin);
  const slots = [...assigned(loop.body, assigned(loop.step, new Set()))].flatMap((name) => {
    const bound = walk.names.find(name);
    return bound && 'slot' in bound ? [bound.slot] : [];
  });
  new LoopWalk(walk, loop, slots).follow();
  walk.names = outer;
  return true;
}

class LoopWalk {
  readonly #walk: Context;
  readonly #loop: Loop;
  /** Scalars that change, and their values before the loop. */
  readonly #scalars: readonly { slot: number; before: Term }[];
  readonly #vectors: readonly number[];

  constructor(walk: Context, loop: Loop, slots: readonly number[]) {
    this.#walk = walk;
    this.#loop = loop;
    const values = slots.map((slot) => ({ slot, value: walk.state.variables.get(slot)! }));
    this.#scalars = values.flatMap(({ slot, value }) => (value.kind === 'term' ? [{ slot, before: value.term }] : []));
    this.#vectors = values.flatMap(({ slot, value }) => (value.kind === 'terms' ? [slot] : []));
  }

  #set(slot: number, term: Term): void {
    this.#walk.state.variables.set(slot, { kind: 'term', term });
  }

  /** Forgets vectors that change. */
  #forgetVectors(): void {
    const { state, terms } = this.#walk;
    for (const slot of this.#vectors) {
      const value = state.variables.get(slot) as Extract<Value, { kind: 'terms' }>;
      state.variables.set(slot, { kind: 'terms', terms: value.terms.map(({ type }) => terms.unknown(type)) });
    }
  }

  #condition(): Term {
    const { condition } = this.#loop;
    return condition ? this.#walk.condition(condition) : this.#walk.terms.constant(1, 'bool');
  }

  follow(): void {
    const walk = this.#walk;
    const { facts } = walk;
    const changes = this.#changes();
    const steps = this.#count(changes);
    if (walk.unrolls && steps && steps.least === steps.most && steps.most <= MOST_FOLLOWED) {
      if (this.#unroll(steps.most)) return;
    }
    this.#check(changes, steps);
    walk.state.facts = facts;
    this.#after(changes, steps);
  }

  /** How each scalar changes in a step. */
  #changes(): Changes {
    const walk = this.#walk;
    return walk.attempt(() => {
      const begins = this.#scalars.map(({ slot, before }) => ({ slot, term: walk.terms.unknown(before.type) }));
      for (const { slot, term } of begins) this.#set(slot, term);
      this.#forgetVectors();
      const first = walk.terms.unknown('u32').id;
      walk.state.facts = walk.facts.where(this.#condition(), true);
      const goesOn = once(walk, this.#loop);
      const own = new Set(begins.map(({ term }) => term.id));
      return new Map(
        begins.map(({ slot, term }): [number, Change] => {
          const end = (walk.state.variables.get(slot) as { term: Term }).term;
          if (!goesOn || end === term) return [slot, { kind: 'same' }];
          const by = difference(end, term);
          if (by !== undefined) return [slot, { kind: 'grows', by }];
          if ([...end.unknowns].some((id) => own.has(id))) return [slot, { kind: 'any' }];
          const isOuter = [...end.unknowns].every((id) => id < first);
          return [slot, { kind: 'set', range: walk.facts.range(end), ...(isOuter && { term: end }) }];
        }),
      );
    });
  }

  /** The numbers of steps that the condition allows; undefined if they are not known. */
  #count(changes: Changes): { least: number; most: number } | undefined {
    const walk = this.#walk;
    if (!this.#loop.condition) return undefined;
    return walk.attempt(() => {
      this.#forgetVectors();
      const others = new Map(this.#scalars.map(({ slot, before }) => [slot, walk.terms.unknown(before.type)]));
      const at = (step: number): Term => {
        for (const { slot, before } of this.#scalars) {
          const change = changes.get(slot)!;
          if (change.kind === 'grows' && before.op === 'constant')
            this.#set(slot, walk.terms.constant(before.range[0] + change.by * step, before.type));
          else if (change.kind !== 'same') this.#set(slot, others.get(slot)!);
        }
        return this.#condition();
      };
      const holds = (step: number): boolean | undefined => walk.facts.holds(at(step));
      const first = at(0);
      if (!isConstant(first) && first === at(MOST_COUNTED))
        // It is no condition on what is counted.
        return walk.facts.holds(first) === false ? { least: 0, most: 0 } : undefined;
      let least: number | undefined;
      for (let step = 0; step <= MOST_COUNTED; step++) {
        const now = holds(step);
        if (now !== true) least ??= step;
        if (now === false) return { least: least!, most: step };
      }
      return this.#countLong(holds);
    });
  }

  /** The same for long loops, by bisection: at most as many steps as before some step whose condition does not hold. */
  #countLong(holds: (step: number) => boolean | undefined): { least: number; most: number } | undefined {
    let [low, high] = [MOST_COUNTED, 2 ** 31 - 1];
    if (holds(low) !== true || holds(high) !== false) return undefined;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const now = holds(middle);
      if (now === undefined) return undefined;
      if (now) low = middle;
      else high = middle;
    }
    return { least: MOST_COUNTED + 1, most: high };
  }

  #unroll(steps: number): boolean {
    for (let step = 0; step < steps; step++) {
      const { facts } = this.#walk;
      this.#walk.state.facts = facts.where(this.#condition(), true);
      if (!once(this.#walk, this.#loop)) throw this.#walk.unknown('a loop that is left in the middle');
      this.#walk.state.facts = facts;
    }
    return true;
  }

  /** Follows a step that stands for all. */
  #check(changes: Changes, steps: { most: number } | undefined): void {
    const walk = this.#walk;
    if (steps?.most === 0) return;
    this.#bound(changes, steps);
    this.#forgetVectors();
    const before = walk.copy();
    if (this.#enter(changes, steps)) once(walk, this.#loop);
    walk.state = before;
  }

  /** Finds ranges that variables without a rule never leave: those that a step leads from into themselves. */
  #bound(changes: Changes, steps: { most: number } | undefined): void {
    const walk = this.#walk;
    const free = this.#scalars.filter(({ slot }) => changes.get(slot)!.kind === 'any');
    if (free.length === 0) return;
    let ranges = free.map(({ before }) => walk.facts.range(before));
    for (let round = 0; round < MOST_ROUNDS; round++) {
      free.forEach(({ slot }, i) => changes.set(slot, { kind: 'set', range: ranges[i] }));
      const ends = walk.attempt((): Range[] => {
        this.#forgetVectors();
        if (!this.#enter(changes, steps) || !once(walk, this.#loop)) return ranges;
        return free.map(({ slot }) => walk.facts.range((walk.state.variables.get(slot) as { term: Term }).term));
      });
      const wider = ranges.map((range, i) => hull(range, ends[i]));
      if (wider.every(([low, high], i) => low === ranges[i][0] && high === ranges[i][1])) return;
      ranges = wider;
    }
    free.forEach(({ slot }) => changes.set(slot, { kind: 'any' }));
  }

  /** Sets variables to what they are in any step. @returns whether there is such a step. */
  #enter(changes: Changes, steps: { most: number } | undefined): boolean {
    const walk = this.#walk;
    const { terms } = walk;
    const step = terms.unknown('u32', [0, steps ? steps.most - 1 : RANGE_OF.u32[1]]);
    // Without a number of steps, the condition limits what it names.
    const limits: Term[] = [];
    for (const { slot, before: begin } of this.#scalars) {
      const change = changes.get(slot)!;
      if (change.kind === 'same') continue;
      if (change.kind === 'set')
        this.#set(slot, terms.unknown(begin.type, hull(walk.facts.range(begin), change.range)));
      else if (change.kind === 'grows' && steps) this.#set(slot, this.#grown(begin, change.by, step));
      else {
        const [low] = walk.facts.range(begin);
        const isUp = change.kind === 'grows' && change.by > 0;
        const term = terms.unknown(begin.type, isUp ? [low, RANGE_OF[begin.type][1]] : RANGE_OF[begin.type]);
        if (isUp) limits.push(term);
        this.#set(slot, term);
      }
    }
    walk.state.facts = walk.facts.where(this.#condition(), true);
    if (!steps) this.#forgetOverflows(changes, limits);
    return !walk.facts.isDead;
  }

  /** What grows without a limit wraps: then nothing is known of it. */
  #forgetOverflows(changes: Changes, limits: readonly Term[]): void {
    const walk = this.#walk;
    for (const { slot, before } of this.#scalars) {
      const change = changes.get(slot)!;
      const value = walk.state.variables.get(slot) as { term: Term };
      if (change.kind !== 'grows' || !limits.includes(value.term)) continue;
      const [, high] = walk.facts.range(value.term);
      if (high + change.by > RANGE_OF[before.type][1]) this.#set(slot, walk.terms.unknown(before.type));
    }
  }

  /** A variable's value after some steps. */
  #grown(begin: Term, by: number, step: Term): Term {
    const { terms } = this.#walk;
    const { type } = begin;
    const count = terms.of('cast', type, step);
    const change = terms.of('*', type, count, terms.constant(Math.abs(by), type));
    return terms.of(by < 0 ? '-' : '+', type, begin, change);
  }

  #after(changes: Changes, steps: { least: number; most: number } | undefined): void {
    const walk = this.#walk;
    const { terms, facts } = walk;
    for (const { slot, before } of this.#scalars) {
      const change = changes.get(slot)!;
      if (change.kind === 'same' || steps?.most === 0) continue;
      if (change.kind === 'grows' && steps)
        this.#set(slot, this.#grown(before, change.by, terms.unknown('u32', [steps.least, steps.most])));
      else if (change.kind === 'set' && steps && steps.least > 0)
        this.#set(slot, change.term ?? terms.unknown(before.type, change.range));
      else if (change.kind === 'set')
        this.#set(slot, terms.unknown(before.type, hull(facts.range(before), change.range)));
      else this.#set(slot, terms.unknown(before.type));
    }
    this.#forgetVectors();
  }
}

/** How much more a term is than another, if that is a constant. */
function difference(term: Term, base: Term): number | undefined {
  if ((term.op !== '+' && term.op !== '-') || term.args[1].op !== 'constant') return undefined;
  const [of, by] = [term.args[0], term.args[1].range[0]];
  const rest = of === base ? 0 : difference(of, base);
  if (rest === undefined) return undefined;
  return term.op === '+' ? rest + by : rest - by;
}
