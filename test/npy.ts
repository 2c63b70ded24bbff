/** .npy files for tests to read, of every type that is read: the package itself writes float32 alone. */

const TYPES = [
  [Float32Array, '<f4'],
  [Uint16Array, '<u2'],
  [Uint8Array, '|u1'],
] as const;

/** An array as a .npy file of version 1, its data at a multiple of 64 bytes. */
export function encodeNpy(data: Float32Array | Uint16Array | Uint8Array, shape: readonly number[]): Buffer {
  const [, descr] = TYPES.find(([type]) => data instanceof type)!;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((n) => `${n},`).join(' ')}), }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([start, Buffer.from(header), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}
