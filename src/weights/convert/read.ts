/** Reads a checkpoint of any format. The format is told from the bytes, not from the file's name. */
import { InputError } from '../../errors.ts';
import type { Checkpoint, ReadBeside } from './checkpoint.ts';
import { readKeras } from './keras.ts';
import type { H5wasm } from './keras.ts';
import { readNpz } from './npz.ts';
import { readOnnx } from './onnx.ts';
import { LEGACY_MAGIC, readPytorchLegacy, readPytorchZip } from './pytorch.ts';
import { readSafetensorsSource } from './safetensorsSource.ts';
import { isTable, readTensorflow } from './tensorflow.ts';
import type { Zip } from './zip.ts';

/** Where a checkpoint is from, and what reads its parts. */
export interface CheckpointSource {
  /** The file, for messages. */
  name: string;
  /** Its plain name: files that belong to it are named after it. */
  file: string;
  /** Reads a file beside it. */
  beside: ReadBeside;
  openZip(bytes: Uint8Array, name: string): Promise<Zip>;
  h5wasm(): Promise<H5wasm>;
}

const HDF5 = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const ZIP = [0x50, 0x4b, 0x03, 0x04];
/** An empty zip file is its end record alone. */
const EMPTY_ZIP = [0x50, 0x4b, 0x05, 0x06];

/**
 * Reads a checkpoint.
 * @throws InputError naming the file and what is wrong with it, or that its format is unknown; MissingPackageError
 */
export async function readCheckpoint(bytes: Uint8Array, source: CheckpointSource): Promise<Checkpoint> {
  const { name, file, beside, openZip, h5wasm } = source;
  const begins = (magic: readonly number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  if (begins(LEGACY_MAGIC)) return readPytorchLegacy(bytes, name);
  if (begins(HDF5)) return readKeras(bytes, name, await h5wasm());
  if (begins(ZIP) || begins(EMPTY_ZIP)) {
    const zip = await openZip(bytes, name);
    if (zip.names.some((entry) => /^[^/]+\/data\.pkl$/.test(entry))) return readPytorchZip(zip, name);
    if (zip.names.includes('model.weights.h5'))
      return readKeras(await zip.read('model.weights.h5'), name, await h5wasm());
    if (zip.names.some((entry) => entry.endsWith('.npy'))) return readNpz(zip, name);
    throw new InputError(
      `${name}: it is a zip file of something else: PyTorch's has a data.pkl, NumPy's .npy arrays, Keras's a ` +
        'model.weights.h5',
    );
  }
  if (isTable(bytes)) return readTensorflow(bytes, name, file, beside);
  // The header of safetensors begins at byte 8; ONNX begins with ir_version.
  if (bytes[8] === 0x7b) return readSafetensorsSource(bytes, name);
  if (bytes[0] === 0x08) return readOnnx(bytes, name, beside);
  throw new InputError(`${name}: ${unknown(bytes, file)}`);
}

/** What to say about a file of no known format. */
function unknown(bytes: Uint8Array, file: string): string {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  if (bytes.length === 0) return 'the file is empty';
  if (/\.data-\d+-of-\d+$/.test(file)) return 'it is the data of a TensorFlow checkpoint: name its .index';
  if (start.includes('model_checkpoint_path')) return 'it is a list of TensorFlow checkpoints: name the .index of one';
  if (start.startsWith('\x80'))
    return 'it is a plain pickle, which may run programs and is not read: save it with torch.save or numpy.savez';
  if (/<!doctype|<html/i.test(start)) return 'it is a web page, not a checkpoint: download the file itself';
  if (start.startsWith('version https://git-lfs'))
    return 'it is a Git LFS pointer, not the checkpoint: run `git lfs pull`, or download the file itself';
  return (
    'its format is unknown: checkpoints of PyTorch (.pt, .pth), TensorFlow (.index), Keras (.h5, .keras), ONNX, NPZ ' +
    'and safetensors are read'
  );
}
