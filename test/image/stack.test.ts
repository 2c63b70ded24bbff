/** Tiles cut from frames and pasted into pictures, against the plainest loops. */
import { describe, expect, it } from 'vitest';
import { NO_DATA, cutStack, pasteCore } from '../../src/image/stack.ts';
import type { Tile } from '../../src/image/tile.ts';
import { rng } from '../reference/random.ts';
import type { Rng } from '../reference/random.ts';

/** A tile anywhere over a picture, also beyond its right and lower edges, where padding is. */
function randomTile(random: Rng, width: number, height: number): { tile: Tile; tileWidth: number; tileHeight: number } {
  const [tileWidth, tileHeight] = [random.int(1, 24), random.int(1, 24)];
  const span = (side: number, size: number): Tile['x'] => {
    const start = random.int(0, side + 3);
    const coreStart = start + random.int(0, size - 1);
    return { start, coreStart, coreEnd: random.int(coreStart, start + size) };
  };
  return { tile: { x: span(width, tileWidth), y: span(height, tileHeight) } as Tile, tileWidth, tileHeight };
}

describe('cutting', () => {
  it.each([1, 2, 3])('repeats the edges, scales samples, and puts W or NO_DATA fourth (seed %i)', (seed) => {
    const random = rng(seed);
    for (let n = 0; n < 60; n++) {
      const [width, height] = [random.int(1, 30), random.int(1, 30)];
      const Type = random.pick([Uint8Array, Uint16Array, Float32Array]);
      const largest = Type === Uint8Array ? 255 : Type === Uint16Array ? 65535 : 1;
      const frames = [1, 2].map((exposure) => ({
        data: Type.from(
          Array.from({ length: width * height * 3 }, () => (largest === 1 ? random.next() : random.int(0, largest))),
        ),
        width,
        height,
        exposure,
        ...(random.next() < 0.5 && { coverage: Uint8Array.from({ length: width * height }, () => random.int(0, 1)) }),
      }));
      const maps = [1, 2].map(() => random.floats(width * height, 0, 1));
      const motion = random.next() < 0.5 ? { width, height, maps } : undefined;
      const { tile, tileWidth, tileHeight } = randomTile(random, width, height);
      const onDevice = random.int(-1, 1);
      const out = new Float32Array(2 * tileWidth * tileHeight * 4).fill(7);
      cutStack(frames as never, motion as never, (k) => k === onDevice, tile, tileWidth, tileHeight, out);
      for (let k = 0; k < 2; k++) {
        const { data, coverage } = frames[k];
        for (let y = 0; y < tileHeight; y++) {
          for (let x = 0; x < tileWidth; x++) {
            const pixel = Math.min(tile.y.start + y, height - 1) * width + Math.min(tile.x.start + x, width - 1);
            const at = ((k * tileHeight + y) * tileWidth + x) * 4;
            const scale = 1 / largest;
            const colors = [0, 1, 2].map((c) => (k === onDevice ? 7 : Math.fround(data[3 * pixel + c] * scale)));
            const w = k !== onDevice && coverage?.[pixel] === 0 ? NO_DATA : motion ? maps[k][pixel] : 0;
            expect([...out.subarray(at, at + 4)]).toEqual([...colors, Math.fround(w)]);
          }
        }
      }
    }
  });
});

describe('pasting', () => {
  it.each([1, 2])('copies the core alone, into one picture or several (seed %i)', (seed) => {
    const random = rng(seed);
    for (let n = 0; n < 60; n++) {
      const [width, height] = [random.int(1, 30), random.int(1, 30)];
      const { tile, tileWidth, tileHeight } = randomTile(random, width, height);
      const values = random.floats(2 * tileWidth * tileHeight * 4);
      const picture = new Float32Array(width * height * 3).fill(9);
      const maps = Array.from({ length: 5 }, () => new Float32Array(width * height).fill(9));
      const rgb = [0, 1, 2].map((offset) => ({ array: picture, stride: 3, offset }));
      const planes = maps.map((array) => ({ array, stride: 1, offset: 0 }));
      for (const targets of [rgb, planes]) pasteCore(values, tile, tileWidth, tileHeight, { width, height }, targets);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const inCore = x >= tile.x.coreStart && x < tile.x.coreEnd && y >= tile.y.coreStart && y < tile.y.coreEnd;
          const value = (channel: number): number => {
            const pixel = (y - tile.y.start) * tileWidth + x - tile.x.start;
            return inCore ? values[(Math.floor(channel / 4) * tileWidth * tileHeight + pixel) * 4 + (channel % 4)] : 9;
          };
          for (let c = 0; c < 3; c++) expect(picture[(y * width + x) * 3 + c]).toBe(value(c));
          for (let c = 0; c < 5; c++) expect(maps[c][y * width + x]).toBe(value(c));
        }
      }
    }
  });
});
