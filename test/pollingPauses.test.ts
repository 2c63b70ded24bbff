/** Waiting for a software adapter leaves the processors to it, and delays nothing else for long. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Gpu } from '../src/device.ts';
import { waitWithPauses } from '../src/pollingPauses.ts';
import { testGpu } from './gpu.ts';

afterEach(() => void vi.restoreAllMocks());

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Rounds of the event loop while something asks in each of them, as Dawn's binding does. */
async function roundsDuring(work: () => Promise<unknown>): Promise<{ rounds: number; ms: number }> {
  let rounds = 0;
  let asking = true;
  const ask = (): void => {
    rounds++;
    if (asking) setImmediate(ask);
  };
  setImmediate(ask);
  const begun = performance.now();
  await work();
  asking = false;
  return { rounds, ms: performance.now() - begun };
}

describe('waitWithPauses', () => {
  it('makes every round of the event loop last a millisecond at least', async () => {
    const { rounds, ms } = await roundsDuring(() => waitWithPauses(later(60)));
    expect(rounds).toBeGreaterThan(1);
    expect(rounds).toBeLessThanOrEqual(1.1 * ms + 2);
  });

  it('lets timers come while it waits', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await waitWithPauses(later(100));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });

  it('passes on what comes, good or bad, and pauses no more after the last of several waits', async () => {
    const pauses = vi.spyOn(Atomics, 'wait');
    const both = [waitWithPauses(later(5).then(() => 'early')), waitWithPauses(later(40).then(() => 'late'))];
    expect(await both[0]).toBe('early');
    const then = pauses.mock.calls.length;
    expect(await both[1]).toBe('late');
    expect(pauses.mock.calls.length).toBeGreaterThan(then);
    await expect(waitWithPauses(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await later(5);
    const all = pauses.mock.calls.length;
    await later(20);
    expect(pauses.mock.calls.length).toBe(all);
  });
});

describe('Gpu.wait', () => {
  it('pauses where the CPU does the work, and nowhere else', async () => {
    const { device, info } = await testGpu();
    const pauses = vi.spyOn(Atomics, 'wait');
    await new Gpu(device).wait(later(20));
    expect(pauses.mock.calls.length > 0).toBe(info.software);
    const before = pauses.mock.calls.length;
    const hardware = {
      lost: new Promise(() => undefined),
      adapterInfo: {
        vendor: 'nvidia',
        architecture: 'hopper',
        device: '',
        description: 'H100',
        isFallbackAdapter: false,
      },
    };
    await later(5);
    await new Gpu(hardware as unknown as GPUDevice).wait(later(20));
    expect(pauses.mock.calls.length).toBeLessThanOrEqual(before + 1);
  });
});
