/**
 * The safetensors file format, read as strictly as its Rust reference does
 * (https://github.com/huggingface/safetensors).
 *
 * A file is a little-endian u64 header length, that many bytes of JSON, and the tensors' data, which the header's
 * `data_offsets` [begin, end) must tile exactly, in any order. Everything is checked before anything is copied, so a
 * wrong header allocates nothing. The reader is stricter than the reference on purpose: only F32 and F16, only finite
 * values, no unknown fields.
 */
import { InputError } from '../errors.ts';
import { halvesToFloats } from '../float16.ts';
import { parseStrictJson } from './json.ts';
import type { JsonValue } from './json.ts';

/** A tensor's values, row-major, widened to f32. */
export interface WeightTensor {
  shape: number[];
  data: Float32Array;
}

/** What a weights file holds. */
export interface WeightsFile {
  metadata: Record<string, string>;
  tensors: Map<string, WeightTensor>;
}

/** Types of weights, and bytes of a value. */
const BYTES = { F32: 4, F16: 2 };
/** Longest header the reference accepts, in bytes. */
const MAX_HEADER = 100_000_000;
const FIELDS = ['dtype', 'shape', 'data_offsets'];

function damaged(what: string, options?: ErrorOptions): never {
  throw new InputError(`${what}: the file is damaged or not safetensors: download or export it again`, options);
}

/** One tensor's header entry, checked by itself but not yet against the others. */
interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  count: number;
  begin: number;
  end: number;
}

/**
 * Reads a whole safetensors file. `bytes` may start anywhere in its buffer; the tensors are copies.
 * @param name the file, for messages.
 * @throws InputError naming the file, the tensor, both values and the remedy.
 */
export function readSafetensors(bytes: Uint8Array, name = 'weights'): WeightsFile {
  const { metadata, entries, data } = safetensorsEntries(bytes, name, BYTES);
  const tensors = new Map<string, WeightTensor>();
  for (const entry of entries) {
    const { begin, end, shape } = entry;
    tensors.set(entry.name, { shape, data: readValues(data.subarray(begin, end), entry, name) });
  }
  return { metadata, tensors };
}

/**
 * The entries of a safetensors file, which were checked against its data, and the data.
 * @param sizes the types that are accepted, with the bytes of a value.
 * @throws InputError as readSafetensors does.
 */
export function safetensorsEntries(
  bytes: Uint8Array,
  name: string,
  sizes: Readonly<Record<string, number>>,
): { metadata: Record<string, string>; entries: Entry[]; data: Uint8Array } {
  const dataStart = readHeaderEnd(bytes, name);
  // A copy: no browser decodes shared memory.
  const header = parseHeader(new Uint8Array(bytes.subarray(8, dataStart)), name);
  const metadata = readMetadata(header.get('__metadata__'), name);
  header.delete('__metadata__');
  const entries = [...header].map(([tensor, value]) => readEntry(tensor, value, name, sizes));
  checkTiling(entries, bytes.length - dataStart, name);
  return { metadata, entries, data: bytes.subarray(dataStart) };
}

