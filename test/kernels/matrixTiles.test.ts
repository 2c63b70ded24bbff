/**
 * Variants on matrix units as plans see them: which layers have them, what they take of a workgroup's memory, the order
 * of their weights. No GPU.
 */
import { describe, expect, it } from 'vitest';
import { conv2d } from '../../src/kernels/conv2d/index.ts';
import type { ConvAttrs } from '../../src/kernels/conv2d/index.ts';
import { matrixTiles, packMatrices } from '../../src/kernels/conv2d/methods/matrixTiles.ts';
import type { Target } from '../../src/kernels/target.ts';
import { implementationsVersion } from '../../src/tune/key.ts';
import { rng } from '../reference/random.ts';
import { implementationNames } from './checks.ts';
import { isMatrixName, matricesOfSize } from './matrixChecks.ts';
import { convolutions } from './matrixLayers.ts';

const SIXTEEN = matricesOfSize(16, 16, 16);
const EIGHT = matricesOfSize(8, 8, 8);
const GPU: Target = { capabilities: { f16: true, subgroupSize: 32, matrices: SIXTEEN }, precision: 'f16' };
const CPU: Target = { capabilities: { cpu: true, f16: true, subgroupSize: 8, matrices: EIGHT }, precision: 'f16' };
const LAYER: ConvAttrs = { weights: 'w', channels: 32, kernel: 3 };
const SHAPE = { channels: 32, height: 16, width: 16 };

const namesOf = (attrs: ConvAttrs, target: Target, shape = SHAPE): string[] =>
  implementationNames(conv2d, attrs, [shape], target);

describe('candidates on matrices', () => {
  it('come first, in halves alone and where a device has matrices in subgroups of one size', () => {
    const others = namesOf(LAYER, { capabilities: { f16: true, subgroupSize: 32 }, precision: 'f16' });
    expect(others.filter(isMatrixName)).toEqual([]);
    const all = ['16x8x32 by 2', '16x16x32 by 4', '16x8x32 by 1', '16x8x32 by 4'].map((tile) => `matrix ${tile}`);
    // Of the others, only what runs without a tuning.
    expect(namesOf(LAYER, GPU)).toEqual([...all, others[0]]);
    expect(namesOf({ ...LAYER, channels: 128 }, GPU).filter(isMatrixName)).toEqual(all);
    // Two rows of four subgroups, for 2x2 windows, take more memory than every device has.
    expect(namesOf({ ...LAYER, store: { kind: 'pool' } }, GPU).filter(isMatrixName)).toEqual(
      all.filter((name) => name !== 'matrix 16x16x32 by 4'),
    );
    expect(namesOf(LAYER, { ...GPU, precision: 'f32' }).filter(isMatrixName)).toEqual([]);
    expect(
      namesOf(LAYER, { capabilities: { f16: true, matrices: SIXTEEN }, precision: 'f16' }).filter(isMatrixName),
    ).toEqual([]);
    // A workgroup of four subgroups, or of any, would be larger than every device allows.
    const wide = (subgroupSize: number): Target => ({
      capabilities: { f16: true, subgroupSize, matrices: SIXTEEN },
      precision: 'f16',
    });
    expect(namesOf(LAYER, wide(128)).filter(isMatrixName)).toEqual(['matrix 16x8x32 by 2', 'matrix 16x8x32 by 1']);
    expect(namesOf(LAYER, wide(512)).filter(isMatrixName)).toEqual([]);
  });

  it('fix the size of their subgroups where those vary, and leave the choice to a tuner', () => {
    const target: Target = { capabilities: { f16: true, matrices: { ...SIXTEEN, lanes: 16 } }, precision: 'f16' };
    expect(namesOf(LAYER, target)[0]).toMatch(/^direct /);
    // A subgroup of eight rows takes more registers than there are.
    expect(namesOf(LAYER, target).filter(isMatrixName)).not.toContain('matrix 16x8x32 by 1');
    const found = convolutions(target).flatMap(({ codes }) => codes);
    expect(found.length).toBeGreaterThan(10);
    for (const code of found) {
      expect(code).toContain('enable subgroups;\nenable subgroup_size_control;\n');
      // Two subgroups or four.
      expect(code).toMatch(/@compute @workgroup_size\((32|64), 1, 1\) @subgroup_size\(16\)\nfn main/);
    }
    expect(
      convolutions(GPU)
        .flatMap(({ codes }) => codes)
        .join(),
    ).not.toContain('subgroup_size');
  });

  it('are one on a CPU, which only imitates matrices, after all others', () => {
    const names = namesOf(LAYER, CPU);
    expect(names.filter(isMatrixName)).toEqual(['matrix 16x8x32 by 4']);
    expect(names.at(-1)).toBe('matrix 16x8x32 by 4');
  });

  it('are for layers that fill matrices, without groups, and that read no frames', () => {
    for (const target of [GPU, CPU]) {
      expect(namesOf(LAYER, target, { ...SHAPE, channels: 6 }).filter(isMatrixName)).toEqual([]);
      expect(namesOf({ ...LAYER, groups: 4 }, target).filter(isMatrixName)).toEqual([]);
      const read: ConvAttrs['read'] = { kind: 'encoder', frame: 0, tau: 1, gamma: 2.2, useResponse: false };
      expect(
        implementationNames(
          conv2d,
          { ...LAYER, read },
          [
            { ...SHAPE, channels: 12 },
            { channels: 4, height: 1, width: 256 },
          ],
          target,
        ).filter(isMatrixName),
      ).toEqual([]);
    }
  });

  it('divide channels evenly, in whole matrices', () => {
    const blocksOf = (channels: number, target: Target): number =>
      matrixTiles({ ...LAYER, channels }, [SHAPE], target)[0].out;
    expect([3, 8, 9, 32, 40, 48, 128].map((channels) => 4 * blocksOf(channels, CPU))).toEqual([
      8, 8, 16, 32, 24, 24, 32,
    ]);
    expect([3, 8, 16, 32, 40, 48, 128].map((channels) => 4 * blocksOf(channels, GPU))).toEqual([
      16, 16, 16, 32, 32, 32, 32,
    ]);
  });

  it('make a tuning in halves another', () => {
    const without = (target: Target): Target => ({
      ...target,
      capabilities: { ...target.capabilities, matrices: undefined },
    });
    expect(implementationsVersion(GPU)).not.toBe(implementationsVersion(without(GPU)));
    expect(implementationsVersion({ ...GPU, precision: 'f32' })).toBe(
      implementationsVersion(without({ ...GPU, precision: 'f32' })),
    );
  });
});

