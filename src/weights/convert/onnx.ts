/**
 * ONNX models: the initialisers of their graph, and constants
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 *
 * They come in the order in which the graph's nodes use them, because the file's own order says nothing.
 */
import { InputError } from '../../errors.ts';
import { DTYPE_BYTES, Entries, countOf, damaged, decodeValues, quoted } from './checkpoint.ts';
import type { Checkpoint, ReadBeside, SourceDtype } from './checkpoint.ts';
import { fields, integerOf, integersOf, messageOf, textOf } from './protobuf.ts';

/** TensorProto.DataType. */
const DTYPES: Record<number, SourceDtype> = { 1: 'f32', 10: 'f16', 11: 'f64', 16: 'bf16' };
const OTHER_TYPES = ['undefined', 'f32', 'u8', 'i8', 'u16', 'i16', 'i32', 'i64', 'text', 'bool'];

interface Initializer {
  shape: number[];
  type: number;
  raw?: Uint8Array;
  /** Pieces of float_data or double_data, and of int32_data. */
  packed: Uint8Array[];
  integers: number[];
  external?: Map<string, string>;
}

/**
 * Reads an ONNX model.
 * @param beside reads the file of data that the model keeps outside of itself.
 * @throws InputError
 */
export async function readOnnx(bytes: Uint8Array, name: string, beside: ReadBeside): Promise<Checkpoint> {
  const found = new Map<string, Initializer>();
  const used: string[] = [];
  let graphs = 0;
  for (const field of fields(bytes, name)) {
    if (field.number !== 7) continue;
    graphs++;
    readGraph(messageOf(field, name), found, used, name);
  }
  if (graphs === 0) damaged(name, 'it has no graph');
  const entries = new Entries(name);
  const files = new Map<string, Uint8Array>();
  const order = new Set([...used.filter((tensor) => found.has(tensor)), ...found.keys()]);
  for (const tensor of order) {
    const initializer = found.get(tensor)!;
    const { shape, type, external } = initializer;
    const dtype = Object.hasOwn(DTYPES, type) ? DTYPES[type] : undefined;
    if (!dtype) {
      entries.addOther(tensor, `${OTHER_TYPES[type] ?? `type ${type}`} [${shape}]`);
      continue;
    }
    const count = countOf(shape, name, tensor);
    const data = external
      ? await externalData(external, tensor, files, beside, name)
      : dataOf(initializer, dtype, tensor, name);
    const expected = count * DTYPE_BYTES[dtype];
    if (data.length !== expected)
      damaged(name, `tensor ${quoted(tensor)} [${shape}] of ${dtype} needs ${expected} bytes, it has ${data.length}`);
    entries.addTensor(tensor, { shape, dtype, read: () => decodeValues(data, dtype) });
  }
  return { format: 'ONNX', layout: 'OIHW', tensors: entries.tensors, others: entries.others, metadata: {} };
}

function readGraph(bytes: Uint8Array, found: Map<string, Initializer>, used: string[], name: string): void {
  const add = (tensor: string, initializer: Initializer): void => {
    if (found.has(tensor)) damaged(name, `two initialisers have the name ${quoted(tensor)}`);
    found.set(tensor, initializer);
  };
  for (const field of fields(bytes, name)) {
    if (field.number === 5) {
      const [tensor, initializer] = readTensor(messageOf(field, name), name);
      add(tensor, initializer);
    }
    if (field.number === 15)
      throw new InputError(`${name}: it has sparse initialisers, which are not read: save it with dense ones`);
    if (field.number === 1) {
      // A node: input (1), output (2), op_type (4), attribute (5).
      let output = '';
      let operation = '';
      let value: Initializer | undefined;
      for (const part of fields(messageOf(field, name), name)) {
        if (part.number === 1) used.push(textOf(part, name));
        if (part.number === 2 && !output) output = textOf(part, name);
        if (part.number === 4) operation = textOf(part, name);
        if (part.number === 5) value ??= constantValue(messageOf(part, name), name);
      }
      if (operation === 'Constant' && value) add(output, value);
    }
  }
}

