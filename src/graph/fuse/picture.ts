/**
 * The last convolution's store computes the base merge and the sigmoid, so the logits are never stored (spec: Base).
 */
import type { ConvAttrs } from '../../kernels/conv2d/index.ts';
import type { PictureAttrs } from '../../kernels/picture.ts';
import { isOnlyFor, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

export const fusePicture: Pass = (graph) =>
  rewrite(graph, (node, { add, at }) => {
    if (node.op !== 'picture' || node.inputs.length !== 3) return undefined;
    const [stack, response, logits] = node.inputs;
    const conv = graph.nodes[logits];
    const attrs = conv.attrs as ConvAttrs;
    // A tile of one output block: the three logits.
    if (
      conv.op !== 'conv2d' ||
      attrs.store ||
      attrs.read ||
      attrs.channels > 4 ||
      (attrs.groups ?? 1) > 1 ||
      !isOnlyFor(graph, logits, node)
    )
      return undefined;
    return add({
      ...node,
      op: 'conv2d',
      inputs: [...conv.inputs, stack, response].map(at),
      attrs: { ...attrs, store: { kind: 'picture', ...(node.attrs as PictureAttrs) } },
    });
  });
