/**
 * The loops of generated WGSL with their true trip counts, and which loops of a disassembled program they became.
 *
 * Bounds of generated loops are constants or params, so they are known. Compilers unroll loops with constant bounds as
 * they like, so a disassembled program has some of the source's loops, in the same order and nesting.
 */
import type { ParamValues } from '../../src/kernels/program.ts';
import type { CodeLoop } from './listing.ts';

/** A loop of the source, or the program itself: `trips` is then 1. */
export interface SourceLoop {
  /** Mean rounds of an invocation; undefined if the bounds are neither constants nor params. */
  trips: number | undefined;
  /** Whether a compiler knows the bounds, and so may unroll the loop. */
  isConstant: boolean;
  /** `sum += a * b` statements and operators of one round, without those of the loops inside. */
  products: number;
  work: number;
  loops: SourceLoop[];
}

/** Invocations that run together on every GPU here; some run two or four times as many. */
const WAVE = 32;

interface Scope {
  functions: ReadonlyMap<string, string>;
  constants: ReadonlyMap<string, number>;
  params: ParamValues;
  workgroup: number;
}

/** The index after the bracket that closes the one at `open`. */
function closing(text: string, open: number): number {
  const [begin, end] = { '(': '()', '{': '{}' }[text[open] as '(' | '{'];
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === begin) depth++;
    else if (text[i] === end && --depth === 0) return i + 1;
  }
  throw new Error(`a ${begin} is not closed: ${text.slice(open, open + 40)}`);
}

