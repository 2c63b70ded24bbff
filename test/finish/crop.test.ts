/** Cuts of a picture, straight and turned, against a plain resampling in f64. */
import { describe, expect, it } from 'vitest';
import { cropPicture, largestCrop, liesWithin } from '../../src/finish/crop.ts';
import type { Crop } from '../../src/finish/pictures.ts';
import { Finisher } from '../../src/finish/finisher.ts';
import { testDevice } from '../gpu.ts';
import { rng } from '../reference/random.ts';

const [WIDTH, HEIGHT] = [90, 61];
const random = rng(5);
const picture = {
  radiance: Float32Array.from({ length: 3 * WIDTH * HEIGHT }, () => random.next() ** 4),
  width: WIDTH,
  height: HEIGHT,
  scale: 2,
};

/** Catmull and Rom's spline through four values, by its control points. */
function spline([a, b, c, d]: number[], t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

function reference({ angle, centerX, centerY, width, height }: Crop): Float64Array {
  const turn = (-angle * Math.PI) / 180;
  const out = new Float64Array(3 * width * height);
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const [dx, dy] = [u + 0.5 - width / 2, v + 0.5 - height / 2];
      const x = centerX + Math.cos(turn) * dx - Math.sin(turn) * dy - 0.5;
      const y = centerY + Math.sin(turn) * dx + Math.cos(turn) * dy - 0.5;
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      for (let c = 0; c < 3; c++) {
        const at = (i: number, j: number): number =>
          picture.radiance[3 * (clamp(y0 + j, HEIGHT - 1) * WIDTH + clamp(x0 + i, WIDTH - 1)) + c];
        const value = spline(
          [-1, 0, 1, 2].map((j) =>
            spline(
              [-1, 0, 1, 2].map((i) => at(i, j)),
              x - x0,
            ),
          ),
          y - y0,
        );
        const near = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
        out[3 * (v * width + u) + c] = Math.min(Math.max(...near), Math.max(Math.min(...near), value));
      }
    }
  }
  return out;
}

describe('a cut', () => {
  it('that is not turned is a copy, to the bit', async () => {
    const cut = await cropPicture(await testDevice(), picture, {
      angle: 0,
      centerX: 30,
      centerY: 20.5,
      width: 20,
      height: 11,
    });
    expect([cut.width, cut.height, cut.scale]).toEqual([20, 11, 2]);
    for (let y = 0; y < 11; y++)
      expect(cut.radiance.subarray(60 * y, 60 * (y + 1))).toEqual(
        picture.radiance.subarray(3 * ((15 + y) * WIDTH + 20), 3 * ((15 + y) * WIDTH + 40)),
      );
  });

  it.each<[string, Crop]>([
    ['turned clockwise', largestCrop(picture, 7, 1.5)],
    ['turned the other way, off the middle', { angle: -12.5, centerX: 41.3, centerY: 29.8, width: 33, height: 30 }],
    ['by half a pixel', { angle: 0, centerX: 45.25, centerY: 30.5, width: 80, height: 40 }],
    // Not about a pixel's middle, where rounding decides which pixels are around a point.
    ['turned by 45 degrees', { angle: 45, centerX: 45.13, centerY: 30.27, width: 40, height: 40 }],
  ])('is as the reference says: %s', async (_, crop) => {
    const { radiance } = await cropPicture(await testDevice(), picture, crop);
    const expected = reference(crop);
    let worst = 0;
    for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(radiance[i] - expected[i]));
    expect(worst).toBeLessThan(2e-4);
  });

  it('is the same in tiles', async () => {
    // A ramp: a spline keeps it exactly, so any seam shows.
    const [width, height] = [900, 640];
    const radiance = new Float32Array(3 * width * height);
    for (let i = 0; i < width * height; i++)
      radiance.fill(1 + (i % width) / 100 + Math.floor(i / width) / 300, 3 * i, 3 * i + 3);
    const crop = { angle: 10, centerX: 450, centerY: 320, width: 700, height: 420 };
    const cut = await cropPicture(await testDevice(), { radiance, width, height }, crop);
    const [cos, sin] = [Math.cos(Math.PI / 18), Math.sin(Math.PI / 18)];
    for (const [u, v] of [
      [0, 0],
      [511, 100],
      [512, 100],
      [699, 419],
    ]) {
      const [dx, dy] = [u + 0.5 - 350, v + 0.5 - 210];
      const [x, y] = [450 + cos * dx + sin * dy - 0.5, 320 - sin * dx + cos * dy - 0.5];
      expect(cut.radiance[3 * (v * 700 + u)]).toBeCloseTo(1 + x / 100 + y / 300, 4);
    }
  });

  it('that leaves the picture, or is none, is refused', async () => {
    const device = await testDevice();
    const whole = { angle: 0, centerX: WIDTH / 2, centerY: HEIGHT / 2, width: WIDTH, height: HEIGHT };
    await expect(cropPicture(device, picture, { ...whole, angle: 3 })).rejects.toThrow(/leaves the picture of 90x61/);
    await expect(cropPicture(device, picture, { ...whole, centerX: 46 })).rejects.toThrow(/make it smaller or move it/);
    await expect(cropPicture(device, picture, { ...whole, width: 0 })).rejects.toThrow(
      /width is 0, it must be a whole number/,
    );
    await expect(cropPicture(device, picture, { ...whole, angle: NaN })).rejects.toThrow(/angle is NaN/);
  });
});

