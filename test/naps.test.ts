/** Waiting for a software adapter lets its processor alone, and keeps nobody else waiting for long. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Gpu } from '../src/device.ts';
import { napUntil } from '../src/naps.ts';
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

describe('napUntil', () => {
  it('makes every round of the event loop last a millisecond at least', async () => {
    const { rounds, ms } = await roundsDuring(() => napUntil(later(60)));
    expect(rounds).toBeGreaterThan(1);
    expect(rounds).toBeLessThanOrEqual(1.1 * ms + 2);
  });

  it('lets timers come while it waits', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await napUntil(later(100));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });

  it('passes on what comes, good or bad, and naps no more after the last of several waits', async () => {
    const naps = vi.spyOn(Atomics, 'wait');
    const both = [napUntil(later(5).then(() => 'early')), napUntil(later(40).then(() => 'late'))];
    expect(await both[0]).toBe('early');
    const then = naps.mock.calls.length;
    expect(await both[1]).toBe('late');
    expect(naps.mock.calls.length).toBeGreaterThan(then);
    await expect(napUntil(Promise.reject(new Error('no bed')))).rejects.toThrow('no bed');
    await later(5);
    const all = naps.mock.calls.length;
    await later(20);
    expect(naps.mock.calls.length).toBe(all);
  });
});

describe('Gpu.wait', () => {
  it('naps where the CPU does the work, and nowhere else', async () => {
    const { device, info } = await testGpu();
    const naps = vi.spyOn(Atomics, 'wait');
    await new Gpu(device).wait(later(20));
    expect(naps.mock.calls.length > 0).toBe(info.software);
    const before = naps.mock.calls.length;
    const hardware = { lost: new Promise(() => undefined), adapterInfo: { vendor: 'nvidia', architecture: 'hopper', device: '', description: 'H100', isFallbackAdapter: false } };
    await later(5);
    await new Gpu(hardware as unknown as GPUDevice).wait(later(20));
    expect(naps.mock.calls.length).toBeLessThanOrEqual(before + 1);
  });
});
