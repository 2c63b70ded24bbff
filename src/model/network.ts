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
import { decoded } from './decoder.ts';
import { encoder } from './encoder.ts';
import { begin, frameAttrs, frames } from './part.ts';
import type { Scene } from './part.ts';
import { partsOf } from './partsOf.ts';

/** The picture is padded to a multiple of this (spec: Conventions). */
export const PADDING = 16;

/** Motion maps: output `masks`, [frames, H, W], W_r the union of the others. @throws for a network without maps. */
export function segmentationGraph(config: NetworkConfig, scene: Scene): Graph {
  const { segmentation } = partsOf(config);
  if (!segmentation) throw new Error('this network finds no motion');
  const net = begin(config, scene);
  return net.graph.build([segmentation.build(net)]);
}

/** The graphs of a network: of its motion maps, if it has any, and of the picture. */
export function networkGraphs(config: NetworkConfig, scene: Scene): Graph[] {
  return [...(partsOf(config).segmentation ? [segmentationGraph(config, scene)] : []), fusionGraph(config, scene)];
}

/** The picture from frames and maps: output [3, H, W], Y. */
export function fusionGraph(config: NetworkConfig, scene: Scene): Graph {
  const net = begin(config, scene);
  const parts = partsOf(config);
  const logits = decoded(net, parts.decoder(net, parts.fusion(net, encoder(net))));
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
