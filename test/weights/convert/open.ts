/** Reading checkpoints in tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../../src/errors.ts';
import { openZip } from '../../../src/node/zip.ts';
import type { Checkpoint } from '../../../src/weights/convert/checkpoint.ts';
import type { H5wasm } from '../../../src/weights/convert/keras.ts';
import { readCheckpoint } from '../../../src/weights/convert/read.ts';
import { readSafetensors } from '../../../src/weights/safetensors.ts';
import type { WeightTensor } from '../../../src/weights/safetensors.ts';

/** Checkpoints that reference/checkpoints.py wrote. */
export const FOLDER = 'test/goldens/checkpoints';
/** The network that all but `whole.pt` hold, and the one in `whole.pt`. */
export const NETWORK = 'fixed-no-masks-shared-memory-vanilla';
export const WHOLE = 'fixed-halo';

/** Reads a checkpoint from bytes; `files` are beside it. */
export function open(bytes: Uint8Array, file = 'x.pt', files: Record<string, Uint8Array> = {}): Promise<Checkpoint> {
  return readCheckpoint(bytes, {
    name: file,
    file,
    beside: async (name) => {
      if (!Object.hasOwn(files, name)) throw new InputError(`${file}: no file ${JSON.stringify(name)}`);
      return files[name];
    },
    openZip,
    h5wasm: () => import('h5wasm' as string) as Promise<H5wasm>,
  });
}

/** A file of FOLDER with the file that belongs to it. */
export function goldenBytes(file: string): [bytes: Uint8Array, files: Record<string, Uint8Array>] {
  const bytes = new Uint8Array(readFileSync(join(FOLDER, file)));
  return [bytes, file === 'external.onnx' ? { 'external.onnx.data': readFileSync(join(FOLDER, `${file}.data`)) } : {}];
}

export function goldenWeights(name = NETWORK): Map<string, WeightTensor> {
  return readSafetensors(readFileSync(`test/goldens/${name}.weights.safetensors`)).tensors;
}

/** The message of the InputError that a call must end in. */
export async function refusal(call: Promise<unknown> | (() => unknown)): Promise<string> {
  let value: unknown;
  try {
    value = await (typeof call === 'function' ? call() : call);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (/[\r\n]/.test(error.message)) throw new Error(`more than one line: ${error.message}`);
    return error.message;
  }
  throw new Error(`accepted: ${String(value)}`);
}
