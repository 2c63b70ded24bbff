/** Open merges: what changes in a part is what a merge of everything makes, and nothing else changes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import type { ChangedPart, MergeOptions, OpenMerge, Rectangle } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { NOT_OBJECTS, NOT_SIGNALS, PLAIN, map, maps, refuses, stack } from '../misuse.ts';
import type { Any } from '../misuse.ts';
import { eightBit } from '../reference/frames.ts';
import { readGolden } from '../reference/goldens.ts';
import { mark, worst } from './blend.ts';

const [WIDTH, HEIGHT] = [336, 48];
const FRAMES = eightBit(WIDTH, HEIGHT, [1, 4, 16]);
const AS_THEY_ARE: MergeOptions = { align: 'none', response: 'gamma' };

let deghoster: Deghoster;

beforeAll(async () => {
  deghoster = await Deghoster.create({
    device: await testDevice(),
    weights: readGolden('fixed-halo').weightsBytes,
  });
});

afterAll(() => deghoster.dispose());

/** A part of a map of the picture. */
function cut<A extends Uint8Array | Float32Array>(whole: A, { x, y, width, height }: Rectangle): A {
  const part = whole.slice(0, width * height) as A;
  for (let j = 0; j < height; j++) {
    const start = (y + j) * WIDTH + x;
    part.set(whole.subarray(start, start + width), j * width);
  }
  return part;
}

/** Expects an update to have changed its rectangles, to what it says, and nothing else. */
function expectChanged(open: OpenMerge, before: Float32Array, parts: readonly ChangedPart[]): void {
  const after = open.result.radiance.slice();
  for (const { x, y, width, height, radiance } of parts)
    for (let j = 0; j < height; j++) {
      const start = 3 * ((y + j) * WIDTH + x);
      expect(after.subarray(start, start + 3 * width)).toEqual(radiance.subarray(3 * j * width, 3 * (j + 1) * width));
      after.set(before.subarray(start, start + 3 * width), start);
    }
  expect(worst(after, before)).toBe(0);
  expect(parts.reduce((sum, { width, height }) => sum + width * height, 0)).toBeLessThan(WIDTH * HEIGHT);
}

