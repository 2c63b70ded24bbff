/** What tests of misuse share: wrong values, and how they are refused. */
import { expect } from 'vitest';
import { InputError, UsageError } from '../src/errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: callers without types
export type Any = any;

export const SIZE = 20;

/** Frames of a smooth scene. */
export function stack(exposures: readonly number[] = [1, 4, 16], Samples: Any = Uint8Array, top = 255): Any[] {
  return exposures.map((exposure, k) => ({
    data: Samples.from({ length: SIZE * SIZE * 3 }, (_: unknown, i: number) => {
      const value = Math.min(1, 0.03 * (1 + Math.sin(i * 0.11)) * 4 ** k) ** (1 / 2.2);
      return top === 1 ? value : Math.round(top * value);
    }),
    width: SIZE,
    height: SIZE,
    exposure,
  }));
}

/** The stack with one frame changed. */
export const changed = (fields: object, at = 1): Any[] =>
  stack().map((frame, k) => (k === at ? { ...frame, ...fields } : frame));
export const maps = (of: (k: number) => unknown): unknown[] => [0, 1, 2].map(of);
export const map = (value: number): Float32Array => new Float32Array(SIZE * SIZE).fill(value);
export const curves = (of: (i: number) => unknown, length = 256): object => {
  const curve = Array.from({ length }, (_, i) => of(i));
  return { r: curve, g: curve, b: curve };
};

/** The plain merge of the frames as they are. */
export const PLAIN = { method: 'merge', align: 'none', response: 'gamma' };

/** A wrong value, and what the message says of it: all that `is` and what it names. */
export type Case = [value: unknown, said: string | RegExp];

export const NOT_NUMBERS: Case[] = [
  [NaN, 'is NaN'],
  [Infinity, 'is Infinity'],
  [-1, 'is -1'],
  ['1', 'is "1"'],
  [null, 'is null'],
  [1n, 'is 1n'],
  [{}, 'is an Object'],
  [[1], 'is an Array'],
  [Symbol('s'), 'is Symbol(s)'],
  [true, 'is true'],
];
export const NOT_WHOLE: Case[] = [
  ...NOT_NUMBERS,
  [1.5, 'is 1.5'],
  [2 ** 53, 'is 9007199254740992'],
  [-Infinity, 'is -Infinity'],
];
export const NOT_OBJECTS: Case[] = [
  [null, 'is null'],
  [5, 'is 5'],
  ['text', 'is "text"'],
  [() => 1, 'is a Function'],
];
export const NOT_FUNCTIONS: Case[] = [
  [null, 'is null'],
  ['text', 'is "text"'],
  [{}, 'is an Object'],
];
export const NOT_SIGNALS: Case[] = [
  [null, 'is null'],
  [{}, 'is an Object'],
  [new AbortController(), 'is an AbortController'],
  [{ aborted: false }, 'is an Object'],
];
export const NOT_BOOLEANS: Case[] = [
  [null, 'is null'],
  ['false', 'is "false"'],
  [0, 'is 0'],
];
export const NOT_WORDS: Case[] = [
  ['nope', 'is "nope"'],
  ['', 'is ""'],
  [null, 'is null'],
  [5, 'is 5'],
  [{}, 'is an Object'],
];
export const NOT_DEVICES: Case[] = [
  [null, 'is null'],
  [5, 'is 5'],
  ['gpu', 'is "gpu"'],
  [{}, 'is an Object'],
];

/** Expects each call to be refused with an error of a class, whose message names the argument and the value. */
export async function refuses(
  kind: 'usage' | 'input',
  name: string,
  cases: readonly Case[],
  call: (value: Any) => unknown,
): Promise<void> {
  for (const [value, said] of cases) {
    const what = `${name} ${typeof value === 'symbol' ? 'symbol' : String(said)}`;
    let error: Any;
    try {
      await call(value);
    } catch (thrown) {
      error = thrown;
    }
    expect(error, what).toBeInstanceOf(kind === 'usage' ? UsageError : InputError);
    expect(error.message, what).toContain(name);
    if (typeof said === 'string') expect(error.message, what).toContain(said);
    else expect(error.message, what).toMatch(said);
    expect(error.message, what).not.toMatch(/\n|undefined is not|Cannot/);
  }
}
