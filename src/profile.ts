/**
 * Where the time of a merge went: wall time by phase, and for each stage the CPU and GPU time of its tiles.
 *
 * CPU and GPU work on different tiles at the same time, so their times in a stage add up to more than its wall time;
 * the times of either one alone do not.
 */
import type { GpuTimes } from './graph/timestamps.ts';
import type { Plan } from './graph/plan.ts';
import type { Stage, StageName } from './model/schedule.ts';

/** One program's share of a stage. */
export interface ProgramProfile {
  /** The operation in the graph. */
  op: string;
  /** The variant that computes it. */
  program: string;
  dispatches: number;
  /** GPU time; null if the adapter has no timestamps. */
  ms: number | null;
  /** Multiply-adds of all its dispatches. */
  multiplyAdds: number;
}

/** Where the time of one stage went, over all its tiles. */
export interface StageProfile {
  name: StageName;
  tiles: number;
  /** Wall time. */
  ms: number;
  /** CPU: packing and sending weights, allocating buffers. */
  prepareMs: number;
  /** CPU: handing frames and motion maps to the device. */
  sendMs: number;
  /** CPU: pasting results into the picture. */
  pasteMs: number;
  /** Wall time during which the GPU had steps to run. */
  busyMs: number;
  /** GPU: cutting tiles from the frames. Null if the adapter has no timestamps. */
  cutMs: number | null;
  /** GPU: all steps. Null if the adapter has no timestamps. */
  computeMs: number | null;
  /** GPU: taking results to where the CPU reads them. Null if the adapter has no timestamps. */
  takeMs: number | null;
  submissions: number;
  /** By program, longest first. */
  programs: ProgramProfile[];
}

/** Where the time of a merge went. */
export interface MergeProfile {
  /** Whether the adapter has timestamp queries. */
  timestamps: boolean;
  /** Wall time of the merge. */
  ms: number;
  /** Wall time: the camera's response, including patches read from the device. */
  responseMs: number;
  /** Wall time: waiting for pipelines that were not ready yet. */
  compileMs: number;
  stages: StageProfile[];
}

/** Times of a stage while they are collected. */
export interface StageTimes extends GpuTimes {
  prepareMs: number;
  sendMs: number;
  cutMs: number;
  /** Of a program that makes results from samples as they are taken. */
  directMs: number;
  takeMs: number;
  pasteMs: number;
}

export function stageTimes(plan: Plan): StageTimes {
  return {
    stepMs: new Float64Array(plan.steps.length),
    prepareMs: 0,
    sendMs: 0,
    cutMs: 0,
    directMs: 0,
    takeMs: 0,
    pasteMs: 0,
  };
}

/**
 * Where the time of a stage went, once all its tiles are done.
 * @param wall measured around all tiles.
 * @param direct the program that made results from samples, if one did.
 */
export function stageProfile(
  { name, plan, tiling: { tiles } }: Stage,
  { prepareMs, sendMs, cutMs, takeMs, directMs, pasteMs, stepMs }: StageTimes,
  wall: Pick<StageProfile, 'ms' | 'busyMs' | 'submissions'>,
  { timestamps }: Pick<MergeProfile, 'timestamps'>,
  direct: { label: string } | undefined,
): StageProfile {
  const onGpu = (ms: number): number | null => (timestamps ? ms : null);
  return {
    name,
    tiles: tiles.length,
    ...wall,
    prepareMs,
    sendMs,
    pasteMs,
    cutMs: onGpu(cutMs),
    computeMs: onGpu(direct ? directMs : stepMs.reduce((sum, ms) => sum + ms, 0)),
    takeMs: onGpu(takeMs),
    programs: direct
      ? [{ op: 'picture', program: direct.label, dispatches: tiles.length, ms: onGpu(directMs), multiplyAdds: 0 }]
      : programProfiles(plan, tiles.length, timestamps ? stepMs : undefined),
  };
}

/**
 * Steps by program, with the sum of their times. @param stepMs each step's time over all tiles; undefined if unknown.
 */
export function programProfiles(plan: Plan, tiles: number, stepMs: Float64Array | undefined): ProgramProfile[] {
  const found = new Map<string, ProgramProfile>();
  plan.steps.forEach(({ op, dispatch, multiplyAdds }, i) => {
    const key = `${op} ${dispatch.program.label}`;
    let row = found.get(key);
    if (!row)
      found.set(
        key,
        (row = { op, program: dispatch.program.label, dispatches: 0, ms: stepMs ? 0 : null, multiplyAdds: 0 }),
      );
    row.dispatches += tiles;
    row.multiplyAdds += multiplyAdds * tiles;
    if (stepMs) row.ms! += stepMs[i];
  });
  return [...found.values()].sort((a, b) => (b.ms ?? 0) - (a.ms ?? 0) || b.multiplyAdds - a.multiplyAdds);
}

/**
 * 1e9 floating-point operations per second, where a multiply-add counts as two; undefined if nothing is multiplied or
 * no time is known.
 */
export function gflops({ ms, multiplyAdds }: ProgramProfile): number | undefined {
  return ms && multiplyAdds ? (2 * multiplyAdds) / ms / 1e6 : undefined;
}
