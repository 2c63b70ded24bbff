/**
 * The parts that a network is made of. Ablations replace some of them; their code (ablations/) is loaded only for
 * weights whose config names one.
 */
import type { GraphNode } from '../graph/graph.ts';
import type { TileRules } from '../image/tile.ts';
import type { Ablation, NetworkConfig } from '../weights/config.ts';
import { DECODER_HALO, sdcDense } from './decoder.ts';
import { ENCODER_HALO } from './encoder.ts';
import type { Encoder } from './encoder.ts';
import { FUSION_HALO, fusion } from './fusion.ts';
import type { Network } from './part.ts';
import { SEGMENTATION_TILES, segmentation } from './segmentation.ts';

export interface NetworkParts {
  /** Motion maps of all frames, [frames, H, W], and how far away they still depend on their input; none for A3. */
  segmentation?: { build(net: Network): GraphNode; tiles: TileRules };
  /** Encodes all frames and fuses them: Z, which the decoder reads. */
  fusion(net: Network, encode: Encoder): GraphNode;
  /** What the decoder's last convolution reads. */
  decoder(net: Network, z: GraphNode): GraphNode;
  /** How far away a fused pixel still depends on its input. */
  fusionTiles: TileRules;
}

/** A fused pixel depends on so many pixels around it, by the decoder's own. */
export function fusionTiles(decoderHalo: number): TileRules {
  return { halo: ENCODER_HALO + FUSION_HALO + decoderHalo, grid: 4 };
}

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
