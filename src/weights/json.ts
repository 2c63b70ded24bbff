/**
 * A strict JSON reader: RFC 8259 and nothing more, duplicate keys refused.
 *
 * JSON.parse keeps the last of two equal keys, so a header could say two things about one tensor, and readers would
 * disagree on which one is right. Objects become Maps, so a key named `__proto__` is an ordinary key. Integers that a
 * double cannot hold exactly are errors. Nesting is bounded: a hostile header cannot exhaust the stack.
 */

/** A JSON value, with objects as Maps. */
export type JsonValue = null | boolean | number | string | JsonValue[] | Map<string, JsonValue>;

/** Deepest nesting accepted, as in Rust's serde_json. */
const MAX_DEPTH = 128;

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[a-z]+/y;
const INTEGER = /^-?[0-9]+$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Parses one JSON value and the white space around it.
 * @param integers whether every number must be written as an integer; then `1.0` and `1e3` are errors.
 * @throws SyntaxError with the problem and the character position.
 */
export function parseStrictJson(text: string, { integers = false } = {}): JsonValue {
  let at = 0;

  function fail(what: string): never {
    throw new SyntaxError(`${what} at character ${at}`);
  }

  /** Matches a sticky pattern here and steps over it; '' if it does not match. */
  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  }

  /** Steps over a punctuation character and the space around it, if that character is next. */
  function accept(character: string): boolean {
    take(SPACE);
    if (text[at] !== character) return false;
    at++;
    take(SPACE);
    return true;
  }

  function parseString(): string {
    if (text[at] !== '"') fail('expected a string');
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    if (end >= text.length) fail('unterminated string');
    let value: string;
    try {
      value = JSON.parse(text.slice(at, end + 1)) as string; // one string, whose escapes it checks
    } catch {
      fail('a control character or an unknown escape in the string');
    }
    if (LONE_SURROGATE.test(value)) fail('half a surrogate pair in the string');
    at = end + 1;
    return value;
  }

  function parseNumber(): number {
    const start = at;
    const raw = take(NUMBER);
    if (raw === '') fail('expected a value');
    const value = Number(raw);
    at = start;
    if (!Number.isFinite(value)) fail(`number ${raw.slice(0, 24)} out of range`);
    const whole = INTEGER.test(raw);
    if (integers && (!whole || raw === '-0')) fail(`number ${raw.slice(0, 24)} not written as an integer`);
    if (whole && !Number.isSafeInteger(value)) fail(`integer ${raw.slice(0, 24)} beyond 2^53`);
    at += raw.length;
    return value;
  }

  function parseObject(depth: number): Map<string, JsonValue> {
    const object = new Map<string, JsonValue>();
    if (accept('}')) return object;
    do {
      const start = at;
      const key = parseString();
      if (object.has(key)) {
        at = start;
        fail(`duplicate key ${JSON.stringify(key.slice(0, 80))}`);
      }
      if (!accept(':')) fail('expected ":"');
      object.set(key, parseValue(depth));
    } while (accept(','));
    if (!accept('}')) fail('expected "," or "}"');
    return object;
  }

  function parseArray(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    if (accept(']')) return array;
    do array.push(parseValue(depth));
    while (accept(','));
    if (!accept(']')) fail('expected "," or "]"');
    return array;
  }

  function parseValue(depth: number): JsonValue {
    if (depth > MAX_DEPTH) fail(`more than ${MAX_DEPTH} levels of nesting`);
    if (accept('{')) return parseObject(depth + 1);
    if (accept('[')) return parseArray(depth + 1);
    if (text[at] === '"') return parseString();
    const start = at;
    const word = take(WORD);
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null') return null;
    at = start;
    return parseNumber();
  }

  const value = parseValue(0);
  take(SPACE);
  if (at < text.length) fail('text after the value');
  return value;
}
