/**
 * conv2d in packed halves, as AMD's GPUs run it by default, against the CPU references: plain and with what is fused
 * into it. Inputs and weights are halves to begin with, so what differs is the sums of at most 36 halves; with f32 in
 * their place (halfImitation.ts) nothing does.
 */
import { describe, expect, it } from 'vitest';
import type { Target } from '../../src/kernels/target.ts';
import { conv2d } from '../../src/kernels/conv2d/index.ts';
import type { ConvAttrs } from '../../src/kernels/conv2d/index.ts';
import { MATRIX_CASES } from '../cases/conv.ts';
import { testKernels } from '../gpu.ts';
import { checkConv, implementationNames, targetsOf } from './checks.ts';
import type { Manner } from './checks.ts';
import { fusedChecks } from './fusedChecks.ts';
import { inSingles } from './halfImitation.ts';
import { KERNEL_TOLERANCE } from './kernelCheck.ts';
import type { KernelCheck } from './kernelCheck.ts';
import { halves } from './matrixChecks.ts';

const TARGET: Target = { capabilities: { vendor: 'amd', f16: true }, precision: 'f16' };
const isHalves = (name: string): boolean => name.startsWith('direct halves ');
/** Few channels: code grows with them. */
const SMALL = MATRIX_CASES.filter(({ outputs, kernel }) => outputs <= 8 && kernel > 1);
/** A product and a sum are each rounded to 11 bits, and 36 of them are added: seen are up to 1.5e-3 of the scale. */
const TOLERANCE = 3e-3;
/** A software driver compiles each variant for ten seconds and more: without this only the smallest runs. */
const EVERY = Boolean(process.env.DEGHOST_EVERY);
/** One block of output channels. */
const FEWEST = { ...SMALL[0], outputs: 4 };

const IN_HALVES: Manner = {
  targets(attrs, shapes) {
    const names = implementationNames(conv2d, attrs, shapes, TARGET);
    const own = names.filter(isHalves);
    expect(own.length).toBeGreaterThan(0);
    expect(names.slice(0, own.length), 'the first are in halves').toEqual(own);
    return targetsOf(attrs, shapes, TARGET, EVERY ? own : own.slice(0, 1));
  },
  random: halves,
  tolerance: TOLERANCE,
};
const IN_SINGLES: Manner = { ...IN_HALVES, tolerance: KERNEL_TOLERANCE, replace: inSingles };

function checksIn(manner: Manner): (readonly [string, KernelCheck])[] {
  const plain = SMALL.map(
    (c): KernelCheck => ({ kernel: 'conv2d', name: c.name, run: (kernels) => checkConv(kernels, c, c.name, manner) }),
  );
  const fused = fusedChecks(manner, (what) => !['of a frame', 'of a pair', 'and picture'].includes(what));
  return [...plain, ...fused].map((check) => [check.name, check] as const);
}

const { capabilities } = await testKernels();

describe.skipIf(!capabilities.f16)(`packed halves${capabilities.f16 ? '' : ': this adapter has no shader-f16'}`, () => {
  it.each(EVERY ? checksIn(IN_SINGLES) : [])('read and sum what they should: %s', async (_, check) => {
    await check.run(await testKernels());
  });
  it.each(EVERY ? checksIn(IN_HALVES) : [])('are near: %s', async (_, check) => {
    await check.run(await testKernels());
  });
  it('are near in the smallest variant', async () => {
    await checkConv(await testKernels(), FEWEST, FEWEST.name, IN_HALVES);
  });
});

describe('layers', () => {
  const layer = { weights: 'w', channels: 16, kernel: 3 } as const;
  const first = (attrs: ConvAttrs, channels: number, target: Target): string =>
    conv2d.implementations(attrs, [{ channels, height: 8, width: 8 }], target)[0].name;

  it('run in halves by default on GPUs of AMD, if the plan stores halves', () => {
    expect(first(layer, 16, TARGET)).toBe('direct halves 2x2x16');
    expect(first(layer, 16, { ...TARGET, precision: 'f32' })).toBe('direct 2x2x16');
    expect(first(layer, 16, { ...TARGET, capabilities: { vendor: 'apple', f16: true } })).toBe('direct 2x2x8');
  });

  it('do not where halves are too coarse or add up too little', () => {
    expect(first(layer, 6, TARGET)).toBe('direct 2x2x16');
    expect(first({ ...layer, kernel: 1 }, 16, TARGET)).toBe('direct 2x2x16');
  });
});
