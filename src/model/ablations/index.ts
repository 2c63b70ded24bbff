/**
 * The ablations of the paper's Tables II and III (spec: Ablations): what they put in the place of the network's parts.
 * Loaded for weights whose config names one (parts.ts).
 */
import { addKernels } from '../../kernels/index.ts';
import type { Ablation } from '../../weights/config.ts';
import { DECODER_HALO, sdcDense } from '../decoder.ts';
import type { NetworkParts } from '../parts.ts';
import { fusionTiles } from '../parts.ts';
import { SEGMENTATION_TILES, segmentation } from '../segmentation.ts';
import { RESNET_HALO, VANILLA_HALO, resnet, sdcChain, vanilla } from './decoders.ts';
import { differenceMasks } from './differenceMasks.ts';
import { ablatedFusion } from './fusion.ts';
import { residual } from './residual.ts';
import { differences } from './segmentation.ts';

addKernels({ differenceMasks, residual });

const SEGMENTATIONS: Record<Ablation['segmentation'], NetworkParts['segmentation']> = {
  network: { build: segmentation, tiles: SEGMENTATION_TILES },
  difference: { build: differences, tiles: { halo: 0, grid: 4 } },
  none: undefined,
};

const DECODERS: Record<Ablation['decoder'], { build: NetworkParts['decoder']; halo: number }> = {
  'sdc-dense': { build: sdcDense, halo: DECODER_HALO },
  sdc: { build: sdcChain, halo: DECODER_HALO },
  vanilla: { build: vanilla, halo: VANILLA_HALO },
  resnet: { build: resnet, halo: RESNET_HALO },
};

/** The parts of a network with an ablation. */
export function ablatedParts(ablation: Ablation): NetworkParts {
  const decoder = DECODERS[ablation.decoder];
  return {
    segmentation: SEGMENTATIONS[ablation.segmentation],
    fusion: ablatedFusion(ablation),
    decoder: decoder.build,
    fusionTiles: fusionTiles(decoder.halo),
  };
}
