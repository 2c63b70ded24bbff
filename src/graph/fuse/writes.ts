/**
 * The writes of the global memory computed as they are read: `groupedRead` of 1x1 convolutions becomes `memoryRead` of
 * what these convolve, for all readers in one pass. The memory is never stored (spec: Global memory).
 *
 * Either all slots are read once the last features are there (`fuseWrites`), or those of each frame as soon as its
 * features are there (`fuseWritesByFrame`), which moves more bytes but holds one frame's features only. Where slots are
 * the convolutions' mean and maximum over frames (`any`), only the first is possible.
 */
import type { ConvAttrs } from '../../kernels/conv2d/index.ts';
import { negativeSlope } from '../../kernels/conv2d/activate.ts';
import type { GroupedReadAttrs } from '../../kernels/groupedRead.ts';
import { MAX_FEATURES, MAX_RESULTS } from '../../kernels/memoryRead.ts';
import type { MeanMaxAttrs } from '../../kernels/masks.ts';
import type { MemoryReadAttrs } from '../../kernels/memoryRead.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { readerGroups } from './reads.ts';
import { isOnlyFor, readersOf, rewrite } from './rewrite.ts';
import type { Building, Pass } from './rewrite.ts';

/** A memory whose slots can be computed as they are read. */
interface Memory {
  /** Readers, in groups that share a tensor of results. */
  groups: GraphNode[][];
  /** The convolutions that write the slots of each of the readers' inputs. */
  tensors: GraphNode[][];
  /** Whether a tensor's slots are the mean and the maximum over its convolutions. */
  isReduced: boolean;
  channels: number;
}

/** What a chain of `meanMax` reduces, one node a frame, if nothing else reads it. */
function reducedWrites(graph: Graph, last: GraphNode): GraphNode[] | undefined {
  const writes: GraphNode[] = [];
  for (let node: GraphNode | undefined = last; node; ) {
    if (node.op !== 'meanMax' || (node.attrs as MeanMaxAttrs).mask) return undefined;
    const [write, state] = node.inputs.map((id) => graph.nodes[id]) as [GraphNode, GraphNode | undefined];
    if (!isOnlyFor(graph, write.id, node) || (state && !isOnlyFor(graph, state.id, node))) return undefined;
    writes.unshift(write);
    node = state;
  }
  const { weights } = writes[0].attrs as ConvAttrs;
  return writes.every(({ attrs }) => (attrs as ConvAttrs).weights === weights) ? writes : undefined;
}

/** Whether a node is a 1x1 convolution of as many channels as it gives. */
function isWrite(graph: Graph, node: GraphNode, channels: number): boolean {
  const attrs = node.attrs as ConvAttrs;
  return (
    node.op === 'conv2d' &&
    node.inputs.length === 1 &&
    graph.nodes[node.inputs[0]].shape.channels === channels &&
    typeof attrs.weights === 'string' &&
    attrs.channels === channels &&
    attrs.kernel === 1 &&
    (attrs.groups ?? 1) === 1 &&
    attrs.activation !== 'sigmoid' &&
    !attrs.read &&
    !attrs.store
  );
}

function memoryOf(graph: Graph): Memory | undefined {
  const groups = readerGroups(graph);
  if (groups.length === 0 || groups.length > MAX_RESULTS) return undefined;
  const [[first]] = groups;
  const { channels } = first.attrs as GroupedReadAttrs;
  const readers = groups.flat();
  if (readers.some((node) => (node.attrs as GroupedReadAttrs).readers.length !== 1)) return undefined;
  const joined = first.inputs.map((id) => graph.nodes[id]);
  const isReduced = joined.every(({ op }) => op === 'meanMax');
  const tensors: GraphNode[][] = [];
  for (const node of joined) {
    const slots = isReduced
      ? reducedWrites(graph, node)
      : node.op === 'concat'
        ? node.inputs.map((input) => graph.nodes[input])
        : [node];
    if (!slots) return undefined;
    tensors.push(slots);
  }
  const writes = tensors.flat();
  const slope = negativeSlope(writes[0].attrs as ConvAttrs);
  const areRead = first.inputs.every((id) => readersOf(graph, id).every((node) => readers.includes(node)));
  const fits =
    areRead &&
    tensors.length <= MAX_FEATURES &&
    tensors.every((slots) => slots.length === tensors[0].length) &&
    writes.every((node) => isWrite(graph, node, channels) && negativeSlope(node.attrs as ConvAttrs) === slope) &&
    first.inputs.every(
      (id) =>
        graph.nodes[id].op !== 'concat' ||
        graph.nodes[id].inputs.every((slot) => isOnlyFor(graph, slot, graph.nodes[id])),
    );
  return fits ? { groups, tensors, isReduced, channels } : undefined;
}

