/**
 * What graph passes have in common: they read a graph node by node and build a new one, without nodes that nothing
 * needs any more.
 */
import type { DType, Shape } from '../../kernels/tensor.ts';
import { inputShapes, kernelOf } from '../graph.ts';
import type { Graph, GraphNode, Op } from '../graph.ts';

/** A pure function from graph to graph that keeps the outputs. */
export type Pass = (graph: Graph) => Graph;

export interface NewNode {
  name: string;
  op: Op;
  /** Ids in the new graph. */
  inputs: readonly number[];
  attrs: object;
  shape?: Shape;
  dtype?: DType;
}

/** The graph being built. */
export interface Building {
  /** The new id of an old node. @throws if it has none yet: a pass may only read earlier nodes. */
  at(old: number): number;
  /** Adds a node. The kernel gives its shape, unless `shape` is given. */
  add(node: NewNode): number;
}

/**
 * Rewrites a graph.
 * @param visit called with each node in order; returns the new id that stands for it, or undefined to keep it as it is.
 */
export function rewrite(graph: Graph, visit: (node: GraphNode, building: Building) => number | undefined): Graph {
  const nodes: GraphNode[] = [];
  const ids = new Map<number, number>();
  const building: Building = {
    at(old) {
      const id = ids.get(old);
      if (id === undefined) throw new Error(`fuse: ${graph.nodes[old].name} is read before it is made`);
      return id;
    },
    add({ dtype = 'f32', ...node }) {
      const id = nodes.length;
      const shape =
        node.shape ??
        kernelOf(node as GraphNode).shape(node.attrs, inputShapes({ nodes, outputs: [] }, node as GraphNode));
      nodes.push({ ...node, id, shape, dtype });
      return id;
    },
  };
  for (const node of graph.nodes) {
    const id = visit(node, building) ?? building.add({ ...node, inputs: node.inputs.map(building.at) });
    ids.set(node.id, id);
  }
  return prune({ nodes, outputs: graph.outputs.map(building.at) });
}

/** The graph without nodes that no output depends on; inputs stay. */
function prune(graph: Graph): Graph {
  const needed = new Set<number>();
  const need = (id: number): void => {
    if (needed.has(id)) return;
    needed.add(id);
    graph.nodes[id].inputs.forEach(need);
  };
  graph.outputs.forEach(need);
  // A kernel stores all of its results, read or not.
  const kept = graph.nodes.filter(
    (node) => needed.has(node.id) || node.op === 'input' || (node.op === 'result' && needed.has(node.inputs[0])),
  );
  const ids = new Map(kept.map((node, i) => [node.id, i]));
  return {
    nodes: kept.map((node, i) => ({ ...node, id: i, inputs: node.inputs.map((id) => ids.get(id)!) })),
    outputs: graph.outputs.map((id) => ids.get(id)!),
  };
}

/** Nodes that read a node, each as often as it reads it. */
export function readersOf(graph: Graph, id: number): GraphNode[] {
  return graph.nodes.filter((node) => node.inputs.includes(id));
}

/** Whether `reader` is the node's only reader and the node is no output: then its result need not be stored. */
export function isOnlyFor(graph: Graph, id: number, reader: GraphNode): boolean {
  return !graph.outputs.includes(id) && readersOf(graph, id).every((node) => node === reader);
}

/** Whether two nodes have the same attributes, leaving out `but`. */
export function isAlike(a: GraphNode, b: GraphNode, but: string): boolean {
  const form = ({ attrs }: GraphNode): string =>
    JSON.stringify(
      Object.entries(attrs)
        .filter(([name]) => name !== but)
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  return form(a) === form(b);
}
