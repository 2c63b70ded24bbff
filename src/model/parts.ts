/** The parts that a network is made of. */
import type { GraphNode } from '../graph/graph.ts';
import type { TileRules } from '../image/tile.ts';
import { ENCODER_HALO } from './encoder.ts';
import type { Encoder } from './encoder.ts';
import { FUSION_HALO } from './fusion.ts';
import type { Network } from './part.ts';

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

/** How far away a fused pixel depends on its input. @param decoderHalo the decoder's part of that, in pixels. */
export function fusionTiles(decoderHalo: number): TileRules {
  return { halo: ENCODER_HALO + FUSION_HALO + decoderHalo, grid: 4 };
}
