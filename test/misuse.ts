/** What tests of misuse share: wrong values, and how they are refused. */
import { expect } from 'vitest';
import { InputError, UsageError } from '../src/errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: callers without types
export type Any = any;

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
