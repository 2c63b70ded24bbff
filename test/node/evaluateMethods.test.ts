/**
 * The classical methods of `deghost evaluate --method`: against the results of NumPy and OpenCV
 * (reference/methodsGoldens.py), and what must hold for each: a static stack, a moving block, any order of frames,
 * frames without data.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/image/npy.ts';
import { METHODS } from '../../src/node/evaluate/methods/index.ts';
import { khan } from '../../src/node/evaluate/methods/khan.ts';
import { mertens } from '../../src/node/evaluate/methods/mertens.ts';
import type { MethodStack } from '../../src/node/evaluate/methods/method.ts';
import { pece } from '../../src/node/evaluate/methods/pece.ts';
import { mergeBase } from '../reference/exposure.ts';
import { tensor } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';

const GAMMA = 2.2;
const MERGES = [khan, pece];

function golden(name: string): { data: ArrayLike<number>; shape: readonly number[] } {
  return decodeNpy(readFileSync(`test/goldens/methods/${name}.npy`));
}

/** The goldens' stack, or its top left corner; with coverage or without. */
function goldenStack(isCovered: boolean, width = 48, height = 32): MethodStack {
  const { data, shape } = golden('stack');
  const [count, h, w] = shape;
  const covered = golden('coverage').data;
  const pixels = Array.from({ length: width * height }, (_, p) => Math.floor(p / width) * w + (p % width));
  return {
    frames: Array.from({ length: count }, (_, k) =>
      Float32Array.from(
        { length: 3 * pixels.length },
        (_, i) => data[3 * (k * h * w + pixels[Math.floor(i / 3)]) + (i % 3)] / 255,
      ),
    ),
    taus: [1, 4, 16, 64],
    coverage: Array.from({ length: count }, (_, k) =>
      isCovered ? Uint8Array.from(pixels, (p) => covered[k * h * w + p]) : undefined,
    ),
    width,
    height,
    gamma: GAMMA,
  };
}

function worst(made: ArrayLike<number>, expected: ArrayLike<number>, relative = false): number {
  expect(made.length).toBe(expected.length);
  return Math.max(
    ...Array.from(made, (y, i) => Math.abs(y - expected[i]) / (relative ? Math.abs(expected[i]) + 1e-4 : 1)),
  );
}

const [W, H] = [40, 30];
const TAUS = [1, 2, 4, 8, 16];
/** Radiance of a scene that the middle frame sees without clipping; a block stands in it from column `block` on. */
function radiance(block?: number): Float64Array {
  return Float64Array.from({ length: 3 * W * H }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % W, Math.floor(i / 3 / W)];
    if (block !== undefined && x >= block && x < block + 8 && y >= 11 && y < 19) return [0.2, 0.3, 0.15][i % 3];
    return (0.02 + 0.2 * (x / W) ** 2) * (0.7 + 0.3 * Math.sin(y / 4 + (i % 3)));
  });
}

/** Frames of exact gamma, unquantised. @param scenes the radiance that each frame sees. */
function shot(scenes: readonly Float64Array[]): MethodStack {
  return {
    frames: scenes.map((scene, k) => Float32Array.from(scene, (y) => Math.min(1, y * TAUS[k]) ** (1 / GAMMA))),
    taus: TAUS,
    coverage: scenes.map(() => undefined),
    width: W,
    height: H,
    gamma: GAMMA,
  };
}

/** deghost's plain merge, in f64. */
function plainMerge({ frames, taus, width, height }: MethodStack): Float64Array {
  const planar = (data: ArrayLike<number>): Tensor => ({
    ...tensor(3, height, width),
    data: Float64Array.from(
      { length: data.length },
      (_, i) => data[3 * (i % (width * height)) + Math.floor(i / (width * height))],
    ),
  });
  const { data } = mergeBase(frames.map(planar), taus, 2, GAMMA, 'pixel');
  return Float64Array.from({ length: data.length }, (_, i) => data[(i % 3) * width * height + Math.floor(i / 3)]);
}

