import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { parseStrictJson } from '../../src/weights/json.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { rng } from '../reference/random.ts';

/** A file from raw header text and data bytes; `length`, if given, is a wrong length of the header. */
function file(header: string | Uint8Array, data: Uint8Array | number[] = [], length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const f32 = (...values: number[]): Uint8Array => new Uint8Array(new Float32Array(values).buffer);
const zeros = (n: number): Uint8Array => new Uint8Array(n);
const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

function failure(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes, 'w.safetensors');
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    const { message } = error as Error;
    expect(message.startsWith('w.safetensors')).toBe(true);
    expect(message).not.toContain('\n');
    return message;
  }
  throw new Error('accepted');
}

describe('reading what is sound', () => {
  it('reads f32 and f16, scalars and empty tensors, in any order of data, with padding after the header', () => {
    const header =
      `{"b":${entry('F16', '[2]', '[8, 12]')},"__metadata__":{"k":"v \\u00e9"},"a":${entry('F32', '[2,1]', '[0,8]')},` +
      `"none":${entry('F32', '[0,7]', '[8,8]')},"one":${entry('F32', '[]', '[12,16]')}}  \n `;
    const { metadata, tensors } = readSafetensors(file(header, [...f32(1.5, -2), 0x00, 0x3c, 0x01, 0x80, ...f32(7)]));
    expect(metadata).toEqual({ k: 'v é' });
    expect([...tensors.keys()]).toEqual(['b', 'a', 'none', 'one']);
    expect(tensors.get('a')).toEqual({ shape: [2, 1], data: new Float32Array([1.5, -2]) });
    expect(tensors.get('b')).toEqual({ shape: [2], data: new Float32Array([1, -(2 ** -24)]) });
    expect(tensors.get('none')).toEqual({ shape: [0, 7], data: new Float32Array() });
    expect(tensors.get('one')).toEqual({ shape: [], data: new Float32Array([7]) });
  });

  it('reads from any alignment, and from a pooled Buffer, as copies', () => {
    const bytes = file(`{"a":${entry('F32', '[2]', '[0,8]')}}`, f32(3, 4)); // data at an odd offset
    for (let shift = 0; shift < 4; shift++) {
      const shifted = new Uint8Array(bytes.length + shift);
      shifted.set(bytes, shift);
      expect(readSafetensors(shifted.subarray(shift)).tensors.get('a')!.data).toEqual(new Float32Array([3, 4]));
    }
    const buffer = Buffer.from(bytes);
    const { data } = readSafetensors(buffer).tensors.get('a')!;
    buffer.fill(0);
    expect(data).toEqual(new Float32Array([3, 4]));
    expect(data.buffer.byteLength).toBe(8);
  });

  it('takes a tensor named __proto__ for what it is, and no metadata as none', () => {
    const { metadata, tensors } = readSafetensors(file(`{"__proto__":${entry('F32', '[1]', '[0,4]')}}`, f32(1)));
    expect(metadata).toEqual({});
    expect([...tensors.keys()]).toEqual(['__proto__']);
  });
});

