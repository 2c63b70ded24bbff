/**
 * conv2d on matrix units: on the device's own where it has them (skipped, and said so, where it has not), on imitated ones wherever shaders have halves; and what needs no device.
 */
import { describe, expect, it } from 'vitest';
import { testDevice, testKernels } from '../gpu.ts';
import { IMITATED, MATRIX_CHECKS, imitatedChecks } from './matrixChecks.ts';
import { convolutions } from './matrixLayers.ts';

const { traits } = await testKernels();

describe.skipIf(!traits.matrices)(`on the device's matrices${traits.matrices ? '' : ': this adapter has no subgroup matrices of halves (see CONTRIBUTING.md)'}`, () => {
  it.each(MATRIX_CHECKS.map((check) => [check.name, check] as const))('%s', async (_, check) => {
    await check.run(await testKernels());
  });

  // Whether matrices fit one another and where they are loaded from: sizes that this device has not are refused only in a pipeline.
  it.each(IMITATED.map(({ matrices }) => [Object.values(matrices).join('x'), matrices] as const))("the network's layers on matrices of %s are valid WGSL", async (_, matrices) => {
    const device = await testDevice();
    const codes = new Set(convolutions({ traits: { f16: true, subgroupSize: 32, matrices }, precision: 'f16' }).flatMap((it) => it.codes));
    expect(codes.size).toBeGreaterThan(10);
    for (const code of codes) {
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      expect(messages.map(({ message, lineNum }) => `${lineNum}: ${message}\n${code}`)).toEqual([]);
    }
  });
});

describe.skipIf(!traits.f16).each(IMITATED.map((it) => [Object.values(it.matrices).join('x'), it] as const))(`on imitated matrices of %s${traits.f16 ? '' : ': this adapter has no shader-f16'}`, (_, imitated) => {
  it.each(imitatedChecks(imitated).map((check) => [check.name, check] as const))('%s', async (__, check) => {
    await check.run(await testKernels());
  });
});
