/** A crop under the pointer: it does what it is dragged to, and stays in the picture. No browser. */
import { describe, expect, it } from 'vitest';
import { boxOf, dragged, frameOf, isWhole, turned, wholeOf, withAspect } from '../../app/src/cropGeometry.ts';
import { liesWithin } from '../../src/finish/crop.ts';
import { rng } from '../reference/random.ts';

const size = { width: 600, height: 400 };
const crop = { angle: 0, centerX: 300, centerY: 200, width: 200, height: 100 };

describe('a crop', () => {
  it('that is moved stops at the edge', () => {
    expect(dragged(crop, { x: 0, y: 0 }, 30, -20, undefined, size)).toEqual({ ...crop, centerX: 330, centerY: 180 });
    expect(dragged(crop, { x: 0, y: 0 }, 900, 0, undefined, size)).toEqual({ ...crop, centerX: 500 });
  });

  it('keeps the side opposite to the one that is dragged', () => {
    const right = dragged(crop, { x: 1, y: 0 }, 40, 99, undefined, size);
    expect(right).toEqual({ ...crop, width: 240, centerX: 320 });
    const corner = dragged(crop, { x: -1, y: -1 }, 20, 10, undefined, size);
    expect(corner).toEqual({ ...crop, width: 180, height: 90, centerX: 310, centerY: 205 });
    expect(dragged(crop, { x: 1, y: 0 }, -500, 0, undefined, size).width).toBe(16);
  });

  it('keeps its aspect where one is chosen', () => {
    const wide = dragged(crop, { x: 1, y: 1 }, 60, 10, 2, size);
    expect([wide.width, wide.height]).toEqual([260, 130]);
    const low = dragged(crop, { x: 0, y: 1 }, 0, 50, 2, size);
    expect([low.width, low.height, low.centerX]).toEqual([300, 150, 300]);
  });

  it('that is turned becomes as small as it must, and as large again as it was', () => {
    const whole = wholeOf(size);
    const small = turned(whole, 8, size, size);
    expect(liesWithin(small, size)).toBe(true);
    expect(small.width).toBeLessThan(560);
    expect(small.width).toBeGreaterThan(400);
    expect(Math.abs(small.width / small.height - 1.5)).toBeLessThan(0.01);
    expect(isWhole(turned(small, 0, size, size), size)).toBe(true);
  });

  it('of another aspect is as large as it can be there', () => {
    const square = withAspect({ ...crop, centerX: 200 }, 1, size);
    expect([square.width, square.height, square.centerX]).toEqual([400, 400, 200]);
  });

  it('lies in the picture whatever is done, and on whole pixels while it is not turned', () => {
    const random = rng(11);
    const side = (): -1 | 0 | 1 => (Math.floor(3 * random.next()) - 1) as -1 | 0 | 1;
    let now = wholeOf(size);
    for (let i = 0; i < 400; i++) {
      const aspect = random.next() < 0.3 ? 1.5 : undefined;
      const what = random.next();
      if (what < 0.1) now = turned(now, 30 * random.next() - 15, now, size);
      else if (what < 0.2) now = turned(now, 0, now, size);
      else
        now = dragged(
          now,
          { x: side(), y: side() },
          500 * random.next() - 250,
          500 * random.next() - 250,
          aspect,
          size,
        );
      expect(liesWithin(now, size)).toBe(true);
      expect(Number.isInteger(now.width) && Number.isInteger(now.height)).toBe(true);
      if (now.angle === 0) expect(Number.isInteger(now.centerX - now.width / 2)).toBe(true);
      // Its frame lies in the box that is shown.
      const [frame, box] = [frameOf(now, size), boxOf(size, now.angle)];
      expect(frame.x).toBeGreaterThan(-1);
      expect(frame.y).toBeGreaterThan(-1);
      expect(frame.x + frame.width).toBeLessThan(box.width + 1);
      expect(frame.y + frame.height).toBeLessThan(box.height + 1);
    }
  });
});