describe('an open merge', () => {
  it('is what merges of all changes make, wherever they overlap', async () => {
    const options = AS_THEY_ARE;
    const open = await deghoster.open(FRAMES, options);
    const plain = await deghoster.merge(FRAMES, options);
    expect(worst(open.result.radiance, plain.radiance)).toBe(0);
    const moment = new Uint8Array(WIDTH * HEIGHT).fill(255);
    const motion = plain.motion.map((one) => one.slice());
    const changes: [region: Rectangle, frame: number | undefined, painted: number | undefined][] = [
      [{ x: 4, y: 0, width: 30, height: 20 }, 2, undefined],
      // Beside it, and over a part of it.
      [{ x: 24, y: 10, width: 26, height: 38 }, 0, undefined],
      [{ x: 300, y: 40, width: 20, height: 8 }, undefined, 1],
      [{ x: 30, y: 6, width: 8, height: 20 }, undefined, 0],
      [{ x: 40, y: 30, width: 20, height: 9 }, 2, 0.5],
      [{ x: 0, y: 0, width: 60, height: 48 }, 255, undefined],
    ];
    let areMapsGiven = false;
    for (const [region, frame, painted] of changes) {
      const before = open.result.radiance.slice();
      if (frame !== undefined) mark(moment, WIDTH, [region.x, region.y, region.width, region.height], frame);
      if (painted !== undefined) {
        areMapsGiven = true;
        for (const one of motion)
          for (let y = region.y; y < region.y + region.height; y++)
            one.fill(painted, y * WIDTH + region.x, y * WIDTH + region.x + region.width);
      }
      const parts = await open.update({
        region,
        ...(frame !== undefined && { moment: cut(moment, region) }),
        ...(painted !== undefined && { motion: motion.map((one) => cut(one, region)) }),
      });
      expectChanged(open, before, parts);
      const whole = await deghoster.merge(FRAMES, { ...options, moment, ...(areMapsGiven && { motion }) });
      expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
      for (const [k, one] of open.motionIn(region).entries())
        if (k !== 1) expect(worst(one, cut(motion[k], region))).toBe(0);
      for (const [k, one] of open.result.motion.entries()) expect(worst(one, whole.motion[k])).toBeLessThan(1e-5);
      expect(worst(before, open.result.radiance)).toBeGreaterThan(1e-4);
    }
    open.dispose();
    await expect(open.update({ region: changes[0][0], moment })).rejects.toThrow(/update: this merge is disposed/);
  });

  it.each([
    [336, 48, 'after two changes'],
    // Its own maps reach into the padding, and so does the change.
    [331, 43, 'after one, in a picture with padding too'],
  ])("counts maps as the network's as soon as all of its own are back (%ix%i, %s)", async (width, height) => {
    const open = await deghoster.open(eightBit(width, height, [1, 4, 16]), AS_THEY_ARE);
    const there = { x: 250, y: 20, width: 81, height: 23 };
    const moves = ({ width, height }: Rectangle) => [0, 1, 2].map(() => new Float32Array(width * height).fill(1));
    await open.update({ region: there, moment: new Uint8Array(there.width * there.height).fill(2) });
    const shown = (): Float32Array[] => [open.result.radiance, ...open.result.motion].map((one) => one.slice());
    const before = shown();
    expect(open.isMotionGiven).toBe(false);
    const here = { x: 4, y: 3, width: 90, height: 30 };
    const own = [there, here].map((region) => open.motionIn(region));
    await open.update({ region: here, motion: moves(here) });
    // Now the maps of the other moment are made from those that are given, far from the change too.
    const at = 3 * (30 * width + 260);
    expect(worst(open.result.radiance.subarray(at, at + 60), before[0].subarray(at, at + 60))).toBeGreaterThan(1e-4);
    if (width % 16 === 0) {
      await open.update({ region: there, motion: moves(there) });
      await open.update({ region: there, motion: own[0] });
    }
    expect(open.isMotionGiven).toBe(true);
    await open.update({ region: here, motion: own[1] });
    expect(open.isMotionGiven).toBe(false);
    for (const [k, one] of shown().entries()) expect(worst(one, before[k])).toBeLessThan(1e-5);
    expect(open.motionIn(there)).toEqual(own[0]);
  });

  it('is without maps as before where the first ones could not be merged', async () => {
    const frames = stack();
    const open = await deghoster.open(frames, { ...AS_THEY_ARE, method: 'merge' });
    const region = { x: 0, y: 0, width: 2, height: 1 };
    const failing = expect(
      open.update({ region, motion: [0, 1, 2].map(() => new Float32Array(2).fill(1)) }),
    ).rejects.toThrow();
    while (open.result.motion.length === 0) await new Promise(setImmediate);
    structuredClone(frames[1].data.buffer, { transfer: [frames[1].data.buffer] });
    await failing;
    expect([open.result.motion, open.motionIn(region), open.isMotionGiven]).toEqual([[], [], false]);
  });

  it('takes maps where the plain merge had none', async () => {
    const open = await deghoster.open(FRAMES, { ...AS_THEY_ARE, method: 'merge' });
    expect(open.result.motion).toEqual([]);
    const region = { x: 3, y: 5, width: 7, height: 6 };
    const all = new Float32Array(42).fill(1);
    await expect(open.update({ region, moment: new Uint8Array(42) })).rejects.toThrow(/no motion maps/);
    await open.update({ region, motion: [all, all, all], moment: new Uint8Array(42) });
    const area: [number, number, number, number] = [3, 5, 7, 6];
    const moves = Float32Array.from(mark(new Uint8Array(WIDTH * HEIGHT), WIDTH, area, 1));
    const whole = await deghoster.merge(FRAMES, {
      ...AS_THEY_ARE,
      method: 'merge',
      motion: [moves, moves, moves],
      moment: mark(new Uint8Array(WIDTH * HEIGHT).fill(255), WIDTH, area, 0),
    });
    expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-6);
    expect(open.result.motion).toEqual(whole.motion);
  });

  it('shows what each frame alone has', async () => {
    const open = await deghoster.open(FRAMES, PLAIN as MergeOptions);
    const region = { x: 318, y: 30, width: 18, height: 18 };
    for (const [k, { data, exposure }] of FRAMES.entries()) {
      const radiance = await open.view(k, region);
      const expected = radiance.map((_, i) => {
        const [x, y] = [Math.floor(i / 3) % region.width, Math.floor(i / 3 / region.width)];
        return (data[3 * ((region.y + y) * WIDTH + region.x + x) + (i % 3)] / 255) ** 2.2 / exposure;
      });
      expect(worst(radiance, expected)).toBeLessThan(1e-5);
    }
  });

  it('is as before where an update is cancelled or fails, and goes on', async () => {
    const open = await deghoster.open(FRAMES, AS_THEY_ARE);
    const region = { x: 100, y: 0, width: 40, height: 30 };
    const change = {
      region,
      moment: new Uint8Array(1200).fill(2),
      motion: [0, 1, 2].map(() => new Float32Array(1200).fill(1)),
    };
    const before = [open.result.radiance, ...open.result.motion].map((one) => one.slice());
    const stop = new AbortController();
    const stopped = open.update(change, { signal: stop.signal });
    setTimeout(() => stop.abort(), 5);
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    expect([open.result.radiance, ...open.result.motion]).toEqual(before);
    const parts = await open.update(change);
    const all = mark(new Uint8Array(WIDTH * HEIGHT), WIDTH, [100, 0, 40, 30], 1);
    const motion = before.slice(1).map((one) => one.map((w, i) => (all[i] ? 1 : w)));
    const moment = mark(new Uint8Array(WIDTH * HEIGHT).fill(255), WIDTH, [100, 0, 40, 30], 2);
    const whole = await deghoster.merge(FRAMES, { ...AS_THEY_ARE, motion, moment });
    expectChanged(open, before[0], parts);
    expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
  });

  it('ends with its Deghoster', async () => {
    const another = await Deghoster.create({ device: await testDevice() });
    const open = await another.open(stack(), PLAIN as MergeOptions);
    another.dispose();
    const region = { x: 0, y: 0, width: 2, height: 1 };
    await expect(open.view(0, region)).rejects.toThrow(/view: this Deghoster is disposed: create another/);
  });

  it('says what is gone of its frames', async () => {
    const frames = stack();
    const open = await deghoster.open(frames, PLAIN as MergeOptions);
    structuredClone(frames[1].data.buffer, { transfer: [frames[1].data.buffer] });
    await expect(open.view(0, { x: 0, y: 0, width: 2, height: 1 })).rejects.toThrow(/frame 2: data was transferred/);
  });
});

