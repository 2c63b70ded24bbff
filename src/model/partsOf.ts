/**
 * The parts of a config's network: the paper's, or those of an ablation, whose code (ablations/) is loaded only for
 * weights whose config names one.
 */
import type { Ablation, NetworkConfig } from '../weights/config.ts';
import { DECODER_HALO, sdcDense } from './decoder.ts';
import { fusion } from './fusion.ts';
import { fusionTiles } from './parts.ts';
import type { NetworkParts } from './parts.ts';
import { SEGMENTATION_TILES, segmentation } from './segmentation.ts';

const PAPER: NetworkParts = {
  segmentation: { build: segmentation, tiles: SEGMENTATION_TILES },
  fusion,
  decoder: sdcDense,
  fusionTiles: fusionTiles(DECODER_HALO),
};

let ablated: ((ablation: Ablation) => NetworkParts) | undefined;

/** Loads the code of a config's ablation, if it names one: before its graphs are built. */
export async function loadParts({ ablation }: NetworkConfig): Promise<void> {
  if (ablation) ablated ??= (await import('./ablations/index.ts')).ablatedParts;
}

/** The parts of a config's network. @throws if they are not loaded. */
export function partsOf({ ablation }: NetworkConfig): NetworkParts {
  if (!ablation) return PAPER;
  if (!ablated) throw new Error('the ablation is not loaded: await loadParts');
  return ablated(ablation);
}