/** Start of the data: 8 + the header's length, checked against the limit and the file's size. */
function readHeaderEnd(bytes: Uint8Array, name: string): number {
  if (bytes.length < 8) damaged(`${name}: ${bytes.length} bytes, a safetensors file has at least 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) damaged(`${name}: header of ${length} bytes, at most ${MAX_HEADER} are allowed`);
  const end = 8 + Number(length);
  if (end > bytes.length) damaged(`${name}: header ends at byte ${end}, the file at ${bytes.length}`);
  return end;
}

function parseHeader(bytes: Uint8Array, name: string): Map<string, JsonValue> {
  if (bytes[0] !== 0x7b)
    damaged(`${name}: header starts with ${bytes.length ? `byte ${bytes[0]}` : 'nothing'}, expected "{" (123)`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    damaged(`${name}: the header is not UTF-8`, { cause });
  }
  try {
    return parseStrictJson(text, { integers: true }) as Map<string, JsonValue>; // it starts with "{"
  } catch (cause) {
    damaged(`${name}: header: ${(cause as Error).message}`, { cause });
  }
}

function readMetadata(value: JsonValue | undefined, name: string): Record<string, string> {
  if (value === undefined) return {};
  if (!(value instanceof Map))
    throw new InputError(
      `${name}: __metadata__ is ${describe(value)}, expected an object of strings: export the file again`,
    );
  for (const [key, text] of value) {
    if (typeof text !== 'string')
      throw new InputError(
        `${name}: __metadata__ ${quote(key)} is ${describe(text)}, expected a string: export it as text`,
      );
  }
  return Object.fromEntries(value) as Record<string, string>;
}

function readEntry(tensor: string, value: JsonValue, name: string, sizes: Readonly<Record<string, number>>): Entry {
  const at = `${name}: tensor ${quote(tensor)}`;
  if (!(value instanceof Map))
    damaged(`${at} is ${describe(value)}, expected an object with dtype, shape and data_offsets`);
  for (const field of FIELDS) if (!value.has(field)) damaged(`${at} has no ${field}`);
  for (const field of value.keys()) {
    if (!FIELDS.includes(field))
      throw new InputError(
        `${at} has an unknown field ${quote(field)}, expected ${FIELDS.join(', ')}: export the file again`,
      );
  }
  const dtype = value.get('dtype');
  if (typeof dtype !== 'string' || !Object.hasOwn(sizes, dtype)) {
    const known = Object.keys(sizes)
      .join(', ')
      .replace(/, (\w+)$/, ' and $1');
    throw new InputError(
      `${at} has dtype ${describe(dtype)}, only ${known} are supported: convert it and export the file again`,
    );
  }
  const shape = readIntegers(value.get('shape'), `${at}: shape`);
  const offsets = readIntegers(value.get('data_offsets'), `${at}: data_offsets`);
  if (offsets.length !== 2) damaged(`${at}: data_offsets has ${offsets.length} numbers, expected 2`);
  const [begin, end] = offsets;
  if (end < begin) damaged(`${at}: data_offsets end at ${end}, before their begin ${begin}`);
  let count = 1;
  for (const side of shape) {
    count *= side;
    if (count > Number.MAX_SAFE_INTEGER / 4) damaged(`${at}: shape [${shape}] has more values than can be counted`);
  }
  if (end - begin !== count * sizes[dtype]) {
    damaged(
      `${at}: data_offsets span ${end - begin} bytes, shape [${shape}] of ${dtype} needs ${count * sizes[dtype]}`,
    );
  }
  return { name: tensor, dtype, shape, count, begin, end };
}

function readIntegers(value: JsonValue | undefined, at: string): number[] {
  if (!Array.isArray(value)) damaged(`${at} is ${describe(value)}, expected an array of integers`);
  return value.map((item) => {
    if (!Number.isSafeInteger(item) || (item as number) < 0) {
      damaged(`${at} holds ${describe(item)}, expected integers of at least 0`);
    }
    return item as number;
  });
}

/** The entries must tile [0, size): no overlap, no gap, nothing beyond the end. */
function checkTiling(entries: readonly Entry[], size: number, name: string): void {
  let end = 0;
  let before = 'the start of the data';
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const at = `${name}: tensor ${quote(entry.name)}`;
    if (entry.begin !== end) {
      const what = entry.begin < end ? 'overlaps' : 'leaves a hole after';
      damaged(`${at} begins at ${entry.begin} and ${what} ${before}, which ends at ${end}`);
    }
    if (entry.end > size)
      throw new InputError(`${at} ends at ${entry.end}, the data at ${size}: the file is cut short, download it again`);
    end = entry.end;
    before = `tensor ${quote(entry.name)}`;
  }
  if (end !== size) damaged(`${name}: ${size} bytes of data, the tensors end at ${end}`);
}

function readValues(bytes: Uint8Array, entry: Entry, name: string): Float32Array {
  // An aligned copy, whatever the file's alignment. (A Buffer's own slice() would not copy.)
  const copy = new Uint8Array(bytes).buffer;
  const data = entry.dtype === 'F32' ? new Float32Array(copy) : halvesToFloats(new Uint16Array(copy));
  let bad = 0;
  while (bad < data.length && Number.isFinite(data[bad])) bad++; // findIndex is ten times slower
  if (bad < data.length) {
    const where = `[${unravel(bad, entry.shape)}] (value ${bad} of ${entry.count})`;
    throw new InputError(
      `${name}: tensor ${quote(entry.name)} is ${data[bad]} at ${where}, every weight must be finite: train or ` +
        'export it again',
    );
  }
  return data;
}

/** A flat index as row-major coordinates. */
function unravel(index: number, shape: readonly number[]): number[] {
  const coordinates: number[] = [];
  for (const side of [...shape].reverse()) {
    coordinates.unshift(index % side);
    index = Math.floor(index / side);
  }
  return coordinates;
}

/** A name from the file, quoted for a one-line message. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** A JSON value in a few words, for messages. */
function describe(value: JsonValue | undefined): string {
  if (value instanceof Map) return 'an object';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return quote(value);
  return String(value);
}
