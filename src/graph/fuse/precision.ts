/**
 * Half-precision storage: a tensor between layers becomes f16 if all kernels that store or read it offer f16
 * (`Kernel.storage`). Arithmetic stays f32. The graph's inputs and outputs stay f32, and so does every tensor that a
 * kernel without the offer reads or stores.
 */
import { storageOf } from '../../kernels/kernel.ts';
import { computes, kernelOf } from '../graph.ts';
import type { Graph } from '../graph.ts';
import { updated } from '../place.ts';
import type { Pass } from './rewrite.ts';

/**
 * For each node, a number that all nodes in one storage share: a concat and its inputs, a slice or a further result and
 * its source, and updates in place.
 */
function storages(graph: Graph): number[] {
  const parent = graph.nodes.map(({ id }) => id);
  const find = (id: number): number => (parent[id] === id ? id : (parent[id] = find(parent[id])));
  for (const node of graph.nodes) {
    const before = updated(graph, node);
    const shared = before ? [before.id] : ['concat', 'slice', 'result'].includes(node.op) ? node.inputs : [];
    for (const id of shared) parent[find(id)] = find(node.id);
  }
  return graph.nodes.map(({ id }) => find(id));
}

/** Nodes that must be stored as f32. */
function exactNodes(graph: Graph): number[] {
  return [
    ...graph.outputs,
    ...graph.nodes.flatMap((node) => {
      if (!computes(node)) return node.op === 'input' ? [node.id] : [];
      const { output, input } = storageOf(kernelOf(node), node.attrs, node.inputs.length);
      return [...(output === 'f32' ? [node.id] : []), ...node.inputs.filter((_, i) => input(i) === 'f32')];
    }),
  ];
}

export const halve: Pass = (graph) => {
  const storage = storages(graph);
  const exact = new Set(exactNodes(graph).map((id) => storage[id]));
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...node, dtype: exact.has(storage[node.id]) ? 'f32' : 'f16' })),
  };
};