describe('refusing what is not', () => {
  const a4 = entry('F32', '[1]', '[0,4]');
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', zeros(0), /0 bytes.*at least 8/],
    ['seven bytes', zeros(7), /7 bytes/],
    ['a header beyond the bound', file('{}', [], 100_000_001n), /100000001 bytes.*100000000/],
    ['a header of 2^64 - 1', file('{}', [], 2n ** 64n - 1n), /18446744073709551615/],
    ['a header beyond the file', file('{}', [], 3n), /byte 11, the file at 10/],
    ['an empty header', file('', []), /starts with nothing/],
    ['a space before the brace', file(' {}'), /byte 32/],
    ['an array', file('[]'), /byte 91/],
    ['a byte order mark', file('\ufeff{}'), /byte 239/],
    ['broken UTF-8', file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), /not UTF-8/],
    ['cut JSON', file('{"a":'), /expected a value at character 5/],
    ['text after the header', file('{} x'), /text after the value at character 3/],
    ['a zero byte after the header', file('{}\0'), /text after/],
    ['a trailing comma', file(`{"a":${a4},}`, f32(1)), /expected a string/],
    ['a duplicate tensor', file(`{"a":${a4},"a":${a4}}`, f32(1)), /duplicate key "a"/],
    ['a duplicate tensor, escaped', file(`{"a":${a4},"\\u0061":${a4}}`, f32(1)), /duplicate key "a"/],
    [
      'a duplicate field',
      file('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', f32(1)),
      /duplicate key "dtype"/,
    ],
    ['duplicate metadata', file('{"__metadata__":{"k":"1","k":"2"}}'), /duplicate key "k"/],
    ['metadata that is a list', file('{"__metadata__":[]}'), /__metadata__ is an array/],
    ['metadata that is null', file('{"__metadata__":null}'), /__metadata__ is null/],
    ['metadata with a number', file('{"__metadata__":{"k":1}}'), /"k" is 1, expected a string/],
    ['metadata with an object', file('{"__metadata__":{"k":{}}}'), /"k" is an object/],
    ['a tensor that is a number', file('{"a":1}'), /tensor "a" is 1/],
    ['a name over two lines', file('{"a\\nb":1}'), /tensor "a\\nb" is 1/],
    ['no dtype', file('{"a":{"shape":[1],"data_offsets":[0,4]}}', f32(1)), /tensor "a" has no dtype/],
    ['no shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', f32(1)), /tensor "a" has no shape/],
    ['no offsets', file('{"a":{"dtype":"F32","shape":[1]}}', f32(1)), /tensor "a" has no data_offsets/],
    [
      'an unknown field',
      file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', f32(1)),
      /unknown field "x"/,
    ],
    ['bf16', file(`{"a":${entry('BF16', '[2]', '[0,4]')}}`, zeros(4)), /tensor "a" has dtype "BF16", only F32 and F16/],
    ['lower-case f32', file(`{"a":${entry('f32', '[1]', '[0,4]')}}`, zeros(4)), /"f32"/],
    ['a dtype that is a number', file('{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}', zeros(4)), /dtype 1/],
    ['a shape that is a number', file(`{"a":${entry('F32', '1', '[0,4]')}}`, zeros(4)), /shape is 1/],
    ['a negative side', file(`{"a":${entry('F32', '[-1]', '[0,4]')}}`, zeros(4)), /shape holds -1/],
    ['minus zero', file(`{"a":${entry('F32', '[-0]', '[0,0]')}}`), /-0 not written as an integer/],
    ['a fraction', file(`{"a":${entry('F32', '[1.0]', '[0,4]')}}`, zeros(4)), /1\.0 not written as an integer/],
    ['an exponent', file(`{"a":${entry('F32', '[1e0]', '[0,4]')}}`, zeros(4)), /1e0 not written as an integer/],
    ['a side as text', file(`{"a":${entry('F32', '["1"]', '[0,4]')}}`, zeros(4)), /shape holds "1"/],
    [
      'a side beyond 2^53',
      file(`{"a":${entry('F32', '[9007199254740993]', '[0,4]')}}`, zeros(4)),
      /9007199254740993 beyond 2\^53/,
    ],
    [
      'an overflowing shape',
      file(`{"a":${entry('F32', '[4294967296,4294967296]', '[0,0]')}}`),
      /4294967296,4294967296.*counted/,
    ],
    ['an overflow hidden by a zero', file(`{"a":${entry('F32', '[4294967296,4294967296,0]', '[0,0]')}}`), /counted/],
    ['one offset', file(`{"a":${entry('F32', '[1]', '[4]')}}`, zeros(4)), /1 numbers, expected 2/],
    ['three offsets', file(`{"a":${entry('F32', '[1]', '[0,4,4]')}}`, zeros(4)), /3 numbers, expected 2/],
    ['swapped offsets', file(`{"a":${entry('F32', '[1]', '[4,0]')}}`, zeros(4)), /end at 0, before their begin 4/],
    [
      'offsets shorter than the shape',
      file(`{"a":${entry('F32', '[2]', '[0,4]')}}`, zeros(4)),
      /span 4 bytes, shape \[2\] of F32 needs 8/,
    ],
    [
      'offsets longer than the shape',
      file(`{"a":${entry('F16', '[1]', '[0,4]')}}`, zeros(4)),
      /span 4 bytes, shape \[1\] of F16 needs 2/,
    ],
    [
      'an overlap',
      file(`{"a":${entry('F32', '[2]', '[0,8]')},"b":${entry('F32', '[2]', '[4,12]')}}`, zeros(12)),
      /"b" begins at 4 and overlaps tensor "a", which ends at 8/,
    ],
    ['two tensors over one range', file(`{"a":${a4},"b":${a4}}`, f32(1)), /"b" begins at 0 and overlaps tensor "a"/],
    [
      'a hole',
      file(`{"b":${entry('F32', '[1]', '[8,12]')},"a":${a4}}`, zeros(12)),
      /"b" begins at 8 and leaves a hole after tensor "a", which ends at 4/,
    ],
    [
      'a hole at the start',
      file(`{"a":${entry('F32', '[1]', '[4,8]')}}`, zeros(8)),
      /"a" begins at 4 and leaves a hole after the start/,
    ],
    [
      'offsets beyond the file',
      file(`{"a":${entry('F32', '[2]', '[0,8]')}}`, zeros(7)),
      /"a" ends at 8, the data at 7/,
    ],
    [
      'huge offsets',
      file(`{"a":${entry('F32', '[1000000000000]', '[0,4000000000000]')}}`, zeros(7)),
      /"a" ends at 4000000000000/,
    ],
    ['trailing bytes', file(`{"a":${a4}}`, zeros(5)), /5 bytes of data, the tensors end at 4/],
    ['data and no tensors', file('{}', zeros(1)), /1 bytes of data/],
    [
      'NaN',
      file(`{"a":${entry('F32', '[2,3]', '[0,24]')}}`, f32(0, 0, 0, 0, 0, NaN)),
      /"a" is NaN at \[1,2\] \(value 5 of 6\)/,
    ],
    ['infinity', file(`{"a":${entry('F32', '[2]', '[0,8]')}}`, f32(0, -Infinity)), /"a" is -Infinity at \[1\]/],
    ['f16 infinity', file(`{"a":${entry('F16', '[2]', '[0,4]')}}`, [0, 0x7c, 0, 0]), /"a" is Infinity at \[0\]/],
  ])('%s', (_, bytes, message) => {
    expect(failure(bytes)).toMatch(message);
  });

  it('every truncation and every changed header byte is an InputError or reads as sound', () => {
    const bytes = file(
      `{"__metadata__":{"format":"deghost"},"a":${entry('F32', '[2]', '[0,8]')},"b":${entry('F32', '[1]', '[8,12]')}}`,
      f32(1, 2, 3),
    );
    for (let size = 0; size < bytes.length; size++) failure(bytes.slice(0, size));
    const random = rng(17);
    let sound = 0;
    for (let n = 0; n < 3000; n++) {
      const changed = bytes.slice();
      changed[random.int(0, bytes.length - 13)] = random.int(0, 255);
      try {
        readSafetensors(changed);
        sound++; // a letter of a name or of the metadata
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }
    expect(sound).toBeLessThan(1500);
  });
});

