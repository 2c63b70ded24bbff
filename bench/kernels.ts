/**
 * The kernels as the network runs them: one graph of one kernel a case, validated against the CPU references on a small picture, then timed on a
 * larger one.
 */
import { Runner } from '../src/graph/runner.ts';
import { GraphBuilder } from '../src/graph/graph.ts';
import type { Graph, GraphNode } from '../src/graph/graph.ts';
import { plan } from '../src/graph/plan.ts';
import type { Gpu } from '../src/device.ts';
import { tensorBytes } from '../src/kernels/kernel.ts';
import type { Target } from '../src/kernels/kernel.ts';
import { packNC4HW4, unpackNC4HW4 } from '../test/reference/layout.ts';
import * as ops from '../test/reference/ops.ts';
import { expectClose, rng } from '../test/reference/random.ts';
import { tensor } from '../test/reference/tensor.ts';
import type { Tensor } from '../test/reference/tensor.ts';
import { median, spread, time } from './timing.ts';

export interface KernelRow {
  name: string;
  size: string;
  ms: number;
  spread: number;
  gflops: number;
  gbytes: number;
  error: number;
}

interface KernelCase {
  name: string;
  build(g: GraphBuilder, size: number): { inputs: GraphNode[]; output: GraphNode };
  reference(inputs: readonly Tensor[], weights: ReadonlyMap<string, Float32Array>): Tensor;
}

const conv = (inputs: number, channels: number, kernel: number, dilation = 1): KernelCase => ({
  name: `conv2d ${kernel}x${kernel} ${inputs}->${channels}${dilation > 1 ? ` dilation ${dilation}` : ''}`,
  build(g, size) {
    const x = g.input('x', { channels: inputs, height: size, width: size });
    return { inputs: [x], output: g.add('y', 'conv2d', [x], { weights: 'w', channels, kernel, dilation, activation: 'leakyRelu', slope: 0.2 }) };
  },
  reference: ([x], weights) =>
    ops.conv2d(x, { weight: weights.get('w.weight')!, bias: weights.get('w.bias')!, outputs: channels, kernel, dilation, groups: 1, activation: 'leakyRelu', slope: 0.2 }),
});

const CASES: readonly KernelCase[] = [
  conv(6, 32, 3),
  conv(32, 32, 3),
  conv(32, 32, 3, 4),
  conv(96, 32, 3),
  conv(32, 16, 3),
  conv(128, 128, 3),
  conv(32, 32, 1),
  conv(96, 32, 1),
  {
    name: 'groupedRead 384->32',
    build(g, size) {
      const inputs = [0, 1, 2, 3].map((i) => g.input(`m${i}`, { channels: 96, height: size, width: size }));
      return { inputs, output: g.add('y', 'groupedRead', inputs, { readers: ['w'], channels: 32 }) };
    },
    reference: (inputs, weights) => {
      const memory = tensor(384, inputs[0].h, inputs[0].w, inputs.flatMap(({ data }) => [...data]));
      return ops.groupedRead(memory, weights.get('w.weight')!, weights.get('w.bias')!);
    },
  },
  {
    name: 'maxPool 32',
    build(g, size) {
      const x = g.input('x', { channels: 32, height: size, width: size });
      return { inputs: [x], output: g.add('y', 'maxPool', [x], {}) };
    },
    reference: ([x]) => ops.maxPool(x),
  },
  {
    name: 'upsample nearest 32',
    build(g, size) {
      const x = g.input('x', { channels: 32, height: size / 2, width: size / 2 });
      return { inputs: [x], output: g.add('y', 'upsample', [x], {}) };
    },
    reference: ([x]) => ops.upsampleNearest(x),
  },
  {
    name: 'maskMultiply 32',
    build(g, size) {
      const x = g.input('x', { channels: 32, height: size, width: size });
      const stack = g.input('stack', { channels: 4, height: size, width: size });
      return { inputs: [x, stack], output: g.add('y', 'maskMultiply', [x, stack], { frame: 0, keep: 'moving' }) };
    },
    reference: ([x, stack]) => ops.maskMultiply(x, tensor(1, x.h, x.w, stack.data.slice(3 * x.h * x.w))),
  },
];

/** Largest error a kernel may have, relative to its output's scale. */
const TOLERANCE = 1e-5;

async function runCase(gpu: Gpu, target: Target, it: KernelCase, size: number, seconds: number): Promise<KernelRow> {
  const random = rng(7);
  const weights = new Map<string, Float32Array>();
  const executor = new Runner(gpu, (name) => weights.get(name)!);

  const prepare = async (side: number): Promise<{ graph: Graph; inputs: Tensor[]; data: Record<string, Float32Array<ArrayBuffer>> }> => {
    const g = new GraphBuilder();
    const { inputs, output } = it.build(g, side);
    const graph = g.build([output]);
    const tensors = inputs.map(({ shape }) => tensor(shape.channels, shape.height, shape.width, random.floats(shape.channels * shape.height * shape.width, 0, 1)));
    const data = Object.fromEntries(inputs.map((node, i) => [node.name, new Float32Array(packNC4HW4(tensors[i]))]));
    for (const [name, shape] of plan(graph, target).tensors) {
      if (weights.has(name)) continue;
      const bound = Math.sqrt(3 / Math.max(1, shape.slice(1).reduce((a, b) => a * b, 1)));
      weights.set(name, random.floats(shape.reduce((a, b) => a * b, 1), -bound, bound));
    }
    return { graph, inputs: tensors, data };
  };

  const small = await prepare(18);
  const checked = await executor.prepare(plan(small.graph, target));
  await executor.upload(checked, small.data);
  await executor.run(checked);
  const { channels, height, width } = checked.plan.graph.nodes[checked.plan.graph.outputs[0]].shape;
  const actual = unpackNC4HW4(await executor.read(checked, checked.plan.graph.outputs[0]), channels, height, width);
  const error = expectClose(actual.data, it.reference(small.inputs, weights).data, { tol: TOLERANCE, label: it.name });
  executor.release(checked);

  const large = await prepare(size);
  const prepared = await executor.prepare(plan(large.graph, target));
  await executor.upload(prepared, large.data);
  await executor.run(prepared);
  const samples = await time(() => executor.run(prepared), { seconds });
  executor.release(prepared);
  executor.dispose();
  const ms = median(samples);
  const { nodes } = large.graph;
  const bytes = nodes.reduce((sum, node) => sum + tensorBytes(node.shape), 0);
  return { name: it.name, size: `${size}x${size}`, ms, spread: spread(samples), gflops: (2 * prepared.plan.multiplyAdds) / ms / 1e6, gbytes: bytes / ms / 1e6, error };
}

/** Times every kernel at a square size. */
export async function benchKernels(gpu: Gpu, target: Target, size: number, seconds: number, report: (row: KernelRow) => void): Promise<KernelRow[]> {
  const rows: KernelRow[] = [];
  for (const it of CASES) {
    const row = await runCase(gpu, target, it, size, seconds);
    report(row);
    rows.push(row);
  }
  return rows;
}
