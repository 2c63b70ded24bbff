/**
 * TensorFlow's V2 checkpoints: a table of entries, `NAME.index`, and their values in `NAME.data-SSSSS-of-NNNNN`
 * (tensorflow/core/util/tensor_bundle and tensorflow/core/protobuf/tensor_bundle.proto; the table is LevelDB's,
 * https://github.com/google/leveldb/blob/main/doc/table_format.md).
 *
 * Entries of a Keras model are named by their way through it, such as
 * `layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE`. The table is in the order of names, so they are put in the
 * order of the numbers in them.
 */
import { InputError } from '../../errors.ts';
import { DTYPE_BYTES, Entries, countOf, damaged, decodeValues, quoted } from './checkpoint.ts';
import type { Checkpoint, ReadBeside, SourceDtype } from './checkpoint.ts';
import { maskedCrc32c } from './crc32c.ts';
import { naturalOrder } from './naturalOrder.ts';
import { fields, integerOf, messageOf } from './protobuf.ts';

/** The end of a table. */
const MAGIC = 0xdb4775248b80fb57n;
const FOOTER = 48;
/** Type and checksum after each block. */
const TRAILER = 5;
/** tensorflow/core/framework/types.proto. */
const DTYPES: Record<number, SourceDtype> = { 1: 'f32', 2: 'f64', 14: 'bf16', 19: 'f16' };
const OTHER_TYPES: Record<number, string> = { 3: 'i32', 4: 'u8', 5: 'i16', 6: 'i8', 7: 'text', 9: 'i64', 10: 'bool' };
const VARIABLE = '/.ATTRIBUTES/VARIABLE_VALUE';
/** What optimizers keep beside each variable, in new checkpoints and in old ones. */
const SLOT = /\/\.OPTIMIZER_SLOT\/|\/(Adam|RMSProp|Momentum|Adagrad|ExponentialMovingAverage)(_\d+)?$/;
const MAX_SHARDS = 10_000;

/** Whether a file ends as a table does. */
export function isTable(bytes: Uint8Array): boolean {
  return bytes.length >= FOOTER && viewOf(bytes).getBigUint64(bytes.length - 8, true) === MAGIC;
}

interface BundleEntry {
  dtype: number;
  shape: number[];
  shard: number;
  offset: number;
  size: number;
  crc: number;
  isSliced: boolean;
}

/**
 * Reads a checkpoint from its `.index`.
 * @param file the plain name of the index: its data is beside it.
 * @throws InputError
 */
export async function readTensorflow(
  bytes: Uint8Array,
  name: string,
  file: string,
  beside: ReadBeside,
): Promise<Checkpoint> {
  const table = readTable(bytes, name);
  const header = table.get('');
  if (!header) return damaged(name, 'it has no header');
  let shards = 0;
  let isLittle = true;
  for (const field of fields(header, name)) {
    if (field.number === 1 && field.bytes)
      throw new InputError(
        `${name}: it is a checkpoint of TensorFlow's first format, which is not read: restore it and save it again ` +
          'with tf.train.Saver(write_version=2), or tf.train.Checkpoint',
      );
    if (field.number === 1) shards = integerOf(field, name);
    if (field.number === 2) isLittle = integerOf(field, name) === 0;
  }
  if (!(shards >= 1 && shards <= MAX_SHARDS)) damaged(name, `it has ${shards} files of data`);
  const prefix = file.replace(/\.index$/, '');
  const data = new Map<number, Uint8Array>();
  const entries = new Entries(name);
  const names = [...table.keys()].filter((key) => key !== '').sort(naturalOrder);
  for (const key of names) {
    const entry = readEntry(table.get(key)!, name);
    const { shape, shard, offset, size } = entry;
    const own = key.endsWith(VARIABLE) ? key.slice(0, -VARIABLE.length) : key;
    const dtype = Object.hasOwn(DTYPES, entry.dtype) ? DTYPES[entry.dtype] : undefined;
    if (SLOT.test(key)) {
      entries.addOther(own, `an optimizer's state [${shape}]`);
      continue;
    }
    if (!dtype) {
      entries.addOther(own, `${OTHER_TYPES[entry.dtype] ?? `type ${entry.dtype}`} [${shape}]`);
      continue;
    }
    if (entry.isSliced)
      throw new InputError(
        `${name}: tensor ${quoted(own)} is in slices (a partitioned variable), which are not read: save it whole`,
      );
    const count = countOf(shape, name, own);
    if (size !== count * DTYPE_BYTES[dtype])
      damaged(
        name,
        `tensor ${quoted(own)} [${shape}] of ${dtype} needs ${count * DTYPE_BYTES[dtype]} bytes, it has ${size}`,
      );
    if (shard >= shards) damaged(name, `tensor ${quoted(own)} is in file ${shard} of ${shards}`);
    const part = `${prefix}.data-${String(shard).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}`;
    if (!data.has(shard)) data.set(shard, await beside(part));
    const whole = data.get(shard)!;
    if (offset + size > whole.length)
      damaged(name, `tensor ${quoted(own)} ends at byte ${offset + size} of ${part}, which ends at ${whole.length}`);
    const values = whole.subarray(offset, offset + size);
    entries.addTensor(own, {
      shape,
      dtype,
      read: () => {
        if (maskedCrc32c(values) !== entry.crc)
          damaged(name, `the checksum of tensor ${quoted(own)} in ${part} is wrong`);
        return decodeValues(values, dtype, isLittle);
      },
    });
  }
  return { format: 'TensorFlow', layout: 'HWIO', tensors: entries.tensors, others: entries.others, metadata: {} };
}

