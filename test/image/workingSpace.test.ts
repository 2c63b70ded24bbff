/** Colours into working spaces, against matrices from elsewhere (CSS Color 4, section 17). */
import { describe, expect, it } from 'vitest';
import { LINEAR_SRGB, SRGB, chromaticColor, cicpColor } from '../../src/image/decode/sourceColor.ts';
import { clippedColorsNote, toWorkingSpace } from '../../src/image/decode/workingSpace.ts';

describe('toWorkingSpace', () => {
  it('sRGB to Display P3 and Rec. 2020, 16 bit', () => {
    // sRGB's red in linear P3 is (0.82246, 0.03319, 0.01708), in Rec. 2020 (0.62740, 0.06910, 0.01639).
    const encode = (x: number) => Math.round(65535 * (1.055 * x ** (1 / 2.4) - 0.055));
    for (const [space, expected] of [
      ['p3', [0.82246, 0.03319, 0.01708]],
      ['rec2020', [0.6274, 0.0691, 0.01639]],
    ] as const) {
      const { data, clippedColors, linear } = toWorkingSpace(Uint16Array.of(65535, 0, 0), SRGB, space);
      expect([clippedColors, linear]).toEqual([0, false]);
      expected.forEach((value, c) => expect(Math.abs(data[c] - encode(value))).toBeLessThan(20));
    }
  });

  it('clips what a narrower space does not hold, and counts it where there is data', () => {
    const red = () => Uint16Array.of(65535, 0, 0, 65535, 0, 0, 30000, 30000, 30000);
    const p3 = cicpColor(12, 13, 'a');
    expect(toWorkingSpace(red(), p3, 'srgb').clippedColors).toBe(2);
    expect(toWorkingSpace(red(), p3, 'srgb', Uint8Array.of(0, 1, 1)).clippedColors).toBe(1);
    expect(toWorkingSpace(red(), p3, 'p3')).toMatchObject({ data: red(), clippedColors: 0 });
    expect(() => cicpColor(9, 16, 'a.avif')).toThrow(/a\.avif is an HDR picture \(PQ\)/);
  });

  it('keeps linear light linear, and takes light above white for the end of the exposure', () => {
    const { data, linear, clippedColors } = toWorkingSpace(Float32Array.of(0.25, 2, 2), LINEAR_SRGB, 'srgb');
    expect([Array.from(data), linear, clippedColors]).toEqual([[0.25, 1, 1], true, 0]);
    // ACES AP0's white is not D65: neutral stays neutral.
    const aces = chromaticColor([0.7347, 0.2653, 0, 1, 0.0001, -0.077, 0.32168, 0.33767], 'a');
    for (const value of toWorkingSpace(Float32Array.of(0.5, 0.5, 0.5), aces, 'rec2020').data)
      expect(value).toBeCloseTo(0.5, 4);
  });

  it('is told from 0.1 % of a frame on', () => {
    const frame = (clippedColors: number) => ({ width: 100, height: 10, colorSpace: 'srgb' as const, clippedColors });
    expect(clippedColorsNote([frame(0)], (wider) => wider)).toBeUndefined();
    expect(clippedColorsNote([frame(0), frame(31)], (wider) => `--color ${wider} keeps more`)).toBe(
      "up to 3.1 % of a frame's pixels have colours outside sRGB, which are clipped: --color p3 keeps more",
    );
  });
});