/** Bytes of a program's workgroup variables. */
function workgroupBytes(code: string): number {
  const found = [...code.matchAll(/var<workgroup> \w+: array<(f16|f32|vec4f), (\d+)>/g)];
  expect(found).toHaveLength(code.split('var<workgroup>').length - 1);
  return found.reduce((sum, [, type, count]) => sum + { f16: 2, f32: 4, vec4f: 16 }[type]! * Number(count), 0);
}

describe.each([
  ['a GPU', GPU],
  ['a CPU', CPU],
] as const)("the network's layers on %s's matrices", (_, target) => {
  const all = convolutions(target);
  const onMatrices = all.filter(({ codes }) => codes.length > 0);

  it('are all but those that read frames', () => {
    for (const { step, codes } of all) expect(codes.length > 0, step.shapeClass).toBe(!/ 6>/.test(step.shapeClass));
    expect(onMatrices.length).toBeGreaterThan(20);
  });

  it('take no more workgroup memory than every device has', () => {
    const bytes = onMatrices.flatMap(({ codes }) => codes.map(workgroupBytes));
    expect(Math.max(...bytes)).toBeLessThanOrEqual(16384);
    expect(Math.min(...bytes)).toBeGreaterThan(1024);
  });

  it('read what is stored as halves: features, and masks that they are multiplied with', () => {
    for (const { step, inputs } of onMatrices)
      expect(
        inputs.some(({ dtype }) => dtype === 'f16'),
        step.name,
      ).toBe(true);
    for (const { step, inputs } of onMatrices) {
      const floats = inputs.filter(({ dtype }) => dtype === 'f32');
      // The stack and the response table.
      if (floats.length > 0) expect(step.shapeClass, step.name).toMatch(/masked|picture/);
    }
  });
});

describe('packMatrices', () => {
  it('has every weight where the kernel reads it, and zeros else', () => {
    const tile = { ...matrixTiles({ ...LAYER, channels: 40 }, [SHAPE], CPU)[0], size: matricesOfSize(8, 8, 16) };
    const attrs: ConvAttrs = { weights: ['a', 'b'], channels: 40, kernel: 3 };
    const sources = [20, 9];
    const random = rng(7);
    const layers = [0, 1].map(() => random.floats(40 * 29 * 9, 0.5, 1));
    const packed = packMatrices(layers, attrs, sources, tile);
    // 40 channels are 2 groups of 24; 20 inputs take 2 steps of 16, 9 take one.
    const [groups, steps, taps, matrices, k, n] = [2, 3, 9, 3, 16, 8];
    expect(packed.length).toBe(2 * groups * steps * taps * matrices * k * n);
    let at = 0;
    for (let layer = 0; layer < 2; layer++) {
      for (let group = 0; group < groups; group++) {
        for (let step = 0; step < steps; step++) {
          for (let tap = 0; tap < taps; tap++) {
            for (let matrix = 0; matrix < matrices; matrix++) {
              for (let row = 0; row < k; row++) {
                for (let column = 0; column < n; column++) {
                  const o = group * 24 + matrix * n + column;
                  const own = step < 2 ? step * k + row : row;
                  const exists = o < 40 && own < (step < 2 ? 20 : 9);
                  const input = step < 2 ? own : 20 + own;
                  const expected = exists ? layers[layer][(o * 29 + input) * taps + tap] : 0;
                  if (packed[at] !== expected)
                    throw new Error(
                      `layer ${layer}, group ${group}, step ${step}, tap ${tap}, matrix ${matrix}, ${row},${column}: ` +
                        `${packed[at]}, expected ${expected}`,
                    );
                  at++;
                }
              }
            }
          }
        }
      }
    }
  });
});
