/**
 * PyTorch's checkpoints, `torch.save`: a zip file (since 1.6) or the older stream of pickles. Both hold a pickle of
 * dictionaries and tensors, and the tensors' storages as raw bytes beside it
 * (https://pytorch.org/docs/stable/notes/serialization.html; layout of the older one: torch/serialization.py,
 * `_legacy_save`).
 */
import { InputError } from '../../errors.ts';
import { Entries, MAX_ENTRIES, countOf, damaged, decodeValues, gather, quoted } from './checkpoint.ts';
import type { Checkpoint, SourceDtype } from './checkpoint.ts';
import { MOST_DEFLATED } from '../../image/packed.ts';
import { GlobalReference, Opaque, Tuple, unpickle } from './pickle.ts';
import type { PickleEnvironment, PickleGlobal, PickleValue } from './pickle.ts';
import type { Zip } from './zip.ts';

/** Types of values in a storage: those of weights, and the bytes of others, which are passed over. */
const TYPES: Record<string, { dtype?: SourceDtype; text: string; bytes: number }> = {
  Double: { dtype: 'f64', text: 'f64', bytes: 8 },
  Float: { dtype: 'f32', text: 'f32', bytes: 4 },
  Half: { dtype: 'f16', text: 'f16', bytes: 2 },
  BFloat16: { dtype: 'bf16', text: 'bf16', bytes: 2 },
  Long: { text: 'i64', bytes: 8 },
  Int: { text: 'i32', bytes: 4 },
  Short: { text: 'i16', bytes: 2 },
  Char: { text: 'i8', bytes: 1 },
  Byte: { text: 'u8', bytes: 1 },
  Bool: { text: 'bool', bytes: 1 },
};
/** Names of `torch.dtype` objects. */
const DTYPES: Record<string, string> = {
  float64: 'Double',
  float32: 'Float',
  float16: 'Half',
  bfloat16: 'BFloat16',
  int64: 'Long',
  int32: 'Int',
  int16: 'Short',
  int8: 'Char',
  uint8: 'Byte',
  bool: 'Bool',
};

/** A storage's type as a pickle names it; `Untyped` where the tensor says it. */
type StorageType = keyof typeof TYPES | 'Untyped';

interface Storage {
  key: string;
  type: StorageType;
  /** In values; in bytes where the storage is untyped. */
  size: number;
}

