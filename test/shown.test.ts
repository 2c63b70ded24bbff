/** Names and headers cannot steer a terminal, forge a line or turn the text around them. */
import { describe, expect, it } from 'vitest';
import { DeghostError, InputError, messageWith } from '../src/errors.ts';
import { decodeNpy } from '../src/image/npy.ts';
import { CONTROLS } from './controls.ts';
import { escaped, shown } from '../src/shown.ts';

/** Characters that act, a name for each. */
const ACTING = [
  ['an escape sequence', '\x1b]0;title\x07', '\\u001b]0;title\\u0007'],
  ['a C1 control', '\x9b31m\x85', '\\u009b31m\\u0085'],
  ['a line break', 'a\r\nb', 'a\\u000d\\u000ab'],
  ['delete and NUL', '\x7f\0', '\\u007f\\u0000'],
  ['bidi overrides and isolates', '\u202egpj\u2066x\u2069\u200f\u061c', '\\u202egpj\\u2066x\\u2069\\u200f\\u061c'],
  ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['invisible characters', '\ufeff\u200b\u00ad\u{e0041}', '\\ufeff\\u200b\\u00ad\\udb40\\udc41'],
  ['lone surrogates', '\ud800a\udc00', '\\ud800a\\udc00'],
] as const;

describe('text from files', () => {
  it.each(ACTING)('is escaped: %s', (_, text, expected) => {
    expect(shown(text)).toBe(expected);
    expect(shown(expected)).toBe(expected);
    expect(text).toMatch(CONTROLS);
    expect(expected).not.toMatch(CONTROLS);
  });

  it('stays as it is where it does nothing', () => {
    const names = 'Ü ñ 日本 עברית می\u200cخواهم 👩\u200d👩 e\u0301 \\ " \'';
    expect(shown(names)).toBe(names);
    expect(escaped('two\nlines\t', '\n')).toBe('two\nlines\\u0009');
  });

  it('keeps its begin and its end where it is very long', () => {
    const long = shown(`name ${'x'.repeat(1e6)}: write another`);
    expect(long.length).toBeLessThan(2001);
    expect(long).toMatch(/^name x+ … x+: write another$/);
    expect(shown('👩'.repeat(5000))).not.toMatch(/[\ud800-\udfff]/u);
  });

  it('is escaped in every error: message, finding, and the finding with another remedy', () => {
    for (const [, text] of ACTING) {
      const error = new InputError(`${text} is bad`, { problem: 'exposure', remedy: `mend ${text}` });
      expect(error.message).not.toMatch(CONTROLS);
      expect(error.finding).not.toMatch(CONTROLS);
      expect(messageWith({ exposure: 'set it' }, error)).toBe(`${shown(text)} is bad: set it`);
      expect(new DeghostError('gpu', text).message).toBe(shown(text));
      expect(messageWith({}, new Error(text))).toBe(shown(text));
    }
  });

  it("is escaped where an array's header is quoted", () => {
    const dict = "{'descr': '\x1b]0;x\x07\x9b', 'fortran_order': False, 'shape': (1, 1, 3), }";
    const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${dict.padEnd(117)}\n`, 'latin1');
    const bytes = Buffer.concat([head, Buffer.alloc(12)]);
    expect(() => decodeNpy(bytes, 'a\nb.npy')).toThrow("a\\u000ab.npy: .npy type '\\u001b]0;x\\u0007\\u009b' is not");
  });
});
