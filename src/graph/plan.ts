/**
 * A plan: what to run, in which buffers. A pure function of the graph; nothing here touches a device.
 *
 * Arenas (place.ts) live from the first step that writes them to the last that reads them; a graph's inputs from the
 * start, its outputs to the end. Two arenas whose lifetimes do not overlap share a **buffer**. Sharing is by whole
 * buffers, not ranges, because WebGPU tracks usage by buffer: a step must never read one it writes.
 */
import { bytesText } from '../bytesText.ts';
import { implementationsOf, isTuned } from '../kernels/kernel.ts';
import type { PackedWeights } from '../kernels/kernel.ts';
import { elementType } from '../kernels/program.ts';
import type { Dispatch } from '../kernels/program.ts';
import type { Target } from '../kernels/target.ts';
import { tensorBytes, texelBytes } from '../kernels/tensor.ts';
import type { Shape, View } from '../kernels/tensor.ts';
import { computes, graphTensors, inputShapes, kernelOf, resultsOf } from './graph.ts';
import type { Graph } from './graph.ts';
import { place, updated } from './place.ts';

export interface Step {
  node: number;
  name: string;
  op: string;
  /**
   * The class that a tuner's choice is for, and the chosen implementation. Both are empty if the kernel has only one.
   */
  shapeClass: string;
  implementation: string;
  dispatch: Dispatch;
  multiplyAdds: number;
  /** Bytes of the tensors that it reads and of those that it writes, counting each once. */
  bytesRead: number;
  bytesWritten: number;
  /** Both. */
  bytes: number;
  output: View;
}

export interface Plan {
  graph: Graph;
  steps: readonly Step[];
  /** Bytes of each buffer. */
  buffers: readonly number[];
  /** Where each node's tensor is; `view.buffer` indexes `buffers`. */
  views: readonly View[];
  /** Packed weights by key. */
  weights: ReadonlyMap<string, PackedWeights>;
  /** Tensors of the weights file that the plan reads. */
  tensors: ReadonlyMap<string, readonly number[]>;
  /**
   * `unshared`: bytes if every tensor had its own buffer. `shared` and `largest`: bytes of all buffers, and of the
   * largest.
   */
  bytes: { unshared: number; shared: number; largest: number };
  multiplyAdds: number;
  /** Distinct programs, by source. */
  programs: number;
}

interface Life {
  bytes: number;
  first: number;
  last: number;
}

/**
 * For each arena the first and last step that touches it. Steps count from 0; inputs are written at -1, outputs read
 * after the last.
 */
function lives(graph: Graph, places: readonly { arena: number }[], arenaBytes: readonly number[]): Life[] {
  const life = arenaBytes.map((bytes): Life => ({ bytes, first: Infinity, last: -Infinity }));
  const touch = (node: number, step: number): void => {
    const arena = life[places[node].arena];
    arena.first = Math.min(arena.first, step);
    arena.last = Math.max(arena.last, step);
  };
  let step = 0;
  for (const node of graph.nodes) {
    if (node.op === 'input') touch(node.id, -1);
    if (!computes(node)) continue;
    node.inputs.forEach((input) => touch(input, step));
    touch(node.id, step);
    resultsOf(graph, node).forEach((result) => touch(result.id, step));
    step++;
  }
  graph.outputs.forEach((id) => touch(id, step));
  return life;
}

/** Assigns arenas to buffers, largest first, each to the smallest buffer that is free during the arena's lifetime. */
function share(life: readonly Life[]): { bufferOf: number[]; buffers: number[] } {
  const buffers: { bytes: number; tenants: Life[] }[] = [];
  const bufferOf: number[] = new Array<number>(life.length).fill(-1);
  const bySize = life.map((_, i) => i).sort((a, b) => life[b].bytes - life[a].bytes || a - b);
  for (const i of bySize) {
    const arena = life[i];
    let home = -1;
    for (const [b, candidate] of buffers.entries()) {
      const free = candidate.tenants.every((other) => other.last < arena.first || arena.last < other.first);
      if (free && (home < 0 || candidate.bytes < buffers[home].bytes)) home = b;
    }
    if (home < 0) home = buffers.push({ bytes: arena.bytes, tenants: [] }) - 1;
    buffers[home].tenants.push(arena);
    bufferOf[i] = home;
  }
  return { bufferOf, buffers: buffers.map((b) => b.bytes) };
}

/**
 * Checks that a program reads and writes elements in the type they are stored in.
 * @throws naming the node, the binding and both types: WebGPU would read the bytes of one type as the other without an
 * error.
 */
