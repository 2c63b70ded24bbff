/**
 * Harm without a ground truth: CIEDE2000 against the test data that Sharma, Wu and Dalal published, colours, casts and
 * rainbow pixels against scikit-image and SciPy (reference/metricsGoldens.py), and against made pictures whose answer
 * is known.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MIN_MIDTONES, colourCasts, labAt, quantile, rainbowShare, shownAt, toneKey } from '../../src/image/harm.ts';
import { ciede2000, colourDifference, srgbToLab } from '../../src/image/lab.ts';
import { decodeNpy } from '../../src/image/npy.ts';

const folder = new URL('../goldens/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('metrics.harm.json', folder), 'utf8'));
const read = (name: string) => decodeNpy(readFileSync(new URL(`metrics.${name}.npy`, folder)));
const pictures = ['truth', 'candidate'].map((name) => read(name).data as Float32Array);
const [height, width] = read('truth').shape;
const worst = (made: ArrayLike<number>, expected: readonly number[]): number =>
  Math.max(...expected.map((value, i) => Math.abs(value - made[i])));

/** Table 1 of the paper: two colours of CIELAB and their difference, to four digits. */
const SHARMA = [
  [50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425],
  [50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615],
  [50, 2.8361, -74.02, 50, 0, -82.7485, 3.4412],
  [50, -1.3802, -84.2814, 50, 0, -82.7485, 1],
  [50, -1.1848, -84.8006, 50, 0, -82.7485, 1],
  [50, -0.9009, -85.5211, 50, 0, -82.7485, 1],
  [50, 0, 0, 50, -1, 2, 2.3669],
  [50, -1, 2, 50, 0, 0, 2.3669],
  [50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792],
  [50, 2.49, -0.001, 50, -2.49, 0.001, 7.1792],
  [50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195],
  [50, 2.49, -0.001, 50, -2.49, 0.0012, 7.2195],
  [50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045],
  [50, -0.001, 2.49, 50, 0.001, -2.49, 4.8045],
  [50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461],
  [50, 2.5, 0, 50, 0, -2.5, 4.3065],
  [50, 2.5, 0, 73, 25, -18, 27.1492],
  [50, 2.5, 0, 61, -5, 29, 22.8977],
  [50, 2.5, 0, 56, -27, -3, 31.903],
  [50, 2.5, 0, 58, 24, 15, 19.4535],
  [50, 2.5, 0, 50, 3.1736, 0.5854, 1],
  [50, 2.5, 0, 50, 3.2972, 0, 1],
  [50, 2.5, 0, 50, 1.8634, 0.5757, 1],
  [50, 2.5, 0, 50, 3.2592, 0.335, 1],
  [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
  [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.263],
  [61.2901, 3.7196, -5.3901, 61.4292, 2.248, -4.962, 1.8731],
  [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
  [22.7233, 20.0904, -46.694, 23.0331, 14.973, -42.5619, 2.0373],
  [36.4612, 47.858, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
  [90.8027, -2.0831, 1.441, 91.1528, -1.6435, 0.0447, 1.4441],
  [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
  [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
  [2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514, 0.9082],
] as const;

describe('CIEDE2000', () => {
  it.each(SHARMA)('(%d, %d, %d) and (%d, %d, %d) are %d apart', (l1, a1, b1, l2, a2, b2, expected) => {
    expect(Math.abs(ciede2000(l1, a1, b1, l2, a2, b2) - expected)).toBeLessThan(5.1e-5);
    expect(Math.abs(ciede2000(l2, a2, b2, l1, a1, b1) - expected)).toBeLessThan(5.1e-5);
  });

  it('is what scikit-image has, all over the space', () => {
    for (const [l1, a1, b1, l2, a2, b2, expected] of golden.pairs)
      expect(Math.abs(ciede2000(l1, a1, b1, l2, a2, b2) - expected)).toBeLessThan(1e-9);
    expect(() => colourDifference(new Float64Array(3), new Float64Array(6))).toThrow('cannot be compared');
  });
});

describe('pictures as they are looked at', () => {
  const key = toneKey(pictures[0]);
  const labs = pictures.map((picture) => labAt(picture, key));

  it('are CIELAB at one key, as scikit-image has it', () => {
    expect(key / golden.key - 1).toBeCloseTo(0, 9);
    labs.forEach((lab, i) =>
      expect(
        worst(
          lab.filter((_, k) => k % 97 === 0),
          golden.lab[i],
        ),
      ).toBeLessThan(2e-6),
    );
    const differences = colourDifference(labs[0], labs[1]);
    expect(
      worst(
        differences.filter((_, k) => k % 29 === 0),
        golden.difference.every29th,
      ),
    ).toBeLessThan(2e-6);
    expect(differences.reduce((a, b) => a + b) / differences.length).toBeCloseTo(golden.difference.mean, 9);
    expect(quantile(differences.sort(), 0.99)).toBeCloseTo(golden.difference.p99, 9);
  });

  it('have white, black and grey where they belong', () => {
    const lab = srgbToLab([1, 1, 1, 0, 0, 0, 0.5, 0.5, 0.5]);
    expect(lab[0]).toBeCloseTo(100, 5);
    expect(lab[3]).toBeCloseTo(0, 5);
    for (const at of [1, 2, 7, 8]) expect(Math.abs(lab[at])).toBeLessThan(0.01);
    // The key itself is shown at middle grey's curve: 0.18 / 1.18 * (1 + 0.18 / 16), as sRGB; values below 0 count as
    // black.
    expect(shownAt([key, key, key], key)[0]).toBeCloseTo(
      1.055 * ((0.18 / 1.18) * (1 + 0.18 / 16)) ** (1 / 2.4) - 0.055,
      12,
    );
    expect([...shownAt([-1, -1, -1], key)]).toEqual([0, 0, 0]);
  });

  it('have the rainbow pixels that a median filter finds, at the border too', () => {
    const speckled = pictures[0].slice();
    for (let p = 0; p < speckled.length; p += 21)
      speckled.set([2 * pictures[0][p + 2], pictures[0][p + 1], pictures[0][p]], p);
    const shares = [...labs, labAt(speckled, key)].map((lab) => rainbowShare(lab, width, height));
    shares.forEach((share, i) => expect(share * width * height).toBeCloseTo(golden.rainbow[i] * width * height, 9));
    expect(shares[2]).toBeGreaterThan(0.05);
  });

  it('count a rainbow pixel only where it differs by more than 15 from most around it', () => {
    const flat = (w: number, h: number) => new Float64Array(3 * w * h).fill(50);
    const one = flat(9, 7);
    one[3 * (3 * 9 + 4) + 1] = 65; // exactly 15: not yet
    expect(rainbowShare(one, 9, 7)).toBe(0);
    one[3 * (3 * 9 + 4) + 1] = 65.01;
    expect(rainbowShare(one, 9, 7)).toBe(1 / 63);
    one[3 * (3 * 9 + 4) + 1] = 50;
    one[3 * (3 * 9 + 4)] = 99; // light, not colour
    expect(rainbowShare(one, 9, 7)).toBe(0);
    const half = flat(10, 6); // an edge between two colours is none
    for (let p = 0; p < 60; p++) if (p % 10 >= 5) half[3 * p + 2] = -40;
    expect(rainbowShare(half, 10, 6)).toBe(0);
    expect(rainbowShare(flat(1, 1), 1, 1)).toBe(0);
    expect(() => rainbowShare(flat(2, 2), 2, 3)).toThrow('12 values, 2x3 needs 18');
  });
});

describe('the colour cast', () => {
  const colourCast = (radiance: Float64Array | Float32Array, taken: Float64Array) => colourCasts(taken)?.(radiance);
  const samples = Float64Array.from(golden.codes as number[], (code) => code / 255);

  it("is that of the definition written with NumPy and scikit-image's colours", () => {
    pictures.forEach((picture, i) => {
      const { median, p90, a, b } = colourCast(picture, samples)!;
      for (const [made, expected] of [
        [median, golden.cast[i].median],
        [p90, golden.cast[i].p90],
        [a, golden.cast[i].a],
        [b, golden.cast[i].b],
      ])
        expect(Math.abs(made - expected)).toBeLessThan(1e-9);
    });
  });

  it('is nothing after any growing curve that the channels share, and something after a tint', () => {
    const scene = Float64Array.from(
      { length: 3 * 4000 },
      (_, i) => 0.1 + 0.8 * Math.abs(Math.sin(i * 0.7) * Math.cos(i * 0.013)),
    );
    const neutral = colourCast(
      scene.map((x) => 0.3 * x ** 2.6 + 0.02 * x),
      scene,
    )!;
    expect(neutral.median).toBeLessThan(0.3); // 64 bins leave this
    const magenta = colourCast(
      scene.map((x, i) => x ** 2.2 * (i % 3 === 1 ? 0.7 : 1)),
      scene,
    )!;
    expect(magenta.median).toBeGreaterThan(3);
    expect(magenta.a).toBeGreaterThan(2);
    const bluish = colourCast(
      scene.map((x, i) => x ** 2.2 * (i % 3 === 2 ? 1.4 : 1)),
      scene,
    )!;
    expect(bluish.b).toBeLessThan(-2);
    // Brightness is no colour: twice the light is the same picture.
    expect(
      colourCast(
        scene.map((x) => 2 * x ** 2.2),
        scene,
      )!.median,
    ).toBeCloseTo(
      colourCast(
        scene.map((x) => x ** 2.2),
        scene,
      )!.median,
      6,
    );
  });

  it('needs 500 mid-tone pixels', () => {
    const middle = (count: number) =>
      Float64Array.from({ length: 3000 }, (_, i) => (i < 3 * count ? 0.3 + 0.0001 * i : 0.95));
    expect(colourCast(middle(MIN_MIDTONES), middle(MIN_MIDTONES))).toBeDefined();
    expect(colourCast(middle(MIN_MIDTONES - 1), middle(MIN_MIDTONES - 1))).toBeUndefined();
    expect(() => colourCast(new Float64Array(3), middle(MIN_MIDTONES))).toThrow('cannot be compared');
  });
});
