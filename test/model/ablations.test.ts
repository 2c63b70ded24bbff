/** Networks of the paper's ablations through the public API: what they change besides the picture. */
import { describe, expect, it } from 'vitest';
import { Deghoster, loadWeights } from '../../src/index.ts';
import type { MergeOptions } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { interleavedFrame } from '../reference/golden.ts';
import { goldenNames, readGolden } from '../reference/goldens.ts';
import type { Golden } from '../reference/goldens.ts';

const ABLATED = goldenNames().filter((name) => readGolden(name).config.ablation);

async function open({ weightsBytes }: Golden, memoryBudget?: number): Promise<Deghoster> {
  return Deghoster.create({ weights: weightsBytes, device: await testDevice(), memoryBudget });
}

/** Frames as large as asked, by repeating the golden's. */
function frames({ frames: small, taus }: Golden, width: number, height: number) {
  return small.map((x, k) => {
    const frame = interleavedFrame(x, taus[k]);
    const data = new Float32Array(width * height * 3);
    for (let i = 0; i < data.length; i++) {
      const [c, px, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      data[i] = frame.data[3 * ((y % x.h) * x.w + (px % x.w)) + c];
    }
    return { ...frame, data, width, height };
  });
}

async function merge(golden: Golden, options: MergeOptions, memoryBudget?: number) {
  const deghoster = await open(golden, memoryBudget);
  try {
    const [{ h, w }] = golden.frames;
    return await deghoster.merge(frames(golden, w, h), { align: 'none', response: 'gamma', ...options });
  } finally {
    deghoster.dispose();
  }
}

it('there are goldens of every ablation, for both variants', () => {
  const seen = new Map<string, Set<string>>();
  for (const name of ABLATED) {
    const { config } = readGolden(name);
    const values = seen.get(config.variant) ?? new Set();
    for (const [field, value] of Object.entries(config.ablation!)) values.add(`${field} ${value}`);
    seen.set(config.variant, values);
  }
  // Three ways to find motion, three memories, two fusions, four decoders.
  for (const variant of ['fixed', 'any']) expect(seen.get(variant)!.size).toBe(12);
});

describe('an ablation', () => {
  it.each([
    ['fixed-resnet', 7],
    ['fixed-vanilla', 7],
    ['any-difference', 6],
  ])('gives in tiles what it gives whole: %s', async (name, mebibytes) => {
    const golden = readGolden(name);
    const stack = frames(golden, 200, 150);
    const results = await Promise.all(
      [2 ** 29, mebibytes * 2 ** 20].map(async (memoryBudget) => {
        const deghoster = await open(golden, memoryBudget);
        const tiles = deghoster
          .plan({ width: 200, height: 150, frames: stack.length })
          .stages.map((stage) => stage.tiles);
        const { radiance } = await deghoster.merge(stack, { align: 'none', response: 'gamma' });
        deghoster.dispose();
        return { tiles, radiance };
      }),
    );
    expect(results[0].tiles.every((count) => count === 1)).toBe(true);
    expect(Math.max(...results[1].tiles)).toBeGreaterThan(1);
    const [whole, tiled] = results.map(({ radiance }) => radiance);
    const worst = whole.reduce((most, value, i) => Math.max(most, Math.abs(value - tiled[i])), 0);
    expect(worst).toBeLessThan(1e-5);
  });

  it('without maps has no stage for them, and no maps', async () => {
    const golden = readGolden('fixed-no-masks');
    const deghoster = await open(golden);
    expect(deghoster.plan({ width: 64, height: 48, frames: 3 }).stages.map(({ name }) => name)).toEqual(['fusion']);
    deghoster.dispose();
    expect((await merge(golden, {})).motion).toEqual([]);
  });

  it('that finds motion otherwise refuses a strength, and maps where none are used', async () => {
    const none = readGolden('fixed-no-masks');
    const [{ h, w }] = none.frames;
    const motion = none.frames.map(() => new Float32Array(h * w));
    await expect(merge(none, { motion })).rejects.toThrow(
      'motion maps are given, which these weights do not use (segmentation "none"): leave them out',
    );
    await expect(merge(readGolden('any-difference'), { strength: 0.7 })).rejects.toThrow(
      'a strength is given, which these weights do not use (segmentation "difference"): leave it out',
    );
    await expect(merge(readGolden('any-difference'), { strength: 0.5 })).resolves.toMatchObject({ height: 9 });
  });

  it('takes given maps in the place of its own', async () => {
    const golden = readGolden('fixed-difference');
    const [{ h, w }] = golden.frames;
    const own = await merge(golden, {});
    const same = await merge(golden, { motion: own.motion });
    const still = await merge(golden, { motion: golden.frames.map(() => new Float32Array(h * w)) });
    expect(same.radiance).toEqual(own.radiance);
    expect(still.radiance).not.toEqual(own.radiance);
  });

  it('whose tensors are of another is named', async () => {
    const { weightsBytes } = readGolden('fixed-vanilla');
    // The metadata's text keeps its length: vanilla is as long as "resnet" and a space.
    const bytes = Uint8Array.from(weightsBytes);
    const at = Buffer.from(bytes).indexOf('vanilla\\"');
    expect(at).toBeGreaterThan(0);
    bytes.set(new TextEncoder().encode('resnet\\" '), at);
    await expect(loadWeights(bytes, 'w')).rejects.toThrow(/w: 16 tensors missing: "decoder\.res1\.1\.weight"/);
  });
});
