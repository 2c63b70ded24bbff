/**
 * Half-precision storage: what one layer stores for the next becomes f16; arithmetic stays f32. The graph's inputs and outputs, frames made linear (a dark pixel of a long exposure is
 * below what a half resolves), and the logits that a sigmoid follows stay f32.
 */
import type { DType } from '../../kernels/kernel.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { readersOf } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

/** Kernels that may store halves. */
const HALVES = ['conv2d', 'maxPool', 'upsample', 'maskMultiply', 'meanMax', 'blend', 'groupedRead', 'copy'];
/** Kernels that read f32 only: a sigmoid follows. */
const EXACT = ['collectMask', 'merge'];

export const halve: Pass = (graph) => {
  const dtypes: DType[] = [];
  const isExact = (node: GraphNode): boolean => graph.outputs.includes(node.id) || readersOf(graph, node.id).some((reader) => EXACT.includes(reader.op));
  for (const node of graph.nodes) {
    // A concat, a slice and a further result are stored as what they are part of.
    const own: DType = HALVES.includes(node.op) && !isExact(node) ? 'f16' : 'f32';
    dtypes.push(['concat', 'slice', 'result'].includes(node.op) ? dtypes[node.inputs[0]] : own);
  }
  const mixed = graph.nodes.find((node) => node.op === 'concat' && node.inputs.some((id) => dtypes[id] !== dtypes[node.id]));
  if (mixed) throw new Error(`fuse: ${mixed.name} joins halves and floats`);
  return { ...graph, nodes: graph.nodes.map((node, i) => ({ ...node, dtype: dtypes[i] })) } satisfies Graph;
};
