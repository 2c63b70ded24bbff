/**
 * ONNX files for the peers, made by reference/exportOnnx.py from a weights file and kept in bench/peers/models (ignored
 * by git) by the weights' hash.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NotInstalled } from '../engine.ts';
import type { EngineContext } from '../engine.ts';

const FOLDER = new URL('models/', import.meta.url);
const EXPORTER = fileURLToPath(new URL('../../reference/exportOnnx.py', import.meta.url));

/**
 * What is exported: the network, as it is or with convolutions' channels padded to multiples of 4, or one layer of it.
 */
export interface OnnxWanted {
  layer?: string;
  padChannels?: boolean;
}

let found: string | undefined;

/** A Python that has PyTorch: `$PYTHON`, the one on the path, Debian's. @throws NotInstalled */
export function pythonWithTorch(): string {
  for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
    if (found || !python) continue;
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
      found = python;
    } catch {
      // The next Python may have PyTorch.
    }
  }
  if (!found)
    throw new NotInstalled(
      'PyTorch, to export ONNX with, for `python3` or what PYTHON names: apt-get install python3-torch, or pip ' +
        'install torch',
    );
  return found;
}

/** The bytes of an ONNX file, exported when it is not there yet. @throws NotInstalled without PyTorch */
export function onnxModel(
  { weights, taus, reference }: EngineContext,
  { layer, padChannels = false }: OnnxWanted,
): Uint8Array {
  const key = createHash('sha256')
    .update(weights)
    .update(readFileSync(EXPORTER))
    .update(JSON.stringify([taus, reference, layer, padChannels]))
    .digest('hex')
    .slice(0, 16);
  const file = new URL(`${key}.onnx`, FOLDER);
  if (!existsSync(file)) {
    const python = pythonWithTorch();
    mkdirSync(FOLDER, { recursive: true });
    const [source, made] = ['.safetensors', '.part'].map((ending) => fileURLToPath(new URL(`${key}${ending}`, FOLDER)));
    writeFileSync(source, weights);
    const wanted = layer
      ? ['--layer', layer]
      : ['--taus', taus.join(), '--reference', String(reference), ...(padChannels ? ['--pad-channels'] : [])];
    execFileSync(python, [EXPORTER, '--weights', source, '--out', made, ...wanted], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    renameSync(made, file);
  }
  return readFileSync(file);
}
