/**
 * The runs of an SDC block, the same convolutions at several dilations (spec: D), share their weight fetches: each
 * level becomes one convolution with several dilations. Its outputs lie one after another, so the last level already is
 * the concatenation that follows.
 */
import type { ConvAttrs } from '../../kernels/conv2d/index.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { isAlike, isOnlyFor, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

function alike(nodes: readonly GraphNode[]): boolean {
  const attrs = nodes.map((node) => node.attrs as ConvAttrs);
  return (
    nodes.every((node) => node.op === 'conv2d' && node.inputs.length === 1) &&
    attrs.every(
      ({ dilation = 1, groups = 1, store, read, channels }) =>
        typeof dilation === 'number' && groups === 1 && !store && !read && channels % 4 === 0,
    ) &&
    nodes.every((node) => isAlike(node, nodes[0], 'dilation')) &&
    new Set(attrs.map(({ dilation = 1 }) => dilation)).size === nodes.length
  );
}

/** The levels of convolutions that end in a concat, first to last, back to the input that all runs share. */
function levelsBefore(graph: Graph, concat: GraphNode): GraphNode[][] | undefined {
  const levels: GraphNode[][] = [];
  let readers = [concat];
  let ids = concat.inputs;
  for (;;) {
    const level = ids.map((id) => graph.nodes[id]);
    if (
      level.length < 2 ||
      !alike(level) ||
      !level.every((node, i) => isOnlyFor(graph, node.id, readers[Math.min(i, readers.length - 1)]))
    )
      return undefined;
    levels.unshift(level);
    ids = level.map((node) => node.inputs[0]);
    if (new Set(ids).size === 1) return levels;
    readers = level;
  }
}

export const fuseDilations: Pass = (graph) =>
  rewrite(graph, (node, { add, at }) => {
    if (node.op !== 'concat') return undefined;
    const levels = levelsBefore(graph, node);
    if (!levels) return undefined;
    let input = at(levels[0][0].inputs[0]);
    levels.forEach((level, i) => {
      const attrs: ConvAttrs = {
        ...(level[0].attrs as ConvAttrs),
        dilation: level.map(({ attrs: { dilation = 1 } }: { attrs: Partial<ConvAttrs> }) => dilation as number),
        split: i > 0,
      };
      input = add({ name: `${node.name}.${i + 1}`, op: 'conv2d', inputs: [input], attrs });
    });
    return input;
  });
