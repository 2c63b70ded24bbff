/**
 * Upsampling and concatenation as the U-Net decoders load: `conv2d(concat(upsample(low), skip))` reads `low` at half
 * the coordinates, then `skip`. The upsampled tensor, the largest of the motion segmentation, is never stored.
 */
import { isOnlyFor, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

export const fuseUpsample: Pass = (graph) =>
  rewrite(graph, (node, { add, at }) => {
    const joined = graph.nodes[node.inputs[0]];
    if (
      node.op !== 'conv2d' ||
      joined.op !== 'concat' ||
      joined.inputs.length !== 2 ||
      !isOnlyFor(graph, joined.id, node)
    )
      return undefined;
    const [up, skip] = joined.inputs;
    const upsample = graph.nodes[up];
    if (upsample.op !== 'upsample' || !isOnlyFor(graph, up, joined)) return undefined;
    return add({ ...node, inputs: [at(upsample.inputs[0]), at(skip)] });
  });
