/**
 * conv2d, every variant, against the CPU reference (f64 accumulation): at most 1e-5 of the case's scale (checks.ts).
 */
import { describe, expect, it } from 'vitest';
import { conv2d } from '../../src/kernels/conv2d/index.ts';
import { randomCase } from '../cases/conv.ts';
import { testKernels } from '../gpu.ts';
import { rng } from '../reference/random.ts';
import { KERNEL_CHECKS, checkConv } from './checks.ts';

/** With an empty shader cache, a software adapter compiles all variants of a layer for minutes. */
const COMPILING_MS = 600_000;

describe('conv2d', () => {
  it.each(KERNEL_CHECKS.filter((check) => check.kernel === 'conv2d').map((check) => [check.name, check] as const))(
    '%s',
    async (_, check) => {
      await check.run(await testKernels());
    },
    COMPILING_MS,
  );

  it('agrees on random cases', async () => {
    const seed = Number(process.env.DEGHOST_SEED ?? Math.floor(Math.random() * 1e9));
    const random = rng(seed);
    for (let i = 0; i < 24; i++) {
      const c = randomCase(random);
      await checkConv(await testKernels(), c, `DEGHOST_SEED=${seed}, case ${i}: ${c.name}`);
    }
  });

  it('says what does not fit', () => {
    const shape = { channels: 6, height: 4, width: 4 };
    expect(() => conv2d.shape({ weights: 'w', channels: 8, kernel: 2 }, [shape])).toThrow(
      'conv2d: kernel size 2 of w is not odd',
    );
    expect(() => conv2d.shape({ weights: 'w', channels: 8, kernel: 3, groups: 4 }, [shape])).toThrow(
      '4 groups do not divide 6 inputs and 8 outputs',
    );
  });
});