/** A tensor: a strided view into a storage. */
class Tensor {
  readonly storage: Storage;
  readonly type: keyof typeof TYPES;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(
    storage: Storage,
    type: keyof typeof TYPES,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.type = type;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** The begin of an older file: protocol 2 and the magic number. */
export const LEGACY_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const LEGACY_PROTOCOL = 1001;
/** Deepest nesting of dictionaries, and most values in them. */
const MAX_DEPTH = 32;
const MAX_VISITS = 1_000_000;

/** Reads a zip file of `torch.save`. @throws InputError */
export async function readPytorchZip(zip: Zip, name: string): Promise<Checkpoint> {
  const pickles = zip.names.filter((entry) => /^[^/]+\/data\.pkl$/.test(entry));
  if (pickles.length !== 1) damaged(name, `it has ${pickles.length} data.pkl`);
  const folder = pickles[0].slice(0, -'data.pkl'.length);
  const order = zip.names.includes(`${folder}byteorder`)
    ? new TextDecoder().decode(await zip.read(`${folder}byteorder`)).trim()
    : 'little';
  if (order !== 'little' && order !== 'big') damaged(name, `its byteorder is ${quoted(order)}, not little or big`);
  const storages = new Map<string, Storage>();
  const { value } = unpickle(await zip.read(pickles[0]), name, torch(name, storages));
  const bytes = new Map<string, Uint8Array>();
  for (const { key } of storages.values()) {
    const entry = `${folder}data/${key}`;
    if (!zip.names.includes(entry)) damaged(name, `it has no ${quoted(entry)}, whose values a tensor wants`);
    bytes.set(key, await zip.read(entry));
  }
  return checkpoint(value, bytes, order === 'little', name);
}

/** Reads the older stream of pickles. @throws InputError */
export function readPytorchLegacy(bytes: Uint8Array, name: string): Checkpoint {
  const nothing: PickleEnvironment = { resolve: () => undefined };
  const storages = new Map<string, Storage>();
  const magic = unpickle(bytes, name, nothing);
  const protocol = unpickle(bytes, name, nothing, magic.end);
  if (protocol.value !== LEGACY_PROTOCOL)
    damaged(name, `its protocol is ${String(protocol.value).slice(0, 20)}, expected ${LEGACY_PROTOCOL}`);
  const system = unpickle(bytes, name, nothing, protocol.end);
  const isLittle = !(system.value instanceof Map) || system.value.get('little_endian') !== false;
  const whole = unpickle(bytes, name, torch(name, storages), system.end);
  const keys = unpickle(bytes, name, nothing, whole.end);
  if (!Array.isArray(keys.value)) return damaged(name, 'it has no list of storages');
  const found = new Map<string, Uint8Array>();
  let at = keys.end;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys.value) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || found.has(storage.key))
      return damaged(name, `it lists a storage ${quoted(String(key))} that no tensor has`);
    if (at + 8 > bytes.length)
      return damaged(name, `it ends at byte ${bytes.length}, before storage ${quoted(storage.key)}`);
    const size = Number(view.getBigInt64(at, isLittle));
    const length = size * unitOf(storage);
    at += 8;
    if (size !== storage.size)
      return damaged(name, `storage ${quoted(storage.key)} has ${size} values, its tensors say ${storage.size}`);
    if (at + length > bytes.length)
      return damaged(name, `storage ${quoted(storage.key)} ends at byte ${at + length}, the file at ${bytes.length}`);
    found.set(storage.key, bytes.subarray(at, at + length));
    at += length;
  }
  for (const { key } of storages.values()) if (!found.has(key)) damaged(name, `it lacks storage ${quoted(key)}`);
  return checkpoint(whole.value, found, isLittle, name);
}

function unitOf({ type }: Storage): number {
  return type === 'Untyped' ? 1 : TYPES[type].bytes;
}