/** The tensor of a Constant's attribute `value`: name (1), t (5). */
function constantValue(bytes: Uint8Array, name: string): Initializer | undefined {
  let isValue = false;
  let tensor: Initializer | undefined;
  for (const part of fields(bytes, name)) {
    if (part.number === 1) isValue = textOf(part, name) === 'value';
    if (part.number === 5) tensor = readTensor(messageOf(part, name), name)[1];
  }
  return isValue ? tensor : undefined;
}

function readTensor(bytes: Uint8Array, name: string): [name: string, tensor: Initializer] {
  const tensor: Initializer = { shape: [], type: 0, packed: [], integers: [] };
  let own = '';
  let isExternal = false;
  const external = new Map<string, string>();
  for (const field of fields(bytes, name)) {
    switch (field.number) {
      case 1:
        tensor.shape.push(...integersOf(field, name));
        break;
      case 2:
        tensor.type = integerOf(field, name);
        break;
      case 3:
        throw new InputError(`${name}: it has a tensor in segments, which are not read: save it in whole tensors`);
      case 4:
      case 10: {
        // Packed, or one by one: then 4 or 8 bytes each.
        const single = new Uint8Array(field.number === 4 ? 4 : 8);
        const view = new DataView(single.buffer);
        if (field.integer !== undefined)
          if (field.number === 4) view.setUint32(0, Number(field.integer & 0xffffffffn), true);
          else view.setBigUint64(0, field.integer, true);
        tensor.packed.push(field.bytes ?? single);
        break;
      }
      case 5:
        for (const integer of integersOf(field, name)) tensor.integers.push(integer);
        break;
      case 8:
        own = textOf(field, name);
        break;
      case 9:
        tensor.raw = messageOf(field, name);
        break;
      case 13: {
        let key = '';
        let value = '';
        for (const part of fields(messageOf(field, name), name)) {
          if (part.number === 1) key = textOf(part, name);
          if (part.number === 2) value = textOf(part, name);
        }
        external.set(key, value);
        break;
      }
      case 14:
        isExternal = integerOf(field, name) === 1;
        break;
    }
  }
  if (tensor.shape.length > 16) damaged(name, `tensor ${quoted(own)} has ${tensor.shape.length} sides`);
  if (isExternal) tensor.external = external;
  return [own, tensor];
}

/** The bytes of a tensor that is in the model. */
function dataOf(tensor: Initializer, dtype: SourceDtype, own: string, name: string): Uint8Array {
  if (tensor.raw) return tensor.raw;
  // Halves are in the low 16 bits of int32_data.
  if (dtype === 'f16' || dtype === 'bf16') {
    if (tensor.integers.some((bits) => bits < 0 || bits > 0xffff))
      damaged(name, `tensor ${quoted(own)} of ${dtype} has values of more than 16 bits`);
    return new Uint8Array(Uint16Array.from(tensor.integers).buffer);
  }
  const joined = new Uint8Array(tensor.packed.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of tensor.packed) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** The bytes of a tensor in a file beside the model: location, offset, length. */
async function externalData(
  external: ReadonlyMap<string, string>,
  own: string,
  files: Map<string, Uint8Array>,
  beside: ReadBeside,
  name: string,
): Promise<Uint8Array> {
  const location = external.get('location') ?? '';
  if (!files.has(location)) files.set(location, await beside(location));
  const file = files.get(location)!;
  const number = (key: string, fallback: number): number => {
    const text = external.get(key);
    if (text === undefined) return fallback;
    return /^\d{1,15}$/.test(text) ? Number(text) : damaged(name, `tensor ${quoted(own)}: ${key} is ${quoted(text)}`);
  };
  const offset = number('offset', 0);
  const length = number('length', file.length - offset);
  if (offset + length > file.length)
    damaged(
      name,
      `tensor ${quoted(own)} ends at byte ${offset + length} of ${quoted(location)}, which ends at ${file.length}`,
    );
  return file.subarray(offset, offset + length);
}
