/** safetensors of any kind: also of f64 and bf16, and of networks that are not deghost's. */
import { safetensorsEntries } from '../safetensors.ts';
import { Entries, decodeValues } from './checkpoint.ts';
import type { Checkpoint, SourceDtype } from './checkpoint.ts';

/** Bytes of a value of each type (https://github.com/huggingface/safetensors#format). */
const BYTES: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};
const DTYPES: Record<string, SourceDtype> = { F64: 'f64', F32: 'f32', F16: 'f16', BF16: 'bf16' };

/** Reads a safetensors file. @throws InputError */
export function readSafetensorsSource(bytes: Uint8Array, name: string): Checkpoint {
  const { metadata, entries: found, data } = safetensorsEntries(bytes, name, BYTES);
  const entries = new Entries(name);
  for (const { name: own, dtype, shape, begin, end } of found) {
    if (!Object.hasOwn(DTYPES, dtype)) {
      entries.addOther(own, `${dtype.toLowerCase()} [${shape}]`);
      continue;
    }
    const values = data.subarray(begin, end);
    entries.addTensor(own, { shape, dtype: DTYPES[dtype], read: () => decodeValues(values, DTYPES[dtype]) });
  }
  const { variant, config } = metadata;
  return {
    format: 'safetensors',
    layout: 'OIHW',
    tensors: entries.tensors,
    others: entries.others,
    metadata: metadata.format === 'deghost' ? { variant, config } : {},
  };
}
