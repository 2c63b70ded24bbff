/**
 * Tiles: cores join without gap or overlap and lie a halo inside their tile; the cheapest that fits is chosen. No GPU.
 */
import { describe, expect, it } from 'vitest';
import { chooseTiling, spans, tile } from '../../src/image/tile.ts';
import type { TileRules } from '../../src/image/tile.ts';
import { rng } from '../reference/random.ts';

/** Every rule a row of tiles must keep. */
function check(length: number, size: number, rules: TileRules): void {
  const row = spans(length, size, rules);
  expect(row[0].coreStart).toBe(0);
  expect(row.at(-1)!.coreEnd).toBe(length);
  row.forEach((span, i) => {
    if (i) expect(span.coreStart).toBe(row[i - 1].coreEnd);
    expect(span.coreEnd).toBeGreaterThan(span.coreStart);
    expect(span.start % rules.grid).toBe(0);
    expect(span.start).toBeGreaterThanOrEqual(0);
    expect(span.start + size).toBeLessThanOrEqual(length);
    // An edge of the tile that is not the picture's is a halo away from the core.
    if (span.start > 0) expect(span.coreStart - span.start).toBeGreaterThanOrEqual(rules.halo);
    if (span.start + size < length) expect(span.start + size - span.coreEnd).toBeGreaterThanOrEqual(rules.halo);
  });
}

describe('spans', () => {
  it.each([1, 2, 3])('keep their rules on random lengths (seed %i)', (seed) => {
    const random = rng(seed);
    for (let i = 0; i < 300; i++) {
      const grid = random.pick([4, 16]);
      const halo = grid * random.int(0, 12);
      const length = grid * random.int(1, 400);
      const size = Math.min(length, 2 * halo + grid * random.int(1, 60));
      check(length, size, { halo, grid });
    }
  });
});

describe('chooseTiling', () => {
  const rules = { halo: 44, grid: 4 };

  it('takes the whole picture where it fits', () => {
    expect(chooseTiling(640, 480, rules, () => true)).toEqual(tile(640, 480, 640, 480, rules));
  });

  it('computes as few pixels as any tiling that fits', () => {
    const most = 150_000;
    const fits = (w: number, h: number): boolean => w * h <= most;
    const chosen = chooseTiling(2000, 1504, rules, fits)!;
    expect(chosen.width * chosen.height).toBeLessThanOrEqual(most);
    for (let width = 92; width <= 2000; width += 4) {
      const height = Math.min(1504, Math.floor(most / width / 4) * 4);
      if (height < 92) continue;
      expect(chosen.waste).toBeLessThanOrEqual(tile(2000, 1504, width, height, rules).waste * 1.02);
    }
  });

  it('returns nothing where nothing fits', () => {
    expect(chooseTiling(2000, 1504, rules, (w, h) => w * h < 1000)).toBeUndefined();
  });

  it('cuts strips and tiny pictures', () => {
    expect(chooseTiling(16, 16, { halo: 96, grid: 16 }, () => true)!.tiles).toHaveLength(1);
    const strip = chooseTiling(100_000, 16, { halo: 96, grid: 16 }, (w, h) => w * h <= 16 * 2000)!;
    expect(strip.height).toBe(16);
    expect(strip.width).toBeLessThanOrEqual(2000);
  });
});
