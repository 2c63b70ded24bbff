/**
 * Metrics against scikit-image's and operators against definitions written a second time in NumPy
 * (reference/metricsGoldens.py), and against values that follow from the definitions by hand.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { burntOut, differenceMotion, encodedFrame, loneRadiance } from '../../src/image/baselines.ts';
import { bilateral } from '../../src/image/bilateral.ts';
import { drawLabel } from '../../src/image/label.ts';
import { iou, muLaw, overlap, psnr, pu21, pu21Encode, ssim } from '../../src/image/metrics.ts';
import { decodeNpy } from '../../src/image/npy.ts';
import { toneOperators } from '../../src/image/toneOperators.ts';
import { ENCODINGS, fitScale, judge, meanFigures } from '../../src/node/evaluate/figures.ts';
import type { Figures } from '../../src/node/evaluate/figures.ts';
import { random } from '../node/pictures.ts';

const folder = new URL('../goldens/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('metrics.json', folder), 'utf8'));
const read = (name: string) => decodeNpy(readFileSync(new URL(`metrics.${name}.npy`, folder)));
const truth = read('truth').data as Float32Array;
const candidate = read('candidate').data as Float32Array;
const [height, width] = read('truth').shape;

const moving = Uint8Array.from({ length: width * height }, (_, p) => {
  const [y, x] = [Math.floor(p / width), p % width];
  const { rows, columns } = golden.moving;
  return y >= rows[0] && y < rows[1] && x >= columns[0] && x < columns[1] ? 1 : 0;
});
const still = moving.map((w) => 1 - w);

describe('metrics', () => {
  const operators = toneOperators(truth, width, height, golden.peak);
  const encode: Record<string, (picture: Float32Array) => Float32Array> = {
    linear: (p) => p,
    mu: muLaw,
    ...operators,
    pu21: (p) => pu21Encode(p, golden.peak),
  };

  // Durand's grid is an approximation of the filter that the golden computes by definition; the others differ by f32's
  // rounding alone.
  it.each([
    ['linear', 1e-6, 1e-9],
    ['mu', 1e-4, 1e-6],
    ['reinhard', 1e-4, 1e-6],
    ['krawczyk', 1e-4, 1e-6],
    ['durand', 0.005, 1e-4],
    ['pu21', 1e-4, 1e-6],
  ])('%s: PSNR, SSIM, inside and outside a region, as scikit-image has them', (name, decibels, similarity) => {
    const peak = name === 'pu21' ? 256 : 1;
    const expected = golden.encodings[name];
    const [a, b] = [encode[name](truth), encode[name](candidate)];
    expect(Math.abs(psnr(a, b, { peak }) - expected.psnr)).toBeLessThan(decibels);
    expect(Math.abs(psnr(a, b, { peak, where: moving }) - expected.moving)).toBeLessThan(decibels);
    expect(Math.abs(psnr(a, b, { peak, where: still }) - expected.still)).toBeLessThan(decibels);
    const similar = ssim(a, b, width, height, { peak, region: moving });
    expect(Math.abs(similar.all - expected.ssim)).toBeLessThan(similarity);
    expect(Math.abs(similar.inside - expected.ssimMoving)).toBeLessThan(similarity);
    expect(Math.abs(similar.outside - expected.ssimStill)).toBeLessThan(similarity);
  });

  it('have their limits: equal pictures, empty regions, pictures too small', () => {
    expect(psnr(truth, truth)).toBe(Infinity);
    expect(ssim(truth, truth, width, height).all).toBeCloseTo(1, 12);
    expect(ssim(truth, candidate, width, height).inside).toBeNaN();
    expect(() => ssim(truth, candidate, width, height, { region: moving.subarray(1) })).toThrow('a region of');
    expect(psnr(truth, candidate, { where: new Uint8Array(moving.length) })).toBeNaN();
    expect(psnr(Float32Array.of(0, 0, 0), Float32Array.of(0.1, 0.1, 0.1))).toBeCloseTo(20, 5);
    expect(() => ssim(new Float32Array(330), new Float32Array(330), 10, 11)).toThrow(
      '10x11 is smaller than the window of 11x11',
    );
    expect(() => psnr(truth, candidate.subarray(3))).toThrow('cannot be compared');
  });

  it('PU21 gives the published end points and 256 for the white of an ordinary display', () => {
    // 5.4705e-10 and 595.3939: limits tabulated for banding_glare by its authors' group; 256: the peak that their PSNR
    // takes.
    expect(pu21(0.005)).toBeCloseTo(5.4705e-10, 13);
    expect(pu21(10_000)).toBeCloseTo(595.3939, 4);
    expect(Math.abs(pu21(100) - 256)).toBeLessThan(0.5);
    for (const [luminance, value] of golden.pu21) expect(Math.abs(pu21(luminance) - value)).toBeLessThan(1e-9);
  });

  it('the mu-law is that of the papers', () => {
    expect([...muLaw(Float32Array.of(0, 1, 0.01))].map((y) => y.toFixed(6))).toEqual([
      '0.000000',
      '1.000000',
      (Math.log(51) / Math.log(5001)).toFixed(6),
    ]);
  });

  it('motion maps agree where both move', () => {
    const counts = overlap([1, 1, 0, 0.6, 0.5], [1, 0, 1, 0.9, 1]);
    expect(counts).toEqual({ both: 2, either: 5 });
    expect(iou(counts)).toBe(0.4);
    expect(overlap([1, 1, 0, 0.6], [1, 0, 1, 0.9], Uint8Array.of(1, 0, 0, 0))).toEqual({ both: 1, either: 3 });
    expect(iou(overlap([0, 0], [0, 0]))).toBeNaN();
  });
});

describe('bilateral', () => {
  const log = Float32Array.from({ length: width * height }, (_, p) =>
    Math.log10(Math.max(1e-6, 0.2126 * truth[3 * p] + 0.7152 * truth[3 * p + 1] + 0.0722 * truth[3 * p + 2])),
  );

  it.each([0, 1, 2])('is near its definition (case %i)', (i) => {
    const { sigmaSpace, sigmaRange, every97th } = golden.bilateral[i];
    const made = bilateral(log, width, height, sigmaSpace, sigmaRange);
    const errors: number[] = every97th.map((value: number, k: number) => Math.abs(made[97 * k] - value));
    expect(Math.max(...errors)).toBeLessThan(0.004); // of six decades
    expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(0.001);
  });

  it('keeps a constant picture, and one pixel', () => {
    expect(bilateral(new Float32Array(12).fill(-2.5), 4, 3, 5, 0.4).every((v) => Math.abs(v + 2.5) < 1e-6)).toBe(true);
    expect([...bilateral(Float32Array.of(0.25), 1, 1, 0.02, 0.4)]).toEqual([0.25]);
  });
});

describe('baselines', () => {
  const square = Array.from({ length: 256 }, (_, i) => (i / 255) ** 2);
  const frame = { data: Uint8Array.of(0, 51, 255, 128, 128, 128), width: 2, height: 1, exposure: 1 };

  it('undo the response as the spec says, for codes and floats', () => {
    const response = { r: square, g: square, b: square };
    const expected = [...frame.data].map((code) => ((code / 255) ** 2) ** (1 / 2.2));
    const close = (a: ArrayLike<number>): void => expected.forEach((x, i) => expect(a[i]).toBeCloseTo(x, 6));
    close(encodedFrame(frame, response, 2.2));
    close(encodedFrame({ ...frame, data: Float32Array.from(frame.data, (code) => code / 255) }, response, 2.2));
    expect([...encodedFrame(frame, undefined, 2.2)]).toEqual([...Float32Array.from(frame.data, (code) => code / 255)]);
    expect(loneRadiance(Float32Array.of(1, 0.5, 0), 4, 2.2)[1]).toBeCloseTo(0.5 ** 2.2 / 4, 7);
  });

  it('find where both frames are burnt out', () => {
    const gain = 4 ** (1 / 2.2);
    // A reference of 0.6 is beyond white at four times its exposure, 0.5 is not; a frame that is not clipped tells of
    // itself.
    const frame = Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0.97);
    const reference = Float32Array.of(0.6, 0.6, 0.6, 0.6, 0.6, 0.5, 0.6, 0.6, 0.6);
    expect(1 / gain).toBeGreaterThan(0.53);
    expect([...burntOut(frame, reference, 1 / 4, 2.2)]).toEqual([1, 0, 0]);
  });

  it('find motion where frames differ by more than 0.1 after alignment, but not where one is saturated', () => {
    const [dark, bright] = [0.2, 0.2 * 4 ** (1 / 2.2)];
    const long = 16 ** (1 / 2.2) * dark; // 16 times the light of the dark one
    const pixels = (...values: number[]): Float32Array => Float32Array.from(values.flatMap((v) => [0, v, 0]));
    // tau 1 against 4: still; moved by just under and over 0.1; black where the reference is bright.
    expect([
      ...differenceMotion(pixels(dark, dark, dark, 0), pixels(bright, bright + 0.099, bright + 0.101, 0.5), 4, 2.2),
    ]).toEqual([0, 0, 1, 1]);
    // tau 16 against 4: saturated in the long frame, so anything brighter in the reference is still.
    expect([...differenceMotion(pixels(long, 1, 1), pixels(bright, 0.9, 0.3), 1 / 4, 2.2)]).toEqual([0, 0, 1]);
  });
});

describe('figures of a stack', () => {
  const map = Float32Array.from(moving);
  const judged = judge(
    { radiance: truth, width, height, reference: 1, motion: [map, map, new Float32Array(map.length)] },
    golden.peak,
  );

  it('are the metrics under every encoding', () => {
    const figures = judged({ name: 'x', radiance: candidate, motion: [map, map, map] });
    for (const name of ENCODINGS)
      expect(Math.abs(figures.psnr[name] - golden.encodings[name].psnr)).toBeLessThan(0.005);
    for (const name of ENCODINGS) {
      expect(Math.abs(figures.moving.psnr[name] - golden.encodings[name].moving)).toBeLessThan(0.005);
      expect(Math.abs(figures.still.psnr[name] - golden.encodings[name].still)).toBeLessThan(0.005);
    }
    expect(figures.moving.ssim.reinhard).toBeCloseTo(golden.encodings.reinhard.ssimMoving, 4);
    expect(figures.still.ssim.krawczyk).toBeCloseTo(golden.encodings.krawczyk.ssimStill, 4);
    const area = moving.reduce((sum, w) => sum + w, 0);
    // Frame 1 agrees, frame 3 has nothing moving; the reference is not counted.
    expect(figures.overlap).toEqual({ both: area, either: 2 * area });
  });

  it('leave out of the second IoU what is burnt out in both frames', () => {
    const burnt = [0, 1, 2].map(() => moving);
    const found = map.map((w, p) => (w > 0 ? 0 : p === 0 ? 1 : 0)); // misses all that moves, marks one still pixel
    const figures = judge(
      { radiance: truth, width, height, reference: 1, motion: [map, map, map], burnt },
      golden.peak,
    )({ name: 'x', radiance: candidate, motion: [found, map, map] });
    expect(figures.overlap.either).toBe(2 * moving.reduce((sum, w) => sum + w, 0) + 1);
    expect(figures.overlapSeen).toEqual({ both: 0, either: 1 });
  });

  it('average over stacks that have them, IoU over pixels', () => {
    const one = judged({ name: 'x', radiance: candidate, motion: [map, map, map] });
    const other: Figures = {
      ...one,
      psnr: { ...one.psnr, mu: one.psnr.mu + 2 },
      moving: { ...one.moving, psnr: { ...one.moving.psnr, mu: NaN } },
      overlap: { both: 0, either: 0 },
      iou: NaN,
    };
    const mean = meanFigures([one, other]);
    expect(mean.psnr.mu).toBeCloseTo(one.psnr.mu + 1, 10);
    expect(mean.moving.psnr.mu).toBe(one.moving.psnr.mu);
    expect(mean.iou).toBe(0.5);
  });

  it('finds the scale of a truth from where the reference is well exposed', () => {
    const next = random(3);
    const lone = Float32Array.from({ length: 3000 }, () => next() * 0.25);
    const encoded = lone.map((y) => (4 * y) ** (1 / 2.2));
    // Beyond the reference's range the truth may say anything.
    const file = lone.map((y, i) => (encoded[i] > 0.85 ? 9 : y / 0.37));
    const fit = fitScale(file, encoded, lone)!;
    expect(fit.scale).toBeCloseTo(0.37, 6);
    expect(fit.residual).toBeLessThan(1e-3);
    expect(fitScale(new Float32Array(3000), encoded, lone)).toBeUndefined();
    expect(fitScale(file, encoded.fill(1), lone)).toBeUndefined();
  });
});

describe('labels', () => {
  it('are drawn as dots, and cut at the room there is', () => {
    const data = new Uint8Array(3 * 14 * 7);
    drawLabel(data, 14, 0, 0, 'Li', 13);
    const rows = Array.from({ length: 7 }, (_, y) =>
      Array.from({ length: 14 }, (_, x) => (data[3 * (y * 14 + x)] ? '#' : '.')).join(''),
    );
    expect(rows[0]).toBe('#......###....');
    expect(rows[6]).toBe('#####..###....');
    const cut = new Uint8Array(3 * 14 * 7);
    drawLabel(cut, 14, 0, 0, 'Li', 8);
    expect(cut.some((v, i) => v > 0 && Math.floor(i / 3) % 14 > 5)).toBe(false);
  });
});
