/** Radiance .hdr against a decoder written here from the format's description, which shares nothing with src/. */
import { describe, expect, it } from 'vitest';
import { decodeRgbe, encodeRgbe } from '../../src/image/rgbe.ts';
import { random } from '../node/pictures.ts';

const encode = (data: Float32Array, width: number, height: number, scale?: number) =>
  Buffer.concat([...encodeRgbe(data, width, height, scale)]);

/** Decodes into [r, g, b, e] bytes per pixel. */
function oracle(file: Buffer): { width: number; height: number; rgbe: number[][]; bytesUsed: number } {
  const end = file.indexOf('\n\n');
  const lines = file.subarray(0, end).toString().split('\n');
  expect(lines[0]).toBe('#?RADIANCE');
  expect(lines).toContain('FORMAT=32-bit_rle_rgbe');
  const sizeEnd = file.indexOf('\n', end + 2);
  const [, height, width] = /^-Y (\d+) \+X (\d+)$/.exec(file.subarray(end + 2, sizeEnd).toString())!.map(Number);
  let at = sizeEnd + 1;
  const rgbe: number[][] = [];
  for (let y = 0; y < height; y++) {
    if (width < 8 || width > 32767) {
      for (let x = 0; x < width; x++, at += 4) rgbe.push([...file.subarray(at, at + 4)]);
      continue;
    }
    expect([file[at], file[at + 1], file.readUInt16BE(at + 2)]).toEqual([2, 2, width]);
    at += 4;
    const planes = [0, 1, 2, 3].map(() => {
      const plane: number[] = [];
      while (plane.length < width) {
        const n = file[at++];
        if (n > 128) for (let i = 128; i < n; i++) plane.push(file[at]);
        else for (let i = 0; i < n; i++) plane.push(file[at + i]);
        at += n > 128 ? 1 : n;
      }
      expect(plane.length).toBe(width);
      return plane;
    });
    for (let x = 0; x < width; x++) rgbe.push(planes.map((plane) => plane[x]));
  }
  return { width, height, rgbe, bytesUsed: at };
}

const lightOf = (mantissa: number, e: number) => (e === 0 ? 0 : mantissa * 2 ** (e - 136));

