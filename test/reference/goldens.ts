/**
 * Reads the golden files in test/goldens: what the PyTorch reference (reference/goldens.py) computed in f64 and stored in
 * f32, with the weights it used. Nothing here needs Python.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseConfig } from '../../src/weights/config.ts';
import type { NetworkConfig } from '../../src/weights/config.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import type { WeightTensor } from '../../src/weights/safetensors.ts';
import { tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

const FOLDER = new URL('../goldens/', import.meta.url);

export interface Golden {
  name: string;
  config: NetworkConfig;
  /** The network's weights, and the file's bytes for what reads them itself. */
  weights: Map<string, WeightTensor>;
  weightsBytes: Uint8Array;
  taus: number[];
  /** The reference frame, from 0. */
  reference: number;
  /** Input frames, `[3, h, w]`, shortest first. */
  frames: Tensor[];
  /** Every stage stored, by the names of test/reference/network.ts. */
  stages: Map<string, Tensor>;
}

/** Names of the goldens there are. */
export function goldenNames(): string[] {
  const suffix = '.weights.safetensors';
  return readdirSync(FOLDER).filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length)).sort();
}

export function readGolden(name: string): Golden {
  const bytes = readFileSync(new URL(`${name}.safetensors`, FOLDER));
  const weightsBytes = readFileSync(new URL(`${name}.weights.safetensors`, FOLDER));
  const golden = readSafetensors(bytes, `${name}.safetensors`);
  const weights = readSafetensors(weightsBytes, `${name}.weights.safetensors`);
  const stages = new Map([...golden.tensors].map(([stage, { shape, data }]) => [stage, tensor(shape[0], shape[1], shape[2], data)]));
  const taus = JSON.parse(golden.metadata.taus) as number[];
  return {
    name,
    config: parseConfig(weights.metadata, `${name}.weights.safetensors`),
    weights: weights.tensors,
    weightsBytes,
    taus,
    reference: Number(golden.metadata.reference),
    frames: taus.map((_, k) => stages.get(`X.${k + 1}`)!),
    stages,
  };
}
