/**
 * HDF5 files of Keras (`model.weights.h5`, `save_weights`, and the older whole models) and of others. The package jsfive
 * reads HDF5 itself; here its tree becomes tensors.
 *
 * Older Keras files name their layers and weights in attributes, in the order of the model; the rest come in the order of
 * the numbers in their names (`conv2d`, `conv2d_1`, ... `conv2d_10`).
 */
import { InputError, reasonOf } from '../../errors.ts';
import { Entries, MAX_ENTRIES, countOf, damaged, quoted } from './checkpoint.ts';
import type { Checkpoint, SourceDtype } from './checkpoint.ts';
import { naturalOrder } from './naturalOrder.ts';

/** What is used of the package jsfive. */
export interface Jsfive {
  File: new (bytes: ArrayBuffer, name: string) => H5Group;
}
interface H5Group {
  readonly keys: string[];
  readonly attrs: Record<string, unknown>;
  get(key: string): H5Group | H5Dataset | null;
}
interface H5Dataset {
  readonly shape: number[] | undefined;
  readonly dtype: unknown;
  readonly value: unknown;
}

const DTYPES: Record<string, SourceDtype> = { f2: 'f16', f4: 'f32', f8: 'f64' };
/** Deepest nesting of groups. */
const MAX_DEPTH = 32;

/** Reads an HDF5 file. @throws InputError */
export function readKeras(bytes: Uint8Array, name: string, { File }: Jsfive): Checkpoint {
  /** jsfive throws texts and errors of its own on damaged files. */
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
    const keys = guard(`group ${quoted(path || '/')}`, () => group.keys).sort(naturalOrder);
    for (const key of inOrderOf(names(group, path ? 'weight_names' : 'layer_names'), keys)) {
      if (++visits > MAX_ENTRIES) damaged(name, `it has more than ${MAX_ENTRIES} groups and datasets`);
      const own = path ? `${path}/${key}` : key;
      const item = guard(quoted(own), () => group.get(key));
      if (item && 'keys' in item && !('dtype' in item)) walk(item, own);
      else if (item) addDataset(item as H5Dataset, own);
      else entries.addOther(own, 'a link to nothing');
    }
  };
  const addDataset = (dataset: H5Dataset, own: string): void => {
    const at = `dataset ${quoted(own)}`;
    const { dtype, shape } = guard(at, () => ({ dtype: dataset.dtype, shape: dataset.shape ?? [] }));
    const type = typeof dtype === 'string' ? /^[<>|=]?(f\d)$/.exec(dtype)?.[1] : undefined;
    if (!type || !Object.hasOwn(DTYPES, type)) {
      entries.addOther(own, `${typeof dtype === 'string' ? dtype.slice(0, 20) : 'not numbers'} [${shape}]`);
      return;
    }
    const count = countOf(shape, name, own);
    entries.addTensor(own, {
      shape,
      dtype: DTYPES[type],
      read: () => {
        if (count * Number(type.slice(1)) > MAX_RATIO * bytes.length)
          damaged(name, `${at} [${shape}] has ${count} values in a file of ${bytes.length} bytes`);
        const value = guard(at, () => dataset.value);
        if (!Array.isArray(value) || value.length !== count)
          return damaged(name, `${at} [${shape}] has ${Array.isArray(value) ? value.length : 'no'} values`);
        return Float32Array.from(value as number[]);
      },
    });
  };
  // A copy: jsfive takes a whole ArrayBuffer.
  walk(
    guard('it', () => new File(new Uint8Array(bytes).buffer, name)),
    '',
  );
  return { format: 'Keras H5', layout: 'HWIO', tensors: entries.tensors, others: entries.others, metadata: {} };
}

/** What compression can save at most: gzip, and a little. */
const MAX_RATIO = 1100;

/** The parts of a group that an attribute lists: the first step of each path, each once. */
function names(group: H5Group, attribute: string): string[] {
  let listed: unknown;
  try {
    listed = group.attrs[attribute];
  } catch {
    return []; // the order of numbers serves
  }
  if (!Array.isArray(listed)) return [];
  return listed.filter((item) => typeof item === 'string').map((item) => item.replace(/\0+$/, ''));
}

/** Keys, those that are listed first and in that order. A list may name a weight by its way below the key. */
function inOrderOf(listed: readonly string[], keys: readonly string[]): string[] {
  const first = listed
    .map((item) => (keys.includes(item) ? item : item.split('/')[0]))
    .filter((key) => keys.includes(key));
  return [...new Set([...first, ...keys])];
}
