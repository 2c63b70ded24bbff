/**
 * A golden: what the PyTorch reference (reference/goldens.py) computed in f64 and stored in f32, with the weights it
 * used. Parsed from bytes, wherever they come from: Node's tests read files (goldens.ts), a browser fetches them
 * (test/runtimes).
 */
import type { Frame } from '../../src/index.ts';
import { parseConfig } from '../../src/weights/config.ts';
import type { NetworkConfig } from '../../src/weights/config.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import type { WeightTensor } from '../../src/weights/safetensors.ts';
import { tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

export interface Golden {
  name: string;
  config: NetworkConfig;
  /** The network's weights, and the file's bytes for what reads them itself. */
  weights: Map<string, WeightTensor>;
  weightsBytes: Uint8Array;
  taus: number[];
  /** The reference frame, from 0. */
  reference: number;
  /** Input frames, `[3, h, w]`, shortest first: gamma-encoded, or of a camera of this response. */
  frames: Tensor[];
  /** Where each frame has data, `[1, h, w]`, if some lack it somewhere. */
  coverage: Tensor[] | null;
  /** f at i/255 by channel, where the frames are a camera's. */
  response: Float32Array[] | null;
  /** Every stage stored, by the names of test/reference/network.ts. */
  stages: Map<string, Tensor>;
}

const WEIGHTS = '.weights.safetensors';

/** The two files of a golden: its tensors and its weights. */
export function goldenFiles(name: string): [stages: string, weights: string] {
  return [`${name}.safetensors`, `${name}${WEIGHTS}`];
}

/** Names of the goldens among a folder's files, sorted. */
export function goldensAmong(files: readonly string[]): string[] {
  return files
    .filter((file) => file.endsWith(WEIGHTS))
    .map((file) => file.slice(0, -WEIGHTS.length))
    .sort();
}

/**
 * Whether a golden's network runs where each costs seconds: the paper's, and combinations of ablations, which have all
 * that single ones have.
 */
export function isWhole({ ablation }: NetworkConfig): boolean {
  const paper = ['network', 'full', 'separate', 'sdc-dense'];
  return !ablation || Object.values(ablation).filter((value) => !paper.includes(value)).length > 1;
}

/** A golden from the bytes of its two files. @throws InputError for files that are no safetensors. */
export function parseGolden(name: string, bytes: Uint8Array, weightsBytes: Uint8Array): Golden {
  const [stagesFile, weightsFile] = goldenFiles(name);
  const golden = readSafetensors(bytes, stagesFile);
  const weights = readSafetensors(weightsBytes, weightsFile);
  const tensors = new Map(
    [...golden.tensors].map(([stage, { shape, data }]) => [stage, tensor(shape[0], shape[1], shape[2], data)]),
  );
  const taus = JSON.parse(golden.metadata.taus) as number[];
  const table = tensors.get('response');
  const frames = taus.map((_, k) => tensors.get(`${table ? 'sample' : 'X'}.${k + 1}`)!);
  const isInput = (stage: string): boolean => stage === 'response' || /^(sample|coverage)\./.test(stage);
  const stages = new Map([...tensors].filter(([stage]) => !isInput(stage)));
  return {
    name,
    config: parseConfig(weights.metadata, weightsFile),
    weights: weights.tensors,
    weightsBytes,
    taus,
    reference: Number(golden.metadata.reference),
    frames,
    coverage: tensors.has('coverage.1') ? taus.map((_, k) => tensors.get(`coverage.${k + 1}`)!) : null,
    response: table
      ? [0, 1, 2].map((c) => Float32Array.from(table.data.subarray(c * table.w, (c + 1) * table.w)))
      : null,
    stages,
  };
}

/** A golden's map of frame k before a binary cut, of the padded picture; the reference has none. */
export function uncut({ stages }: Golden, k: number): Float64Array | undefined {
  const gate = stages.get(`gate.${k + 1}`);
  return stages.get(`logit.${k + 1}`)?.data.map((logit, i) => (gate?.data[i] ?? 1) / (1 + Math.exp(-logit)));
}

/** A planar `[3, h, w]` picture as a frame of the library. @param coverage where it has data. */
export function interleavedFrame({ data, h, w }: Tensor, exposure: number, coverage?: Tensor): Frame {
  const interleaved = new Float32Array(h * w * 3);
  for (let c = 0; c < 3; c++) for (let p = 0; p < h * w; p++) interleaved[3 * p + c] = data[c * h * w + p];
  const covered = coverage && { coverage: Uint8Array.from(coverage.data) };
  return { data: interleaved, width: w, height: h, exposure, ...covered };
}

/** A picture of the library, `[h, w, 3]`, as a tensor. */
export function planar(data: ArrayLike<number>, w: number, h: number): Tensor {
  const out = tensor(3, h, w);
  for (let c = 0; c < 3; c++) for (let p = 0; p < h * w; p++) out.data[c * h * w + p] = data[3 * p + c];
  return out;
}
