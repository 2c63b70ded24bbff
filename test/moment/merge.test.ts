/** Merges that show other frames' moments in parts of the picture, against whole merges blended from the definition. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { warpFrame } from '../../src/align/index.ts';
import { Deghoster } from '../../src/index.ts';
import type { MergeOptions, MergeResult, RowProgress } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { PLAIN, refuses, stack } from '../misuse.ts';
import type { Any } from '../misuse.ts';
import { eightBit, readBuffer } from '../reference/frames.ts';
import { readGolden } from '../reference/goldens.ts';
import { blended, isWhole, mark, worst } from './blend.ts';

// Wider than a part and its halos, and no multiple of the network's grid.
const [WIDTH, HEIGHT] = [330, 43];
const FRAMES = eightBit(WIDTH, HEIGHT, [1, 4, 16]);
const AS_THEY_ARE: MergeOptions = { align: 'none', response: 'gamma' };

let device: GPUDevice;
let deghoster: Deghoster;

beforeAll(async () => {
  device = await testDevice();
  deghoster = await Deghoster.create({ device, weights: readGolden('fixed-halo').weightsBytes });
});

afterAll(() => deghoster.dispose());

/** The merge with each frame as the reference. */
async function each(options: MergeOptions, frames = FRAMES): Promise<MergeResult[]> {
  const merges: MergeResult[] = [];
  for (const [reference] of frames.entries()) merges.push(await deghoster.merge(frames, { ...options, reference }));
  return merges;
}

const nothing = (): Uint8Array => new Uint8Array(WIDTH * HEIGHT).fill(255);

/** Two parts that touch, one in a corner, and one at the far edge. */
const parts = (): Uint8Array =>
  mark(mark(mark(nothing(), WIDTH, [0, 0, 20, 12], 2), WIDTH, [20, 3, 9, 20], 0), WIDTH, [324, 30, 6, 13], 2);

/** Expects a result to be the merges blended, bit for bit where one moment is shown alone and it is the reference's. */
function expectBlend(result: MergeResult, map: Uint8Array, merges: readonly MergeResult[]): void {
  const { reference } = result;
  const frames = map.map((frame) => (frame === 255 ? reference : frame));
  expect(worst(result.radiance, blended(frames, merges))).toBeLessThan(1e-5);
  const untouched = merges[reference].radiance;
  let same = 0;
  for (let i = 0; i < frames.length; i++) {
    const [x, y] = [i % result.width, Math.floor(i / result.width)];
    const isReference = frames[i] === reference && isWhole(frames, result.width, result.height, x, y);
    if (isReference) {
      same++;
      for (let c = 3 * i; c < 3 * i + 3; c++) if (result.radiance[c] !== untouched[c]) expect.fail(`${x},${y} changed`);
    }
    // The maps are those of the moment shown; the reference's is the union.
    for (const [k, motion] of result.motion.entries()) {
      const shown = merges[frames[i]].motion[k === reference ? frames[i] : k];
      if (Math.abs(motion[i] - shown[i]) > 1e-5) expect.fail(`W_${k} at ${x},${y} is ${motion[i]}, not ${shown[i]}`);
    }
  }
  expect(same).toBeGreaterThan(frames.length / 2);
}

