/**
 * NumPy's .npy files, a simple exchange format for float pictures and maps: float32 is written, three types are read.
 *
 * Layout (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): `\x93NUMPY`, a version byte pair,
 * the header's length (u16 in version 1, u32 in version 2), a Python dict literal padded so that the data starts at a
 * multiple of 64 bytes, then the array. Only what pictures need is read: float32, uint8 and uint16, little-endian, C
 * order. Everything else is refused with a message instead of guessed, and the size is checked before anything is
 * allocated.
 */
import { InputError } from '../errors.ts';

/** Arrays a .npy file can hold here. */
export type NpyData = Float32Array | Uint8Array | Uint16Array;

/** A decoded array: C order, `data.length` is the product of `shape`. */
export interface NpyArray {
  data: NpyData;
  shape: number[];
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const ALIGNMENT = 64;
// A header holds three short entries; NumPy itself refuses to evaluate more than this by default.
const MAX_HEADER_BYTES = 10_000;

const DTYPES: Record<string, { itemSize: number; view: (buffer: ArrayBuffer) => NpyData }> = {
  '<f4': { itemSize: 4, view: (buffer) => new Float32Array(buffer) },
  '|u1': { itemSize: 1, view: (buffer) => new Uint8Array(buffer) },
  '<u2': { itemSize: 2, view: (buffer) => new Uint16Array(buffer) },
};

/**
 * A .npy file of float32, version 1, in pieces: the data is not copied.
 * @param data C order. Typed arrays are little-endian on every platform that runs WebGPU.
 * @throws InputError if the shape does not match the data.
 */
export function npyPieces(data: Float32Array, shape: readonly number[]): Uint8Array[] {
  const count = shape.reduce((product, n) => product * n, 1);
  if (count !== data.length)
    throw new InputError(`npy: shape (${shape.join(', ')}) holds ${count} values, the array has ${data.length}`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const unpadded = MAGIC.length + 4 + dict.length + 1;
  const total = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(total).fill(0x20);
  header.set(MAGIC);
  header.set([1, 0, (total - 10) & 255, (total - 10) >> 8], MAGIC.length);
  header.set(new TextEncoder().encode(dict), 10);
  header[total - 1] = 0x0a;
  return [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

function dataStart(bytes: Uint8Array, name: string): { start: number; headerText: string } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new InputError(`${name}: not a .npy file: it does not start with \\x93NUMPY`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6];
  const minor = bytes[7];
  if ((major !== 1 && major !== 2) || minor !== 0)
    throw new InputError(
      `${name}: .npy version ${major}.${minor} is not supported, only 1.0 and 2.0: save it again with numpy.save`,
    );
  const prefix = major === 1 ? 10 : 12;
  if (bytes.length < prefix)
    throw new InputError(`${name}: .npy file is cut off: ${bytes.length} bytes, the header alone needs more`);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES)
    throw new InputError(`${name}: .npy header claims ${length} bytes, at most ${MAX_HEADER_BYTES} are accepted`);
  if (bytes.length < prefix + length)
    throw new InputError(
      `${name}: .npy file is cut off: ${bytes.length} bytes, the header alone needs ${prefix + length}`,
    );
  return {
    start: prefix + length,
    headerText: new TextDecoder('latin1').decode(bytes.subarray(prefix, prefix + length)),
  };
}

/** Reads the dict literal: exactly the three known keys, each once, in any order. */
function parseHeader(text: string, name: string): { description: string; fortran: boolean; shape: number[] } {
  const bad = () =>
    new InputError(`${name}: .npy header is not understood: ${JSON.stringify(text.trim().slice(0, 120))}`);
  const body = /^\s*\{(.*)\}\s*$/s.exec(text);
  if (!body) throw bad();
  const entries = new Map<string, string>();
  const entry = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([^()]*\)|\[[^[\]]*\])\s*(,|$)/sy;
  let rest = 0;
  for (const source = body[1]; source.slice(rest).trim() !== ''; ) {
    entry.lastIndex = rest;
    const match = entry.exec(source);
    if (!match || entries.has(match[1])) throw bad();
    entries.set(match[1], match[2]);
    rest = entry.lastIndex;
  }
  const description = entries.get('descr');
  const fortran = entries.get('fortran_order');
  const tuple = entries.get('shape');
  if (description === undefined || fortran === undefined || tuple === undefined) throw bad();
  if (description.startsWith('['))
    throw new InputError(
      `${name}: .npy file holds a structured array; only plain float32, uint8 and uint16 arrays are supported`,
    );
  const items = /^\((.*)\)$/s.exec(tuple);
  if (!items || !description.startsWith("'") || !/^(True|False)$/.test(fortran)) throw bad();
  const parts = items[1].split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop(); // the trailing comma of "(3,)", or the empty tuple of a scalar
  if (parts.some((part) => !/^\d{1,15}L?$/.test(part))) throw bad();
  return {
    description: description.slice(1, -1),
    fortran: fortran === 'True',
    shape: parts.map((part) => parseInt(part, 10)),
  };
}

/**
 * What the header of a .npy file says, and where its data starts.
 * @param name the file, for messages.
 * @throws InputError naming the file and what is wrong with its header.
 */
export function npyHeader(
  bytes: Uint8Array,
  name: string,
): { start: number; description: string; fortran: boolean; shape: number[] } {
  const { start, headerText } = dataStart(bytes, name);
  return { start, ...parseHeader(headerText, name) };
}

/**
 * Decodes a .npy file. The result is an aligned copy, whatever the input's offset.
 * @param name the file, for messages.
 * @throws InputError naming the file and what is unsupported or wrong: other types or byte orders, Fortran order, a
 * size that does not match the shape exactly.
 */
export function decodeNpy(bytes: Uint8Array, name = 'array'): NpyArray {
  const { start, description, fortran, shape } = npyHeader(bytes, name);
  const dtype = Object.hasOwn(DTYPES, description) ? DTYPES[description] : undefined;
  if (!dtype) {
    throw new InputError(
      `${name}: .npy type '${description}' is not supported, only '<f4', '|u1' and '<u2': convert it with ` +
        `array.astype('<f4')`,
    );
  }
  if (fortran)
    throw new InputError(
      `${name}: .npy array is in Fortran order, only C order is supported: save numpy.ascontiguousarray(array)`,
    );
  const count = shape.reduce((product, n) => product * n, 1);
  const expected = count * dtype.itemSize;
  const present = bytes.length - start;
  if (expected !== present) {
    throw new InputError(
      `${name}: .npy shape (${shape.join(', ')}) of '${description}' needs ${expected} bytes, the file holds ` +
        `${present}`,
    );
  }
  // A copy, because a view could be unaligned and would keep the file's bytes alive.
  const copy = new Uint8Array(present);
  copy.set(bytes.subarray(start));
  return { data: dtype.view(copy.buffer), shape };
}
