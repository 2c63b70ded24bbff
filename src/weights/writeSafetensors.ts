/** Writes safetensors files (https://github.com/huggingface/safetensors#format), as readSafetensors reads them. */
import { InputError } from '../errors.ts';
import { floatToHalf } from '../float16.ts';

/** Types that weights are saved in. */
export type SavedDtype = 'f32' | 'f16';

/** A tensor to save: row-major values. */
export interface SavedTensor {
  shape: readonly number[];
  data: Float32Array;
}

/**
 * A file of weights.
 * @param tensors by name, in the order of the file. With f16 every value is rounded to the nearest half.
 * @throws InputError for a value beyond the range of f16.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, SavedTensor>,
  metadata: Readonly<Record<string, string>>,
  dtype: SavedDtype = 'f32',
): Uint8Array {
  const size = dtype === 'f16' ? 2 : 4;
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    const begin = end;
    end += data.length * size;
    header[name] = { dtype: dtype.toUpperCase(), shape, data_offsets: [begin, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The data starts at a multiple of 8 bytes; the header is padded with spaces.
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  let at = start;
  for (const [name, { data }] of tensors) {
    const saved = dtype === 'f16' ? toHalves(data, name) : data;
    bytes.set(new Uint8Array(saved.buffer, saved.byteOffset, saved.byteLength), at);
    at += saved.byteLength;
  }
  return bytes;
}

function toHalves(data: Float32Array, name: string): Uint16Array {
  return Uint16Array.from(data, (value) => {
    const half = floatToHalf(value);
    if ((half & 0x7fff) === 0x7c00 && Number.isFinite(value))
      throw new InputError(`tensor "${name}" has the value ${value}, f16 goes to 65504: save it as f32`);
    return half;
  });
}
