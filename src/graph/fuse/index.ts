/**
 * Fusion: graph passes that save trips to memory. Each pass is a pure function in its own file, and its result computes
 * the same values. The order matters: later passes look at what earlier ones made.
 */
import type { Target } from '../../kernels/target.ts';
import type { Graph } from '../graph.ts';
import { fuseConcat } from './concat.ts';
import { fuseDilations } from './dilations.ts';
import { fuseFrames } from './frames.ts';
import { fuseMasks } from './masks.ts';
import { fuseMerge } from './merge.ts';
import { fusePicture } from './picture.ts';
import { fusePool } from './pool.ts';
import { halve } from './precision.ts';
import { fuseReads, fuseReadsByFrame } from './reads.ts';
import type { Pass } from './rewrite.ts';
import { fuseUpsample } from './upsample.ts';
import { fuseWrites, fuseWritesByFrame } from './writes.ts';

export interface FuseOptions extends Pick<Target, 'capabilities' | 'precision'> {
  /** Whether the global memory is read frame by frame, so that it is never stored whole. */
  readsByFrame?: boolean;
}

/** The passes for a device. */
export function passes({ capabilities = {}, precision = 'f32', readsByFrame = false }: FuseOptions): Pass[] {
  // Each of a tile's 16 taps would compute the powers of a frame again: cheap compared with memory on a GPU, expensive
  // on a CPU.
  return [
    ...(capabilities.cpu ? [] : [fuseFrames]),
    fuseUpsample,
    fusePool,
    fuseMasks,
    // On a CPU the writes' arithmetic and their weights, fetched for few pixels at a time, cost more than their bytes.
    ...(capabilities.cpu ? [] : [readsByFrame ? fuseWritesByFrame : fuseWrites]),
    readsByFrame ? fuseReadsByFrame : fuseReads,
    fuseConcat,
    // On a CPU one fetch of a weight already serves a whole vector, so there is little left to share, and software
    // drivers take minutes to compile the larger programs.
    ...(capabilities.cpu ? [] : [fuseDilations]),
    // Matrix units compute the convolution in much less time than the bytes take that this saves.
    ...(capabilities.cpu || (capabilities.matrices && precision === 'f16') ? [] : [fuseMerge]),
    fusePicture,
    ...(precision === 'f16' ? [halve] : []),
  ];
}

/** A graph with all passes for a device applied. */
export function fuse(graph: Graph, options: FuseOptions = {}): Graph {
  return passes(options).reduce((fused, pass) => pass(fused), graph);
}
