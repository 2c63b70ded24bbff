/** Merges that align: their result, what is reported, and bad input. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IDENTITY, inverse } from '../../src/align/homography.ts';
import { Deghoster } from '../../src/index.ts';
import type { AlignOption, Frame, FrameSource } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { readGolden } from '../reference/goldens.ts';
import { SHOTS, SIZE, handHeld, meanDistance } from './estimateChecks.ts';

let deghoster: Deghoster;
beforeAll(async () => {
  deghoster = await Deghoster.create({ device: await testDevice() });
});
afterAll(() => deghoster.dispose());

/** The plain merge of a bracket, as dB of difference from that of the same bracket from a tripod. */
async function distanceFromTripod(frames: readonly FrameSource[], still: readonly Frame[], align: AlignOption) {
  const options = { method: 'merge', response: 'gamma' } as const;
  const expected = await deghoster.merge(still, { ...options, align: 'none' });
  const got = await deghoster.merge(frames, { ...options, align });
  const tone = (v: number): number => Math.log(1 + 5000 * v) / Math.log(5001);
  let [sum, n] = [0, 0];
  // Where every frame has data.
  for (let y = 15; y < SIZE.height - 15; y++)
    for (let i = 3 * (y * SIZE.width + 20); i < 3 * (y * SIZE.width + SIZE.width - 20); i++, n++)
      sum += (tone(expected.radiance[i]) - tone(got.radiance[i])) ** 2;
  return { db: -10 * Math.log10(sum / n), got };
}

describe('a merge of a bracket by hand', () => {
  const frames = handHeld(21, SHOTS);
  const still = handHeld(21, [IDENTITY, IDENTITY, IDENTITY]);

  it('is nearly that of a bracket from a tripod if it is aligned, by estimates or by given matrices', async () => {
    const none = await distanceFromTripod(frames, still, 'none');
    const given = await distanceFromTripod(frames, still, { matrices: SHOTS });
    const auto = await distanceFromTripod(frames, still, 'auto');
    expect(none.db).toBeLessThan(33);
    expect(given.db).toBeGreaterThan(none.db + 10);
    expect(auto.db).toBeGreaterThan(given.db - 0.5);
    expect(none.got.alignment.map(({ kind }) => kind)).toEqual(['none', 'reference', 'none']);
    expect(given.got.alignment.map(({ kind }) => kind)).toEqual(['homography', 'reference', 'homography']);
    expect(auto.got.alignment.map(({ kind }) => kind)).toEqual(['homography', 'reference', 'homography']);
    for (const k of [0, 2]) expect(meanDistance(auto.got.alignment[k].matrix, SHOTS[k])).toBeLessThan(0.1);
  });

  it('takes matrices in the order of the frames', async () => {
    const order = [2, 0, 1];
    const { got } = await distanceFromTripod(
      order.map((k) => frames[k]),
      still,
      { matrices: order.map((k) => SHOTS[k]) },
    );
    expect(got.order).toEqual([1, 2, 0]);
    for (const k of [0, 2]) expect(meanDistance(got.alignment[k].matrix, SHOTS[k])).toBeLessThan(1e-9);
  });

  it('shows the reference alone where no other frame has data', async () => {
    // The other frames lie half a picture to the right.
    const away = [1, 0, SIZE.width / 2, 0, 1, 0, 0, 0, 1];
    const { radiance } = await deghoster.merge(still, {
      method: 'merge',
      response: 'gamma',
      align: { matrices: [away, IDENTITY, away] },
    });
    const [, reference] = still;
    for (let y = 0; y < SIZE.height; y += 7) {
      const i = 3 * (y * SIZE.width + SIZE.width - 9);
      expect(radiance[i]).toBeCloseTo((reference.data[i] / 255) ** 2.2 / (reference.exposure / still[0].exposure), 5);
    }
  });

  it('counts frames as without data where their coverage is 0', async () => {
    const coverage = new Uint8Array(SIZE.width * SIZE.height).fill(1);
    coverage.fill(0, 0, 40 * SIZE.width);
    const options = { method: 'merge', response: 'gamma', align: 'none' } as const;
    const lower = still.map((frame, k) => ({ ...frame, ...(k !== 1 && { coverage }) }));
    const { radiance } = await deghoster.merge(lower, options);
    const all = new Uint8Array(SIZE.width * SIZE.height).fill(1);
    const whole = await deghoster.merge(
      still.map((frame) => ({ ...frame, coverage: all })),
      options,
    );
    const at = 3 * 40 * SIZE.width;
    expect([...radiance.subarray(at)]).toEqual([...whole.radiance.subarray(at)]);
    for (let i = 0; i < at; i += 101)
      expect(radiance[i]).toBeCloseTo((still[1].data[i] / 255) ** 2.2 / (still[1].exposure / still[0].exposure), 5);
    // Where only the reference has none, the others stand.
    const { radiance: others } = await deghoster.merge([still[0], { ...still[1], coverage }, still[2]], options);
    const two = await deghoster.merge([still[0], still[2]], { ...options, reference: 0 });
    for (let i = 0; i < at; i += 101)
      expect(Math.abs(others[i] - two.radiance[i])).toBeLessThan(0.01 * two.radiance[i] + 2e-3);
    await expect(deghoster.merge([{ ...still[0], coverage: new Uint8Array(5) }, still[1]], options)).rejects.toThrow(
      `frame 1: 5 values of coverage, ${SIZE.width}x${SIZE.height} needs ${SIZE.width * SIZE.height}`,
    );
  });

  it('runs the network on warped frames in tiles as whole', async () => {
    const { weightsBytes } = readGolden('any-4-gate-binary-r0');
    const device = await testDevice();
    const options = { response: 'gamma', align: { matrices: SHOTS } } as const;
    const merge = async (memoryBudget: number) => {
      const own = await Deghoster.create({ device, weights: weightsBytes, memoryBudget });
      try {
        return await own.merge(frames, options);
      } finally {
        own.dispose();
      }
    };
    const [whole, tiled] = [await merge(2 ** 29), await merge(10 * 2 ** 20)];
    expect(tiled.peakBytes).toBeLessThanOrEqual(10 * 2 ** 20);
    let worst = 0;
    for (let i = 0; i < whole.radiance.length; i++)
      worst = Math.max(worst, Math.abs(whole.radiance[i] - tiled.radiance[i]));
    expect(worst).toBeLessThan(1e-5);
    // Without data in a frame there is no motion.
    const [first] = whole.motion;
    const outside = SHOTS[0];
    const back = inverse(outside);
    expect(back[8]).toBe(1);
    expect(first[0]).toBe(0);
  });
});

