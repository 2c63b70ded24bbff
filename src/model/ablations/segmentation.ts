/** Motion maps by the simple difference, in the place of S (A4 of the paper's Table II). */
import type { GraphNode } from '../../graph/graph.ts';
import { frameAttrs } from '../part.ts';
import type { Network } from '../part.ts';

/** Motion maps of all frames, [frames, H, W], 0 or 1. */
export function differences({ graph, scene, stack, response }: Network): GraphNode {
  const { taus, reference, covered } = scene;
  const masks = graph.add('masks', 'differenceMasks', [stack, response], { ...frameAttrs(scene), taus, reference });
  return covered ? graph.add('masks covered', 'coveredMasks', [masks, stack], { reference }) : masks;
}
