/**
 * Fusion: graph passes that save trips to memory. Each is a pure function whose result computes the same, and stands in
 * a file of its own. They run in this order, for later ones look at what earlier ones made.
 */
import type { Target } from '../../kernels/target.ts';
import type { Graph } from '../graph.ts';
import { fuseConcat } from './concat.ts';
import { fuseDilations } from './dilations.ts';
import { fuseFrames } from './frames.ts';
import { fuseMasks } from './masks.ts';
import { fusePicture } from './picture.ts';
import { fusePool } from './pool.ts';
import { halve } from './precision.ts';
import { fuseReads, fuseReadsByFrame } from './reads.ts';
import type { Pass } from './rewrite.ts';
import { fuseUpsample } from './upsample.ts';

export interface FuseOptions extends Pick<Target, 'capabilities' | 'precision'> {
  /** Whether the memory is read frame by frame, so that it is never stored whole. */
  readsByFrame?: boolean;
}

/** The passes that suit a device. */
export function passes({ capabilities = {}, precision = 'f32', readsByFrame = false }: FuseOptions): Pass[] {
  // Each of a tile's 16 taps would raise frames to powers anew: cheap beside memory on a GPU, dear on a CPU.
  return [
    ...(capabilities.cpu ? [] : [fuseFrames]),
    fuseUpsample,
    fusePool,
    fuseMasks,
    readsByFrame ? fuseReadsByFrame : fuseReads,
    fuseConcat,
    // On a CPU a weight is fetched once for a whole vector, which leaves little to share, and the larger programs take
    // its drivers minutes to compile.
    ...(capabilities.cpu ? [] : [fuseDilations]),
    fusePicture,
    ...(precision === 'f16' ? [halve] : []),
  ];
}

/** A graph with everything fused that suits a device. */
export function fuse(graph: Graph, options: FuseOptions = {}): Graph {
  return passes(options).reduce((fused, pass) => pass(fused), graph);
}
