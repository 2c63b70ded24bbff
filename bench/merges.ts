/**
 * Whole merges of three frames, from arrays in memory to an array in memory: by the wall clock, and once more with a
 * profile, whose compute passes are the GPU's time.
 */
import type { Gpu } from '../src/device.ts';
import { CancelledError, DeviceLostError, reasonOf, throwIfCancelled } from '../src/errors.ts';
import { muLaw, psnr } from '../src/image/metrics.ts';
import { Deghoster } from '../src/index.ts';
import type { Frame, MergeProfile, MergeResult } from '../src/index.ts';
import type { DType } from '../src/kernels/tensor.ts';
import type { TuneResult } from '../src/tune/index.ts';
import { rng, worstDifference } from '../test/reference/random.ts';
import { median, spread } from './timing.ts';

/** What is merged, and how. */
export interface MergeCase {
  precision: DType;
  width: number;
  height: number;
  /** Bytes of all GPU buffers together, at most. */
  memoryBudget: number;
  /** The variants that the tuner chose here, or the defaults. */
  variants: 'tuned' | 'default';
}

/** The figures of a case. */
export interface MergeRow extends MergeCase {
  /** Milliseconds of the first run, compilation included. */
  firstMs?: number;
  /** Runs after the first, their median by the wall clock, and its spread. */
  runs?: number;
  ms?: number;
  spread?: number;
  /** Milliseconds of the compute passes; absent where the device has no timestamps. */
  gpuMs?: number;
  /** Of the tiles, halos included. */
  multiplyAdds?: number;
  /** Most bytes of GPU buffers. */
  peakBytes?: number;
  /** How far the result is from that of the first case in f32: the largest difference, and PSNR-mu in dB for f16. */
  difference?: number;
  psnrMu?: number;
  wrong?: boolean;
  /** Why it failed. */
  error?: string;
}

/** A case's row, and what stands behind it. */
export interface MergeRun {
  row: MergeRow;
  wallMs: number[];
  profile: MergeProfile;
  result: MergeResult;
}

export interface MergeTiming {
  /** Most runs after the first and without the profile. */
  runs: number;
  /** No further run begins after so many milliseconds. */
  limitMs?: number;
  tuning?: TuneResult;
  signal?: AbortSignal;
  /** Called before and after each run that is timed. */
  onRun?: (moment: 'begin' | 'end') => void;
}

/** Smooth enough to be a picture, with noise, in 8 bits; brighter with each exposure. */
function frameOf(width: number, height: number, exposure: number): Frame {
  const data = new Uint8Array(width * height * 3);
  const noise = rng(exposure).floats(4099, 0, 32);
  for (let i = 0; i < data.length; i++) {
    const column = Math.floor(i / 3) % width;
    data[i] = Math.min(255, (column / width) * 120 * (exposure + 1) + noise[i % noise.length]);
  }
  return { data, width, height, exposure: 4 ** exposure };
}

/** Three frames, four times as bright each. */
export function mergeFrames(width: number, height: number): Frame[] {
  return [0, 1, 2].map((exposure) => frameOf(width, height, exposure));
}

/** Milliseconds of the compute passes, or of waiting where there are no timestamps, and multiply-adds of all stages. */
export function profileTotals({ stages }: MergeProfile): { gpuMs: number; multiplyAdds: number } {
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
  return {
    gpuMs: sum(stages.map(({ computeMs, busyMs }) => computeMs ?? busyMs)),
    multiplyAdds: sum(stages.flatMap(({ programs }) => programs.map((program) => program.multiplyAdds))),
  };
}

/**
 * Merges once to compile, then to measure the wall time, then with a profile.
 * @throws CancelledError; GpuError; DeviceLostError.
 */
