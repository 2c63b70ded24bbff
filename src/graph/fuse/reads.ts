/**
 * Readers of the global memory share passes: a pass loads every slot once for several readers. The memory may also be
 * read as it is written, so that it never has to be stored whole.
 *
 * Reads are sums over slots. Either all slots are read after the last is written (`fuseReads`), or the slots of each
 * frame are read as soon as they are written and added to the readers' sums so far (`fuseReadsByFrame`). That takes
 * more memory traffic, but of `fixed`'s 384 memory channels only one frame's 128 are ever stored. Which way costs less
 * depends on the tiles that fit (model/schedule.ts).
 */
import { MAX_MEMORIES } from '../../kernels/groupedRead.ts';
import type { GroupedReadAttrs } from '../../kernels/groupedRead.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { rewrite } from './rewrite.ts';
import type { Building, Pass } from './rewrite.ts';

/**
 * Most readers that share a pass. Their results are one tensor, which should not become the largest of all: the larger
 * that is, the smaller the tiles.
 */
const READERS_PER_PASS = 3;

const attrsOf = (node: GraphNode): GroupedReadAttrs => node.attrs as GroupedReadAttrs;

/** All reads of one memory (equal inputs), in groups that share a pass or at least its results' tensor. */
export function readerGroups(graph: Graph): GraphNode[][] {
  const all = graph.nodes.filter((node) => node.op === 'groupedRead' && !attrsOf(node).adds && !attrsOf(node).slots);
  const reads = all.filter((node) => node.inputs.join() === all[0].inputs.join());
  return Array.from({ length: Math.ceil(reads.length / READERS_PER_PASS) }, (_, i) =>
    reads.slice(i * READERS_PER_PASS, (i + 1) * READERS_PER_PASS),
  );
}

function sharedAttrs(group: readonly GraphNode[]): GroupedReadAttrs {
  return { readers: group.flatMap((node) => attrsOf(node).readers), channels: attrsOf(group[0]).channels };
}

function passName(group: readonly GraphNode[]): string {
  return `${group[0].name} to ${group.at(-1)!.name}`;
}

/** One reader's slice of its group's results. */
function part(group: readonly GraphNode[], node: GraphNode, fused: number, { add }: Building): number {
  return add({ ...node, op: 'slice', inputs: [fused], attrs: { from: group.indexOf(node) * node.shape.channels } });
}

/** Reads the whole memory, once per group. */
export const fuseReads: Pass = (graph) => {
  const groups = readerGroups(graph);
  const made = new Map<GraphNode[], number>();
  return rewrite(graph, (node, building) => {
    const group = groups.find((members) => members.includes(node));
    if (!group || group.length < 2) return undefined;
    const fused =
      made.get(group) ??
      building.add({
        name: passName(group),
        op: 'groupedRead',
        inputs: node.inputs.map(building.at),
        attrs: sharedAttrs(group),
      });
    made.set(group, fused);
    return part(group, node, fused, building);
  });
};

/**
 * Reads the memory a few slots at a time, as soon as they are written. If slots are not written just once each (`any`
 * updates them), the whole memory is read.
 */
export const fuseReadsByFrame: Pass = (graph) => {
  const groups = readerGroups(graph);
  if (groups.length === 0) return graph;
  const [first] = groups[0];
  const slots = first.inputs.flatMap((id) => (graph.nodes[id].op === 'concat' ? graph.nodes[id].inputs : [id]));
  if (slots.some((id) => graph.nodes[id].op !== 'conv2d' || graph.nodes[id].shape.channels !== attrsOf(first).channels))
    return fuseReads(graph);
  // In the order they are written: the encoder computes one frame after another.
  const order = [...slots].sort((a, b) => a - b);
  const states = new Map<GraphNode[], number>();
  return rewrite(graph, (node, building) => {
    const group = groups.find((members) => members.includes(node));
    if (group) return part(group, node, states.get(group)!, building);
    const index = order.indexOf(node.id);
    if (index < 0) return undefined;
    const written = building.add({ ...node, inputs: node.inputs.map(building.at) });
    if ((index + 1) % MAX_MEMORIES !== 0 && index + 1 < order.length) return written;
    const batch = order.slice(index - (index % MAX_MEMORIES), index + 1);
    const inputs = batch.map((id) => (id === node.id ? written : building.at(id)));
    for (const members of groups) {
      const state = states.get(members);
      const attrs: GroupedReadAttrs = {
        ...sharedAttrs(members),
        slots: { held: batch.map((id) => slots.indexOf(id)), of: slots.length },
        adds: state !== undefined,
      };
      const name = `${passName(members)}, part ${Math.ceil((index + 1) / MAX_MEMORIES)}`;
      states.set(
        members,
        building.add({ name, op: 'groupedRead', inputs: state === undefined ? inputs : [state, ...inputs], attrs }),
      );
    }
    return written;
  });
};
