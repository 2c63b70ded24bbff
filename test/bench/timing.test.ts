/** How the bench times: on made-up clocks, by which a GPU is slow when it was idle. No GPU. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { median, spread, timeInTurns, turnsFor } from '../../bench/timing.ts';
import type { Timed } from '../../bench/timing.ts';

/** A subject whose run takes `ms`, by a clock that rounds to `step`; it logs its passes. */
function subject(ms: number, log: [number, number][], id: number, step = 0.1): Timed {
  return async (count) => {
    log.push([id, count]);
    return Math.floor((ms * count) / step) * step;
  };
}

describe('timeInTurns', () => {
  it('repeats until a pass is long, however coarse the clock, and takes turns', async () => {
    const log: [number, number][] = [];
    // The first is far below what the clock can tell.
    const subjects = [subject(0.013, log, 0), subject(1, log, 1), subject(70, log, 2)];
    const samples = await timeInTurns(subjects, { passMs: 20, warmMs: 0, rounds: 3, mostRuns: 5000 });
    const timed = log.slice(-9);
    expect(timed.map(([id]) => id)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
    const counts = timed.slice(0, 3).map(([, count]) => count);
    expect(counts[0] * 0.013).toBeGreaterThanOrEqual(20);
    expect(counts[0] * 0.013).toBeLessThan(40);
    expect(counts[1]).toBeGreaterThanOrEqual(20);
    expect(counts[2]).toBe(1);
    // What a clock in steps of 0.1 ms can tell of 20 ms.
    expect(Math.abs(median(samples[0]) / 0.013 - 1)).toBeLessThan(0.1 / 20);
    expect(median(samples[1])).toBeCloseTo(1, 6);
    expect(samples.map(({ length }) => length)).toEqual([3, 3, 3]);
  });

  it('does not time a GPU that leaves its idle clock only after a while', async () => {
    // A clock of our own: a busy machine must not warm the GPU.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => void vi.restoreAllMocks());
    const slowAtFirst: Timed = async (count) => {
      now += 5;
      return count * (now < 100 ? 6 : 1);
    };
    const [cold] = await timeInTurns([slowAtFirst], { passMs: 20, warmMs: 0, rounds: 1 });
    expect(cold[0]).toBe(6);
    const [warm] = await timeInTurns([slowAtFirst], { passMs: 20, warmMs: 150, rounds: 5 });
    expect(warm).toEqual([1, 1, 1, 1, 1]);
  });

  it('does not take what a driver compiles at the first dispatch for the time of a run', async () => {
    let isCompiled = false;
    const [samples] = await timeInTurns(
      [
        async (count) => {
          const ms = (isCompiled ? 0 : 4000) + 0.5 * count;
          isCompiled = true;
          return ms;
        },
      ],
      { passMs: 20, warmMs: 0, rounds: 3 },
    );
    expect(samples).toEqual([0.5, 0.5, 0.5]);
  });

  it('stops repeating at its most runs, even where a clock says nothing', async () => {
    const log: [number, number][] = [];
    const [samples] = await timeInTurns([subject(0, log, 0)], { passMs: 20, warmMs: 0, rounds: 2, mostRuns: 100 });
    expect(log.map(([, count]) => count)).toEqual([1, 1, 8, 64, 100, 100, 100]);
    expect(samples).toEqual([0, 0]);
  });

  it('lengthens passes where there is only the wall clock, and waits for no clock of a software adapter', () => {
    expect(turnsFor(true, false).passMs).toBe(20);
    expect(turnsFor(false, false).passMs).toBeGreaterThanOrEqual(100);
    expect(turnsFor(true, false).warmMs).toBeGreaterThanOrEqual(100);
    expect(turnsFor(true, true).warmMs).toBe(0);
  });
});

describe('median and spread', () => {
  it('are those of the samples', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(spread([10, 10, 10])).toBe(0);
    expect(spread([8, 9, 10, 11, 12])).toBeCloseTo(0.1, 6);
  });
});
