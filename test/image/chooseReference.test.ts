/** `reference: 'auto'` on made pictures whose burnt-out and black pixels are known, in every type of sample. */
import { describe, expect, it } from 'vitest';
import {
  chooseReference,
  clippedShare,
  countClipped,
  pickReference,
  referenceGrid,
  referenceSummary,
} from '../../src/image/chooseReference.ts';
import type { Frame, Samples } from '../../src/image/frame.ts';

const W = 20;
const H = 10;

/** A grey picture in which the first pixels have the colours given. */
function picture(
  pixels: readonly (readonly [number, number, number])[],
  make: (codes: number[]) => Samples = (codes) => Uint8Array.from(codes),
): Pick<Frame, 'data' | 'width' | 'height'> {
  const codes = Array.from({ length: W * H }, (_, i) => pixels[i] ?? [100, 110, 120]).flat();
  return { data: make(codes), width: W, height: H };
}

const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const burnt = (count: number) => repeat(count, [90, 251, 30] as const);
const black = (count: number) => repeat(count, [4, 0, 4] as const);

/** One picture in every type: codes of 255 as each type holds them. */
const TYPES: [string, (codes: number[]) => Samples, boolean][] = [
  ['8 bits', (codes) => Uint8Array.from(codes), false],
  ['8 bits, clamped', (codes) => Uint8ClampedArray.from(codes), false],
  ['16 bits', (codes) => Uint16Array.from(codes, (c) => Math.round((c / 255) * 65535)), false],
  ['floats', (codes) => Float32Array.from(codes, (c) => c / 255), false],
  ['linear floats', (codes) => Float32Array.from(codes, (c) => (c / 255) ** 2.2), true],
];

describe('counting', () => {
  it.each(TYPES)('takes one channel above 250 for burnt out and all below 5 for black, in %s', (_, make, linear) => {
    const edge = [
      [250, 250, 250],
      [4, 4, 5],
      [5, 5, 5],
      [0, 0, 6],
      [0, 249, 0],
    ] as const;
    expect(countClipped(picture(edge, make), linear)).toEqual({ sampled: W * H, burnt: 0, black: 0 });
    const lost = [
      [251, 0, 0],
      [0, 255, 0],
      [255, 255, 255],
      [0, 0, 0],
      [4, 4, 4],
    ] as const;
    expect(countClipped(picture(lost, make), linear)).toEqual({ sampled: W * H, burnt: 3, black: 2 });
  });

  it('reads linear samples by their codes: the same numbers mean other light', () => {
    const dim = picture(repeat(W * H, [3, 3, 3] as const));
    expect(countClipped(dim).black).toBe(W * H);
    // (3/255)^(1/2.2) is code 34.
    expect(countClipped(dim, true).black).toBe(0);
    // 16 bits of light have no exact code 5, so these keep away from it.
    const sixteen = picture(
      [
        [252, 0, 0],
        [3, 3, 3],
        [249, 6, 0],
      ],
      (codes) => Uint16Array.from(codes, (c) => Math.round((c / 255) ** 2.2 * 65535)),
    );
    expect(countClipped(sixteen, true)).toEqual({ sampled: W * H, burnt: 1, black: 1 });
    const bright = picture(repeat(W * H, [248, 248, 248] as const));
    expect(countClipped(bright).burnt).toBe(0);
    expect(countClipped(bright, true).burnt).toBe(W * H);
  });

  it('looks at every pixel up to 512x512, and at an even grid of larger pictures', () => {
    expect(referenceGrid(512, 512)).toEqual({ step: 1, cols: 512, rows: 512 });
    expect(referenceGrid(6000, 4000)).toEqual({ step: 10, cols: 600, rows: 400 });
    expect(referenceGrid(1, 7_000_000)).toEqual({ step: 6, cols: 1, rows: Math.ceil(7_000_000 / 6) });
    const [width, height] = [1025, 1023];
    const data = new Uint8Array(width * height * 3).fill(128);
    // A band of the rows below 300 burns out.
    data.fill(255, 0, 300 * width * 3);
    const found = countClipped({ data, width, height });
    expect(found).toEqual({ sampled: 513 * 512, burnt: 513 * 150, black: 0 });
    expect(clippedShare(found)).toBeCloseTo(300 / height, 3);
  });
});

describe('choosing', () => {
  const shares = (...counts: number[]) => counts.map((count) => ({ sampled: 1000, burnt: count, black: 0 }));

  it('takes the frame that lost least', () => {
    expect(chooseReference([picture(black(30)), picture(burnt(20)), picture(burnt(150))]).reference).toBe(1);
    expect(chooseReference([picture(black(3)), picture(burnt(20)), picture(burnt(150))]).reference).toBe(0);
    expect(chooseReference([picture([...black(20), ...burnt(20)]), picture(burnt(30)), picture(burnt(5))])).toEqual({
      reference: 2,
      frames: [
        { sampled: 200, burnt: 20, black: 20 },
        { sampled: 200, burnt: 30, black: 0 },
        { sampled: 200, burnt: 5, black: 0 },
      ],
    });
  });

  it('keeps the middle frame where it loses at most 1 % of the picture more than the best', () => {
    expect(pickReference(shares(0, 10, 300))).toBe(1);
    expect(pickReference(shares(0, 11, 300))).toBe(0);
    expect(pickReference(shares(0, 0, 0, 5))).toBe(1);
    expect(pickReference(shares(400, 410))).toBe(0);
    expect(pickReference(shares(420, 400))).toBe(1);
  });

  it('takes the one nearest to the middle of equal frames, and the darker of two', () => {
    expect(pickReference(shares(0, 5, 50, 0, 90))).toBe(3);
    expect(pickReference(shares(90, 0, 50, 0, 90))).toBe(1);
  });

  it('says why', () => {
    const text = referenceSummary(chooseReference([picture(black(3)), picture(burnt(20)), picture(burnt(150))]));
    expect(text).toBe(
      'reference: frame 1 was chosen, of which 1.5 % is burnt out or black (10.0 % of frame 2, 75.0 % of frame 3)',
    );
    expect(referenceSummary({ reference: 1, frames: shares(0, 10, 300) })).toContain(
      '(0.0 % of frame 1, 30.0 % of frame 3); the middle frame is kept',
    );
  });
});
