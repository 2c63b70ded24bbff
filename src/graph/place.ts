/**
 * Placement: where each tensor lives, so that concatenation costs nothing.
 *
 * An **arena** is one allocation: tensors of one size, block after block. Every concat needs its inputs next to each
 * other in one arena, in its order. Concats that overlap share an arena where they agree: `concat(Z, o1)`,
 * `concat(Z, o1, o2)` and `concat(o1, o2, o3)` are windows of `[Z, o1, o2, o3]`. If they do not agree, or if a tensor
 * would be computed from the arena it is written to (WebGPU forbids one buffer as `read` and `read_write` in one
 * dispatch), a copy is inserted into the graph first.
 */
import { blocks } from '../kernels/tensor.ts';
import type { DType } from '../kernels/tensor.ts';
import { computes, kernelOf, resultsOf } from './graph.ts';
import type { Graph, GraphNode, SliceAttrs } from './graph.ts';

/** Where a node's tensor starts: the arena, and the block in it. */
export interface Place {
  arena: number;
  block: number;
}

export interface Placement {
  /** The graph, with the copies it needed. */
  graph: Graph;
  /** By node id. */
  places: Place[];
  /** Blocks and pixels of each arena, and its storage type. */
  arenas: { blocks: number; pixels: number; dtype: DType }[];
}

/** The node whose storage a node updates in place, if any: a kernel's results update the inputs after its output's. */
export function updated(graph: Graph, node: GraphNode): GraphNode | undefined {
  const source = node.op === 'result' ? graph.nodes[node.inputs[0]] : node;
  if (!computes(source)) return undefined;
  const index = kernelOf(source).inPlace?.(source.attrs, source.inputs.length);
  if (index === undefined) return undefined;
  const result = node === source ? 0 : 1 + resultsOf(graph, source).indexOf(node);
  return graph.nodes[source.inputs[index + result]];
}

/** For each node, the first of the chain of nodes that share its storage by updating it. */
function chainRoots(graph: Graph): number[] {
  const roots: number[] = [];
  for (const node of graph.nodes) {
    const before = updated(graph, node);
    roots.push(before ? roots[before.id] : node.id);
  }
  return roots;
}

/**
 * The storage a node's tensor consists of: the node itself, a concat's inputs (nested concats opened), or the source of
 * a slice.
 */
function items(graph: Graph, roots: readonly number[], id: number): number[] {
  const node = graph.nodes[id];
  return node.op === 'concat' || node.op === 'slice'
    ? node.inputs.flatMap((input) => items(graph, roots, input))
    : [roots[id]];
}

/** Storage that the kernels writing `root` read, without what they update. */
function readsOf(graph: Graph, roots: readonly number[], root: number): Set<number> {
  const reads = new Set<number>();
  for (const member of graph.nodes) {
    if (roots[member.id] !== root) continue;
    // A further result is written by its input's kernel.
    const node = member.op === 'result' ? graph.nodes[member.inputs[0]] : member;
    if (!computes(node)) continue;
    const before = [updated(graph, node), updated(graph, member)].map((state) => state?.id);
    for (const input of node.inputs)
      if (!before.includes(input)) items(graph, roots, input).forEach((item) => reads.add(item));
  }
  return reads;
}

/** The arena extended so that `sequence` is a window of it, or undefined where they disagree. */
function unite(arena: readonly number[], sequence: readonly number[]): number[] | undefined {
  const anchor = sequence.findIndex((item) => arena.includes(item));
  const shift = arena.indexOf(sequence[anchor]) - anchor;
  const left: number[] = [];
  const right: number[] = [];
  for (const [i, item] of sequence.entries()) {
    const at = i + shift;
    if (at >= 0 && at < arena.length) {
      if (arena[at] !== item) return undefined;
    } else if (arena.includes(item)) {
      return undefined;
    } else {
      (at < 0 ? left : right).push(item);
    }
  }
  return [...left, ...arena, ...right];
}

