/** Timing implementations against each other, in turns, until a limit or a cancellation ends it. */
import type { Timed } from './bench.ts';
import type { TuneResult } from './result.ts';
import type { TuneControl } from './control.ts';

const ROUNDS = 5;
/** Implementations slower than the best by this factor in the first round are left out of later rounds. */
const HOPELESS = 1.5;
/** Runs are repeated for this long, in milliseconds, because Dawn rounds timestamps to 65 us. */
export const PASS_MS = 8;
const MOST_RUNS = 256;
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Tells whether the tuner must stop, and why. */
export class Stop {
  readonly #control: TuneControl;
  readonly #now: () => number;
  readonly #begun: number;

  constructor(control: TuneControl, now: () => number) {
    this.#control = control;
    this.#now = now;
    this.#begun = now();
  }

  get reason(): TuneResult['stopped'] {
    const { signal, limitMs = Infinity } = this.#control;
    if (signal?.aborted) return 'cancelled';
    return this.#now() - this.#begun >= limitMs ? 'limit' : undefined;
  }
}

/** How often to repeat a run that takes this long. */
function runsOf(ms: number, passMs: number): number {
  return Math.min(MOST_RUNS, Math.max(1, Math.ceil(passMs / Math.max(1e-3, ms))));
}

/** Milliseconds that a class runs before it is timed, and that each pass lasts at least. */
export interface PassTimes {
  warmMs: number;
  passMs: number;
}

/** Runs something for `warmMs`. */
async function warm(subject: Timed, stop: Stop, { warmMs, passMs }: PassTimes): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < warmMs && !stop.reason; )
    await subject.time(runsOf(await subject.time(1), passMs));
}

/** Milliseconds of a run, after half the time to warm up: roughly. */
export async function roughMs(subject: Timed, stop: Stop, { warmMs, passMs }: PassTimes): Promise<number> {
  await warm(subject, stop, { warmMs: warmMs / 2, passMs });
  const count = runsOf(await subject.time(1), passMs);
  return (await subject.time(count)) / count;
}

/**
 * Times the compiled implementations in turns, with fewer rounds if the tuner must stop. @returns the median time of a
 * run, or undefined if stopped in the first round.
 */
export async function timeInTurns(
  subjects: ReadonlyMap<string, Timed>,
  stop: Stop,
  { warmMs, passMs }: PassTimes,
): Promise<Map<string, number> | undefined> {
  const samples = new Map<string, number[]>();
  const runs = new Map<string, number>();
  const medians = (): Map<string, number> =>
    new Map([...samples].map(([implementation, all]) => [implementation, median(all)]));
  await warm([...subjects.values()][0], stop, { warmMs, passMs });
  let racing = [...subjects.keys()];
  for (let round = 0; round < ROUNDS; round++) {
    for (const implementation of racing) {
      // After one round there are times to choose by.
      if (stop.reason && round > 0) return medians();
      if (stop.reason === 'cancelled') return undefined;
      const subject = subjects.get(implementation)!;
      if (!runs.has(implementation)) runs.set(implementation, runsOf(await subject.time(1), passMs));
      const count = runs.get(implementation)!;
      const ms = (await subject.time(count)) / count;
      samples.set(implementation, [...(samples.get(implementation) ?? []), ms]);
    }
    if (round > 0) continue;
    const best = Math.min(...[...samples.values()].map(([ms]) => ms));
    // The first is the default, which stays in all five rounds: only they can replace it.
    racing = racing.filter((implementation, i) => i === 0 || samples.get(implementation)![0] <= HOPELESS * best);
  }
  return medians();
}
