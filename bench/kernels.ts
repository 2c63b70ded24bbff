/**
 * The kernels as the network runs them: each sample that a kernel gives of its nodes (`Kernel.samples`), validated
 * against the CPU references on a small picture, then timed on a larger one, by timestamps where the device has them.
 */
import { Runner } from '../src/graph/runner.ts';
import { GraphBuilder } from '../src/graph/graph.ts';
import type { Graph, GraphNode } from '../src/graph/graph.ts';
import { plan } from '../src/graph/plan.ts';
import type { Gpu } from '../src/device.ts';
import { KERNELS } from '../src/kernels/index.ts';
import type { KernelName } from '../src/kernels/index.ts';
import { sampleShapes } from '../src/kernels/kernel.ts';
import type { Kernel, Sample } from '../src/kernels/kernel.ts';
import type { Target } from '../src/kernels/target.ts';
import { tensorBytes } from '../src/kernels/tensor.ts';
import { REFERENCES, gammaTable } from '../test/reference/kernels.ts';
import { packNC4HW4, unpackNC4HW4 } from '../test/reference/layout.ts';
import { rng, worstDifference } from '../test/reference/random.ts';
import type { Rng } from '../test/reference/random.ts';
import { tensor } from '../test/reference/tensor.ts';
import type { Tensor } from '../test/reference/tensor.ts';
import { median, spread, timeInTurns, turnsOn } from './timing.ts';

export interface KernelRow {
  name: string;
  size: string;
  ms: number;
  spread: number;
  gflops: number;
  gbytes: number;
  /** Largest difference from the reference, as a share of its largest value. */
  error: number;
  /** Whether that is more than a kernel may differ. */
  wrong?: boolean;
}

/** Largest error that a kernel may have, relative to its output's scale. */
const TOLERANCE = 1e-5;
/** Side of the picture that is validated. */
const SMALL = 18;
/** Most bytes that the tensors of a kernel take, so that small GPUs have room for them. */
const MOST_BYTES = 2 ** 30;

/** The largest side, halved from `size` on, whose tensors a device can hold. */
function sideFor(op: KernelName, sample: Sample<never>, size: number, maxBinding: number): number {
  for (let side = size; side > SMALL; side >>= 1) {
    const { bytes } = plan(graphOf(op, sample, side).graph);
    if (bytes.largest <= maxBinding && bytes.shared <= MOST_BYTES) return side;
  }
  return SMALL;
}

/** The largest difference as a share of the largest value expected, or of 1. */
function errorOf(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let scale = 1;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  return worstDifference(actual, expected).difference / scale;
}

/** A graph of one node, and of what its kernel stores besides its output. */
export function graphOf(op: KernelName, sample: Sample<never>, size: number): { graph: Graph; inputs: GraphNode[] } {
  const g = new GraphBuilder();
  const inputs = sampleShapes(sample, size).map((shape, i) => g.input(`input ${i}`, shape));
  const { nodes, outputs } = g.build([g.add('output', op, inputs, sample.attrs)]);
  const shapes = inputs.map(({ shape }) => shape);
  const results = (KERNELS[op] as unknown as Kernel<never>).results?.(sample.attrs, shapes) ?? [];
  const stored = results.map((shape, i): GraphNode => {
    const id = nodes.length + i;
    return { id, name: `result ${i}`, op: 'result', inputs: [...outputs], attrs: {}, shape, dtype: 'f32' };
  });
  return { graph: { nodes: [...nodes, ...stored], outputs }, inputs };
}

/** The name of a sample: its program without the implementation, its dilation, and channels. */
function labelOf(graph: Graph, inputs: readonly GraphNode[], { attrs }: Sample<never>): string {
  const { label } = plan(graph).steps[0].dispatch.program;
  const { dilation } = attrs as { dilation?: unknown };
  const dilated = typeof dilation === 'number' && dilation > 1 ? ` dilation ${dilation}` : '';
  const read = inputs.map(({ shape }) => shape.channels).join('+');
  const channels = `${read}->${graph.nodes[graph.outputs[0]].shape.channels}`;
  return `${label.replace(/ (direct|staged|subgroup|general|matrix)\b.*/, '')}${dilated}, ${channels}`;
}