/** Arenas for all concats, or the concat input that has to be copied first. */
function arrange(graph: Graph, roots: readonly number[]): { arenas: number[][] } | { concat: number; input: number } {
  const arenas: number[][] = [];
  const find = (item: number): number => arenas.findIndex((arena) => arena.includes(item));
  for (const node of graph.nodes) {
    if (node.op !== 'concat') continue;
    const sequence = items(graph, roots, node.id);
    const sliced = node.inputs.findIndex((input) => graph.nodes[input].op === 'slice');
    if (sliced >= 0) return { concat: node.id, input: sliced };
    const bad = (item: number): { concat: number; input: number } => {
      const index = node.inputs.findIndex((input) => items(graph, roots, input).includes(item));
      return { concat: node.id, input: index };
    };
    const twice = sequence.find((item, i) => sequence.indexOf(item) !== i);
    if (twice !== undefined) return bad(twice);
    const homes = [...new Set(sequence.map(find).filter((arena) => arena >= 0))];
    const placed = sequence.find((item) => find(item) >= 0);
    if (homes.length > 1) return bad(placed!);
    const united = homes.length === 0 ? sequence : unite(arenas[homes[0]], sequence);
    if (!united) return bad(placed!);
    const clash = sequence.find((item) => [...readsOf(graph, roots, item)].some((read) => united.includes(read)));
    if (clash !== undefined) return bad(clash);
    const reader = united.find((item) => [...readsOf(graph, roots, item)].some((read) => sequence.includes(read)));
    if (reader !== undefined) return bad(placed!);
    const ragged = united.slice(0, -1).find((item) => graph.nodes[item].shape.channels % 4 !== 0);
    if (ragged !== undefined) return bad(ragged);
    if (homes.length === 0) arenas.push(united);
    else arenas[homes[0]] = united;
  }
  return { arenas };
}

/** The graph with a copy of one concat input, used by that concat only. */
function insertCopy(graph: Graph, concat: number, input: number): Graph {
  const nodes: GraphNode[] = [];
  const moved = (id: number): number => (id >= concat ? id + 1 : id);
  for (const node of graph.nodes) {
    if (node.id === concat) {
      const source = graph.nodes[node.inputs[input]];
      nodes.push({
        ...source,
        id: concat,
        name: `${source.name} copied for ${node.name}`,
        op: 'copy',
        inputs: [source.id],
        attrs: {},
      });
      nodes.push({ ...node, id: concat + 1, inputs: node.inputs.map((id, i) => (i === input ? concat : id)) });
    } else {
      nodes.push({ ...node, id: moved(node.id), inputs: node.inputs.map(moved) });
    }
  }
  return { nodes, outputs: graph.outputs.map(moved) };
}

/** Gives every node of a graph its place. */
export function place(graph: Graph): Placement {
  const roots = chainRoots(graph);
  const arranged = arrange(graph, roots);
  if ('concat' in arranged) return place(insertCopy(graph, arranged.concat, arranged.input));

  const pixels = (id: number): number => graph.nodes[id].shape.height * graph.nodes[id].shape.width;
  const arenas: Placement['arenas'] = [];
  const homes = new Map<number, Place>();
  const addArena = (members: readonly number[]): void => {
    let block = 0;
    for (const item of members) {
      homes.set(item, { arena: arenas.length, block });
      block += blocks(graph.nodes[item].shape.channels);
    }
    arenas.push({ blocks: block, pixels: pixels(members[0]), dtype: graph.nodes[members[0]].dtype });
  };
  arranged.arenas.forEach(addArena);
  for (const node of graph.nodes) {
    if (node.op !== 'concat' && node.op !== 'slice' && roots[node.id] === node.id && !homes.has(node.id))
      addArena([node.id]);
  }
  const placeOf = (node: GraphNode): Place => {
    const { arena, block } = homes.get(items(graph, roots, node.id)[0])!;
    return { arena, block: block + (node.op === 'slice' ? (node.attrs as SliceAttrs).from / 4 : 0) };
  };
  return { graph, arenas, places: graph.nodes.map(placeOf) };
}