/** dtype (1), shape (2), shard_id (3), offset (4), size (5), crc32c (6), slices (7). */
function readEntry(bytes: Uint8Array, name: string): BundleEntry {
  const entry: BundleEntry = { dtype: 0, shape: [], shard: 0, offset: 0, size: 0, crc: 0, isSliced: false };
  for (const field of fields(bytes, name)) {
    if (field.number === 1) entry.dtype = integerOf(field, name);
    if (field.number === 2) entry.shape = readShape(messageOf(field, name), name);
    if (field.number === 3) entry.shard = integerOf(field, name);
    if (field.number === 4) entry.offset = integerOf(field, name);
    if (field.number === 5) entry.size = integerOf(field, name);
    if (field.number === 6) entry.crc = integerOf(field, name);
    if (field.number === 7) entry.isSliced = true;
  }
  if (entry.offset < 0 || entry.size < 0 || entry.shard < 0) damaged(name, 'an entry has a negative place');
  return entry;
}

/** TensorShapeProto: dim (2) with size (1). */
function readShape(bytes: Uint8Array, name: string): number[] {
  const shape: number[] = [];
  for (const field of fields(bytes, name)) {
    if (field.number !== 2) continue;
    let size = 0;
    for (const part of fields(messageOf(field, name), name)) if (part.number === 1) size = integerOf(part, name);
    shape.push(size);
  }
  if (shape.length > 16) damaged(name, `a tensor has ${shape.length} sides`);
  return shape;
}

/** The keys and values of a table. */
function readTable(bytes: Uint8Array, name: string): Map<string, Uint8Array> {
  // The footer: handles of the index of metadata and of the index of blocks.
  const footer = bytes.subarray(bytes.length - FOOTER);
  const handles: number[] = [];
  let at = 0;
  for (let i = 0; i < 4; i++) {
    const [value, next] = varint(footer, at, name);
    handles.push(value);
    at = next;
  }
  const found = new Map<string, Uint8Array>();
  for (const [, handle] of readBlock(bytes, handles[2], handles[3], name)) {
    const [offset, next] = varint(handle, 0, name);
    const [size] = varint(handle, next, name);
    for (const [key, value] of readBlock(bytes, offset, size, name)) {
      if (found.has(key)) damaged(name, `two entries have the name ${quoted(key)}`);
      found.set(key, value);
    }
  }
  return found;
}

/** The entries of a block: shared prefix of the key before, rest of the key, value. */
function readBlock(bytes: Uint8Array, offset: number, size: number, name: string): [key: string, value: Uint8Array][] {
  if (!(offset + size + TRAILER <= bytes.length))
    damaged(name, `a block ends at byte ${offset + size + TRAILER}, the file at ${bytes.length}`);
  const type = bytes[offset + size];
  if (type === 1)
    throw new InputError(`${name}: its index is compressed with Snappy, which is not read: save it uncompressed`);
  if (type !== 0) damaged(name, `a block has the unknown type ${type}`);
  const crc = viewOf(bytes).getUint32(offset + size + 1, true);
  if (maskedCrc32c(bytes.subarray(offset, offset + size + 1)) !== crc)
    damaged(name, 'the checksum of a block is wrong');
  const block = bytes.subarray(offset, offset + size);
  if (size < 4) damaged(name, `a block has ${size} bytes`);
  const restarts = viewOf(block).getUint32(size - 4, true);
  const end = size - 4 - 4 * restarts;
  if (end < 0) damaged(name, `a block of ${size} bytes has ${restarts} restarts`);
  const found: [string, Uint8Array][] = [];
  let key = new Uint8Array();
  for (let at = 0; at < end; ) {
    const numbers: number[] = [];
    for (let i = 0; i < 3; i++) {
      const [value, next] = varint(block, at, name);
      numbers.push(value);
      at = next;
    }
    const [shared, rest, length] = numbers;
    if (shared > key.length || at + rest + length > end) damaged(name, 'an entry of a block is cut off');
    const next = new Uint8Array(shared + rest);
    next.set(key.subarray(0, shared));
    next.set(block.subarray(at, at + rest), shared);
    key = next;
    at += rest;
    found.push([textOf(key, name), block.subarray(at, at + length)]);
    at += length;
  }
  return found;
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return damaged(name, 'a name is not UTF-8');
  }
}

/** A varint of LevelDB. @returns the value and where the next one begins. */
function varint(bytes: Uint8Array, start: number, name: string): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    if (start + i >= bytes.length) break;
    const byte = bytes[start + i];
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, start + i + 1];
  }
  return damaged(name, 'a number is cut off');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