const ghostOf = (made: ArrayLike<number>): number => {
  const clean = radiance();
  let sum = 0;
  for (let y = 11; y < 19; y++)
    for (let i = 3 * (y * W + 4); i < 3 * (y * W + 12); i++) sum += (made[i] - clean[i]) ** 2;
  return Math.sqrt(sum / (8 * 8 * 3));
};

describe('classical methods', () => {
  it.each([khan, pece])("$name's radiance is NumPy's, where a frame lacks a corner too", async ({ name, run }) => {
    expect(worst(await run(goldenStack(true)), golden(name).data, true)).toBeLessThan(2e-4);
  });

  it("mertens is OpenCV's; at odd sizes that of its filters, mirrored", async () => {
    expect(worst(await mertens.run(goldenStack(false, 32, 32)), golden('mertens').data)).toBeLessThan(2e-5);
    expect(worst(await mertens.run(goldenStack(false, 37, 21)), golden('mertensOdd').data)).toBeLessThan(2e-5);
  });

  it.each(MERGES)('$name leaves a static stack as the plain merge has it', async ({ run }) => {
    const stack = shot(TAUS.map(() => radiance()));
    expect(worst(await run(stack), plainMerge(stack), true)).toBeLessThan(1e-5);
  });

  it.each(METHODS)('$name does not depend on the order of frames', async ({ run }) => {
    const stack = shot(TAUS.map((_, k) => radiance(k === 1 ? 4 : undefined)));
    const order = [3, 0, 4, 2, 1];
    const shuffled: MethodStack = {
      ...stack,
      frames: order.map((k) => stack.frames[k]),
      taus: order.map((k) => stack.taus[k]),
    };
    expect(worst(await run(shuffled), await run(stack))).toBeLessThan(1e-6);
  });

  it.each(MERGES)('$name takes away the ghost of a block that one frame has', async ({ run }) => {
    const stack = shot(TAUS.map((_, k) => radiance(k === 1 ? 4 : undefined)));
    const [ghost, left] = [ghostOf(plainMerge(stack)), ghostOf(await run(stack))];
    expect(ghost).toBeGreaterThan(0.005);
    expect(left / ghost).toBeLessThan(0.01);
  });

  it('pece shows a moving region as one frame has it, the best exposed one, even where others agree', async () => {
    const dim = radiance().map((y) => y / 4); // the longest frame is the best exposed one
    const block = dim.slice();
    for (let y = 11; y < 19; y++)
      for (let i = 3 * (y * W + 4); i < 3 * (y * W + 12); i++) block[i] = [0.02, 0.03, 0.015][i % 3];
    const made = await pece.run(shot(TAUS.map((_, k) => (k === 4 ? block : dim))));
    expect(worst(made, block, true)).toBeLessThan(1e-5);
  });

  it.each(METHODS)('$name ignores a frame without data', async ({ run }) => {
    const stack = shot(TAUS.map(() => radiance()));
    const blank = { frame: new Float32Array(3 * W * H).fill(0.4), tau: 6, coverage: new Uint8Array(W * H) };
    const more: MethodStack = {
      ...stack,
      frames: [...stack.frames, blank.frame],
      taus: [...stack.taus, blank.tau],
      coverage: [...stack.coverage, blank.coverage],
    };
    expect(worst(await run(more), await run(stack))).toBeLessThan(1e-7);
  });

  it.each(METHODS)('$name stops when it is cancelled', async ({ run }) => {
    await expect(run(shot(TAUS.map(() => radiance())), AbortSignal.abort())).rejects.toThrow(/cancel/i);
  });

  it.each(METHODS)('$name takes stacks of one pixel, and of a line', async ({ run }) => {
    for (const [width, height] of [
      [1, 1],
      [1, 7],
      [5, 1],
    ]) {
      const frames = [1, 4].map((tau) => new Float32Array(3 * width * height).fill((0.1 * tau) ** (1 / GAMMA)));
      const made = await run({ frames, taus: [1, 4], coverage: [undefined, undefined], width, height, gamma: GAMMA });
      expect(made.length).toBe(3 * width * height);
      expect(made.every((y) => y >= 0 && y <= 1)).toBe(true);
    }
  });
});