/** What a checkpoint's pickle may use. Fills `storages` by their keys. */
function torch(name: string, storages: Map<string, Storage>): PickleEnvironment {
  const integer = (value: PickleValue, what: string): number =>
    Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : damaged(name, `pickle: ${what} is ${describe(value)}, expected a whole number from 0`);
  const integers = (value: PickleValue, what: string): number[] =>
    value instanceof Tuple || Array.isArray(value)
      ? (value instanceof Tuple ? value.items : value).map((item) => integer(item, what))
      : damaged(name, `pickle: ${what} is ${describe(value)}, expected a tuple`);

  /** A tensor on a storage; without a type of its own it takes the storage's. */
  const tensor = (args: readonly PickleValue[], type?: string): PickleValue => {
    const [storage, offset, shape, strides] = args;
    if (!(storage instanceof Opaque) || !isStorage(storage.value))
      return damaged(name, 'pickle: a tensor without a storage');
    const own = type ?? storage.value.type;
    if (own === 'Untyped') return damaged(name, 'pickle: a tensor without a type');
    return new Opaque(
      new Tensor(
        storage.value,
        own,
        integer(offset, 'an offset'),
        integers(shape, 'a shape'),
        integers(strides, "a tensor's strides"),
      ),
    );
  };
  const dtypeOf = (value: PickleValue): string => {
    const dtype = value instanceof GlobalReference ? value.global.value : undefined;
    return typeof dtype === 'string' ? dtype : damaged(name, `pickle: a dtype is ${describe(value)}`);
  };
  const known: Record<string, PickleGlobal> = {
    'collections.OrderedDict': {
      value: undefined,
      call: ([items]) => {
        const dict: Map<PickleValue, PickleValue> = new Map();
        for (const pair of items instanceof Tuple ? items.items : Array.isArray(items) ? items : []) {
          const [key, value] = pair instanceof Tuple ? pair.items : Array.isArray(pair) ? pair : [];
          if (key === undefined || value === undefined) damaged(name, 'pickle: an OrderedDict of what are no pairs');
          dict.set(key, value);
        }
        return dict;
      },
    },
    'torch._utils._rebuild_tensor': { value: undefined, call: (args) => tensor(args) },
    'torch._utils._rebuild_tensor_v2': { value: undefined, call: (args) => tensor(args) },
    // (storage, offset, shape, strides, requires_grad, hooks, dtype, metadata)
    'torch._utils._rebuild_tensor_v3': { value: undefined, call: (args) => tensor(args, dtypeOf(args[6])) },
    // (data, requires_grad, hooks)
    'torch._utils._rebuild_parameter': {
      value: undefined,
      call: ([data]) => (data instanceof Opaque ? data : damaged(name, 'pickle: a parameter without a tensor')),
    },
    'torch.Size': { value: undefined, call: ([items]) => new Tuple(integers(items, 'a torch.Size')) },
  };
  return {
    resolve(path) {
      if (Object.hasOwn(known, path)) return known[path];
      const storage = /^torch(?:\.storage)?\.(\w+)Storage$/.exec(path)?.[1];
      if (storage && (storage === 'Untyped' || Object.hasOwn(TYPES, storage))) return { value: { storage } };
      const dtype = /^torch\.(\w+)$/.exec(path)?.[1];
      if (dtype && Object.hasOwn(DTYPES, dtype)) return { value: DTYPES[dtype] };
      return undefined;
    },
    persistent(id) {
      // ('storage', type, key, device, size), and in older files a view into it.
      const [kind, type, key, , size, part] = id instanceof Tuple ? id.items : [];
      const named =
        type instanceof GlobalReference ? (type.global.value as { storage?: StorageType } | undefined) : undefined;
      if (kind !== 'storage' || !named?.storage || typeof key !== 'string')
        return damaged(name, `pickle: an unknown persistent id ${describe(id)}`);
      if (part !== undefined && part !== null)
        throw new InputError(
          `${name}: it was saved by PyTorch 0.3 or before, with views of storages: load it and save it again with a ` +
            'later PyTorch',
        );
      const found: Storage = { key, type: named.storage, size: integer(size, `the size of storage ${quoted(key)}`) };
      const before = storages.get(key);
      if (before && (before.size !== found.size || before.type !== found.type))
        return damaged(name, `pickle: storage ${quoted(key)} has two sizes or types`);
      if (storages.size >= MAX_ENTRIES) return damaged(name, `pickle: it has more than ${MAX_ENTRIES} storages`);
      storages.set(key, found);
      return new Opaque(found);
    },
  };
}

function isStorage(value: unknown): value is Storage {
  return !(value instanceof Tensor);
}

