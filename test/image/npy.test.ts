/** NPY against bytes that NumPy 2 wrote, and every refusal. */
import { describe, expect, it } from 'vitest';
import { decodeNpy, npyPieces } from '../../src/image/npy.ts';
import { encodeNpy } from '../npy.ts';

/** A file with any header text; version 2 has a four-byte length. */
function file(header: string, data: Uint8Array | number, version = 1): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([
    Buffer.from([0x93]),
    Buffer.from('NUMPY'),
    Buffer.from([version, 0]),
    length,
    text,
    typeof data === 'number' ? Buffer.alloc(data) : data,
  ]);
}
const dict = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe('npy', () => {
  it('reads what numpy.save wrote, and writes the same', () => {
    // np.save(f, np.array([[1, -0.5, 3.25]], '<f4')), NumPy 2.4
    const header = `${"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }".padEnd(117)}\n`;
    const bytes = Buffer.concat([
      Buffer.from('934e554d505901007600', 'hex'),
      Buffer.from(header),
      Buffer.from('0000803f000000bf00005040', 'hex'),
    ]);
    expect(decodeNpy(bytes)).toEqual({ data: Float32Array.of(1, -0.5, 3.25), shape: [1, 3] });
    expect(Buffer.concat(npyPieces(Float32Array.of(1, -0.5, 3.25), [1, 3]))).toEqual(bytes);
  });

  it.each([
    [Float32Array.of(0, 1e-40, 3e38, NaN, -Infinity, 7), [2, 3]],
    [Uint8Array.of(0, 255, 7), [3]],
    [Uint16Array.of(0, 65535, 258, 1), [1, 2, 2]],
    [new Uint8Array(0), [0, 3]],
    [Float32Array.of(5), []],
  ])('reads %s, as it is written too', (data, shape) => {
    const bytes = encodeNpy(data, shape);
    if (data instanceof Float32Array) {
      const [header, written] = npyPieces(data, shape);
      expect(header.length % 64).toBe(0);
      expect(decodeNpy(Buffer.concat([header, written]))).toEqual({ data, shape });
    }
    const unaligned = new Uint8Array(bytes.length + 1).subarray(1);
    unaligned.set(bytes);
    expect(decodeNpy(unaligned)).toEqual({ data, shape });
  });

  it('reads version 2, any key order and no trailing comma', () => {
    const header = "{'shape':(2,),'descr':'|u1','fortran_order':False}";
    expect(decodeNpy(file(header, Uint8Array.of(4, 5), 2))).toEqual({ data: Uint8Array.of(4, 5), shape: [2] });
  });

  it.each([
    ['not a .npy', Buffer.from('hello')],
    ["'>f4' is not supported", file(dict('>f4', '(1,)'), 4)],
    ["'<f8' is not supported", file(dict('<f8', '(1,)'), 8)],
    ["'|O' is not supported", file(dict('|O', '(1,)'), 8)],
    ["'constructor' is not supported", file(dict('constructor', '(1,)'), 8)],
    ['Fortran order', file(dict('<f4', '(1,)', 'True'), 4)],
    ['needs 12 bytes, the file holds 11', file(dict('<f4', '(1, 3)'), 11)],
    ['needs 12 bytes, the file holds 13', file(dict('<f4', '(1, 3)'), 13)],
    ['the file holds 4', file(dict('<f4', '(999999999999, 999999999999)'), 4)],
    ['structured array', file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4)],
    ['not understood', file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4)],
    ['not understood', file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4)],
    ['not understood', file("{'descr': '<f4', 'shape': (1,), }", 4)],
    ['not understood', file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 'y'}", 4)],
    ['not understood', file('nonsense', 4)],
    ['version 3.0', file(dict('<f4', '(1,)'), 4, 3)],
    ['cut off', file(dict('<f4', '(1,)'), 4).subarray(0, 40)],
    ['cut off', file(dict('<f4', '(1,)'), 4).subarray(0, 8)],
    ['claims', Buffer.concat([Buffer.from('934e554d50590200ffffffff', 'hex'), Buffer.alloc(100)])],
  ])('refuses: %s', (message, bytes) => {
    expect(() => decodeNpy(bytes, 'a.npy')).toThrow(
      expect.objectContaining({ code: 'input', message: expect.stringMatching(/^a\.npy: /) }),
    );
    expect(() => decodeNpy(bytes, 'a.npy')).toThrow(message);
  });

  it('refuses a shape that does not hold the data', () => {
    expect(() => npyPieces(Float32Array.of(1, 2), [3])).toThrow('holds 3 values, the array has 2');
  });
});
