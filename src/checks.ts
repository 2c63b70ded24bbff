/**
 * Checks of what callers give, who may have no types. An error names the argument, what was given and what is allowed.
 * What a caller's own getters and proxies throw passes through.
 */
import { InputError, UsageError } from './errors.ts';

/** What an argument must be: in words, and whether a value is it. */
export type Rule = readonly [allowed: string, isRight: (value: unknown) => boolean];

/** A rule for each field. */
export type Rules<T> = { readonly [K in keyof T]-?: Rule };

/** What a value is: `Object`, `Float32Array`, also of subclasses and of another page's arrays. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** A value in a few words. */
export function textOf(value: unknown): string {
  if (Object(value) === value) {
    const kind = kindOf(value);
    return `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;
  }
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'bigint') return `${String(value).slice(0, 60)}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** What a value is instead of what it must be. */
export function wrongText(name: string, value: unknown, allowed: string): string {
  return `${name} is ${textOf(value)}, it must be ${allowed}`;
}

/** @throws UsageError if a value breaks a rule. */
export function expect(name: string, value: unknown, [allowed, isRight]: Rule): void {
  if (!isRight(value)) throw new UsageError(wrongText(name, value, allowed));
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
/** Checked elsewhere. */
export const ANY: Rule = ['', () => true];
export const BOOLEAN: Rule = ['true or false', (value) => typeof value === 'boolean'];
export const FUNCTION: Rule = ['a function', (value) => typeof value === 'function'];
export const TEXT: Rule = ['a string', (value) => typeof value === 'string'];
export const OBJECT: Rule = ['an object', (value) => typeof value === 'object' && value !== null];
export const NUMBER: Rule = ['a number', (value) => isNumber(value) && !Number.isNaN(value)];
export const FINITE: Rule = ['a finite number', Number.isFinite];
export const POSITIVE: Rule = ['a positive number', (value) => isNumber(value) && value > 0];
export const SIGNAL: Rule = [
  'an AbortSignal',
  (value) => typeof (value as AbortSignal | null)?.aborted === 'boolean' && 'addEventListener' in Object(value),
];
/** A device has methods on its prototype, and is lost some day. */
export const DEVICE: Rule = [
  'a GPUDevice',
  (value) => typeof (value as GPUDevice | null)?.createBuffer === 'function' && 'lost' in Object(value),
];

/** One of some words. */
export function oneOf(...words: string[]): Rule {
  return [`"${words.join('" or "')}"`, (value) => words.includes(value as string)];
}

export const PRECISION = /* @__PURE__ */ oneOf('f32', 'f16');

/** x and y of red, green, blue and white. */
export const PRIMARIES: Rule = /* @__PURE__ */ numbers(8);

/** An array of finite numbers. */
export function numbers(count: number): Rule {
  // Holes are no numbers.
  return [
    `${count} finite numbers`,
    (value) => Array.isArray(value) && value.length === count && Array.from(value).every(Number.isFinite),
  ];
}

/** A number within limits. */
export function from(least: number, most: number): Rule {
  return [`from ${least} to ${most}`, (value) => isNumber(value) && value >= least && value <= most];
}

/** A whole number within limits. */
export function whole(least: number, most: number): Rule {
  const [range, isWithin] = from(least, most);
  return [`a whole number ${range}`, (value) => Number.isInteger(value) && isWithin(value)];
}

/** A side of a picture in pixels. */
export const SIDE = /* @__PURE__ */ whole(1, 2 ** 31 - 1);

/**
 * Reads options once, so that getters cannot give another value later, and checks each that is given or required.
 * @throws UsageError for a value that breaks its rule, and for a name without a rule: a mistyped option would else be
 * left out silently.
 */
export function readOptions<T extends object>(
  call: string,
  given: T,
  rules: Rules<T>,
  required: readonly (keyof T)[] = [],
): T {
  expect(`${call}: the options argument`, given, OBJECT);
  const names = Object.keys(rules) as (keyof T & string)[];
  for (const name of Object.keys(given))
    if (!Object.hasOwn(rules, name) && given[name as keyof T] !== undefined)
      throw new UsageError(`${call} has no option "${name}": its options are ${names.join(', ')}`);
  const read = {} as T;
  for (const name of names) {
    const value = given[name];
    if (value === undefined && !required.includes(name)) continue;
    expect(name, value, rules[name]);
    read[name] = value;
  }
  return read;
}

/** Classes of typed arrays. */
type ArrayClass<A> = { new (length: number): A; new (buffer: ArrayBufferLike, offset: number, length: number): A };

/**
 * A typed array as a plain view of the same memory, whatever class or page made it. It stays as long as it is, until
 * its memory is transferred: then it is empty.
 * @param classes that are allowed.
 * @throws InputError
 */
export function arrayOf<A extends { length: number }>(
  name: string,
  value: unknown,
  classes: readonly ArrayClass<A>[],
): A {
  const found = classes.find((one) => one.name === kindOf(value));
  if (!found) throw new InputError(wrongText(name, value, `a ${classes.map((one) => one.name).join(' or ')}`));
  const { buffer, byteOffset, length } = value as Uint8Array;
  // A view of transferred memory cannot be made.
  return length ? new found(buffer, byteOffset, length) : new found(0);
}

/**
 * Checks interleaved RGB of floats and its size.
 * @param what is done with it.
 * @throws InputError for another number of values, or another array; UsageError for a size that is none.
 */
export function checkPicture(what: string, data: unknown, width: number, height: number): void {
  const { length } = arrayOf<Float32Array>(`${what}: data`, data, [Float32Array]);
  expect(`${what}: width`, width, SIDE);
  expect(`${what}: height`, height, SIDE);
  if (length !== width * height * 3)
    throw new InputError(`${what}: ${length} values, ${width}x${height} RGB needs ${width * height * 3}`);
}

const BYTES = ['Uint8Array', 'ArrayBuffer', 'SharedArrayBuffer'];

/** The bytes of a file, as callers hold them. @throws UsageError */
export function bytesOf(name: string, value: unknown): Uint8Array {
  const kind = kindOf(value);
  expect(name, value, ['a Uint8Array or an ArrayBuffer', () => BYTES.includes(kind)]);
  return kind === BYTES[0] ? (value as Uint8Array) : new Uint8Array(value as ArrayBuffer);
}