/** The value of an expression of numbers, constants and params; undefined if it holds anything else. */
function evaluate(
  expression: string,
  { constants, params }: Scope,
): { value: number; isConstant: boolean } | undefined {
  let [isKnown, isConstant] = [true, true];
  const text = expression
    .replace(/\b[iu]32(?=\()/g, '')
    .replace(/params\.(\w+)|\b[a-zA-Z_]\w*|\b(\d+)[ui]?\b/g, (word, param, digits) => {
      if (digits) return digits as string;
      const value = param ? params[param as string] : constants.get(word);
      if (param) isConstant = false;
      if (typeof value !== 'number') isKnown = false;
      return String(value);
    });
  if (!isKnown || !/^[\d\s+\-*/()]+$/.test(text)) return undefined;
  const value = Number(Function(`return (${text});`)());
  return { value, isConstant };
}

/** The trip count of a `for` loop's header. */
function tripsOf(header: string, scope: Scope): Pick<SourceLoop, 'trips' | 'isConstant'> {
  const unknown = { trips: undefined, isConstant: false };
  const parts = /^\s*var (\w+)(?::\s*\w+)? = ([^;]*);\s*\1 (<=?) ([^;]*);\s*\1(\+\+| \+= )([^;]*)$/.exec(header);
  if (!parts) return unknown;
  const [, , from, compare, to, , by] = parts;
  const end = evaluate(to, scope);
  const step = by.trim() ? evaluate(by, scope) : { value: 1, isConstant: true };
  if (!end || !step) return unknown;
  const last = end.value + (compare === '<=' ? 1 : 0);
  const rounds = (first: number): number => Math.max(0, Math.ceil((last - first) / step.value));
  if (from.trim() === 'lane') {
    // A wave runs as long as its first invocation.
    const waves = Array.from({ length: Math.ceil(scope.workgroup / WAVE) }, (_, i) => rounds(i * WAVE));
    return { trips: waves.reduce((a, b) => a + b, 0) / waves.length, isConstant: end.isConstant && step.isConstant };
  }
  const begin = evaluate(from, scope);
  if (!begin) return unknown;
  return {
    trips: rounds(begin.value),
    isConstant: begin.isConstant && end.isConstant && step.isConstant,
  };
}

/** The loops of statements, called functions included. */
function readBlock(text: string, scope: Scope): SourceLoop {
  const block: SourceLoop = { trips: 1, isConstant: true, products: 0, work: 0, loops: [] };
  const include = ({ products, work, loops }: SourceLoop): void => {
    block.products += products;
    block.work += work;
    block.loops.push(...loops);
  };
  const token = /\b(for|while|loop)\b\s*|\b([a-zA-Z_]\w*)\s*\(|\+= [^;]*\*|[-+*/%<>=&|[]/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found, keyword, called] = match;
    if (keyword) {
      const open = match.index + found.length;
      const hasHeader = text[open] === '(';
      const headerEnd = hasHeader ? closing(text, open) : open;
      const bodyStart = text.indexOf('{', headerEnd);
      const bodyEnd = closing(text, bodyStart);
      const header = keyword === 'for' ? text.slice(open + 1, headerEnd - 1) : '';
      block.loops.push({ ...readBlock(text.slice(bodyStart + 1, bodyEnd - 1), scope), ...tripsOf(header, scope) });
      token.lastIndex = bodyEnd;
    } else if (called) {
      const body = scope.functions.get(called);
      if (body) include(readBlock(body, scope));
    } else {
      block.work++;
      if (found.startsWith('+=') && found.length > 2) block.products++;
    }
  }
  return block;
}

/** Numbers that a program declares. */
function constantsOf(source: string): ReadonlyMap<string, number> {
  const found = [...source.matchAll(/^const (\w+) = ([\d.]+);/gm)];
  return new Map(found.map(([, name, value]) => [name, Number(value)]));
}

/** Bytes of workgroup memory that a program declares, in arrays and arrays of arrays. */
export function workgroupBytes(source: string): number {
  const sizes: Record<string, number> = { f16: 2, f32: 4, u32: 4, vec4h: 8, vec4f: 16 };
  const scope: Scope = { functions: new Map(), constants: constantsOf(source), params: {}, workgroup: 1 };
  const bytesOf = (type: string): number => {
    const array = /^array<(.*), ([^,]+)>$/.exec(type);
    return array ? bytesOf(array[1]) * (evaluate(array[2], scope)?.value ?? NaN) : (sizes[type] ?? NaN);
  };
  return [...source.matchAll(/var<workgroup> \w+: ([^;]+);/g)].reduce((sum, [, type]) => sum + bytesOf(type), 0);
}

/**
 * The loops of a program's entry point `main`. What a driver adds at its start to clear workgroup memory is the first.
 * @param params the dispatch's. @param workgroup invocations of a workgroup.
 */
export function sourceLoops(source: string, params: ParamValues, workgroup: number): SourceLoop {
  const text = source.replace(/\/\/[^\n]*/g, '');
  const constants = constantsOf(text);
  const functions = new Map<string, string>();
  for (const match of text.matchAll(/\bfn (\w+)\s*\(/g)) {
    const open = match.index + match[0].length - 1;
    const begin = text.indexOf('{', closing(text, open));
    functions.set(match[1], text.slice(begin + 1, closing(text, begin) - 1));
  }
  const main = readBlock(functions.get('main')!, { functions, constants, params, workgroup });
  const bytes = workgroupBytes(text);
  // 16 bytes at a time.
  const trips = Math.ceil(bytes / 16 / workgroup);
  const clears: SourceLoop = { trips, isConstant: true, products: 0, work: 2, loops: [] };
  return bytes > 0 ? { ...main, loops: [clears, ...main.loops] } : main;
}

/** A way to pair loops: how unlikely it is, and the trips of each loop of the code. */
interface Pairing {
  cost: number;
  trips: Map<CodeLoop, number | undefined>;
  /** Of what was unrolled into the block around. */
  products: number;
  work: number;
}

/** How unlike two sizes are; 0 for equal ones. */
function unlike(a: number, b: number): number {
  return Math.abs(Math.log((a + 1) / (b + 1)));
}

/** Sums are vec4s, so a statement is this many multiply-adds. */
const LANES = 4;

/** Pairs loops side by side: all of the code's, and of the source's all that no compiler unrolls. */
function pairLoops(source: readonly SourceLoop[], code: readonly CodeLoop[], scale: number): Pairing | undefined {
  if (source.length === 0) return code.length === 0 ? { cost: 0, trips: new Map(), products: 0, work: 0 } : undefined;
  const [first, ...rest] = source;
  const ways: Pairing[] = [];
  if (code.length > 0) {
    const inner = pairBlock(first, code[0], scale);
    const others = inner && pairLoops(rest, code.slice(1), scale);
    if (others) {
      const trips = new Map([...inner.trips, ...others.trips, [code[0], first.trips] as const]);
      ways.push({ ...others, cost: inner.cost + others.cost, trips });
    }
  }
  if (first.isConstant) {
    const rounds = Math.ceil(first.trips ?? 1);
    const copies = first.loops.length > 0 ? Array.from({ length: rounds }, () => first.loops).flat() : [];
    const others = pairLoops([...copies, ...rest], code, scale);
    if (others) {
      const products = others.products + rounds * first.products;
      ways.push({ ...others, products, work: others.work + rounds * first.work });
    }
  }
  return ways.sort((a, b) => a.cost - b.cost)[0];
}

/** Multiply-adds and instructions of one round, without those of the loops inside. */
function sizeOf({ instructions }: CodeLoop): { products: number; length: number } {
  return {
    products: instructions.reduce((sum, { times, multiplies }) => sum + times * multiplies, 0),
    length: instructions.reduce((sum, { times }) => sum + times, 0),
  };
}

/** Pairs the loops inside two paired loops, and compares what is left in each. */
function pairBlock(source: SourceLoop, code: CodeLoop, scale: number): Pairing | undefined {
  const inner = pairLoops(source.loops, code.loops, scale);
  if (!inner) return undefined;
  const { products, length } = sizeOf(code);
  // Products are what they are; instructions for the rest vary.
  const cost =
    10 * unlike(LANES * (inner.products + source.products), products) +
    unlike(scale * (inner.work + source.work), length);
  return { ...inner, cost: inner.cost + cost, products: 0, work: 0 };
}

/** A loop with all inside it. */
function allLoops<T extends { loops: T[] }>(loop: T): T[] {
  return [loop, ...loop.loops.flatMap(allLoops)];
}

/**
 * How often each loop of a program goes round in one invocation, on average, with the loops around it; 1 for the
 * program itself. @returns undefined if the program's loops cannot be those of the source, or if the trips of one are
 * not known.
 */
export function roundsOf(source: SourceLoop, code: CodeLoop): Map<CodeLoop, number> | undefined {
  const length = allLoops(code).reduce((sum, loop) => sum + sizeOf(loop).length, 0);
  const work = allLoops(source).reduce((sum, loop) => sum + loop.work, 0);
  const found = pairBlock(source, code, length / Math.max(1, work));
  if (!found) return undefined;
  const rounds = new Map<CodeLoop, number>();
  const visit = (loop: CodeLoop, around: number): boolean => {
    const trips = loop === code ? 1 : found.trips.get(loop);
    if (trips === undefined) return false;
    rounds.set(loop, around * trips);
    return loop.loops.every((inner) => visit(inner, around * trips));
  };
  return visit(code, 1) ? rounds : undefined;
}
