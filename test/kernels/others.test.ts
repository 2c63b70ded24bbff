/** Every kernel but conv2d, and fused convolutions, against the CPU reference: at most 1e-5 of the case's scale (checks.ts). */
import { describe, it } from 'vitest';
import { testKernels } from '../gpu.ts';
import { KERNEL_CHECKS as CHECKS, USUAL, winogradVariant } from './checks.ts';
import { FUSED_CHECKS, fusedChecks } from './fusedChecks.ts';

const KERNEL_CHECKS = [...CHECKS, ...FUSED_CHECKS];

const kernels = new Set(KERNEL_CHECKS.map((check) => check.kernel));
kernels.delete('conv2d');

describe.each([...kernels])('%s', (kernel) => {
  it.each(KERNEL_CHECKS.filter((check) => check.kernel === kernel).map((check) => [check.name, check] as const))('%s', async (_, check) => {
    await check.run(await testKernels());
  });
});

describe('fused conv2d by Winograd\'s method', () => {
  // The layer that ends in the base merge is 1x1. Several dilations at once, which only GPUs run, take a software adapter's driver minutes to compile.
  const checks = fusedChecks({ ...USUAL, targets: winogradVariant }, (what) => what !== 'and merge' && !what.includes('dilations'));
  it.each(checks.map((check) => [check.name, check] as const))('%s', async (_, check) => {
    await check.run(await testKernels());
  });
});