function checkTypes(node: string, { program, resources }: Dispatch): void {
  for (const [name, { type }] of Object.entries(program.bindings)) {
    const { dtype } = resources[name];
    if (elementType(type) === dtype) continue;
    throw new Error(
      `plan: ${node} binds ${name} as ${type}, but it is stored as ${dtype}: bind what its view is (\`reads\`, ` +
        '`writes`), or declare f32 in `storage`',
    );
  }
}

/**
 * Plans a graph.
 * @param target what the plan is made for; without a target it runs on every device, in f32. The graph's dtypes are its
 * own (fuse/precision.ts).
 * @throws naming the node, if nodes contradict one another.
 */
export function plan(source: Graph, target: Target = {}): Plan {
  const halved = source.nodes.find(({ dtype }) => dtype === 'f16');
  if (halved && !target.capabilities?.f16)
    throw new Error(`plan: ${halved.name} is stored as f16, which the device cannot (shader-f16)`);
  const { graph, places, arenas } = place(source);
  const arenaBytes = arenas.map((arena) => arena.blocks * arena.pixels * texelBytes(arena.dtype));
  const { bufferOf, buffers } = share(lives(graph, places, arenaBytes));
  const views = graph.nodes.map(
    (node): View => ({
      shape: node.shape,
      dtype: node.dtype,
      buffer: bufferOf[places[node.id].arena],
      block: places[node.id].block,
    }),
  );

  const steps: Step[] = [];
  const weights = new Map<string, PackedWeights>();
  let unshared = 0;
  for (const node of graph.nodes) {
    if (node.op !== 'slice' && !updated(graph, node)) unshared += tensorBytes(node.shape, node.dtype);
    if (!computes(node)) continue;
    const kernel = kernelOf(node);
    const shapes = inputShapes(graph, node);
    const offered = implementationsOf(kernel, node.attrs, shapes, target);
    const shapeClass = isTuned(kernel) ? kernel.shapeClass(node.attrs, shapes, target) : '';
    const chosen = target.choices?.get(shapeClass);
    const implementation = offered.find(({ name }) => name === chosen) ?? offered[0];
    implementation.weights.forEach((packed) => weights.set(packed.key, packed));
    const inputs = node.inputs.map((id) => views[id]);
    const results = resultsOf(graph, node).map(({ id }) => views[id]);
    const dispatch = implementation.dispatch({ inputs, output: views[node.id], results });
    checkTypes(node.name, dispatch);
    const bytesOf = (tensors: readonly View[]): number =>
      tensors.reduce((sum, view) => sum + tensorBytes(view.shape, view.dtype), 0);
    const [bytesRead, bytesWritten] = [bytesOf(inputs), bytesOf([views[node.id], ...results])];
    steps.push({
      node: node.id,
      name: node.name,
      op: node.op,
      shapeClass,
      implementation: implementation.name,
      dispatch,
      multiplyAdds: kernel.multiplyAdds?.(node.attrs, shapes, node.shape) ?? 0,
      bytesRead,
      bytesWritten,
      bytes: bytesRead + bytesWritten,
      output: views[node.id],
    });
  }
  return {
    graph,
    steps,
    buffers,
    views,
    weights,
    tensors: graphTensors(graph),
    bytes: { unshared, shared: buffers.reduce((a, b) => a + b, 0), largest: Math.max(...buffers) },
    multiplyAdds: steps.reduce((sum, step) => sum + step.multiplyAdds, 0),
    get programs() {
      return new Set(steps.map((step) => step.dispatch.program.source)).size;
    },
  };
}

function shapeColumn(shape: Shape): string {
  return `${shape.channels} x ${shape.height} x ${shape.width}`;
}

/** A plan as readable text: one line per step, then the totals. */
export function planText({ steps, programs, multiplyAdds, bytes, buffers }: Plan): string {
  const rows = steps.map((step, i) => [
    `${i + 1}`,
    step.name,
    step.dispatch.program.label,
    shapeColumn(step.output.shape),
    `b${step.output.buffer}+${step.output.block}`,
    step.multiplyAdds ? `${(step.multiplyAdds / 1e6).toFixed(1)} M` : '',
  ]);
  const header = ['step', 'node', 'program', 'output', 'buffer+block', 'multiply-adds'];
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => cell.padEnd(widths[c]))
      .join('  ')
      .trimEnd();
  return [
    line(header),
    ...rows.map(line),
    `${steps.length} dispatches of ${programs} programs, ${(multiplyAdds / 1e9).toFixed(2)} G multiply-adds`,
    `${bytesText(bytes.shared)} in ${buffers.length} buffers (${bytesText(bytes.unshared)} if every tensor ` +
      `had its own), the largest ${bytesText(bytes.largest)}`,
  ].join('\n');
}