/** The attributes of a pass over some of the slots. */
function passAttrs(memory: Memory, held: readonly GraphNode[], adds: boolean): MemoryReadAttrs {
  const { groups, tensors, isReduced, channels } = memory;
  const all = tensors.flat();
  const slots = isReduced ? tensors.flatMap((_, i) => [2 * i, 2 * i + 1]) : held.map((node) => all.indexOf(node));
  const writers = isReduced ? tensors.map(([node]) => node) : held;
  return {
    writers: writers.map((node) => String((node.attrs as ConvAttrs).weights)),
    isReduced,
    slope: negativeSlope(held[0].attrs as ConvAttrs),
    slots: { held: slots, of: isReduced ? slots.length : all.length },
    readers: groups.map((group) => group.flatMap((node) => (node.attrs as GroupedReadAttrs).readers)),
    channels,
    adds,
  };
}

/** Adds a pass to the graph being built. @returns its results, one for each group of readers. */
function addPass(
  memory: Memory,
  name: string,
  inputs: readonly number[],
  attrs: MemoryReadAttrs,
  { add }: Building,
): number[] {
  const pass = add({ name, op: 'memoryRead', inputs, attrs });
  const { shape } = memory.groups[0][0];
  const others = attrs.readers.slice(1).map((readers) =>
    add({
      name: `${name}: ${readers[0]} to ${readers.at(-1)!}`,
      op: 'result',
      inputs: [pass],
      attrs: {},
      shape: { ...shape, channels: memory.channels * readers.length },
    }),
  );
  return [pass, ...others];
}

/** The slice of a reader's results, if the node is one of the readers. */
function sliceOf(
  { groups }: Memory,
  node: GraphNode,
  results: readonly number[],
  { add }: Building,
): number | undefined {
  const index = groups.findIndex((group) => group.includes(node));
  if (index < 0) return undefined;
  const from = groups[index].indexOf(node) * node.shape.channels;
  return add({ ...node, op: 'slice', inputs: [results[index]], attrs: { from } });
}

function passName({ groups }: Memory): string {
  return `${groups[0][0].name} to ${groups.at(-1)!.at(-1)!.name}`;
}

/** Computes and reads all slots at once. */
export const fuseWrites: Pass = (graph) => {
  const memory = memoryOf(graph);
  if (!memory) return graph;
  const { tensors } = memory;
  const last = Math.max(...tensors.flat().map(({ id }) => id));
  let results: number[] = [];
  return rewrite(graph, (node, building) => {
    if (node.id === last) {
      const features = tensors.map((slots, i) => {
        const inputs = slots.map((slot) => building.at(slot.inputs[0]));
        const { shape } = graph.nodes[slots[0].inputs[0]];
        return slots.length === 1
          ? inputs[0]
          : building.add({
              name: `features.${i + 1}`,
              op: 'concat',
              inputs,
              attrs: {},
              shape: { ...shape, channels: memory.channels * slots.length },
            });
      });
      results = addPass(memory, passName(memory), features, passAttrs(memory, tensors.flat(), false), building);
    }
    return sliceOf(memory, node, results, building);
  });
};

/** Computes and reads a few slots at a time, as soon as their features are there. */
export const fuseWritesByFrame: Pass = (graph) => {
  const memory = memoryOf(graph);
  if (!memory || memory.isReduced) return graph;
  // In the order they are written: the encoder computes one frame after another.
  const order = memory.tensors.flat().sort((a, b) => a.id - b.id);
  let results: number[] = [];
  return rewrite(graph, (node, building) => {
    const index = order.indexOf(node);
    if (index >= 0 && ((index + 1) % MAX_FEATURES === 0 || index + 1 === order.length)) {
      const batch = order.slice(index - (index % MAX_FEATURES), index + 1);
      const features = batch.map((write) => building.at(write.inputs[0]));
      const name = `${passName(memory)}, part ${Math.ceil((index + 1) / MAX_FEATURES)}`;
      const attrs = passAttrs(memory, batch, results.length > 0);
      results = addPass(memory, name, [...results, ...features], attrs, building);
    }
    return sliceOf(memory, node, results, building);
  });
};
