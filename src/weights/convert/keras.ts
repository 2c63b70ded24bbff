/**
 * HDF5 files of Keras (`model.weights.h5`, `save_weights`, and the older whole models) and of others. The package
 * h5wasm, the HDF5 library in WebAssembly, reads HDF5 itself; here its tree becomes tensors. It sees the file's bytes
 * alone: a file that refers to others on the disk finds none.
 *
 * Older Keras files name their layers and weights in attributes, in the order of the model; the rest come in the order
 * of the numbers in their names (`conv2d`, `conv2d_1`, ... `conv2d_10`).
 */
import { InputError, reasonOf } from '../../errors.ts';
import { Entries, MAX_ENTRIES, countOf, damaged, quoted } from './checkpoint.ts';
import type { Checkpoint, SourceDtype } from './checkpoint.ts';
import { naturalOrder } from './naturalOrder.ts';

/** What is used of the package h5wasm: `load` resolves when its WebAssembly runs. */
export interface H5wasm {
  File: new (path: string, mode: 'r') => H5Group & { file_id: bigint; close(): unknown };
  ready: Promise<{
    FS: { writeFile(path: string, bytes: Uint8Array): void; unlink(path: string): void };
    /** Errors are thrown as JavaScript's, and not printed. */
    activate_throwing_error_handler(): unknown;
  }>;
}
interface H5Group {
  readonly type: string;
  keys(): string[];
  readonly attrs: Record<string, { value: unknown }>;
  get(key: string): H5Group | H5Dataset | null;
}
interface H5Dataset {
  readonly type: string;
  readonly shape: number[] | null;
  readonly metadata: { type: number; size: number };
  readonly value: unknown;
}

/** HDF5's class of floats, and its types by bytes. */
const FLOAT = 1;
const DTYPES: Record<number, SourceDtype> = { 2: 'f16', 4: 'f32', 8: 'f64' };
/** Deepest nesting of groups. */
const MAX_DEPTH = 32;
/** What compression can save at most: gzip, and a little. */
const MAX_RATIO = 1100;
/** The file's name in the memory that h5wasm sees. */
const PATH = 'checkpoint.h5';

/** Reads an HDF5 file. Every tensor is decoded at once, because h5wasm holds one file. @throws InputError */
export async function readKeras(bytes: Uint8Array, name: string, { File, ready }: H5wasm): Promise<Checkpoint> {
  const library = await ready;
  library.activate_throwing_error_handler();
  /** h5wasm throws errors of its own on damaged files. */
  const guard = <T>(what: string, read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      return damaged(name, `${what} cannot be read (${reasonOf(cause).slice(0, 100)})`, { cause });
    }
  };
  const entries = new Entries(name);
  let visits = 0;
  const walk = (group: H5Group, path: string): void => {
    if (path.split('/').length > MAX_DEPTH) damaged(name, `its groups are more than ${MAX_DEPTH} deep`);
    const keys = guard(`group ${quoted(path || '/')}`, () => group.keys()).sort(naturalOrder);
    const listed = [...names(group, 'layer_names'), ...names(group, 'weight_names')];
    for (const key of inOrderOf(listed, keys)) {
      if (++visits > MAX_ENTRIES) damaged(name, `it has more than ${MAX_ENTRIES} groups and datasets`);
      const own = path ? `${path}/${key}` : key;
      const item = guard(quoted(own), () => group.get(key));
      if (item?.type === 'Group') walk(item as H5Group, own);
      else if (item?.type === 'Dataset') addDataset(item as H5Dataset, own);
      else entries.addOther(own, 'a link');
    }
  };
  const addDataset = (dataset: H5Dataset, own: string): void => {
    const at = `dataset ${quoted(own)}`;
    const { shape, type, size } = guard(at, () => ({ shape: dataset.shape ?? [], ...dataset.metadata }));
    const dtype = type === FLOAT && Object.hasOwn(DTYPES, size) ? DTYPES[size] : undefined;
    if (!dtype) {
      entries.addOther(own, `${type === FLOAT ? `floats of ${size} bytes` : 'not floats'} [${shape}]`);
      return;
    }
    const count = countOf(shape, name, own);
    if (count * size > MAX_RATIO * bytes.length)
      damaged(name, `${at} [${shape}] has ${count} values in a file of ${bytes.length} bytes`);
    const value = guard(at, () => dataset.value);
    const values = typeof value === 'number' ? [value] : value;
    const isList = Array.isArray(values) || (ArrayBuffer.isView(values) && 'length' in values);
    if (!isList || (values as ArrayLike<number>).length !== count)
      return damaged(name, `${at} [${shape}] has ${isList ? (values as ArrayLike<number>).length : 'no'} values`);
    // A copy: the library reuses its memory.
    const data = Float32Array.from(values as ArrayLike<number>);
    entries.addTensor(own, { shape, dtype, read: () => data });
  };
  library.FS.writeFile(PATH, bytes);
  try {
    const file = guard('it', () => new File(PATH, 'r'));
    try {
      if (file.file_id < 0n) damaged(name, 'it is no HDF5 file');
      walk(file, '');
    } finally {
      guard('it', () => file.close());
    }
  } finally {
    library.FS.unlink(PATH);
  }
  return { format: 'Keras H5', layout: 'HWIO', tensors: entries.tensors, others: entries.others, metadata: {} };
}

/** What an attribute of a group lists. */
function names(group: H5Group, attribute: string): string[] {
  try {
    const listed = group.attrs[attribute]?.value;
    return Array.isArray(listed) ? listed.filter((item) => typeof item === 'string') : [];
  } catch {
    return []; // the order of numbers serves
  }
}

/** Keys, those that are listed first and in that order. A list may name a weight by its way below the key. */
function inOrderOf(listed: readonly string[], keys: readonly string[]): string[] {
  const first = listed
    .map((item) => (keys.includes(item) ? item : item.split('/')[0]))
    .filter((key) => keys.includes(key));
  return [...new Set([...first, ...keys])];
}
