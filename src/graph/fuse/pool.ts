/**
 * Max-pooling as a convolution stores: a convolution whose output is pooled stores both tensors. The pooling node
 * becomes a `result` of the convolution.
 */
import type { ConvAttrs } from '../../kernels/conv2d/index.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { readersOf, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

/** Largest kernel size that is computed in tiles of whole pooling windows. */
const TILED_KERNEL = 3;

/** Whether a node is a convolution that can store its one pooling as well. */
function pools(graph: Graph, node: GraphNode): boolean {
  if (node.op !== 'conv2d') return false;
  const { store, kernel, groups = 1, dilation = 1 } = node.attrs as ConvAttrs;
  const poolings = readersOf(graph, node.id).filter((reader) => reader.op === 'maxPool');
  return poolings.length === 1 && !store && kernel <= TILED_KERNEL && groups === 1 && dilation === 1;
}

export const fusePool: Pass = (graph) =>
  rewrite(graph, (node, { add, at }) => {
    if (pools(graph, node))
      return add({ ...node, inputs: node.inputs.map(at), attrs: { ...node.attrs, store: { kind: 'pool' } } });
    const input = graph.nodes[node.inputs[0]];
    if (node.op === 'maxPool' && pools(graph, input))
      return add({ ...node, op: 'result', inputs: [at(input.id)], attrs: {} });
    return undefined;
  });
