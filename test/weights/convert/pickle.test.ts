/** The unpickler: plain values of every protocol, and programs, which are refused by the name of what they want. */
import { describe, expect, it } from 'vitest';
import { Tuple, unpickle } from '../../../src/weights/convert/pickle.ts';
import type { PickleEnvironment } from '../../../src/weights/convert/pickle.ts';
import { LEGACY_MAGIC } from '../../../src/weights/convert/pytorch.ts';
import { open, refusal } from './open.ts';

const NOTHING: PickleEnvironment = { resolve: () => undefined };
const bytesOf = (...parts: (string | number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : part)));
const entries = (...keys: number[]) => new Map(keys.map((key) => [key, null]));
const value = (...parts: (string | number[])[]): unknown => unpickle(bytesOf(...parts, '.'), 'x', NOTHING).value;

/** An older file of torch.save whose main pickle is this. */
const legacy = (...pickle: (string | number[])[]): Uint8Array =>
  bytesOf([...LEGACY_MAGIC, 0x2e], 'M\xe9\x03.', '}.', ...pickle, '.', '].');

describe('the unpickler reads', () => {
  it.each<[string, (string | number[])[], unknown]>([
    ['None', ['N'], null],
    ['booleans of protocol 2', ['\x88'], true],
    ['booleans of protocol 0', ['I00\n'], false],
    ['decimal integers', ['I-12\n'], -12],
    ['long decimal integers', ['L123456789012345678901L\n'], 123456789012345678901n],
    ['4 bytes', ['J', [0xfe, 0xff, 0xff, 0xff]], -2],
    ['1 byte', ['K', [200]], 200],
    ['2 bytes', ['M', [1, 2]], 513],
    ['long integers', ['\x8a', [2, 0, 0x80]], -32768],
    ['an empty long integer', ['\x8a', [0]], 0],
    ['long integers of many bytes', ['\x8b', [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]], 2n ** 64n],
    ['decimal floats', ['F-1.5e3\n'], -1500],
    ['infinities', ['Finf\n'], Infinity],
    ['binary floats', ['G', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0]], 1.5],
    ['quoted text', ["S'ab'\n"], 'ab'],
    ['short text', ['U', [2], 'ab'], 'ab'],
    ['text', ['T', [2, 0, 0, 0], 'ab'], 'ab'],
    ['UTF-8', ['X', [2, 0, 0, 0, 0xc3, 0xa9]], 'é'],
    ['short UTF-8', ['\x8c', [2, 0xc3, 0xa9]], 'é'],
    ['long UTF-8', ['\x8d', [1, 0, 0, 0, 0, 0, 0, 0], 'a'], 'a'],
    ['lines of Unicode', ['Vab\n'], 'ab'],
    ['bytes', ['C', [2, 1, 2]], Uint8Array.of(1, 2)],
    ['a byte array', ['\x96', [1, 0, 0, 0, 0, 0, 0, 0, 7]], Uint8Array.of(7)],
    ['lists', [']', 'K', [1], 'a', '(', 'K', [2], 'K', [3], 'e'], [1, 2, 3]],
    ['lists from a mark', ['(', 'K', [1], 'l'], [1]],
    ['tuples', ['(', 'K', [1], 'K', [2], 't'], new Tuple([1, 2])],
    ['short tuples', ['K', [1], 'K', [2], 'K', [3], '\x87'], new Tuple([1, 2, 3])],
    ['dictionaries', ['}', 'K', [1], 'N', 's', '(', 'K', [2], 'N', 'u'], entries(1, 2)],
    ['dictionaries from a mark', ['(', 'K', [1], 'N', 'd'], new Map([[1, null]])],
    ['memos', [']', 'q', [0], 'K', [1], 'a', '0', 'h', [0]], [1]],
    ['memos of protocol 4', ['\x80', [4], '\x95', [9, 0, 0, 0, 0, 0, 0, 0], ']', '\x94', '0', 'h', [0]], []],
    ['memos by decimals', [']', 'p12\n', '0', 'g12\n'], []],
    ['a null from the memo', ['N', 'q', [0], '0', 'h', [0]], null],
    ['what is dropped', ['K', [1], '(', 'K', [2], 'K', [3], '1'], 1],
    ['copies', ['K', [1], '2', '\x86'], new Tuple([1, 1])],
  ])('%s', (_, parts, expected) => {
    expect(value(...parts)).toEqual(expected);
  });

  it('says where the pickle ends', () => {
    expect(unpickle(bytesOf('xN.rest'), 'x', NOTHING, 1)).toEqual({ value: null, end: 3 });
  });
});

