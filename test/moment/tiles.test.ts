/**
 * How much of a picture another moment for a small thing merges again: tiles are counted, and their pixels. They are
 * planned as ever, but nothing is computed.
 */
import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import { Merge } from '../../src/merge.ts';
import type { Stage } from '../../src/model/schedule.ts';
import { testDevice } from '../gpu.ts';

const [WIDTH, HEIGHT] = [1600, 1072];
const THING = { x: 700, y: 500, width: 90, height: 70 };

afterEach(() => void vi.restoreAllMocks());

/** Tiles of a stage, and pixels of one. */
const count = ({ name, tiling: { tiles, width, height } }: Stage) => ({
  name,
  tiles: tiles.length,
  pixels: width * height,
});

it('for another moment two tiles, for a stroke upon it no more, each no larger than the whole merge’s', async () => {
  const runs: ReturnType<typeof count>[] = [];
  let whole: typeof runs = [];
  vi.spyOn(Merge.prototype, 'run').mockImplementation(async (schedule) => {
    whole = schedule.stages.map(count);
    return [0, 1, 2].map(() => new Float32Array(WIDTH * HEIGHT));
  });
  vi.spyOn(Merge.prototype, 'runStage').mockImplementation(async (stage) => void runs.push(count(stage)));
  const deghoster = await Deghoster.create({
    weights: readFileSync('weights/fixed.safetensors'),
    momentWeights: async () => readFileSync('weights/any.safetensors'),
    device: await testDevice(),
  });
  const frames = [1, 4, 16].map((exposure) => ({
    data: new Uint8Array(3 * WIDTH * HEIGHT).fill(20 * Math.sqrt(exposure)),
    width: WIDTH,
    height: HEIGHT,
    exposure,
  }));
  const open = await deghoster.open(frames, { align: 'none', response: 'gamma', reference: 1 });
  expect(whole.map(({ name }) => name)).toEqual(['segmentation', 'fusion']);
  expect(whole.reduce((sum, { tiles }) => sum + tiles, 0)).toBeGreaterThan(8);
  const small = (): void => {
    for (const { name, pixels } of runs) {
      const tile = whole.find((stage) => stage.name === name)!;
      expect(pixels).toBeLessThanOrEqual(tile.pixels);
    }
  };
  const size = THING.width * THING.height;
  await open.update({ region: THING, moment: new Uint8Array(size).fill(2) });
  expect(runs.map(({ name, tiles }) => [name, tiles])).toEqual([
    ['segmentation', 1],
    ['fusion', 1],
  ]);
  small();
  // With maps that are given, each moment needs its fusion alone: the reference's, and the other's.
  runs.length = 0;
  await open.update({ region: THING, motion: [0, 1, 2].map(() => new Float32Array(size).fill(1)) });
  expect(runs.map(({ name, tiles }) => [name, tiles])).toEqual([
    ['fusion', 1],
    ['fusion', 1],
  ]);
  small();
  // Back to the reference's moment nothing is computed.
  runs.length = 0;
  await open.update({ region: THING, moment: new Uint8Array(size).fill(255) });
  expect(runs).toEqual([]);
  deghoster.dispose();
});
