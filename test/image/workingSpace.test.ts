/** Colours into working spaces, against matrices from elsewhere (CSS Color 4, section 17). */
import { describe, expect, it } from 'vitest';
import { judge, watchArrays } from '../fuzz/judge.ts';
import { LINEAR_SRGB, SRGB, chromaticColor, cicpColor, iccColor } from '../../src/image/decode/sourceColor.ts';
import { clippedColorsNote, toWorkingSpace } from '../../src/image/decode/workingSpace.ts';

/** An RGB matrix profile whose three colorants and curves are the same. */
function matrixProfile(curve: Buffer, xyz: readonly number[]): Buffer {
  const colorant = Buffer.alloc(20);
  colorant.write('XYZ ');
  xyz.forEach((value, i) => colorant.writeInt32BE(Math.round(value * 65536), 8 + 4 * i));
  const names = ['rXYZ', 'gXYZ', 'bXYZ', 'rTRC', 'gTRC', 'bTRC'];
  const head = Buffer.alloc(132 + 12 * names.length);
  head.write('RGB ', 16);
  head.writeUInt32BE(names.length, 128);
  names.forEach((name, i) => {
    const [at, size] = name.endsWith('XYZ') ? [0, colorant.length] : [colorant.length, curve.length];
    head.write(name, 132 + 12 * i);
    head.writeUInt32BE(head.length + at, 136 + 12 * i);
    head.writeUInt32BE(size, 140 + 12 * i);
  });
  return Buffer.concat([head, colorant, curve]);
}

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

  describe('of profiles that make no sense', () => {
    const values = Float32Array.of(-1e38, -0.5, 0, 0.3, 1, 3e38);
    const convert = (profile: Buffer) => toWorkingSpace(values.slice(), iccColor(profile)!, 'p3');
    const s15 = (value: number) => Math.round(value * 65536);
    const parametric = (kind: number, ...numbers: number[]): Buffer => {
      const tag = Buffer.alloc(12 + 4 * numbers.length);
      tag.write('para');
      tag.writeUInt16BE(kind, 8);
      numbers.forEach((value, i) => tag.writeInt32BE(s15(value), 12 + 4 * i));
      return tag;
    };
    const table = (count: number, ...entries: number[]): Buffer => {
      const tag = Buffer.alloc(12 + 2 * entries.length);
      tag.write('curv');
      tag.writeUInt32BE(count, 8);
      entries.forEach((value, i) => tag.writeUInt16BE(value, 12 + 2 * i));
      return tag;
    };

    it.each<[string, Buffer]>([
      ['a power below zero', parametric(0, -3)],
      ['a power of what is below zero', parametric(4, 2.2, -2, 0.5, 1, -1, 0, 0)],
      ['a division by zero', parametric(2, 0.5, 0, 0, 0)],
      ['numbers as large as there are', parametric(3, 32767, 32767, 32767, 32767, 0)],
      ['a straight table', table(3, 0, 32768, 65535)],
      ['a table', table(4, 0, 100, 30000, 65535)],
    ])('every value is a number: %s', (_, curve) => {
      for (const color of [
        [0.4, 0.2, 0.1],
        [32767, -32767, 32767],
      ])
        for (const value of convert(matrixProfile(curve, color)).data) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
    });

    it('a table that is not there takes no memory', async () => {
      const end = watchArrays();
      try {
        for (const count of [2, 1000, 1 << 24, 0xffffffff]) {
          const profile = matrixProfile(table(count, 0), [1, 1, 1]);
          const read = (bytes: Buffer): void => {
            expect(iccColor(bytes)).toBe(undefined);
          };
          expect((await judge({ seeds: async () => [], read }, profile, 0)).faults).toEqual([]);
        }
      } finally {
        end();
      }
    });

    it('chromaticities as large as floats', () => {
      for (const color of [
        [1e30, 2e30, -1e30, 1e30, 3, 1e30, 0.3, 0.3],
        [1e-30, 1, 1, 1e-30, 0.2, 0.2, 1e-30, 1],
      ]) {
        let found: ReturnType<typeof chromaticColor>;
        try {
          found = chromaticColor(color, 'a.exr');
        } catch (error) {
          expect(String(error)).toMatch(/a\.exr has chromaticities .* which span no colour space/);
          continue;
        }
        for (const value of toWorkingSpace(values.slice(), found, 'rec2020').data) expect(value).not.toBeNaN();
      }
    });
  });

  it('is told from 0.1 % of a frame on', () => {
    const frame = (clippedColors: number) => ({ width: 100, height: 10, colorSpace: 'srgb' as const, clippedColors });
    expect(clippedColorsNote([frame(0)], (wider) => wider)).toBeUndefined();
    expect(clippedColorsNote([frame(0), frame(31)], (wider) => `--color ${wider} keeps more`)).toBe(
      "up to 3.1 % of a frame's pixels have colours outside sRGB, which are clipped: --color p3 keeps more",
    );
  });
});
