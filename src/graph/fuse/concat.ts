/**
 * Two inputs instead of a concatenation that placement cannot make free: `conv2d(concat(a, b))` where one of the two is
 * a slice, whose place is already fixed.
 */
import type { ConvAttrs } from '../../kernels/conv2d/index.ts';
import { isOnlyFor, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

export const fuseConcat: Pass = (graph) =>
  rewrite(graph, (node, { add, at }) => {
    const joined = graph.nodes[node.inputs[0]];
    if (
      node.op !== 'conv2d' ||
      (node.attrs as ConvAttrs).read ||
      joined.op !== 'concat' ||
      joined.inputs.length !== 2 ||
      !isOnlyFor(graph, joined.id, node)
    )
      return undefined;
    if (!joined.inputs.some((id) => graph.nodes[id].op === 'slice')) return undefined;
    return add({ ...node, inputs: [...joined.inputs, ...node.inputs.slice(1)].map(at) });
  });
