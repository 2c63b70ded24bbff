/**
 * Predicts how long a merge's steps will take, from the figures of a tuning. Time is proportional to multiply-adds for
 * kernels with several implementations, and to bytes for the others.
 *
 * The prediction is the sum of the steps only. It leaves out reading pictures, compiling, and work that overlaps with
 * computing.
 */
import type { Plan, Step } from '../graph/plan.ts';
import type { Schedule, StageName } from '../model/schedule.ts';
import { classOf } from './classes.ts';
import type { TuneResult, TunedClass } from './result.ts';

/** How long a merge's steps will take. */
export interface Prediction {
  /** Milliseconds of all steps on the GPU. */
  ms: number;
  stages: readonly { name: StageName; ms: number }[];
  /**
   * Number of classes of steps in the merge, and the classes among them that were not timed: these count as the mean of
   * the others.
   */
  classes: number;
  unmeasured: readonly string[];
}

/** Milliseconds per multiply-add and per byte. */
interface Rates {
  multiplyAdd: number;
  byte: number;
}

function timeOf({ candidates }: TunedClass, implementation: string): number | undefined {
  return candidates.find((entry) => entry.implementation === implementation)?.ms ?? undefined;
}

/** The mean over all timed classes, each with its chosen implementation. */
function meanRates({ classes }: TuneResult): Rates {
  const mean = (isTuned: boolean, size: 'multiplyAdds' | 'bytes'): number => {
    const timed = classes.filter((entry) => entry.isTuned === isTuned && timeOf(entry, entry.chosen) !== undefined);
    const sum = timed.reduce((total, entry) => total + entry[size], 0);
    return sum ? timed.reduce((total, entry) => total + timeOf(entry, entry.chosen)!, 0) / sum : 0;
  };
  return { multiplyAdd: mean(true, 'multiplyAdds'), byte: mean(false, 'bytes') };
}

/** The time of a schedule's steps; undefined if the tuning has no figures at all. */
export function predict({ stages }: Pick<Schedule, 'stages'>, tuning: TuneResult): Prediction | undefined {
  const rates = meanRates(tuning);
  if (rates.multiplyAdd === 0 && rates.byte === 0) return undefined;
  const known = new Map(tuning.classes.map((entry) => [entry.name, entry]));
  const seen = new Set<string>();
  const unmeasured = new Set<string>();
  const stepMs = (step: Step): number => {
    const name = classOf(step);
    seen.add(name);
    const entry = known.get(name);
    const ms = entry && timeOf(entry, step.implementation);
    if (entry && ms !== undefined)
      return step.shapeClass ? (ms * step.multiplyAdds) / entry.multiplyAdds : (ms * step.bytes) / entry.bytes;
    unmeasured.add(name);
    return step.shapeClass ? rates.multiplyAdd * step.multiplyAdds : rates.byte * step.bytes;
  };
  const planMs = (plan: Plan): number => plan.steps.reduce((sum, step) => sum + stepMs(step), 0);
  const times = stages.map(({ name, plan, tiling }) => ({ name, ms: tiling.tiles.length * planMs(plan) }));
  return {
    ms: times.reduce((sum, { ms }) => sum + ms, 0),
    stages: times,
    classes: seen.size,
    unmeasured: [...unmeasured],
  };
}
