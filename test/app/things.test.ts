/** What the page takes for a thing that moves. */
import { expect, it } from 'vitest';
import { thingAt, thingsIn } from '../../app/src/worker/things.ts';

const SIZE = { width: 200, height: 120 };

/** A map that moves in rectangles. */
function moving(...rects: [x: number, y: number, w: number, h: number][]): Float32Array {
  const map = new Float32Array(SIZE.width * SIZE.height);
  for (const [x, y, w, h] of rects)
    for (let j = y; j < y + h; j++) map.fill(0.9, j * SIZE.width + x, j * SIZE.width + x + w);
  return map;
}

const none = (): Uint8Array => new Uint8Array(SIZE.width * SIZE.height).fill(255);
const area = (mask: Uint8Array): number => mask.reduce((sum, is) => sum + is, 0);

it('is the connected part at the point, with a margin, and no other', () => {
  const union = moving([40, 30, 10, 12], [49, 42, 4, 6], [80, 30, 10, 10]);
  const { rect, mask } = thingAt(union, none(), SIZE, { x: 44, y: 33 }, 0)!;
  expect(rect).toEqual({ x: 35, y: 25, width: 23, height: 28 });
  const at = (x: number, y: number): number => mask[(y - rect.y) * rect.width + x - rect.x];
  expect([at(40, 30), at(52, 47), at(36, 36), at(37, 47), at(35, 25)]).toEqual([1, 1, 1, 0, 0]);
  // Near it is good enough; far from all is nothing.
  expect(thingAt(union, none(), SIZE, { x: 38.5, y: 33 }, 0)!.rect).toEqual(rect);
  expect(thingAt(union, none(), SIZE, { x: 150, y: 100 }, 0)).toBeUndefined();
});

it('becomes larger and smaller in steps, and stays near the point where all moves', () => {
  const union = moving([40, 30, 10, 12]);
  const sizes = [-2, 0, 2].map((grow) => area(thingAt(union, none(), SIZE, { x: 44, y: 33 }, grow)!.mask));
  expect(sizes[0]).toBeLessThan(sizes[1]);
  expect(sizes[1]).toBeLessThan(sizes[2]);
  const all = moving([0, 0, 200, 120]);
  const { rect } = thingAt(all, none(), SIZE, { x: 20, y: 60 }, 0)!;
  expect(rect).toEqual({ x: 0, y: 25, width: 56, height: 71 });
});

it('is also where another moment was chosen', () => {
  const moment = none().fill(2, 50 * SIZE.width + 90, 50 * SIZE.width + 110);
  expect(thingAt(moving(), moment, SIZE, { x: 100, y: 50 }, 0)!.rect).toMatchObject({ x: 85, width: 30 });
});

it('is listed with the others, the largest first, by a point of itself', () => {
  const union = moving([10, 10, 8, 8], [100, 40, 30, 30], [60, 90, 2, 2]);
  const points = thingsIn(union, SIZE);
  expect(points.length).toBe(3);
  expect(points.every(({ x, y }) => union[y * SIZE.width + x] > 0.5)).toBe(true);
  expect(points[0].x).toBeGreaterThanOrEqual(100);
  expect(points[1].x).toBeLessThan(20);
  expect(thingsIn(moving(), SIZE)).toEqual([]);
});