describe('the unpickler refuses', () => {
  it.each<[string, (string | number[])[], RegExp]>([
    ['a function of the system', ['cposix\nsystem\n', 'U', [2], 'id', '\x85', 'R'], /wants "posix\.system"/],
    ['eval', ['c__builtin__\neval\n', 'U', [1], '1', '\x85', 'R'], /wants "__builtin__\.eval"/],
    ['a name from the stack', ['\x8c', [2], 'os', '\x8c', [6], 'system', '\x93'], /wants "os\.system"/],
    ['a function of torch', ['ctorch.hub\nload\n'], /wants "torch\.hub\.load"/],
    ['a class of the network', ['cmodels.net\nDeghoster\n', ')', '\x81'], /wants "models\.net\.Deghoster"/],
    ['an instance of protocol 0', ['(icode\nInteractiveConsole\n'], /wants "an object of code\.InteractiveConsole"/],
    ['an instance from the stack', ['(', 'N', 'o'], /wants "an object"/],
    [
      'a tensor that PyTorch would read itself',
      ['ctorch.storage\n_load_from_bytes\n'],
      /"torch\.storage\._load_from_bytes"/,
    ],
    ['a sparse tensor', ['ctorch._utils\n_rebuild_sparse_tensor\n'], /"torch\._utils\._rebuild_sparse_tensor"/],
    ['a complex storage', ['ctorch\nComplexFloatStorage\n'], /"torch\.ComplexFloatStorage"/],
    ['an array of NumPy', ['cnumpy.core.multiarray\n_reconstruct\n'], /"numpy\.core\.multiarray\._reconstruct"/],
    ['a name of the prototype', ['c__proto__\nconstructor\n'], /"__proto__\.constructor"/],
    ['an own name of objects', ['ctoString\ncall\n'], /"toString\.call"/],
    ['a set', ['\x8f'], /wants "a set"/],
    ['the extension registry', ['\x82', [1]], /extension registry/],
    ['TorchScript', ['c__torch__.net\nNet\n'], /TorchScript, save the state_dict/],
    ['a call of a type', ['ctorch\nFloatStorage\n', ')', 'R'], /wants "torch\.FloatStorage\(\)"/],
    ['a call of what has no name', ['N', ')', 'R'], /a call of what has no name/],
    ['attributes of a number', ['K', [1], '}', 'b'], /attributes for what has none/],
    ['another persistent id', ['U', [1], 'a', 'Q'], /an unknown persistent id "a"/],
    ['an unknown opcode', ['\xff'], /unknown opcode 255/],
    ['protocol 6', ['\x80', [6]], /protocol 6, 5 is the latest/],
    ['an empty stack', ['0'], /a value is missing/],
    ['a mark as a value', ['(', '\x85'], /a value is missing/],
    ['a missing mark', ['t'], /a mark is missing/],
    ['an unknown memo', ['h', [3]], /an unknown memo/],
    ['items for a number', ['K', [1], 'N', 'N', 's'], /not a dictionary/],
    ['a key without a value', ['}', '(', 'N', 'u'], /a key without a value/],
    ['a text that is longer than the file', ['X', [255, 255, 255, 255]], /4294967295 bytes are wanted/],
    ['a text of 2^64 bytes', ['\x8d', [255, 255, 255, 255, 255, 255, 255, 255]], /bytes are wanted/],
    ['broken UTF-8', ['X', [1, 0, 0, 0, 0xff]], /not UTF-8/],
    ['a long integer of 1 kB', ['\x8b', [0, 4, 0, 0]], /an integer of 1024 bytes/],
    ['a decimal that is none', ['I0x10\n'], /a number that is none/],
  ])('%s', async (_, parts, expected) => {
    const message = await refusal(open(legacy(...parts)));
    expect(message).toMatch(expected);
    expect(message.startsWith('x.pt: ')).toBe(true);
  });

  it('a pickle alone, and one without an end', async () => {
    expect(await refusal(open(bytesOf('\x80', [4], 'N.')))).toMatch(/a plain pickle, which may run programs/);
    expect(() => value('N', 'N')).not.toThrow();
    expect(await refusal(() => unpickle(bytesOf('N'), 'x', NOTHING))).toMatch(/1 bytes are wanted, 0 are left/);
  });

  it('lists that hold themselves, and lists that unfold to billions', async () => {
    expect(await refusal(open(legacy(']', 'q', [0], 'h', [0], 'a')))).toMatch(/more than 32 deep/);
    // Each list holds the one before twice.
    const doubling = Array.from({ length: 30 }, (_, i) => [']', 'q', [i + 1], '(', 'h', [i], 'h', [i], 'e'] as const);
    const unfolded = await refusal(
      open(legacy('}', 'q', [0], ...doubling.flat().map((part) => part as string | number[]))),
    );
    expect(unfolded).toMatch(/more than/);
  });
});
