/**
 * The CPU reference against the PyTorch goldens: two implementations written apart from the same spec, both in f64. Goldens
 * are stored in f32, so they agree to its rounding (6e-8); more is a mistake in one of them.
 */
import { describe, expect, it } from 'vitest';
import { goldenNames, readGolden } from './goldens.ts';
import { runMerge, runNetwork } from './network.ts';
import { expectClose, rng } from './random.ts';
import { tensor, where } from './tensor.ts';

const TOLERANCE = 2e-7;

describe('the CPU network agrees with the PyTorch goldens', () => {
  const names = goldenNames();
  it('there are goldens of both variants', () => {
    expect(names.some((name) => name.startsWith('fixed'))).toBe(true);
    expect(names.some((name) => name.startsWith('any'))).toBe(true);
  });

  it.each(names)('%s', (name) => {
    const { config, weights, frames, taus, reference, stages } = readGolden(name);
    const taps = runNetwork({ config, tensors: weights }, { frames, times: taus, reference });
    for (const [stage, expected] of stages) {
      const actual = taps.get(stage);
      if (!actual) throw new Error(`${name}: no stage ${stage}`);
      expect([actual.c, actual.h, actual.w], `${name} ${stage}`).toEqual([expected.c, expected.h, expected.w]);
      expectClose(actual.data, expected.data, { tol: TOLERANCE, label: `${name} ${stage}`, where: where(expected) });
    }
    for (const stage of ['o', 'Y', 'TY', 'W.1']) expect(stages.has(stage), stage).toBe(true);
  });
});

describe('properties the spec states', () => {
  const golden = readGolden('fixed-merge-r0');
  const random = rng(11);
  const frames = [0, 1, 2].map(() => tensor(3, 5, 3, random.floats(45, 0, 1)));
  const input = { frames, times: [0.25, 1, 2], reference: 1 };

  it('with zero weights the network is its base, and still pixels give the plain merge', () => {
    const zeros = new Map([...golden.weights].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]));
    const taps = runNetwork({ config: golden.config, tensors: zeros }, { ...input, masks: frames.map(() => tensor(1, 16, 16)) });
    const merged = runMerge(input, golden.config.gamma);
    const clipped = merged.data.map((b) => Math.min(Math.max(b, 1e-6 / 8), 1 - 1e-4));
    expectClose(taps.get('Y')!.data, clipped, { tol: 1e-14, label: 'base' });
  });

  it('where everything moves, the base is the reference alone', () => {
    const ones = tensor(1, 16, 16, new Float32Array(256).fill(1));
    const taps = runNetwork({ config: golden.config, tensors: golden.weights }, { ...input, masks: frames.map(() => ones) });
    const B = taps.get('B')!;
    for (let c = 0; c < 3; c++) expect(B.data[c * 256]).toBeCloseTo(frames[1].data[c * 15] ** 2.2 / 4, 12);
  });

  it('exposures matter only by their ratios, and bring a consistent scene back', () => {
    const scene = random.floats(45, 0.01, 0.2);
    const consistent = [1, 2, 4].map((tau) => tensor(3, 5, 3, scene.map((y) => (y * tau) ** (1 / 2.2))));
    const merged = runMerge({ frames: consistent, times: [0.01, 0.02, 0.04] });
    expectClose(merged.data, scene, { tol: 1e-6, label: 'merge of a consistent stack' });
  });

  it('a response f gives lin = f(X) / tau', () => {
    const squares = Array.from({ length: 256 }, (_, i) => (i / 255) ** 2);
    const one = tensor(3, 1, 1, [0, 128 / 255, 1]);
    const merged = runMerge({ frames: [one, one], times: [1, 1.5], reference: 0, response: [squares, squares, squares] });
    const f = (128 / 255) ** 2;
    const [short, long] = [f ** (1 / 2.2), f ** (1 / 2.2)].map((x) => 1 - Math.abs(2 * x - 1));
    // At f's X' of 0.53 the shortest frame is held at 1, the longest is not.
    expect(f ** (1 / 2.2)).toBeGreaterThan(0.5);
    expect(merged.data[1]).toBeCloseTo(((1 + 1e-3) * f + (long * f) / 1.5) / (1 + 1e-3 + short), 12);
  });
});
