/** How work is cut into submissions, against a queue whose time the test tells. */
import { describe, expect, it, vi } from 'vitest';
import type { Gpu } from '../../src/device.ts';
import type { Step } from '../../src/graph/plan.ts';
import { Submissions } from '../../src/graph/submissions.ts';

const steps = (count: number, multiplyAdds: number): Step[] => Array.from({ length: count }, () => ({ multiplyAdds }) as Step);

/** A queue that does nothing until `finish` is called, oldest first. */
function queue(): { gpu: Gpu; finish: () => void } {
  const waiting: (() => void)[] = [];
  const gpu = { wait: <T>(work: Promise<T>) => work, device: { queue: { onSubmittedWorkDone: () => new Promise<void>((resolve) => waiting.push(resolve)) } } } as unknown as Gpu;
  return { gpu, finish: () => waiting.shift()!() };
}

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => (done = true), () => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  return done;
};

describe('submissions', () => {
  it('take one step at least, a tile whole where it is short, and no more steps than allowed', () => {
    const it = new Submissions(queue().gpu);
    expect(it.end(steps(3, 1e12), 0, 100)).toBe(1);
    expect(it.end(steps(3, 1e12), 2, 100)).toBe(3);
    expect(it.end(steps(80, 1e6), 0, 100)).toBe(80);
    expect(it.end(steps(80, 1e6), 10, 30)).toBe(40);
    // 1e9 multiply-adds is the first guess.
    expect(it.end(steps(80, 2e8), 0, 100)).toBe(4);
  });

  it('are at most two in flight, and told of in order', async () => {
    const { gpu, finish } = queue();
    const it = new Submissions(gpu);
    const all = steps(4, 1e6);
    const told: number[] = [];
    for (const k of [0, 1]) {
      await it.room();
      it.track(all, k, k + 1, () => told.push(k));
    }
    const room = it.room();
    expect(await settled(room)).toBe(false);
    finish();
    await room;
    it.track(all, 2, 3, () => told.push(2));
    const idle = it.idle();
    expect(await settled(idle)).toBe(false);
    finish();
    expect(await settled(idle)).toBe(false);
    finish();
    await idle;
    expect(told).toEqual([0, 1, 2]);
    expect(it.totals.count).toBe(3);
  });

  it('become shorter where they take long, and longer again where they do not', async () => {
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    let now = 0;
    const { gpu, finish } = queue();
    const it = new Submissions(gpu);
    const all = steps(1000, 1e7);
    const run = async (ms: number): Promise<number> => {
      const end = it.end(all, 0, 1000);
      it.track(all, 0, end);
      now += ms;
      finish();
      await it.idle();
      return end;
    };
    try {
      const first = await run(1000);
      expect(first).toBeGreaterThan(50);
      const second = await run(1000);
      expect(second).toBeCloseTo(first / 4, -1);
      for (let i = 0; i < 5; i++) await run(1000);
      expect(await run(1)).toBe(1);
      for (let i = 0; i < 9; i++) await run(1);
      expect(await run(50)).toBeGreaterThan(first);
      expect(it.totals.busyMs).toBe(now);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('hand on what goes wrong when one is done, and go on', async () => {
    const { gpu, finish } = queue();
    const it = new Submissions(gpu);
    it.track(steps(1, 1), 0, 1, () => {
      throw new Error('no paper');
    });
    const idle = it.idle();
    finish();
    await expect(idle).rejects.toThrow('no paper');
    await it.settled();
    await it.room();
    await it.idle();
  });
});