describe('the largest cut', () => {
  it.each([
    [0, WIDTH / HEIGHT],
    [5, WIDTH / HEIGHT],
    [-20, 1],
    [44, 0.5],
  ])('of %s degrees and an aspect of %s lies in the picture, and a larger one does not', (angle, aspect) => {
    const crop = largestCrop(picture, angle, aspect);
    expect(liesWithin(crop, picture)).toBe(true);
    const more = { ...crop, width: crop.width + 2, height: Math.ceil((crop.width + 2) / aspect) };
    expect(liesWithin(more, picture)).toBe(false);
    expect(Math.abs(crop.width / crop.height / aspect - 1)).toBeLessThan(0.05);
  });
});

describe('a finished cut', () => {
  it('looks as that part of the finished picture', async () => {
    const finisher = await Finisher.create(await testDevice(), picture);
    const settings = { shadows: 60, highlights: -40, clarity: 30 };
    const whole = await finisher.finish('codes', settings);
    const crop = { angle: 0, centerX: 50, centerY: 30.5, width: 24, height: 15 };
    const { radiance } = await cropPicture(await testDevice(), picture, crop);
    const part = await finisher.finish('codes', settings, { cut: { crop, radiance } });
    for (let y = 0; y < 15; y++)
      expect(part.subarray(72 * y, 72 * (y + 1))).toEqual(
        whole.subarray(3 * ((23 + y) * WIDTH + 38), 3 * ((23 + y) * WIDTH + 62)),
      );
    finisher.dispose();
  });

  it('that does not fit its light is refused', async () => {
    const finisher = await Finisher.create(await testDevice(), picture);
    const crop = { angle: 0, centerX: 50, centerY: 30.5, width: 24, height: 15 };
    await expect(finisher.finish('codes', {}, { cut: { crop, radiance: new Float32Array(6) } })).rejects.toThrow(
      /6 values for 24x15/,
    );
    finisher.dispose();
  });

  it('sees rows that have changed after refresh', async () => {
    const changing = { ...picture, radiance: picture.radiance.slice() };
    const finisher = await Finisher.create(await testDevice(), changing);
    changing.radiance.fill(0.5, 3 * WIDTH * 20, 3 * WIDTH * 40);
    await finisher.refresh({ top: 20, height: 20 });
    const fresh = await Finisher.create(await testDevice(), changing);
    const settings = { shadows: 80 };
    expect((await finisher.preview(settings)).codes).toEqual((await fresh.preview(settings)).codes);
    expect(await finisher.finish('codes', settings)).toEqual(await fresh.finish('codes', settings));
    finisher.dispose();
    fresh.dispose();
  });
});
