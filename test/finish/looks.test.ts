/** Looks: what they choose for pictures, without a device. */
import { describe, expect, it } from 'vitest';
import { displayCurve, displayed, rangeCurve } from '../../src/finish/curves.ts';
import { LOOK_NAMES, lightStatistics, lookSettings } from '../../src/finish/looks.ts';
import { FINISH_RANGES, completeSettings } from '../../src/finish/settings.ts';
import type { FinishSettings } from '../../src/finish/settings.ts';
import { whiteBalance } from '../../src/finish/whiteBalance.ts';
import { encodeSrgb } from '../../src/image/srgb.ts';

/** Luminances of a scene whose EV go evenly from `low` to `high`. */
const scene = (low: number, high: number): number[] =>
  Array.from({ length: 4001 }, (_, i) => 0.18 * 2 ** (low + ((high - low) * i) / 4000));

const SCENES: [name: string, luminances: number[]][] = [
  ['a plain one', scene(-3, 2)],
  ['a dim one', scene(-9, -5)],
  ['a wide one', scene(-9, 5)],
  ['a room with a window', [...scene(-6, -2), ...scene(-6, -2), ...scene(3, 6)]],
  ['snow', [...scene(-4, 0), ...scene(1, 2), ...scene(1, 2), ...scene(1, 2)]],
];

/** Codes in [0,1] that luminances get away from edges. */
function codesOf(luminances: readonly number[], settings: FinishSettings): number[] {
  const curve = displayCurve(settings);
  return luminances.map((l) =>
    encodeSrgb(displayed(rangeCurve(Math.log2(l / 0.18) + settings.exposure, settings), curve)),
  );
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe.each(SCENES)('for %s', (_, luminances) => {
  it.each(LOOK_NAMES)('%s has a middle, a white and a black', (look) => {
    const settings = lookSettings(look, lightStatistics(luminances));
    expect(completeSettings(settings)).toEqual(settings);
    const codes = codesOf(luminances, settings).sort((a, b) => a - b);
    expect(mean(codes)).toBeGreaterThan(0.35);
    expect(mean(codes)).toBeLessThan(0.61);
    expect(codes[codes.length - 1]).toBeGreaterThan(0.75);
    expect(codes[0]).toBeLessThan(0.3);
    // Little is clipped.
    expect(codes.filter((code) => code > 0.999).length / codes.length).toBeLessThan(0.02);
    expect(codes.filter((code) => code === 0).length / codes.length).toBeLessThan(0.02);
  });

  it('the same picture exposed otherwise looks the same', () => {
    const settings = lookSettings('natural', lightStatistics(luminances));
    const brighter = lookSettings('natural', lightStatistics(luminances.map((l) => 8 * l)));
    expect(brighter.exposure).toBeCloseTo(settings.exposure - 3, 3);
    expect({ ...brighter, exposure: 0, white: 0, black: 0 }).toEqual({ ...settings, exposure: 0, white: 0, black: 0 });
  });
});

it('snow is white, and a night stays dark', () => {
  const settings = (evs: number[]): FinishSettings =>
    lookSettings('natural', lightStatistics(evs.map((ev) => 0.18 * 2 ** ev)));
  const many = (low: number, high: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => low + ((high - low) * i) / count);
  const snow = [...many(-4, 0, 200), ...many(0, 2, 800)];
  expect(
    mean(
      codesOf(
        snow.map((ev) => 0.18 * 2 ** ev),
        settings(snow),
      ),
    ),
  ).toBeGreaterThan(0.52);
  const night = [...many(-7, -3, 800), ...many(-3, 4, 200)];
  expect(
    mean(
      codesOf(
        night.map((ev) => 0.18 * 2 ** ev),
        settings(night),
      ),
    ),
  ).toBeLessThan(0.43);
});

it('what lies in shade against a bright sky is open, and still has a black', () => {
  const backlit = [...scene(-5, -1), ...scene(-5, -1), ...scene(2.5, 4)];
  const codes = codesOf(backlit, lookSettings('natural', lightStatistics(backlit))).sort((a, b) => a - b);
  const at = (share: number): number => codes[Math.floor(share * (codes.length - 1))];
  expect(at(0.33)).toBeGreaterThan(0.16);
  expect(at(0.5)).toBeGreaterThan(0.25);
  expect(at(0.005)).toBeLessThan(0.075);
  expect(at(0.9)).toBeLessThan(0.93);
});

it('a wide range is compressed, a narrow one is hardly', () => {
  const [narrow, wide] = [scene(-3, 1.5), scene(-8, 5)].map((one) => lookSettings('natural', lightStatistics(one)));
  expect(wide.shadows).toBeGreaterThan(narrow.shadows + 20);
  expect(wide.highlights).toBeLessThan(narrow.highlights - 20);
});

it('a black picture has settings too, and an unknown look has none', () => {
  expect(lookSettings('vivid', lightStatistics([0, 0, -1]))).toMatchObject({ exposure: 0, saturation: 35 });
  expect(() => lookSettings('garish' as never, undefined)).toThrow(
    'there is no look "garish", use natural, vivid, soft, monochrome',
  );
});

it('the range curve rises everywhere, at all ends of its sliders', () => {
  for (const shadows of [-100, 0, 100])
    for (const highlights of [-100, 0, 100])
      for (let ev = -16; ev < 16; ev += 0.01)
        expect(rangeCurve(ev + 0.01, { shadows, highlights })).toBeGreaterThan(rangeCurve(ev, { shadows, highlights }));
});

it('the display curve goes through black, grey and white', () => {
  for (const contrast of [-100, 0, 100])
    for (const white of [FINISH_RANGES.white[1], 6, 4.5])
      for (const black of FINISH_RANGES.black.slice(0, 2)) {
        const curve = displayCurve({ contrast, white, black });
        expect(displayed(black, curve)).toBeCloseTo(0, 9);
        expect(displayed(0, curve)).toBeCloseTo(0.18, 9);
        expect(displayed(white, curve)).toBeCloseTo(1, 9);
        expect(displayed(white + 3, displayCurve({ contrast, white, black }, 3))).toBeCloseTo(8, 6);
      }
});

describe('white balance', () => {
  const times = (m: readonly number[], v: readonly number[]): number[] =>
    [0, 3, 6].map((row) => m[row] * v[0] + m[row + 1] * v[1] + m[row + 2] * v[2]);

  it('keeps the luminance of white, and opposite ones undo each other', () => {
    const white = times(whiteBalance(120, 40, 'srgb'), [1, 1, 1]);
    expect(0.2126 * white[0] + 0.7152 * white[1] + 0.0722 * white[2]).toBeCloseTo(1, 3);
    times(whiteBalance(-120, -40, 'srgb'), white).forEach((value) => expect(value).toBeCloseTo(1, 9));
  });

  it('makes white the colour of a warmer black body', () => {
    // A black body of 3200 K, CIE 1931 2 degrees: x = 0.4234, y = 0.3990; D65's own distance from the locus stays.
    const [r, g, b] = times(whiteBalance(1e6 / 3200 - 1e6 / 6504, 0, 'srgb'), [1, 1, 1]);
    const [x, y, z] = times([0.4124, 0.3576, 0.1805, 0.2126, 0.7152, 0.0722, 0.0193, 0.1192, 0.9505], [r, g, b]);
    expect(x / (x + y + z)).toBeCloseTo(0.424, 1.7);
    expect(y / (x + y + z)).toBeCloseTo(0.402, 1.7);
    const [, green] = times(whiteBalance(0, 60, 'srgb'), [1, 1, 1]);
    expect(green).toBeLessThan(0.97);
  });
});