describe('changes are refused', () => {
  let open: Any;
  const region = { x: 0, y: 0, width: 20, height: 20 };
  beforeAll(async () => {
    open = await deghoster.open(stack(), AS_THEY_ARE);
  });

  it('without a rectangle of the picture', async () => {
    const moment = new Uint8Array(400);
    const changing = (given: unknown): unknown => open.update({ region: given, moment });
    await refuses('usage', 'region', [...NOT_OBJECTS, [undefined, 'is undefined']], changing);
    await refuses(
      'usage',
      'region',
      [
        [{ ...region, x: 20 }, 'region.x is 20, it must be a whole number from 0 to 19'],
        [{ ...region, y: 3 }, 'region.height is 20, it must be a whole number from 1 to 17'],
        [{ ...region, width: 0 }, 'region.width is 0'],
        [{ ...region, height: 1.5 }, 'region.height is 1.5'],
        [{ ...region, depth: 1 }, 'no option "depth"'],
      ],
      changing,
    );
    await refuses('usage', 'view', [[3, 'is 3, it must be a whole number from 0 to 2']], (k) => open.view(k, region));
  });

  it('that say nothing, or whose maps do not fit', async () => {
    await expect(open.update({ region })).rejects.toThrow(/neither motion nor moment is given/);
    await refuses('input', 'moment', [[new Uint8Array(399), '399 values, 20x20 needs 400']], (moment) =>
      open.update({ region, moment }),
    );
    await refuses(
      'input',
      'motion map',
      [
        [[map(0)], '1 motion maps for 3 frames'],
        [maps(() => map(0).subarray(1)), 'motion map 1 has 399 values, a region of 20x20 needs 400'],
        [maps(() => map(2)), 'motion map 1: value 0 is 2'],
      ],
      (motion) => open.update({ region, motion }),
    );
    await refuses('usage', 'motion', NOT_OBJECTS, (motion) => open.update({ region, motion }));
    await refuses('usage', 'signal', NOT_SIGNALS, (signal) =>
      open.update({ region, moment: new Uint8Array(400) }, { signal }),
    );
  });
});