/** Values that a kernel can get: in [0,1), and a response's table where one is read. */
function valuesOf({ shape }: GraphNode, random: Rng): Tensor {
  if (shape.height === 1 && shape.width > 1) return gammaTable(shape.width);
  return tensor(
    shape.channels,
    shape.height,
    shape.width,
    random.floats(shape.channels * shape.height * shape.width, 0, 1),
  );
}

async function runSample(
  gpu: Gpu,
  target: Target,
  op: KernelName,
  sample: Sample<never>,
  size: number,
): Promise<KernelRow> {
  const random = rng(7);
  const weights = new Map<string, Float32Array>();
  const runner = new Runner(gpu, (name) => weights.get(name)!);

  const prepare = async (
    side: number,
  ): Promise<{ prepared: Awaited<ReturnType<Runner['prepare']>>; tensors: Tensor[]; graph: Graph; label: string }> => {
    const { graph, inputs } = graphOf(op, sample, side);
    const label = labelOf(graph, inputs, sample);
    const tensors = inputs.map((node) => valuesOf(node, random));
    const planned = plan(graph, target);
    for (const [name, shape] of planned.tensors) {
      if (weights.has(name)) continue;
      const bound = Math.sqrt(
        3 /
          Math.max(
            1,
            shape.slice(1).reduce((a, b) => a * b, 1),
          ),
      );
      weights.set(
        name,
        random.floats(
          shape.reduce((a, b) => a * b, 1),
          -bound,
          bound,
        ),
      );
    }
    const prepared = await runner.prepare(planned);
    await runner.upload(
      prepared,
      Object.fromEntries(inputs.map((node, i) => [node.name, new Float32Array(packNC4HW4(tensors[i]))])),
    );
    await runner.run(prepared);
    return { prepared, tensors, graph, label };
  };

  const small = await prepare(SMALL);
  const output = small.prepared.plan.graph.outputs[0];
  const { channels, height, width } = small.prepared.plan.graph.nodes[output].shape;
  const actual = unpackNC4HW4(await runner.read(small.prepared, output), channels, height, width);
  const expected = (REFERENCES[op] as (typeof REFERENCES)['copy'])(sample.attrs, small.tensors, weights);
  const error = errorOf(actual.data, expected.data);
  runner.release(small.prepared);

  const side = sideFor(op, sample, size, gpu.maxBinding);
  const { prepared, graph, label } = await prepare(side);
  const [samples] = await timeInTurns([(count) => runner.time(prepared, 0, count)], turnsOn(gpu));
  runner.release(prepared);
  runner.dispose();
  const ms = median(samples);
  const bytes = graph.nodes.reduce((sum, node) => sum + tensorBytes(node.shape), 0);
  return {
    name: label,
    size: `${side}x${side}`,
    ms,
    spread: spread(samples),
    gflops: (2 * prepared.plan.multiplyAdds) / ms / 1e6,
    gbytes: bytes / ms / 1e6,
    error,
    // Not finite is wrong, too.
    ...(!(error <= TOLERANCE) && { wrong: true }),
  };
}

/** How many rows `benchKernels` makes, those of ablations included. */
export async function countKernels(): Promise<number> {
  await import('../src/model/ablations/index.ts');
  return Object.values(KERNELS).reduce((sum, { samples }) => sum + samples.length, 0);
}

/**
 * Times every kernel at a square size, or at a smaller one where its tensors would be too large. A wrong one is timed
 * too, and marked.
 * @param report called with each row; it may throw to stop.
 */
export async function benchKernels(
  gpu: Gpu,
  target: Target,
  size: number,
  report: (row: KernelRow) => void,
): Promise<void> {
  await import('../src/model/ablations/index.ts');
  for (const [op, { samples }] of Object.entries(KERNELS))
    for (const sample of samples) report(await runSample(gpu, target, op as KernelName, sample as Sample<never>, size));
}
