/** Reads a weights file and checks it against the network it claims to hold. */
import { TEXT, bytesOf, expect } from '../checks.ts';
import { graphTensors } from '../graph/graph.ts';
import { checkTensors } from '../weights/check.ts';
import { FIXED_FRAMES, parseConfig } from '../weights/config.ts';
import type { NetworkConfig } from '../weights/config.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import type { WeightTensor } from '../weights/safetensors.ts';
import { networkGraphs } from './network.ts';
import { loadParts } from './partsOf.ts';
import type { Scene } from './part.ts';

/** A weights file that was read and checked: the network's config, and its tensors by name. */
export interface Weights {
  config: NetworkConfig;
  tensors: ReadonlyMap<string, WeightTensor>;
}

/** Every tensor that a config's network reads, by name, from its graphs. Its parts must be loaded (`loadParts`). */
export function networkTensors(config: NetworkConfig): Map<string, readonly number[]> {
  // With frames on both sides of the reference, a `fixed` network reads all of its tensors.
  const taus = Array.from({ length: FIXED_FRAMES }, (_, k) => 4 ** k);
  const scene: Scene = { taus, reference: 1, width: 16, height: 16, gamma: config.gamma, useResponse: false };
  return new Map(networkGraphs(config, scene).flatMap((graph) => [...graphTensors(graph)]));
}

/**
 * Reads a weights file (safetensors) and checks every tensor's name and shape against the graph. Loads the code of an
 * ablation if the file names one.
 * @param name the file, for messages.
 * @throws InputError naming the file and what is wrong with it; UsageError for what is no file's bytes.
 */
export async function loadWeights(bytes: Uint8Array | ArrayBuffer, name = 'weights'): Promise<Weights> {
  expect('name', name, TEXT);
  const { metadata, tensors } = readSafetensors(bytesOf(name, bytes), name);
  const config = parseConfig(metadata, name);
  await loadParts(config);
  checkTensors(tensors, networkTensors(config), name);
  return { config, tensors };
}