describe('given maps', () => {
  const still = handHeld(24, [IDENTITY, IDENTITY, IDENTITY]);
  const size = SIZE.width * SIZE.height;
  const half = SIZE.width / 2;
  const away = [1, 0, half, 0, 1, 0, 0, 0, 1];
  /** Maps of the first frame, with a value where it covers nothing: its right half. */
  const maps = (outside: number): Float32Array[] =>
    still.map((_, k) =>
      Float32Array.from({ length: size }, (_, i) => (k !== 0 ? 0 : i % SIZE.width >= half ? outside : (i % 7) / 7)),
    );
  it('say nothing of pixels that a frame does not cover', async () => {
    const { weightsBytes } = readGolden('any-4-gate-binary-r0');
    const own = await Deghoster.create({ device: await testDevice(), weights: weightsBytes });
    try {
      for (const method of ['network', 'merge'] as const) {
        const merge = (motion: Float32Array[]) =>
          own.merge(still, {
            method,
            motion,
            response: 'gamma',
            align: { matrices: [away, IDENTITY, IDENTITY] },
          });
        const [calm, moving] = [await merge(maps(0)), await merge(maps(1))];
        expect(moving.radiance).toEqual(calm.radiance);
        // Inside, they count.
        const none = await merge(still.map(() => new Float32Array(size)));
        expect(none.radiance).not.toEqual(calm.radiance);
      }
    } finally {
      own.dispose();
    }
  });
});

describe('what alignment refuses', () => {
  const frames = handHeld(22, SHOTS);
  const merge = (align: unknown, of: readonly FrameSource[] = frames) =>
    deghoster.merge(of, { method: 'merge', response: 'gamma', align: align as AlignOption });

  it.each([
    ['yes', 'align is "yes", it must be "auto", "none", "homography", "mesh" or { matrices }'],
    [{}, 'align is an Object, it must be'],
    [null, 'align is null, it must be'],
    [{ matrices: [IDENTITY] }, 'align: 1 matrices for 3 frames: give one for each frame'],
    [{ matrices: [IDENTITY, IDENTITY, [1, 2]] }, 'frame 3: its alignment matrix has 2 numbers, a homography has 9'],
    [
      { matrices: [[Number.NaN, 0, 0, 0, 1, 0, 0, 0, 1], IDENTITY, IDENTITY] },
      'frame 1: its alignment matrix holds NaN, all must be finite',
    ],
    [
      { matrices: [IDENTITY, IDENTITY, [1, 0, 0, 0, 1, 0, 0, 0, 0]] },
      'frame 3: its alignment matrix has 0 as its last number',
    ],
    [
      { matrices: [IDENTITY, IDENTITY, [4, 0, 0, 0, 4, 0, 0, 0, 1]] },
      'frame 3: its alignment matrix makes pixel (0, 0) 4.00 times as large, it must be between 1/3 and 3',
    ],
    [
      { matrices: [IDENTITY, IDENTITY, [1, 0, 0, 0, 1, 0, -0.01, 0, 1]] },
      'makes pixel (167, 0) less than 0 times as large',
    ],
    [{ matrices: [IDENTITY, SHOTS[0], IDENTITY] }, 'frame 2: its alignment matrix moves it by up to'],
  ])('%j', async (align, message) => {
    await expect(merge(align)).rejects.toThrow(message);
  });
});

describe('strength', () => {
  const frames = handHeld(23, [IDENTITY, IDENTITY, IDENTITY]);

  it('moves the motion maps, and changes nothing at one half', async () => {
    const { weightsBytes } = readGolden('fixed-soft');
    const own = await Deghoster.create({ device: await testDevice(), weights: weightsBytes });
    try {
      const merge = (strength?: number) => own.merge(frames, { align: 'none', response: 'gamma', strength });
      const [usual, half, less, more] = [await merge(), await merge(0.5), await merge(0.3), await merge(0.9)];
      expect(half.radiance).toEqual(usual.radiance);
      expect(half.motion).toEqual(usual.motion);
      const sum = ({ motion }: { motion: Float32Array[] }): number => motion[1].reduce((a, b) => a + b, 0);
      expect(sum(less)).toBeLessThan(sum(usual));
      expect(sum(more)).toBeGreaterThan(sum(usual));
      for (const bad of [-0.1, 1.1, Number.NaN])
        await expect(merge(bad)).rejects.toThrow(`strength is ${bad}, it must be from 0 to 1`);
    } finally {
      own.dispose();
    }
  });
});
