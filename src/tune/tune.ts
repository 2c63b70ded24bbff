/**
 * The tuner: runs every implementation of every class of steps, checks that they agree, times them against each other,
 * and keeps the fastest.
 *
 * Implementations take turns, round after round, so that other load on the machine affects all of them equally; medians
 * decide. The default is kept unless another is faster by more than noise. Classes are ordered by their share of the
 * arithmetic, so that a time limit leaves out what matters least.
 */
import type { Target } from '../kernels/target.ts';
import type { DType } from '../kernels/tensor.ts';
import { DEVICE, FUNCTION, NUMBER, POSITIVE, PRECISION, SIGNAL, readOptions, whole } from '../checks.ts';
import type { Rules } from '../checks.ts';
import { Gpu } from '../device.ts';
import { GpuError, UsageError } from '../errors.ts';
import { MAX_FRAMES, MIN_FRAMES } from '../image/frame.ts';
import type { NetworkConfig } from '../weights/config.ts';
import { DeviceBench } from './bench.ts';
import type { Bench, Subject } from './bench.ts';
import { CHECKED_TILE, stepClasses } from './classes.ts';
import type { StepClass } from './classes.ts';
import { adapterName, tuneKey } from './key.ts';
import { FORMAT } from './result.ts';
import { LargerTiles } from './largerTiles.ts';
import type { Candidate, TuneResult, TunedClass } from './result.ts';
import type { TuneControl } from './control.ts';
import { PASS_MS, Stop, roughMs, timeInTurns } from './turns.ts';
import type { PassTimes } from './turns.ts';

/** What to tune for. */
export interface TuneOptions extends TuneControl {
  /** The caller's device, which is borrowed. */
  device: GPUDevice;
  /** The network, as `loadWeights` gives it. Its weights are not needed. */
  config: NetworkConfig;
  /** Number of frames of the merges to tune for. */
  frames: number;
  /** As `Deghoster.create` takes it; `f32` by default. */
  precision?: DType;
  /**
   * Size in pixels of the tile whose steps are compared and timed, in multiples of 16. By default they are compared in
   * 128x128, and timed there on a software adapter; on a GPU they are timed in up to 1024x1024, which is about what a
   * merge of a large picture cuts, as far as memory and the GPU's speed allow.
   */
  tile?: { width: number; height: number };
  /** Which classes to tune, by name; all by default. */
  filter?: (name: string) => boolean;
}

/** Another implementation is chosen if its time is at most this share of the default's. */
const GAIN = 0.97;
/** Largest difference allowed between an implementation and the first, as a share of the largest value. */
const TOLERANCE: Record<DType, number> = { f32: 1e-5, f16: 5e-3 };
/**
 * A GPU runs for this long, in milliseconds, before the first measurement of a class. While programs compile it is
 * idle and lowers its clock, to a sixth on an NVIDIA H100, and then the first to be timed would lose.
 */
const WARM_MS = 100;

/**
 * The implementation to use: the fastest if it is faster than the default by more than noise; the default if nothing is
 * known.
 */
export function choose(fallback: string, candidates: readonly Candidate[]): string {
  const timed = candidates.filter((candidate): candidate is Candidate & { ms: number } => candidate.ms !== null);
  if (timed.length === 0) return fallback;
  const best = timed.reduce((a, b) => (b.ms < a.ms ? b : a));
  const own = timed.find(({ implementation }) => implementation === fallback);
  return own && best.ms > GAIN * own.ms ? fallback : best.implementation;
}

/**
 * The largest difference between the outputs of two implementations, as a share of the largest value; infinite for NaN
 * and missing values.
 */
export function disagreement(reference: readonly Float32Array[], outputs: readonly Float32Array[]): number {
  let worst = 0;
  reference.forEach((expected, o) => {
    let [scale, difference] = [0, 0];
    for (let i = 0; i < expected.length; i++) {
      const away = Math.abs(outputs[o][i] - expected[i]);
      scale = Math.max(scale, Math.abs(expected[i]));
      difference = away >= 0 ? Math.max(difference, away) : Infinity;
    }
    if (difference > 0) worst = Math.max(worst, difference / scale);
  });
  return worst;
}

