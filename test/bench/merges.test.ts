/** The merges that the bench times, on the tests' device: small ones, and those that cannot run. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { benchMerges, mergeFrames } from '../../bench/merges.ts';
import type { MergeRow, MergesOptions } from '../../bench/merges.ts';
import { mergeGflops, mergeVerdict } from '../../bench/deviceTables.ts';
import { Gpu } from '../../src/device.ts';
import { CancelledError } from '../../src/errors.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { testDevice } from '../gpu.ts';

const WEIGHTS = readFileSync(new URL('../goldens/fixed-halo.weights.safetensors', import.meta.url));
const MIB = 2 ** 20;

async function rowsOf(options: Partial<MergesOptions>): Promise<MergeRow[]> {
  const rows: MergeRow[] = [];
  await benchMerges(new Gpu(await testDevice()), WEIGHTS, {
    sizes: [{ width: 48, height: 32 }],
    budgets: [64 * MIB, 128 * MIB],
    precisions: ['f32'],
    tunings: new Map(),
    runs: 2,
    limitMs: 60_000,
    mostMs: 60_000,
    report: (row) => rows.push(row),
    ...options,
  });
  return rows;
}

describe('benchMerges', () => {
  it('times each precision and budget, and compares results with the first in f32', async () => {
    const { features } = await testDevice();
    const precisions: DType[] = features.has('shader-f16') ? ['f32', 'f16'] : ['f32'];
    const rows = await rowsOf({ precisions });
    expect(rows.map(({ precision, memoryBudget }) => [precision, memoryBudget / MIB])).toEqual(
      precisions.flatMap((precision) => [64, 128].map((budget) => [precision, budget])),
    );
    for (const row of rows) {
      expect(row).toMatchObject({ runs: 2, variants: 'default' });
      expect([row.error, row.wrong]).toEqual([undefined, undefined]);
      for (const figure of [row.firstMs, row.ms, row.multiplyAdds, row.peakBytes, mergeGflops(row)])
        expect(figure).toBeGreaterThan(0);
      expect(row.peakBytes).toBeLessThanOrEqual(row.memoryBudget);
      if (features.has('timestamp-query')) expect(row.gpuMs).toBeGreaterThan(0);
    }
    expect(mergeVerdict(rows[0])).toBe('the judge');
    expect(rows[1].difference).toBeLessThan(1e-5);
    // Halves differ a little, and not by much.
    for (const { psnrMu, difference } of rows.slice(2)) {
      expect(difference).toBeGreaterThan(0);
      expect(psnrMu).toBeGreaterThan(60);
    }
  });

  it('goes on after a case that fails, and leaves out what would take too long', async () => {
    const sizes = [
      { width: 48, height: 32 },
      { width: 6000, height: 4000 },
    ];
    const rows = await rowsOf({ sizes, budgets: [1, 64 * MIB], runs: 1, mostMs: 5000 });
    expect(rows[0].error).toMatch(/memory budget/i);
    expect(rows[1].ms).toBeGreaterThan(0);
    for (const row of rows.slice(2)) expect(row.error).toMatch(/^left out: a run would take about \d+ s here$/);
    expect(mergeVerdict(rows[0])).toMatch(/^\*\*failed\*\*/);
  });

  it('ends when it is cancelled', async () => {
    const stop = new AbortController();
    const cases: string[] = [];
    const running = rowsOf({
      signal: stop.signal,
      onCase: ({ precision }) => {
        cases.push(precision);
        stop.abort();
      },
    });
    await expect(running).rejects.toThrow(CancelledError);
    expect(cases).toEqual(['f32']);
  });

  it('merges frames that are brighter with each exposure', () => {
    const sums = mergeFrames(32, 16).map(({ data }) => (data as Uint8Array).reduce((a, b) => a + b, 0));
    expect(sums[1]).toBeGreaterThan(sums[0]);
    expect(sums[2]).toBeGreaterThan(sums[1]);
    expect(mergeFrames(32, 16).map(({ exposure }) => exposure)).toEqual([1, 4, 16]);
  });
});
