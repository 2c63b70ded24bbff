/** How work is cut into submissions, with a queue whose time the test sets. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Gpu } from '../../src/device.ts';
import type { Step } from '../../src/graph/plan.ts';
import { Submissions } from '../../src/graph/submissions.ts';
import { testDevice } from '../gpu.ts';

// This import defines WebGPU's constants.
beforeAll(async () => void (await testDevice()));

const steps = (count: number, multiplyAdds: number): Step[] =>
  Array.from({ length: count }, () => ({ multiplyAdds }) as Step);

/** A GPU that does nothing until `finish` is called, oldest first. */
function queue(): {
  gpu: Gpu;
  finish: () => void;
  track: (submissions: Submissions, ...rest: Tracked) => void;
  fences: () => number;
} {
  const waiting: (() => void)[] = [];
  let fences = 0;
  const createBuffer = () => {
    fences++;
    return {
      mapAsync: () => new Promise<void>((resolve) => waiting.push(resolve)),
      unmap: () => undefined,
      destroy: () => void fences--,
    };
  };
  const gpu = { wait: <T>(work: Promise<T>) => work, device: { createBuffer } } as unknown as Gpu;
  const encoder = { clearBuffer: () => undefined } as unknown as GPUCommandEncoder;
  return {
    gpu,
    finish: () => waiting.shift()!(),
    track: (submissions, ...rest) => submissions.track(submissions.fence(encoder), ...rest),
    fences: () => fences,
  };
}
type Tracked = [steps: Step[], first: number, end: number, onDone?: () => void];

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(
    () => (done = true),
    () => (done = true),
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  return done;
};

describe('submissions', () => {
  it('take one step at least, a tile whole where it is short, and no more steps than allowed', () => {
    const submissions = new Submissions(queue().gpu);
    expect(submissions.end(steps(3, 1e12), 0, 100)).toBe(1);
    expect(submissions.end(steps(3, 1e12), 2, 100)).toBe(3);
    expect(submissions.end(steps(80, 1e6), 0, 100)).toBe(80);
    expect(submissions.end(steps(80, 1e6), 10, 30)).toBe(40);
    // 1e9 multiply-adds is the first guess.
    expect(submissions.end(steps(80, 2e8), 0, 100)).toBe(4);
  });

  it('are at most two in flight, and told of in order', async () => {
    const { gpu, finish, track, fences } = queue();
    const submissions = new Submissions(gpu);
    const all = steps(4, 1e6);
    const told: number[] = [];
    for (const k of [0, 1]) {
      await submissions.room();
      track(submissions, all, k, k + 1, () => told.push(k));
    }
    const room = submissions.room();
    expect(await settled(room)).toBe(false);
    finish();
    await room;
    track(submissions, all, 2, 3, () => told.push(2));
    const idle = submissions.idle();
    expect(await settled(idle)).toBe(false);
    finish();
    expect(await settled(idle)).toBe(false);
    finish();
    await idle;
    expect(told).toEqual([0, 1, 2]);
    expect(submissions.totals.count).toBe(3);
    expect(fences()).toBe(2);
    submissions.dispose();
    expect(fences()).toBe(0);
  });

  it('become shorter where they take long, and longer again where they do not', async () => {
    // Not setImmediate, by which Dawn's binding asks for what is done: one that was faked would never come.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const { gpu, finish, track } = queue();
      const submissions = new Submissions(gpu);
      const all = steps(1000, 1e7);
      const begun = performance.now();
      const run = async (ms: number): Promise<number> => {
        const end = submissions.end(all, 0, 1000);
        track(submissions, all, 0, end);
        await vi.advanceTimersByTimeAsync(ms);
        finish();
        await submissions.idle();
        return end;
      };
      const first = await run(1000);
      expect(first).toBeGreaterThan(50);
      const second = await run(1000);
      expect(second).toBeCloseTo(first / 4, -1);
      for (let i = 0; i < 5; i++) await run(1000);
      expect(await run(1)).toBe(1);
      for (let i = 0; i < 12; i++) await run(1);
      expect(await run(50)).toBeGreaterThan(first);
      expect(submissions.totals.busyMs).toBeCloseTo(performance.now() - begun, 6);
    } finally {
      vi.useRealTimers();
    }
  });

  it('hand on what goes wrong when one is done, and go on', async () => {
    const { gpu, finish, track } = queue();
    const submissions = new Submissions(gpu);
    track(submissions, steps(1, 1), 0, 1, () => {
      throw new Error('no paper');
    });
    const idle = submissions.idle();
    await settled(Promise.resolve());
    finish();
    await expect(idle).rejects.toThrow('no paper');
    await submissions.room();
    // When nobody waits, the next that waits gets the error, once.
    track(submissions, steps(1, 1), 0, 1, () => {
      throw new Error('no ink');
    });
    await settled(Promise.resolve());
    finish();
    await settled(Promise.resolve());
    await expect(submissions.room()).rejects.toThrow('no ink');
    await submissions.settled();
    await submissions.room();
    await submissions.idle();
  });
});