describe('moments', () => {
  it('of the network are its merges with other references', async () => {
    const [merges, moment] = [await each(AS_THEY_ARE), parts()];
    const progress: number[] = [];
    const rows: RowProgress[] = [];
    const result = await deghoster.merge(FRAMES, {
      ...AS_THEY_ARE,
      moment,
      onProgress: ({ fraction }) => progress.push(fraction),
      onRows: (some) => rows.push({ ...some, radiance: some.radiance.slice() }),
    });
    expectBlend(result, moment, merges);
    expect(worst(result.radiance, merges[1].radiance)).toBeGreaterThan(0.01);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(1);
    // Rows that were called final stayed as they were.
    expect(rows.at(-1)!.rows).toBe(HEIGHT);
    for (const { rows: count, radiance } of rows)
      expect(worst(radiance.subarray(0, 3 * WIDTH * count), result.radiance.subarray(0, 3 * WIDTH * count))).toBe(0);
  });

  it('are of other weights where those know the middle frame alone', async () => {
    const golden = (name: string): Uint8Array => readGolden(name).weightsBytes;
    let fetched = 0;
    const both = await Deghoster.create({
      device,
      weights: golden('fixed-halo'),
      momentWeights: async () => {
        fetched++;
        return golden('any-2');
      },
    });
    const any = await Deghoster.create({ device, weights: golden('any-2') });
    const merges = [
      await any.merge(FRAMES, { ...AS_THEY_ARE, reference: 0 }),
      await both.merge(FRAMES, AS_THEY_ARE),
      await any.merge(FRAMES, { ...AS_THEY_ARE, reference: 2 }),
    ];
    expect(fetched).toBe(0);
    expectBlend(await both.merge(FRAMES, { ...AS_THEY_ARE, moment: parts() }), parts(), merges);
    expect(fetched).toBe(1);
    for (const one of [any, both]) one.dispose();
  });

  it('of given maps are merges with the maps of each moment', async () => {
    // W_0 and W_2 to the middle frame; of another, a frame moves where either does.
    const [low, high] = [0, 2].map((k) =>
      Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i % (31 + k) < 15 ? 1 : (i % 7) / 8)),
    );
    const none = new Float32Array(WIDTH * HEIGHT);
    const both = low.map((w, i) => Math.max(w, high[i]));
    const motion = [low, none, high];
    for (const method of ['network', 'merge'] as const) {
      const options: MergeOptions = { ...AS_THEY_ARE, method };
      const merges = [
        await deghoster.merge(FRAMES, { ...options, reference: 0, motion: [none, low, both] }),
        await deghoster.merge(FRAMES, { ...options, motion }),
        await deghoster.merge(FRAMES, { ...options, reference: 2, motion: [both, high, none] }),
      ];
      const kept = motion.map((map) => map.slice());
      const result = await deghoster.merge(FRAMES, { ...options, motion, moment: parts() });
      expectBlend(result, parts(), merges);
      expect(motion).toEqual(kept);
      const { buffer } = await deghoster.mergeToBuffer(FRAMES, { ...options, motion, moment: parts() });
      expect(worst(await readBuffer(device, buffer), result.radiance)).toBe(0);
      buffer.destroy();
    }
  });

  it('are of the frames as they lie on the reference, whichever order they come in', async () => {
    const matrix = [1, 0, 3.4, 0, 1, -2.6, 0, 0, 1];
    const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const motion = [0, 1, 2].map((k) => Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => ((i >> 4) + k) % 2));
    const options: MergeOptions = { method: 'merge', response: 'gamma', motion };
    // Floats, because aligned frames have their bits.
    const frames = FRAMES.map((frame) => ({ ...frame, data: Float32Array.from(frame.data, (x) => x / 255) }));
    const { data, coverage } = await warpFrame(device, frames[2], { matrix } as Any);
    const aligned = [frames[0], frames[1], { ...frames[2], data, coverage }];
    const moment = mark(nothing(), WIDTH, [300, 20, 30, 23], 2);
    const expected = await deghoster.merge(aligned, { ...options, align: 'none', moment });
    const [first, middle, last] = frames;
    const result = await deghoster.merge([last, first, middle], {
      ...options,
      align: { matrices: [matrix, identity, identity] },
      moment,
    });
    expect(worst(result.radiance, expected.radiance)).toBeLessThan(1e-5);
    const without = await deghoster.merge(aligned, { ...options, align: 'none' });
    expect(worst(result.radiance, without.radiance)).toBeGreaterThan(0.02);
  });

  it('show nothing where the map names the reference', async () => {
    const expected = await deghoster.merge(FRAMES, AS_THEY_ARE);
    for (const frame of [1, 255]) {
      const moment = new Uint8Array(WIDTH * HEIGHT).fill(frame);
      const result = await deghoster.merge(FRAMES, { ...AS_THEY_ARE, moment });
      expect(worst(result.radiance, expected.radiance)).toBe(0);
    }
  });
});

describe('moments are refused', () => {
  const merging = (moment: unknown, options: object = {}): Promise<unknown> =>
    deghoster.merge(stack(), { ...AS_THEY_ARE, ...options, moment } as Any);

  it('that are no map of the picture, or name no frame', async () => {
    await refuses(
      'input',
      'moment',
      [
        [null, 'is null'],
        ['', 'is ""'],
        [new Float32Array(400), 'is a Float32Array, it must be a Uint8Array'],
        [new Uint8Array(399), '399 values, 20x20 needs 400'],
        [new Uint8Array(400).fill(3, 7, 8), 'value 7 is 3, it must be one of 0..2'],
      ],
      (moment) => merging(moment),
    );
  });

  it('where all moments are shown at once', async () => {
    await expect(merging(new Uint8Array(400), PLAIN)).rejects.toThrow(/moment is given with method "merge" and no/);
    const blind = await Deghoster.create({ device, weights: readGolden('any-no-masks').weightsBytes });
    await expect(blind.merge(stack(), { moment: new Uint8Array(400) })).rejects.toThrow(/look for no motion/);
    blind.dispose();
  });

  it('of a frame that was left out', async () => {
    const { placeMoment } = await import('../../src/moment/compose.ts');
    const map = Uint8Array.from([255, 2, 3]);
    expect([...placeMoment(map.slice(), [0, 2, 3], 1)]).toEqual([1, 1, 2]);
    expect(() => placeMoment(map.slice(), [0, 1, 3], 1)).toThrow(/value 1 is 2, a frame that was left out/);
  });
});