export async function timeMerge(
  { device }: Gpu,
  weights: Uint8Array,
  merge: MergeCase,
  frames: readonly Frame[],
  { runs, limitMs = Infinity, tuning, signal, onRun = () => undefined }: MergeTiming,
): Promise<MergeRun> {
  const { precision, memoryBudget, variants } = merge;
  const deghoster = await Deghoster.create({
    weights,
    device,
    precision,
    memoryBudget,
    tuning: variants === 'tuned' ? tuning : undefined,
  });
  const options = { reference: 1, response: 'gamma', align: 'none', signal } as const;
  try {
    const begun = performance.now();
    let result = await deghoster.merge(frames, options);
    const firstMs = performance.now() - begun;
    const wallMs: number[] = [];
    while (wallMs.length < runs && (!wallMs.length || performance.now() - begun < limitMs)) {
      onRun('begin');
      const from = performance.now();
      result = await deghoster.merge(frames, options);
      wallMs.push(performance.now() - from);
      onRun('end');
    }
    const { profile, peakBytes } = await deghoster.merge(frames, { ...options, profile: true });
    const { gpuMs, multiplyAdds } = profileTotals(profile!);
    const timed = { firstMs, runs: wallMs.length, ms: median(wallMs), spread: spread(wallMs) };
    const row: MergeRow = {
      ...merge,
      ...timed,
      ...(profile!.timestamps && { gpuMs }),
      multiplyAdds,
      peakBytes,
    };
    return { row, wallMs, profile: profile!, result };
  } finally {
    deghoster.dispose();
  }
}

/** Most that f32 results may differ from one another, and least PSNR-mu of f16 in dB. */
const MOST_DIFFERENCE = 1e-4;
const LEAST_PSNR = 60;

/** Compares a result with that of the first case in f32. */
function compared(precision: DType, radiance: Float32Array, expected: Float32Array): Partial<MergeRow> {
  const { difference } = worstDifference(radiance, expected);
  if (precision === 'f32') return { difference, ...(!(difference <= MOST_DIFFERENCE) && { wrong: true }) };
  const psnrMu = psnr(muLaw(radiance), muLaw(expected));
  return { difference, psnrMu, ...(!(psnrMu >= LEAST_PSNR) && { wrong: true }) };
}

export interface MergesOptions {
  sizes: readonly { width: number; height: number }[];
  budgets: readonly number[];
  precisions: readonly DType[];
  tunings: ReadonlyMap<DType, TuneResult>;
  /** Most runs of a case, and milliseconds after which none begins. */
  runs: number;
  limitMs: number;
  /** A size is left out where the one before says that a run would take longer. */
  mostMs: number;
  signal?: AbortSignal;
  /** Called before each case. */
  onCase?: (merge: MergeCase, done: number, total: number) => void;
  report: (row: MergeRow) => void;
}

/**
 * Times every size in every precision and budget, with the defaults and with what the tuner chose. A case that fails
 * is a row that says why; only a cancellation and the loss of the device end it.
 * @throws CancelledError; DeviceLostError.
 */
export async function benchMerges(gpu: Gpu, weights: Uint8Array, options: MergesOptions): Promise<void> {
  const { sizes, budgets, precisions, tunings, signal, report } = options;
  const cases = sizes.flatMap(({ width, height }) =>
    precisions.flatMap((precision) =>
      budgets.flatMap((memoryBudget) =>
        (tunings.has(precision) ? (['default', 'tuned'] as const) : (['default'] as const)).map(
          (variants): MergeCase => ({ precision, width, height, memoryBudget, variants }),
        ),
      ),
    ),
  );
  /** Milliseconds a pixel of each precision's last case. */
  const msPerPixel = new Map<DType, number>();
  let frames: Frame[] = [];
  let expected: Float32Array | undefined;
  for (const [i, merge] of cases.entries()) {
    throwIfCancelled(signal);
    const { precision, width, height } = merge;
    if (frames[0]?.width !== width || frames[0]?.height !== height) {
      frames = [];
      expected = undefined;
    }
    const predicted = (msPerPixel.get(precision) ?? 0) * width * height;
    if (predicted > options.mostMs) {
      report({ ...merge, error: `left out: a run would take about ${Math.round(predicted / 1000)} s here` });
      continue;
    }
    if (frames.length === 0) frames = mergeFrames(width, height);
    options.onCase?.(merge, i, cases.length);
    try {
      const { runs, limitMs } = options;
      const tuning = tunings.get(precision);
      const { row, result } = await timeMerge(gpu, weights, merge, frames, { runs, limitMs, tuning, signal });
      msPerPixel.set(precision, row.ms! / (width * height));
      if (expected) Object.assign(row, compared(precision, result.radiance, expected));
      else if (precision === 'f32') expected = result.radiance;
      report(row);
    } catch (error) {
      if (error instanceof CancelledError || error instanceof DeviceLostError) throw error;
      report({ ...merge, error: reasonOf(error) });
    }
  }
}