/** Tunes one class. @returns undefined if stopped before there were times to choose by. */
async function tuneClass(
  stepClass: StepClass,
  bench: Bench,
  tolerance: number,
  stop: Stop,
  times: PassTimes,
  report: (implementation?: string) => void,
  tiles?: LargerTiles,
): Promise<TunedClass | undefined> {
  const rejected = new Map<string, string>();
  const subjects = new Map<string, Subject>();
  const opened = await bench.open(stepClass);
  try {
    let reference: readonly Float32Array[] | undefined;
    for (const implementation of stepClass.implementations) {
      if (stop.reason) return undefined;
      report(implementation);
      try {
        const { outputs, ...subject } = await opened.run(implementation);
        const away = disagreement(reference ?? outputs, outputs);
        if (away <= tolerance) {
          reference ??= outputs;
          subjects.set(implementation, { outputs: [], ...subject });
        } else
          rejected.set(
            implementation,
            reference
              ? `differs from ${[...subjects.keys()][0]} by ${away.toExponential(1)} of the scale, allowed is ` +
                  `${tolerance}`
              : 'stores values that are no numbers',
          );
      } catch (error) {
        if (!(error instanceof GpuError)) throw error;
        rejected.set(implementation, error.message);
      }
    }
    report();
    const [subject] = subjects.values();
    const grown =
      tiles && subject && !stop.reason
        ? await tiles.grow(stepClass, opened, [...subjects.keys()], await roughMs(subject, stop, times))
        : undefined;
    const found = subject ? await timeInTurns(grown?.subjects ?? subjects, stop, times) : new Map<string, number>();
    if (!found) return undefined;
    const candidates = stepClass.implementations.map((implementation): Candidate => {
      const error = rejected.get(implementation);
      return { implementation, ms: found.get(implementation) ?? null, ...(error !== undefined && { error }) };
    });
    const [fallback] = stepClass.implementations;
    const { name, share } = stepClass;
    const { multiplyAdds, bytes } = grown?.stepClass ?? stepClass;
    return {
      name,
      isTuned: fallback !== '',
      share,
      multiplyAdds,
      bytes,
      fallback,
      chosen: choose(fallback, candidates),
      candidates,
    };
  } finally {
    opened.close();
  }
}

/**
 * Tunes classes in the order given.
 * @param warmMs how long a class runs before it is timed.
 * @param now milliseconds, for the limit.
 * @param tiles where steps may be timed in larger tiles.
 */
export async function tuneClasses(
  classes: readonly StepClass[],
  bench: Bench,
  precision: DType,
  control: TuneControl,
  warmMs = 0,
  now: () => number = () => performance.now(),
  tiles?: LargerTiles,
): Promise<Pick<TuneResult, 'classes' | 'unreached' | 'stopped'>> {
  const stop = new Stop(control, now);
  const times = { warmMs, passMs: control.passMs ?? PASS_MS };
  const tuned: TunedClass[] = [];
  for (const [i, stepClass] of classes.entries()) {
    const reason = stop.reason;
    const report = (implementation?: string): void =>
      control.onProgress?.({
        done: i,
        total: classes.length,
        name: stepClass.name,
        ...(implementation && { implementation }),
      });
    const found = reason
      ? undefined
      : await tuneClass(stepClass, bench, TOLERANCE[precision], stop, times, report, tiles);
    if (!found) return { classes: tuned, unreached: classes.slice(i).map(({ name }) => name), stopped: stop.reason };
    tuned.push(found);
  }
  return { classes: tuned, unreached: [] };
}

/** Largest side of a tile: more takes longer and shows no more. */
const MOST_TILE = 4096;

const isSide = (value: unknown): boolean => whole(16, MOST_TILE)[1](value) && (value as number) % 16 === 0;

/** @throws UsageError */
function readTuneOptions(options: TuneOptions): TuneOptions {
  const rules: Rules<TuneOptions> = {
    device: DEVICE,
    config: [
      'the config of loadWeights',
      (value) => /^(fixed|any)$/.test((value as NetworkConfig | null)?.variant ?? '') && 'segWidths' in Object(value),
    ],
    frames: whole(MIN_FRAMES, MAX_FRAMES),
    precision: PRECISION,
    tile: [
      `{ width, height } in multiples of 16 up to ${MOST_TILE}`,
      (value) => isSide((value as TuneOptions['tile'] | null)?.width) && isSide(Object(value).height),
    ],
    filter: FUNCTION,
    limitMs: NUMBER,
    passMs: POSITIVE,
    signal: SIGNAL,
    onProgress: FUNCTION,
  };
  return readOptions('tune', options, rules, ['device', 'config', 'frames']);
}

/**
 * Finds the fastest implementations for a device and a network. This takes seconds on a GPU, and minutes on a software
 * adapter whose driver has not compiled them before.
 * @returns the tuning; with a limit or a signal, some classes may be missing (`unreached`).
 * @throws UsageError for f16 on a device without `shader-f16`; InputError for a number of frames the network does not
 * take; GpuError; DeviceLostError.
 */
export async function tune(options: TuneOptions): Promise<TuneResult> {
  const read = readTuneOptions(options);
  const { device, config, frames, precision = 'f32', filter = () => true } = read;
  const gpu = Gpu.of(device);
  const { capabilities } = gpu;
  if (precision === 'f16' && !capabilities.f16)
    throw new UsageError('tune: precision is "f16", and the device has no shader-f16: use "f32"');
  const target: Target = { capabilities, precision };
  const software = capabilities.cpu === true;
  const tile = read.tile ?? CHECKED_TILE;
  const tiles = read.tile || software ? undefined : new LargerTiles(config, frames, target);
  const classes = stepClasses(config, frames, tile, target).filter(({ name }) => filter(name));
  const bench = new DeviceBench(device, target, !software);
  try {
    const found = await tuneClasses(classes, bench, precision, read, software ? 0 : WARM_MS, undefined, tiles);
    return {
      format: FORMAT,
      key: tuneKey(device.adapterInfo, target),
      adapter: adapterName(device.adapterInfo),
      precision,
      date: new Date().toISOString(),
      timestamps: bench.timestamps,
      tile: tiles?.largest ?? tile,
      ...found,
    };
  } finally {
    bench.dispose();
  }
}