describe('strict JSON', () => {
  it.each([
    '{}',
    '[]',
    '[1,-2.5e3,true,false,null,"\\ud83d\\ude00\\n"]',
    ' {"a" : { "b":[ ] } } ',
    '0',
    '"x"',
    '1E+2',
    '{"":0}',
  ])('agrees with JSON.parse on %s', (text) => {
    const plain = (value: unknown): unknown => {
      if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
      return Array.isArray(value) ? value.map(plain) : value;
    };
    expect(plain(parseStrictJson(text))).toEqual(JSON.parse(text));
  });

  it.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a"}',
    '{a:1}',
    "'a'",
    '01',
    '+1',
    '.5',
    '1.',
    '1e',
    '--1',
    'NaN',
    'Infinity',
    'nul',
    'truee',
    '"\t"',
    '"\\x"',
    '"\\u12"',
    '"abc',
    '"\\"',
    '[1 2]',
    '[]]',
    '\u00a01',
    '"\\ud800"',
    '1e999',
  ])('refuses %j', (text) => expect(() => parseStrictJson(text)).toThrow(SyntaxError));

  it('bounds nesting', () => {
    expect(() => parseStrictJson('['.repeat(1e6))).toThrow(/nesting/);
    expect(parseStrictJson('['.repeat(100) + ']'.repeat(100))).toBeInstanceOf(Array);
  });
});