describe('rgbe', () => {
  it.each([
    [1, 1],
    [7, 5],
    [8, 3],
    [67, 45],
    [300, 4],
    [32767, 1],
    [32768, 1],
  ])('rounds every value to the nearest step, %ix%i', (width, height) => {
    const next = random(width * 31 + height);
    // Flat stretches and noise, so that both runs and literals occur, over 36 orders of magnitude.
    const data = Float32Array.from({ length: width * height * 3 }, (_, i) =>
      Math.floor(i / 60) % 2 ? 0.25 : 10 ** (next() * 36 - 18),
    );
    const file = encode(data, width, height);
    const { rgbe, bytesUsed } = oracle(file);
    expect(bytesUsed).toBe(file.length);
    const decoded = decodeRgbe(file);
    expect([decoded.width, decoded.height]).toEqual([width, height]);
    let worst = 0;
    for (let p = 0; p < width * height; p++) {
      const e = rgbe[p][3];
      const largest = Math.max(...rgbe[p].slice(0, 3));
      if (largest < 128) throw new Error(`pixel ${p} is not normalised: ${rgbe[p]}`);
      for (let c = 0; c < 3; c++) {
        worst = Math.max(worst, Math.abs(lightOf(rgbe[p][c], e) - data[3 * p + c]) / 2 ** (e - 136));
        if (decoded.data[3 * p + c] !== Math.fround(lightOf(rgbe[p][c], e)))
          throw new Error(`own decoder differs at ${p}`);
      }
    }
    expect(worst).toBeLessThanOrEqual(0.5);
  });

  it('is exact where a step fits, and re-encodes what it decoded unchanged', () => {
    const data = Float32Array.of(
      1,
      0.5,
      0.25,
      0,
      0,
      0,
      255 / 256,
      1 / 256,
      0,
      65504,
      1024,
      0.3,
      1e-38,
      0,
      5e-39,
      1e38,
      1e30,
      0,
    );
    const once = encode(data, 6, 1);
    expect([...decodeRgbe(once).data.subarray(0, 9)]).toEqual([1, 0.5, 0.25, 0, 0, 0, 255 / 256, 1 / 256, 0]);
    expect(encode(decodeRgbe(once).data, 6, 1).equals(once)).toBe(true);
  });

  it('keeps the ends of the range', () => {
    const { rgbe } = oracle(
      encode(Float32Array.of(2 ** -128, 0, 0, 2 ** -130, 0, 0, 3.4e38, 1e38, 0, 0.999, 0.999, 0.999, -1, 2, -0), 5, 1),
    );
    expect(rgbe).toEqual([
      [128, 0, 0, 1],
      [0, 0, 0, 0],
      [255, 150, 0, 255],
      [128, 128, 128, 129],
      [0, 128, 0, 130],
    ]);
  });

  it('applies the scale', () => {
    expect([...decodeRgbe(encode(Float32Array.of(0.5, 0.25, 1), 1, 1, 16)).data]).toEqual([8, 4, 16]);
  });

  it('compresses flat pictures', () => {
    expect(encode(new Float32Array(1000 * 100 * 3).fill(0.5), 1000, 100).length).toBeLessThan(
      100 * (4 + 4 * 2 * 8) + 100,
    );
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s, naming the pixel', (value) => {
    const data = new Float32Array(3 * 2 * 3);
    data[(1 * 3 + 2) * 3 + 1] = value;
    expect(() => encode(data, 3, 2)).toThrow(`pixel 2,1 is (0, ${value}, 0)`);
  });

  it('reads EXPOSURE, old-style runs and CRLF', () => {
    const head = Buffer.from('#?RGBE\r\nEXPOSURE=2\nEXPOSURE= 2\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 300\n');
    const pixels = Buffer.from([128, 0, 0, 129, 1, 1, 1, 43, 1, 1, 1, 1]); // 1 + 43 + 256
    expect(decodeRgbe(Buffer.concat([head, pixels])).data.filter((_, i) => i % 3 === 0)).toEqual(
      new Float32Array(300).fill(0.25),
    );
  });

  const valid = encode(
    Float32Array.from({ length: 20 * 4 * 3 }, (_, i) => i / 7),
    20,
    4,
  );
  it.each([
    ['does not start', Buffer.from('nope')],
    ['cut off', Buffer.from('#?RADIANCE\nFORMAT')],
    ['32-bit_rle_xyze', Buffer.from('#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 1 +X 1\n\0\0\0\0')],
    ['size line', Buffer.from('#?RADIANCE\n\n+Y 1 +X 1\n\0\0\0\0')],
    ['at most', Buffer.from('#?RADIANCE\n\n-Y 60000 +X 60000\n')],
    ['cannot hold', Buffer.from('#?RADIANCE\n\n-Y 10000 +X 10000\n\0\0\0\0')],
    ['EXPOSURE comes to 0', Buffer.from('#?RADIANCE\nEXPOSURE=0\n\n-Y 1 +X 1\n\0\0\0\0')],
    ['cut off in line 3', valid.subarray(0, valid.length - 5)],
    [
      '21 pixels wide, the header says 20',
      Buffer.concat([valid.subarray(0, valid.indexOf('+X 20\n') + 6), Buffer.from([2, 2, 0, 21]), Buffer.alloc(400)]),
    ],
    [
      'a run of 27',
      Buffer.concat([
        valid.subarray(0, valid.indexOf('+X 20\n') + 6),
        Buffer.from([2, 2, 0, 20, 155, 1]),
        Buffer.alloc(400),
      ]),
    ],
  ])('refuses: %s', (message, bytes) => {
    expect(() => decodeRgbe(bytes)).toThrow(
      expect.objectContaining({ code: 'input', message: expect.stringContaining(message) }),
    );
  });
});
