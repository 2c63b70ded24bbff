/**
 * Timing: warm up, repeat, report the median and its spread.
 *
 * A GPU that is idle lowers its clock, to a sixth on an NVIDIA H100, and browsers round timestamps to 65 to 100 us. So
 * what is timed first runs until the clock is up, each pass repeats its work until it lasts long enough, and candidates
 * take turns, so that a change of the clock affects all of them alike.
 */
import type { Gpu } from '../src/device.ts';
import { hasTimestamps } from '../src/graph/timestamps.ts';

/** Runs something `count` times in one go. @returns milliseconds of all runs together. */
export type Timed = (count: number) => Promise<number>;

export interface Turns {
  /** Least milliseconds of a pass. */
  passMs: number;
  /** Milliseconds that the first subject runs before any is timed. */
  warmMs: number;
  /** Passes of each subject. */
  rounds: number;
  /** Most runs in a pass. */
  mostRuns?: number;
}

/** How to time: a software adapter has no clock to wait for, the wall clock includes the way to the GPU. */
export function turnsFor(timestamps: boolean, software: boolean): Turns {
  if (software) return { passMs: 20, warmMs: 0, rounds: 3 };
  return { passMs: timestamps ? 20 : 150, warmMs: 300, rounds: 5 };
}

/** How to time on a device. */
export function turnsOn({ device, capabilities }: Gpu): Turns {
  return turnsFor(hasTimestamps(device), capabilities.cpu === true);
}

const MOST_RUNS = 500;
/** A pass is lengthened by at most this factor at once: a time of almost nothing may be rounding. */
const MOST_GROWTH = 8;

/** Repeats until the time is over and a pass is long enough. @returns runs of such a pass. */
async function warmUp(timed: Timed, { passMs, warmMs, mostRuns = MOST_RUNS }: Turns): Promise<number> {
  // Drivers of software adapters compile at the first dispatch.
  await timed(1);
  const begun = performance.now();
  for (let count = 1; ; ) {
    const ms = await timed(count);
    const isLong = ms >= passMs || count >= mostRuns;
    if (isLong && performance.now() - begun >= warmMs) return count;
    if (!isLong) count = Math.min(mostRuns, Math.ceil(count * Math.min(MOST_GROWTH, (1.1 * passMs) / ms)));
  }
}

/** Times subjects in turns, after a warm-up. @returns of each the milliseconds of one run, pass by pass. */
export async function timeInTurns(subjects: readonly Timed[], turns: Turns): Promise<number[][]> {
  const counts: number[] = [];
  for (const [i, timed] of subjects.entries()) counts.push(await warmUp(timed, i ? { ...turns, warmMs: 0 } : turns));
  const samples = subjects.map((): number[] => []);
  for (let round = 0; round < turns.rounds; round++)
    for (const [i, timed] of subjects.entries()) samples[i].push((await timed(counts[i])) / counts[i]);
  return samples;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Half the distance between the quartiles, over the median. */
export function spread(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return (at(0.75) - at(0.25)) / 2 / median(samples);
}
