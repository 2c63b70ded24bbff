/**
 * The samples of every kernel with one implementation against the CPU references: small and odd sizes, in f32, and with
 * its inputs and output stored as halves where the kernel and the device can. A new kernel is checked here by its
 * samples and its reference alone.
 */
import '../../src/model/ablations/index.ts';
import { fuse } from '../../src/graph/fuse/index.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { KERNELS } from '../../src/kernels/index.ts';
import type { KernelName } from '../../src/kernels/index.ts';
import { isTuned, sampleShapes } from '../../src/kernels/kernel.ts';
import type { Kernel, Sample } from '../../src/kernels/kernel.ts';
import type { DType, Shape } from '../../src/kernels/tensor.ts';
import { floatToHalf, halfToFloat } from '../../src/float16.ts';
import { REFERENCES, gammaTable } from '../reference/kernels.ts';
import { expectClose, rng } from '../reference/random.ts';
import { map, tensor, where } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import type { KernelCheck } from './kernelCheck.ts';
import type { KernelHarness } from './harness.ts';

const SIZES = [
  [1, 1],
  [5, 3],
  [67, 45],
] as const;

/**
 * Most a value may differ, as a share of the sample's scale: 1e-5 as everywhere, and what a half rounds away of the
 * result.
 */
const TOLERANCE: Record<DType, number> = { f32: 1e-5, f16: 2 ** -11 };

const rounded = (x: Tensor): Tensor => map(x, (value) => halfToFloat(floatToHalf(value)));

/** A kernel between two copies, which may store halves: what they store is what the kernel reads and writes. */
function graphOf(op: KernelName, sample: Sample<never>, shapes: readonly Shape[]): Graph {
  const g = new GraphBuilder();
  const inputs = shapes.map((shape, i) => g.add(`copy of ${i}`, 'copy', [g.input(`input ${i}`, shape)], {}));
  return g.build([g.add('copy of the output', 'copy', [g.add('output', op, inputs, sample.attrs)], {})]);
}

async function check(
  kernels: KernelHarness,
  op: KernelName,
  sample: Sample<never>,
  shapes: readonly Shape[],
  precision: DType,
  name: string,
): Promise<number> {
  const { capabilities } = kernels;
  const random = rng(23);
  const values = shapes.map(({ channels, height, width }) =>
    height === 1 && width === 256
      ? gammaTable(width)
      : tensor(channels, height, width, random.floats(channels * height * width, 0, 1)),
  );
  const graph = fuse(graphOf(op, sample, shapes), { capabilities: {}, precision });
  // What a copy stores as halves is rounded before the kernel sees it.
  const seen = values.map((value, i) =>
    graph.nodes.find((node) => node.name === `copy of ${i}`)!.dtype === 'f16' ? rounded(value) : value,
  );
  const expected = (REFERENCES[op] as (typeof REFERENCES)['copy'])(sample.attrs, seen, new Map());
  const [actual] = await kernels.runGraph(
    graph,
    Object.fromEntries(values.map((value, i) => [`input ${i}`, value])),
    {},
    { target: { capabilities, precision } },
  );
  return expectClose(actual.data, expected.data, { tol: TOLERANCE[precision], label: name, where: where(expected) });
}

/** Whether a kernel takes inputs of such a size. */
function takes(kernel: Kernel<never>, sample: Sample<never>, shapes: readonly Shape[]): boolean {
  try {
    kernel.shape(sample.attrs, shapes);
    return true;
  } catch {
    return false;
  }
}

export const SAMPLE_CHECKS: readonly KernelCheck[] = (
  Object.entries(KERNELS) as unknown as [KernelName, Kernel<never>][]
)
  .filter(([, kernel]) => !isTuned(kernel))
  .flatMap(([op, kernel]) =>
    kernel.samples.flatMap((sample, i) =>
      SIZES.map(([width, height]) => ({ width, height, shapes: sampleShapes(sample, width, height) }))
        .filter(({ shapes }) => takes(kernel, sample, shapes))
        .flatMap(({ width, height, shapes }) =>
          (['f32', 'f16'] as const).map((precision): KernelCheck => {
            const name = `${op} sample ${i + 1} ${width}x${height} in ${precision}`;
            return {
              kernel: op,
              name,
              ...(precision === 'f16' ? { needs: precision } : {}),
              tolerance: TOLERANCE[precision],
              run: (kernels) => check(kernels, op, sample, shapes, precision, name),
            };
          }),
        ),
    ),
  );
