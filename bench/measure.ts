/**
 * What is measured of one device, in Node and in a browser alike: correctness, peaks, kernels, layers, whole merges.
 * `bench.ts` (Node) and the page bench.html (app/src/bench) call it; nothing here is Node's.
 */
import { Gpu } from '../src/device.ts';
import { DeviceLostError, reasonOf, throwIfCancelled } from '../src/errors.ts';
import { hasTimestamps } from '../src/graph/timestamps.ts';
import type { Target } from '../src/kernels/target.ts';
import type { DType } from '../src/kernels/tensor.ts';
import { loadWeights } from '../src/model/loadWeights.ts';
import type { TuneResult } from '../src/tune/index.ts';
import { choicesOf } from '../src/tune/index.ts';
import type { Golden } from '../test/reference/golden.ts';
import { TooFarError } from '../test/reference/random.ts';
import { checkGolden } from '../test/runtimes/goldenCheck.ts';
import type { Extent } from './extent.ts';
import { benchKernels, countKernels } from './kernels.ts';
import { benchLayers, layerRows } from './layers.ts';
import { benchMerges } from './merges.ts';
import { measureAllPeaks } from './peaks.ts';
import type { Report } from './report.ts';

/** What a run is made of, in order. */
export const PARTS = ['correctness', 'peaks', 'kernels', 'layers', 'merges'] as const;
export type Part = (typeof PARTS)[number];

/** The part of a report that a device fills. */
export type Measured = Pick<Report, 'clock' | 'validated' | 'peaks' | 'kernels' | 'layers' | 'unreached' | 'merges'>;

export interface MeasureOptions {
  device: GPUDevice;
  goldens: readonly Golden[];
  /** A weights file for three frames: its layers are timed, and merges. */
  weights: Uint8Array;
  extent: Extent;
  /** What a tuning of before found; without one, what `layers` finds is used. */
  tunings?: ReadonlyMap<DType, TuneResult>;
  signal?: AbortSignal;
  /** Called before each measurement. */
  onProgress?: (progress: { part: Part; done: number; total: number; text: string }) => void;
  /** Called whenever figures were added. */
  onFound?: () => void;
}

/**
 * A GPU slower than this gets smaller pictures for its kernels: systems reset one whose single dispatch takes seconds.
 */
const SLOW_GFLOPS = 1000;

/** An empty report of a device. */
export function nothingMeasured(device: GPUDevice): Measured {
  return {
    clock: hasTimestamps(device) ? 'timestamps' : 'wall',
    validated: [],
    peaks: { gflops: 0, gbytes: 0 },
    kernels: [],
    layers: [],
    merges: [],
  };
}

/**
 * Measures a device and adds what it finds to `found` at once, so that what was found before a failure is kept.
 * @throws CancelledError; DeviceLostError; GpuError; InputError for weights that are none.
 */
export async function measure(found: Measured, options: MeasureOptions): Promise<void> {
  const { device, goldens, weights, extent, signal } = options;
  const gpu = new Gpu(device);
  const { capabilities } = gpu;
  const precisions: DType[] = capabilities.f16 ? ['f32', 'f16'] : ['f32'];
  const tunings = new Map(options.tunings);
  const begin = (part: Part, done: number, total: number, text: string): void => {
    throwIfCancelled(signal);
    options.onProgress?.({ part, done, total, text });
  };
  const add = (): void => options.onFound?.();

  for (const [i, golden] of goldens.entries()) {
    begin('correctness', i, goldens.length, golden.name);
    found.validated.push({ name: golden.name, ...(await goldenError(golden, device)) });
    add();
  }

  begin('peaks', 0, 1, '');
  found.peaks = await measureAllPeaks(gpu);
  add();

  if (extent.kernelSize) {
    const tuning = tunings.get('f32');
    const target: Target = { capabilities, ...(tuning && { choices: choicesOf(tuning) }) };
    const total = await countKernels();
    begin('kernels', 0, total, '');
    const isSlow = found.peaks.gflops < SLOW_GFLOPS && !capabilities.cpu;
    await benchKernels(gpu, target, extent.kernelSize / (isSlow ? 2 : 1), (row) => {
      found.kernels.push(row);
      add();
      begin('kernels', found.kernels.length, total, row.name);
    });
  }

  if (extent.layers) {
    const { side, limitMs, filter } = extent.layers;
    const { config } = await loadWeights(weights);
    for (const [i, precision] of precisions.entries()) {
      begin('layers', i, precisions.length, precision);
      const onProgress = ({ done, total, name }: { done: number; total: number; name: string }): void =>
        begin('layers', i + done / total, precisions.length, `${precision} ${name}`);
      const layers = await benchLayers(gpu, { config, precision, side, limitMs, filter, signal, onProgress });
      found.layers!.push(...layerRows(layers));
      found.unreached = (found.unreached ?? 0) + layers.unreached.length;
      if (!tunings.has(precision) && choicesOf(layers).size > 0) tunings.set(precision, layers);
      add();
    }
  }

  if (extent.merges) {
    await benchMerges(gpu, weights, {
      ...extent.merges,
      precisions,
      tunings,
      signal,
      onCase: ({ precision, width, height, memoryBudget, variants }, done, total) =>
        begin('merges', done, total, `${width}x${height}, ${precision}, ${memoryBudget / 2 ** 20} MiB, ${variants}`),
      report: (row) => {
        found.merges!.push(row);
        add();
      },
    });
  }
}

/** How far a golden is off. A failure of the GPU is not thrown, because the kernels may still run. */
async function goldenError(golden: Golden, device: GPUDevice): Promise<{ error?: number; wrong?: string }> {
  try {
    return { error: await checkGolden(golden, device) };
  } catch (error) {
    if (error instanceof DeviceLostError) throw error;
    const share = error instanceof TooFarError && Number.isFinite(error.share) ? { error: error.share } : {};
    return { ...share, wrong: reasonOf(error) };
  }
}
