/**
 * conv2d on matrix units: on the device's own (skipped with a message where it has none), on imitated ones wherever
 * shaders have halves; and what needs no device.
 */
import { describe, expect, it } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import type { Choices } from '../../src/kernels/target.ts';
import { muLaw, psnr } from '../../src/image/metrics.ts';
import { stepClasses } from '../../src/tune/classes.ts';
import { testDevice, testKernels } from '../gpu.ts';
import { interleavedFrame, planar } from '../reference/golden.ts';
import { readGolden } from '../reference/goldens.ts';
import { IMITATED, MATRIX_CHECKS, imitatedChecks, isMatrixName, sizeText } from './matrixChecks.ts';
import { convolutions } from './matrixLayers.ts';

/** Tests of other things take the pixels as they are. */
const AS_IS = { align: 'none' } as const;

const { capabilities } = await testKernels();

describe.skipIf(!capabilities.matrices)(
  `on the device's ` +
    `matrices${capabilities.matrices ? '' : ': this adapter has no subgroup matrices of halves (see CONTRIBUTING.md)'}`,
  () => {
    it.each(MATRIX_CHECKS.map((check) => [check.name, check] as const))('%s', async (_, check) => {
      await check.run(await testKernels());
    });

    it('give a merge in halves that is near the PyTorch reference (60 dB), as without them', async () => {
      const golden = readGolden('fixed-merge-r0');
      const { config, taus, reference, frames } = golden;
      const classes = stepClasses(config, taus.length, { width: 64, height: 64 }, { capabilities, precision: 'f16' });
      // The first of each kind, whatever runs by default.
      const choicesOf = (isWanted: (name: string) => boolean): Choices =>
        new Map(
          classes.flatMap(({ name, implementations }): [string, string][] => {
            const wanted = implementations.find(isWanted);
            return wanted === undefined ? [] : [[name, wanted]];
          }),
        );
      const [{ w, h }] = frames;
      const expected = muLaw(Float32Array.from(golden.stages.get('Y')!.data));
      const merge = async (tuning: Choices): Promise<{ radiance: Float32Array; used: number; near: number }> => {
        const deghoster = await Deghoster.create({
          device: await testDevice(),
          weights: golden.weightsBytes,
          precision: 'f16',
          tuning,
        });
        try {
          const steps = deghoster
            .schedule({ width: w, height: h, frames: taus.length })
            .stages.flatMap((stage) => stage.plan.steps);
          const { radiance } = await deghoster.merge(
            frames.map((x, k) => interleavedFrame(x, taus[k])),
            { ...AS_IS, reference },
          );
          return {
            radiance,
            used: steps.filter(({ implementation }) => isMatrixName(implementation)).length,
            near: psnr(muLaw(Float32Array.from(planar(radiance, w, h).data)), expected),
          };
        } finally {
          deghoster.dispose();
        }
      };
      const [without, onUnits] = [
        await merge(choicesOf((name) => !isMatrixName(name))),
        await merge(choicesOf(isMatrixName)),
      ];
      expect(without.used).toBe(0);
      expect(onUnits.used).toBeGreaterThan(10);
      expect(onUnits.radiance).not.toEqual(without.radiance);
      expect(without.near).toBeGreaterThan(60);
      expect(onUnits.near).toBeGreaterThan(60);
    });

    // Whether matrices fit one another and where they are loaded from: sizes that this device does not support are
    // refused only in a pipeline.
    it.each(IMITATED.map(({ matrices }) => [sizeText(matrices), matrices] as const))(
      "the network's layers on matrices of %s are valid WGSL",
      async (_, matrices) => {
        const device = await testDevice();
        const codes = new Set(
          convolutions({ capabilities: { f16: true, subgroupSize: 32, matrices }, precision: 'f16' }).flatMap(
            (layer) => layer.codes,
          ),
        );
        expect(codes.size).toBeGreaterThan(10);
        for (const code of codes) {
          const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
          expect(messages.map(({ message, lineNum }) => `${lineNum}: ${message}\n${code}`)).toEqual([]);
        }
      },
    );
  },
);

describe.skipIf(!capabilities.f16).each(IMITATED.map((entry) => [sizeText(entry.matrices), entry] as const))(
  `on imitated matrices of %s${capabilities.f16 ? '' : ': this adapter has no shader-f16'}`,
  (_, imitated) => {
    it.each(imitatedChecks(imitated).map((check) => [check.name, check] as const))('%s', async (__, check) => {
      await check.run(await testKernels());
    });
  },
);
