/** Which tile a GPU's steps are timed in: no GPU. */
import { describe, expect, it } from 'vitest';
import { GpuError } from '../../src/errors.ts';
import type { ClassBench } from '../../src/tune/bench.ts';
import { CHECKED_TILE, stepClasses } from '../../src/tune/classes.ts';
import type { StepClass } from '../../src/tune/classes.ts';
import { LargerTiles } from '../../src/tune/largerTiles.ts';
import { tuneClasses } from '../../src/tune/tune.ts';
import { FIXED } from '../cases/networks.ts';

const TARGET = { capabilities: { vendor: 'nvidia', subgroupSize: 32 } } as const;
const CLASSES = stepClasses(FIXED, 3, CHECKED_TILE, TARGET);
const CONVOLUTION = CLASSES.find(({ name }) => name === 'conv2d 3x3 32>32')!;
const READ = CLASSES.find(({ name }) => name.startsWith('memoryRead 12 slots'))!;

/**
 * A class on a GPU that takes `msOf` for a run of so many multiply-adds, and has memory for steps of `most` bytes.
 * Times that it gives are of the tile that it was made larger to.
 */
function openedOn(msOf: (multiplyAdds: number) => number, most = Infinity): ClassBench & { enlarged: number[] } {
  const enlarged: number[] = [];
  const timed = ({ multiplyAdds }: StepClass, factor: number) => ({
    time: async (count: number) => count * factor * msOf(multiplyAdds),
  });
  return {
    enlarged,
    run: async () => ({ outputs: [Float32Array.of(1)], ...timed(CONVOLUTION, 1) }),
    enlarge: async (larger, implementations) => {
      enlarged.push(larger.multiplyAdds);
      if (larger.bytes > most) throw new GpuError('out of memory');
      // Every further one is faster by a tenth.
      return new Map(implementations.map((name, i) => [name, timed(larger, 1 - 0.1 * i)]));
    },
    close: () => undefined,
  };
}

const multiplied = ({ multiplyAdds }: StepClass, by: number): number => multiplyAdds * by ** 2;

describe('larger tiles', () => {
  it.each([
    ['1024x1024 on a fast GPU', 0.02, 8],
    ['512x512 on one that would take too long in more', 0.5, 4],
    ['256x256', 2, 2],
  ])('are %s', async (_, ms, growth) => {
    const tiles = new LargerTiles(FIXED, 3, TARGET);
    const opened = openedOn(() => ms);
    const grown = (await tiles.grow(CONVOLUTION, opened, ['a', 'b'], ms))!;
    expect(grown.stepClass.name).toBe(CONVOLUTION.name);
    expect(grown.stepClass.multiplyAdds).toBe(multiplied(CONVOLUTION, growth));
    expect([...grown.subjects.keys()]).toEqual(['a', 'b']);
    expect(tiles.largest).toEqual({ width: growth * CHECKED_TILE.width, height: growth * CHECKED_TILE.height });
    expect(opened.enlarged).toHaveLength(1);
  });

  it('are none on a slow GPU', async () => {
    const tiles = new LargerTiles(FIXED, 3, TARGET);
    const opened = openedOn(() => 5);
    expect(await tiles.grow(CONVOLUTION, opened, ['a'], 5)).toBeUndefined();
    expect(opened.enlarged).toEqual([]);
    expect(tiles.largest).toEqual(CHECKED_TILE);
  });

  it('take no more memory than half of what a merge may', async () => {
    const tiles = new LargerTiles(FIXED, 3, TARGET);
    const { stepClass } = (await tiles.grow(
      READ,
      openedOn(() => 0),
      ['a'],
      0,
    ))!;
    expect(stepClass.multiplyAdds).toBe(multiplied(READ, 4));
    expect(stepClass.bytes).toBeLessThanOrEqual(2 ** 30);
  });

  it('are the largest that the device has room for', async () => {
    const tiles = new LargerTiles(FIXED, 3, TARGET);
    const opened = openedOn(() => 0, CONVOLUTION.bytes * 4);
    const { stepClass } = (await tiles.grow(CONVOLUTION, opened, ['a'], 0))!;
    expect(stepClass.multiplyAdds).toBe(multiplied(CONVOLUTION, 2));
    expect(opened.enlarged).toEqual([8, 4, 2].map((growth) => multiplied(CONVOLUTION, growth)));
    expect(
      await tiles.grow(
        CONVOLUTION,
        openedOn(() => 0, 0),
        ['a'],
        0,
      ),
    ).toBeUndefined();
  });

  it("pass on errors that are not the device's", async () => {
    const opened = { ...openedOn(() => 0), enlarge: () => Promise.reject(new Error('out of luck')) };
    await expect(new LargerTiles(FIXED, 3, TARGET).grow(CONVOLUTION, opened, ['a'], 0)).rejects.toThrow('out of luck');
  });

  it('decide: the times are theirs, and so are the multiply-adds', async () => {
    const opened = openedOn((multiplyAdds) => multiplyAdds / 1e12);
    const {
      classes: [tuned],
    } = await tuneClasses(
      [CONVOLUTION],
      { open: async () => opened },
      'f32',
      {},
      0,
      () => 0,
      new LargerTiles(FIXED, 3, TARGET),
    );
    expect(tuned.multiplyAdds).toBe(multiplied(CONVOLUTION, 8));
    expect(tuned.candidates[0].ms).toBeCloseTo(tuned.multiplyAdds / 1e12, 12);
    expect(tuned.chosen).toBe(CONVOLUTION.implementations.at(-1));
  });
});
