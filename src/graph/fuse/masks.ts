/**
 * Applies masks as masked features are loaded.
 *
 * `fixed`: two convolutions read all frames' masked features, one the still part and one the moving part. They become
 * one convolution with two layers that reads the plain features: features are stored and loaded once instead of twice,
 * and no product is stored. `any`: the mean and maximum over frames multiplies as it loads.
 */
import type { ConvAttrs } from '../../kernels/conv2d/index.ts';
import type { MaskMultiplyAttrs, MeanMaxAttrs } from '../../kernels/masks.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { isAlike, isOnlyFor, readersOf, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

/**
 * The features, one tensor per frame, that a convolution reads times masks: all times W (`moving`) or all times 1 - W
 * (`still`).
 */
function maskedInputs(
  graph: Graph,
  node: GraphNode,
  keep: MaskMultiplyAttrs['keep'],
): { features: number[]; stack: number } | undefined {
  if (node.op !== 'conv2d' || (node.attrs as ConvAttrs).read || (node.attrs as ConvAttrs).store) return undefined;
  const joined = graph.nodes[node.inputs[0]];
  if (joined.op !== 'concat' || !isOnlyFor(graph, joined.id, node)) return undefined;
  const parts = joined.inputs.map((id) => graph.nodes[id]);
  const fits = parts.every((part, k) => {
    const attrs = part.attrs as MaskMultiplyAttrs;
    return (
      part.op === 'maskMultiply' &&
      part.inputs[1] === parts[0].inputs[1] &&
      attrs.frame === k &&
      attrs.keep === keep &&
      isOnlyFor(graph, part.id, joined)
    );
  });
  return fits ? { features: parts.map((part) => part.inputs[0]), stack: parts[0].inputs[1] } : undefined;
}

/** The convolution of the moving parts of the same features as `still`, if there is one. */
function partner(
  graph: Graph,
  still: GraphNode,
  { features, stack }: { features: readonly number[]; stack: number },
): GraphNode | undefined {
  return graph.nodes.find((node) => {
    const moving = maskedInputs(graph, node, 'moving');
    return moving?.features.join() === features.join() && moving.stack === stack && isAlike(node, still, 'weights');
  });
}

export const fuseMasks: Pass = (graph) => {
  const layers = new Map<number, { fused: number; from: number }>();
  return rewrite(graph, (node, { add, at }) => {
    const known = layers.get(node.id);
    const slice = (fused: number, from: number): number =>
      add({ ...node, op: 'slice', inputs: [fused], attrs: { from } });
    if (known) return slice(known.fused, known.from);
    const still = maskedInputs(graph, node, 'still');
    const moving = still && partner(graph, node, still);
    if (!still || !moving) return fuseMeanMax(graph, node, add, at);
    const attrs = node.attrs as ConvAttrs;
    const shape = {
      ...node.shape,
      channels: still.features.reduce((sum, id) => sum + graph.nodes[id].shape.channels, 0),
    };
    const features = add({
      name: `${node.name} features`,
      op: 'concat',
      inputs: still.features.map(at),
      attrs: {},
      shape,
    });
    const fused = add({
      name: `${node.name} and ${moving.name}`,
      op: 'conv2d',
      inputs: [features, at(still.stack)],
      attrs: {
        ...attrs,
        weights: [attrs.weights, (moving.attrs as ConvAttrs).weights],
        read: { kind: 'masked', frames: still.features.length },
      },
    });
    layers.set(moving.id, { fused, from: node.shape.channels });
    return slice(fused, 0);
  });
};

function fuseMeanMax(
  graph: Graph,
  node: GraphNode,
  add: (node: GraphNode) => number,
  at: (id: number) => number,
): number | undefined {
  if (node.op !== 'meanMax') return undefined;
  const [input, ...state] = node.inputs;
  const product = graph.nodes[input];
  if (product.op !== 'maskMultiply' || readersOf(graph, input).length !== 1 || graph.outputs.includes(input))
    return undefined;
  const attrs: MeanMaxAttrs = { ...(node.attrs as MeanMaxAttrs), mask: product.attrs as MaskMultiplyAttrs };
  return add({ ...node, inputs: [...product.inputs, ...state].map(at), attrs });
}
