/** What every format's reader gives: a checkpoint's tensors by name, not yet decoded. */
import { InputError } from '../../errors.ts';
import { halvesToFloats } from '../../float16.ts';

/** Formats of checkpoints that are read. */
export type CheckpointFormat = 'PyTorch' | 'TensorFlow' | 'Keras H5' | 'ONNX' | 'NPZ' | 'safetensors';

/** Types of weights that are read. All become f32. */
export type SourceDtype = 'f64' | 'f32' | 'f16' | 'bf16';

/** Order of a convolution kernel's axes: output, input, height, width; or height, width, input, output. */
export type KernelLayout = 'OIHW' | 'HWIO';

/** A tensor of a checkpoint. Its size was checked against the file; its values are decoded when they are asked for. */
export interface SourceTensor {
  shape: readonly number[];
  dtype: SourceDtype;
  /** Row-major values, rounded to the nearest f32. @throws InputError if the file's data cannot be read. */
  read(): Float32Array<ArrayBuffer>;
}

/** A checkpoint: its tensors in the order of the file. */
export interface Checkpoint {
  format: CheckpointFormat;
  /** How the format's frameworks store the kernels of convolutions. */
  layout: KernelLayout;
  tensors: ReadonlyMap<string, SourceTensor>;
  /** What else has a name in the file, and what it is: counters, texts. */
  others: ReadonlyMap<string, string>;
  /** `variant` and `config` (JSON text), where the file says them. */
  metadata: { variant?: string; config?: string };
}

/** Reads a file beside the checkpoint, by its plain name. @throws InputError */
export type ReadBeside = (name: string) => Promise<Uint8Array>;

export const DTYPE_BYTES: Record<SourceDtype, number> = { f64: 8, f32: 4, f16: 2, bf16: 2 };

/** Most values that a checkpoint may hold: it bounds what small files that lie can demand. */
export const MAX_VALUES = 2 ** 28;
/** Most tensors and other entries in a checkpoint. */
export const MAX_ENTRIES = 100_000;
/** Longest name of a tensor. */
export const MAX_NAME = 1000;

/** @throws InputError that the file is damaged. */
export function damaged(name: string, what: string, options?: ErrorOptions): never {
  throw new InputError(`${name}: ${what}: the file is damaged: download or save it again`, options);
}

/** A name from the file, quoted for a one-line message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** Number of values of a shape. @throws InputError for sides that are no counts, or more values than are read. */
export function countOf(shape: readonly number[], name: string, tensor: string): number {
  let count = 1;
  for (const side of shape) {
    if (!Number.isSafeInteger(side) || side < 0)
      damaged(name, `tensor ${quoted(tensor)} has the shape [${shape}], sides must be whole numbers from 0`);
    count *= side;
    if (count > MAX_VALUES)
      throw new InputError(
        `${name}: tensor ${quoted(tensor)} [${shape}] has more than ${MAX_VALUES} values, the most that are read`,
      );
  }
  return count;
}

/** A reader's collection of entries: no name twice, and not more in all than are read. */
export class Entries {
  readonly tensors = new Map<string, SourceTensor>();
  readonly others = new Map<string, string>();
  readonly #name: string;
  #values = 0;

  /** @param name the file, for messages. */
  constructor(name: string) {
    this.#name = name;
  }

  #admit(entry: string): void {
    if (this.tensors.has(entry) || this.others.has(entry))
      damaged(this.#name, `two entries have the name ${quoted(entry)}`);
    if (entry.length > MAX_NAME) damaged(this.#name, `the name ${quoted(entry)} has ${entry.length} characters`);
    if (this.tensors.size + this.others.size >= MAX_ENTRIES)
      throw new InputError(`${this.#name}: it has more than ${MAX_ENTRIES} entries, the most that are read`);
  }

  addTensor(entry: string, tensor: SourceTensor): void {
    this.#admit(entry);
    this.#values += countOf(tensor.shape, this.#name, entry);
    if (this.#values > MAX_VALUES)
      throw new InputError(`${this.#name}: its tensors have more than ${MAX_VALUES} values, the most that are read`);
    this.tensors.set(entry, tensor);
  }

  addOther(entry: string, what: string): void {
    this.#admit(entry);
    this.others.set(entry, what);
  }
}

/**
 * Decodes values.
 * @param bytes a whole number of values.
 */
export function decodeValues(bytes: Uint8Array, dtype: SourceDtype, littleEndian = true): Float32Array<ArrayBuffer> {
  // An aligned copy, whose bytes can be swapped. (A Buffer's own slice() would not copy.)
  const copy = new Uint8Array(bytes);
  const size = DTYPE_BYTES[dtype];
  if (!littleEndian) for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  const { buffer } = copy;
  if (dtype === 'f32') return new Float32Array(buffer);
  if (dtype === 'f64') return Float32Array.from(new Float64Array(buffer));
  if (dtype === 'f16') return halvesToFloats(new Uint16Array(buffer));
  // The upper half of an f32.
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
}

/** Values in Fortran order (the first axis changes fastest) as row-major ones. */
export function fromFortranOrder(values: Float32Array, shape: readonly number[]): Float32Array<ArrayBuffer> {
  let stride = 1;
  const strides = shape.map((side) => {
    const own = stride;
    stride *= side;
    return own;
  });
  return gather(values, shape, strides, 0);
}

/**
 * Row-major values of a strided view.
 * @param strides in values; every index that they reach must exist.
 */
export function gather(
  values: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(shape.reduce((product, side) => product * side, 1));
  const at = shape.map(() => 0);
  let from = offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = values[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++at[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return out;
}