/** The tensors of a pickle's value, by their paths through its dictionaries and lists. */
function checkpoint(
  value: PickleValue,
  storages: ReadonlyMap<string, Uint8Array>,
  isLittle: boolean,
  name: string,
): Checkpoint {
  const entries = new Entries(name);
  const metadata: Checkpoint['metadata'] = {};
  let visits = 0;
  const walk = (item: PickleValue, path: readonly string[]): void => {
    // One list can be in many places, and in itself.
    if (++visits > MAX_VISITS) damaged(name, `its dictionaries unfold to more than ${MAX_VISITS} values`);
    if (path.length > MAX_DEPTH) damaged(name, `its dictionaries are more than ${MAX_DEPTH} deep`);
    if (item instanceof Opaque) {
      if (item.value instanceof Tensor) addTensor(entries, path.join('.'), item.value, storages, isLittle, name);
      else entries.addOther(path.join('.'), 'a storage');
    } else if (item instanceof Map) {
      for (const [key, inner] of item) walk(inner, [...path, keyText(key, name)]);
    } else if (Array.isArray(item) || item instanceof Tuple) {
      (Array.isArray(item) ? item : item.items).forEach((inner, i) => walk(inner, [...path, String(i)]));
    } else entries.addOther(path.join('.') || 'the whole', describe(item));
  };
  walk(value, []);
  if (value instanceof Map) {
    const [variant, config] = [value.get('variant'), value.get('config')];
    if (typeof variant === 'string') metadata.variant = variant;
    const text = config instanceof Map ? jsonText(config) : undefined;
    if (text !== undefined) metadata.config = text;
  }
  return { format: 'PyTorch', layout: 'OIHW', tensors: entries.tensors, others: entries.others, metadata };
}

function addTensor(
  entries: Entries,
  path: string,
  { storage, type, offset, shape, strides }: Tensor,
  storages: ReadonlyMap<string, Uint8Array>,
  isLittle: boolean,
  name: string,
): void {
  const { dtype, bytes: size, text } = TYPES[type];
  const bytes = storages.get(storage.key)!;
  const at = `tensor ${quoted(path)}`;
  if (bytes.length !== storage.size * unitOf(storage))
    damaged(
      name,
      `storage ${quoted(storage.key)} of ${at} has ${bytes.length} bytes, ${storage.size * unitOf(storage)} are said`,
    );
  if (strides.length !== shape.length) damaged(name, `${at} has ${shape.length} sides and ${strides.length} strides`);
  const count = countOf(shape, name, path);
  const last = shape.reduce((sum, side, axis) => sum + (side - 1) * strides[axis], offset);
  const held = Math.floor(bytes.length / size);
  if (count > 0 && !(last < held)) damaged(name, `${at} [${shape}] reaches value ${last}, its storage has ${held}`);
  if (count > MOST_DEFLATED * Math.max(1, held))
    damaged(name, `${at} [${shape}] has ${count} values, its storage has ${held}`);
  if (!dtype) {
    entries.addOther(path, `${text} [${shape}]`);
    return;
  }
  entries.addTensor(path, {
    shape,
    dtype,
    read: () => {
      if (count === 0) return new Float32Array();
      const values = decodeValues(bytes.subarray(offset * size, (last + 1) * size), dtype, isLittle);
      return gather(values, shape, strides, 0);
    },
  });
}

function keyText(key: PickleValue, name: string): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean' || key === null)
    return String(key);
  if (key instanceof Tuple) return key.items.map((item) => keyText(item, name)).join(',');
  return damaged(name, `pickle: a key that is ${describe(key)}`);
}

/** A dictionary of plain values as JSON text, or undefined if it has others. */
function jsonText(config: PickleValue): string | undefined {
  let visits = 0;
  const plain = (value: PickleValue, depth: number): unknown => {
    if (depth > MAX_DEPTH || ++visits > MAX_VISITS) throw new TypeError('too deep');
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (Array.isArray(value) || value instanceof Tuple)
      return (Array.isArray(value) ? value : value.items).map((item) => plain(item, depth + 1));
    if (value instanceof Map)
      return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item, depth + 1)]));
    throw new TypeError('not plain');
  };
  try {
    return JSON.stringify(plain(config, 0));
  } catch {
    return undefined;
  }
}

/** A value in a few words, for messages and lists. */
function describe(value: PickleValue): string {
  if (value instanceof Map) return 'a dictionary';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Tuple) return 'a tuple';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof GlobalReference) return value.path.slice(0, 80);
  if (value instanceof Opaque) return value.value instanceof Tensor ? 'a tensor' : 'a storage';
  if (typeof value === 'string') return quoted(value);
  return String(value);
}
