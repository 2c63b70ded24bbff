/**
 * conv2d on matrix units: on the device's own where it has them (skipped, and said so, where it has not), on imitated ones wherever shaders have halves; and what needs no device.
 */
import { describe, it } from 'vitest';
import { testKernels } from '../gpu.ts';
import { IMITATED, MATRIX_CHECKS, imitatedChecks } from './matrixChecks.ts';

const { traits } = await testKernels();

describe.skipIf(!traits.matrices)(`on the device's matrices${traits.matrices ? '' : ': this adapter has no subgroup matrices of halves (see CONTRIBUTING.md)'}`, () => {
  it.each(MATRIX_CHECKS.map((check) => [check.name, check] as const))('%s', async (_, check) => {
    await check.run(await testKernels());
  });
});

describe.skipIf(!traits.f16).each(IMITATED.map((it) => [Object.values(it.matrices).join('x'), it] as const))(`on imitated matrices of %s${traits.f16 ? '' : ': this adapter has no shader-f16'}`, (_, imitated) => {
  it.each(imitatedChecks(imitated).map((check) => [check.name, check] as const))('%s', async (__, check) => {
    await check.run(await testKernels());
  });
});
