/**
 * The network as graphs (spec: "The network, exactly"; source: "Segmentation Guided Deep HDR Deghosting", Sections III
 * and V).
 *
 * There are two, run one after the other, because they tile differently: `segmentationGraph` makes the motion maps W of
 * a whole picture, `fusionGraph` makes the picture from frames and maps. Other maps (painted or true ones) can replace
 * them as input of the second. Both read a **stack**: frame k is block k, (R, G, B, W_k); the first graph ignores W.
 */
import type { Graph } from '../graph/graph.ts';
import type { NetworkConfig } from '../weights/config.ts';
import { decoder } from './decoder.ts';
import { encoder } from './encoder.ts';
import { fusion } from './fusion.ts';
import { begin, frameAttrs, frames } from './part.ts';
import type { Scene } from './part.ts';
import { segmentation } from './segmentation.ts';

/** How many pixels away a motion map still depends on its input, on the U-Net's grid; this includes the gate's 10. */
export const SEGMENTATION_TILES = { halo: 96, grid: 16 };
/** The same for a fused pixel: 4 encoder, 4 fusion and 36 decoder rows. */
export const FUSION_TILES = { halo: 44, grid: 4 };
/** The picture is padded to a multiple of this (spec: Conventions). */
export const PADDING = 16;

/** Motion maps: output `masks`, [frames, H, W], W_r the union of the others. */
export function segmentationGraph(config: NetworkConfig, scene: Scene): Graph {
  const net = begin(config, scene);
  return net.graph.build([segmentation(net)]);
}

/** The picture from frames and maps: output [3, H, W], Y. */
export function fusionGraph(config: NetworkConfig, scene: Scene): Graph {
  const net = begin(config, scene);
  const { still, moving } = fusion(net, encoder(net));
  const logits = decoder(net, still, moving);
  const picture =
    config.base === 'merge'
      ? net.graph.add('Y', 'picture', [net.stack, net.response, logits], {
          ...frameAttrs(scene),
          taus: scene.taus,
          reference: scene.reference,
          useMasks: true,
          hat: config.hat,
        })
      : logits;
  return net.graph.build([picture]);
}

/**
 * The merge without a network: output [3, H, W], B, unclipped, one hat weight per pixel, with the stack's W or with
 * every W = 0.
 */
export function plainMergeGraph(scene: Scene, useMasks = false): Graph {
  const { graph, stack, response } = frames(scene);
  return graph.build([
    graph.add('B', 'picture', [stack, response], {
      ...frameAttrs(scene),
      taus: scene.taus,
      reference: scene.reference,
      useMasks,
      hat: 'pixel',
    }),
  ]);
}
