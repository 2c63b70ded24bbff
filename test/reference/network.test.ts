/**
 * The CPU reference against the PyTorch goldens: two implementations written apart from the same spec, both in f64.
 * Goldens are stored in f32, so they agree to its rounding (6e-8); more is a mistake in one of them.
 */
import { describe, expect, it } from 'vitest';
import { gateEvidence } from './gate.ts';
import type { Camera } from './gate.ts';
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
    const { config, weights, frames, response, taus, reference, stages, coverage } = readGolden(name);
    const input = { frames, times: taus, reference, response, coverage: coverage ?? undefined };
    const taps = runNetwork({ config, tensors: weights }, input);
    for (const [stage, expected] of stages) {
      const actual = taps.get(stage);
      if (!actual) throw new Error(`${name}: no stage ${stage}`);
      expect([actual.c, actual.h, actual.w], `${name} ${stage}`).toEqual([expected.c, expected.h, expected.w]);
      expectClose(actual.data, expected.data, { tol: TOLERANCE, label: `${name} ${stage}`, where: where(expected) });
    }
    const maps = config.ablation?.segmentation === 'none' ? [] : ['W.1'];
    for (const stage of ['o', 'Y', 'TY', ...maps]) expect(stages.has(stage), stage).toBe(true);
  });
});

describe('properties the spec states', () => {
  const golden = readGolden('fixed-merge-r0');
  const random = rng(11);
  const frames = [0, 1, 2].map(() => tensor(3, 5, 3, random.floats(45, 0, 1)));
  const input = { frames, times: [0.25, 1, 2], reference: 1 };

  it('with zero weights the network is its base, and still pixels give the plain merge', () => {
    const zeros = new Map(
      [...golden.weights].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
    );
    const taps = runNetwork(
      { config: { ...golden.config, hat: 'pixel' }, tensors: zeros },
      { ...input, masks: frames.map(() => tensor(1, 16, 16)) },
    );
    const merged = runMerge(input, golden.config.gamma);
    const clipped = merged.data.map((b) => Math.min(Math.max(b, 1e-6 / 8), 1 - 1e-4));
    expectClose(taps.get('Y')!.data, clipped, { tol: 1e-14, label: 'base' });
  });

  it('where everything moves, the base is the reference alone', () => {
    const ones = tensor(1, 16, 16, new Float32Array(256).fill(1));
    const taps = runNetwork(
      { config: golden.config, tensors: golden.weights },
      { ...input, masks: frames.map(() => ones) },
    );
    const B = taps.get('B')!;
    for (let c = 0; c < 3; c++) expect(B.data[c * 256]).toBeCloseTo(frames[1].data[c * 15] ** 2.2 / 4, 12);
  });

  it('exposures matter only by their ratios, and bring a consistent scene back', () => {
    const scene = random.floats(45, 0.01, 0.2);
    const consistent = [1, 2, 4].map((tau) =>
      tensor(
        3,
        5,
        3,
        scene.map((y) => (y * tau) ** (1 / 2.2)),
      ),
    );
    const merged = runMerge({ frames: consistent, times: [0.01, 0.02, 0.04] });
    expectClose(merged.data, scene, { tol: 1e-6, label: 'merge of a consistent stack' });
  });

  it('a response f gives lin = f(X) / tau', () => {
    const squares = Array.from({ length: 256 }, (_, i) => (i / 255) ** 2);
    const one = tensor(3, 1, 1, [128 / 255, 128 / 255, 128 / 255]);
    const merged = runMerge({
      frames: [one, one],
      times: [1, 1.5],
      reference: 0,
      response: [squares, squares, squares],
    });
    const f = (128 / 255) ** 2;
    const [short, long] = [f ** (1 / 2.2), f ** (1 / 2.2)].map((x) => 1 - Math.abs(2 * x - 1));
    // At f's X' of 0.53 the shortest frame is held at 1, the longest is not.
    expect(f ** (1 / 2.2)).toBeGreaterThan(0.5);
    expect(merged.data[1]).toBeCloseTo(((1 + 1e-3) * f + (long * f) / 1.5) / (1 + 1e-3 + short), 12);
  });

  it('one hat a pixel is the smallest of its channels', () => {
    const [short, middle, long] = [
      [0.1, 0.2, 0.3],
      [0.4, 0.6, 0.7],
      [0.6, 0.7, 0.9],
    ];
    const merged = runMerge({ frames: [short, middle, long].map((x) => tensor(3, 1, 1, x)), times: [1, 2, 4] }, 1);
    const weights = [0.2, 0.6 + 1e-3, 0.2]; // of 0.1, 0.7 and 0.9
    const sum = weights.reduce((a, b) => a + b);
    for (let c = 0; c < 3; c++)
      expect(merged.data[c]).toBeCloseTo(
        (weights[0] * short[c] + (weights[1] * middle[c]) / 2 + (weights[2] * long[c]) / 4) / sum,
        12,
      );
  });

  it('the gate opens by what a sample can be: some codes, some light, anything at black and white', () => {
    const gate = { codes: 2, relative: 0, low: 0, high: 1 };
    const camera = { gamma: 1, response: null };
    const e = (x: number, reference: number, ratio = 1, more: object = {}, of: Camera = camera): number =>
      gateEvidence(
        { ...gate, ...more },
        tensor(3, 1, 1, [0.5, 0.5, x / 255]),
        tensor(3, 1, 1, [0.5 * ratio, 0.5 * ratio, reference / 255]),
        ratio,
        of,
      ).data[0] * 255;
    expect(e(100, 104)).toBeCloseTo(0, 12);
    expect([e(100, 110), e(110, 100)].map((x) => Number(x.toFixed(9)))).toEqual([6, 6]);
    expect(e(100, 60, 0.5)).toBeCloseTo(58 - 51, 9);
    // At black 0 to 2 codes, of which twenty times as much light is up to 40; at 252 and above any light.
    expect(e(0, 50, 20)).toBeCloseTo(48 - 40, 9);
    expect(e(252, 255, 0.25)).toBe(0);
    expect(e(251, 255, 0.25)).toBeCloseTo(253 - 253 / 4, 9);
    expect(e(100, 110, 1, { codes: 0, relative: 0.01 })).toBeCloseTo(110 * 0.99 - 100 * 1.01, 9);
    // Linear light of 0.25 is code 135.8.
    const linear = { gamma: 2.2, response: null, linear: true };
    const [x, y] = [0.25, 0.36].map((light) => light ** (1 / 2.2) * 255);
    expect(e(0.25 * 255, 0.36 * 255, 1, {}, linear)).toBeCloseTo(y - x - 4, 9);
  });
});
