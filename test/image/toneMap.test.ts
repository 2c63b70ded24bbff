/** Tone mapping: properties that the operator promises, not its own formulas again. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { COLOR_SPACES, PRIMARIES, rgbToXyz } from '../../src/image/colorSpace.ts';
import { LUMAS, encodeSrgb } from '../../src/image/srgb.ts';
import { chooseTone, toneMap } from '../../src/image/toneMap.ts';
import { random } from '../node/pictures.ts';

/** A dark room, log-normal around 0.02, with a window a thousand times as bright over a tenth of it. */
function room(): Float32Array {
  const next = random(5);
  const data = new Float32Array(64 * 64 * 3);
  for (let p = 0; p < 64 * 64; p++) {
    const base = (p % 64 < 6 ? 20 : 0.02) * 2 ** (2 * next() - 1);
    data.set([base, 0.8 * base, 0.5 * base], 3 * p);
  }
  return data;
}
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];

describe('in other spaces', () => {
  it('weights are those of their primaries', () => {
    for (const space of COLOR_SPACES)
      rgbToXyz(PRIMARIES[space])
        .slice(3, 6)
        .forEach((weight, i) => expect(LUMAS[space][i]).toBeCloseTo(weight, 4));
  });

  it('grey stays grey, and a colour gets the luminance that it has there', () => {
    for (const space of COLOR_SPACES) {
      // Half of white's luminance in one channel alone.
      const green = Float32Array.of(0, 0.5 / LUMAS[space][1], 0);
      const tone = { exposure: 1, white: 1e9 };
      expect(chooseTone(green, space).exposure).toBeCloseTo(0.36, 5);
      // L / (1 + L) = 1/3, and the channel is that over its weight.
      expect(toneMap(green, tone, space)[1]).toBe(Math.round(255 * encodeSrgb(1 / 3 / LUMAS[space][1])));
      expect(new Set(toneMap(Float32Array.of(0.5, 0.5, 0.5), tone, space)).size).toBe(1);
    }
  });

  it('sRGB is the default, bit for bit', () => {
    const data = room();
    expect(toneMap(data, undefined, 'srgb')).toEqual(toneMap(data));
    expect(createHash('sha256').update(toneMap(data)).digest('hex').slice(0, 16)).toBe('9c3419ef9c2fe220');
  });

  it('one that is none is refused', () => {
    expect(() => toneMap(new Float32Array(3), undefined, 'p4' as 'p3')).toThrow('space is "p4"');
  });
});

describe('toneMap', () => {
  it('encodes sRGB as the standard tabulates it', () => {
    // IEC 61966-2-1: 18 % grey is 118 of 255, half is 188.
    expect([0, 0.18, 0.5, 1].map((v) => Math.round(255 * encodeSrgb(v)))).toEqual([0, 118, 188, 255]);
    expect(encodeSrgb(0.0031308)).toBeCloseTo(0.04045, 4);
  });

  it('shows both the dark room and what is behind the window', () => {
    const data = room();
    const out = toneMap(data);
    const inside: number[] = []; // green: red, the largest channel, is meant to reach 255 in the window
    const outside: number[] = [];
    for (let p = 0; p < 64 * 64; p++) (p % 64 < 6 ? outside : inside).push(out[3 * p + 1]);
    expect(median(inside)).toBeGreaterThan(70);
    expect(median(inside)).toBeLessThan(190);
    expect(median(outside)).toBeGreaterThan(210);
    // The window's 2 EV of texture survive: no flat white.
    expect(new Set(outside).size).toBeGreaterThan(15);
    expect(outside.filter((v) => v === 255).length / outside.length).toBeLessThan(0.1);
  });

  it('is the same at any scale', () => {
    const data = room();
    const apart = toneMap(data.map((v) => v * 1024)).reduce(
      (worst, v, i) => Math.max(worst, Math.abs(v - toneMapped[i])),
      0,
    );
    expect(apart).toBeLessThanOrEqual(1);
  });
  const toneMapped = toneMap(room());

  it('is monotone in luminance and keeps grey grey', () => {
    const ramp = Float32Array.from({ length: 300 * 3 }, (_, i) => 2 ** (Math.floor(i / 3) / 20 - 8));
    const out = toneMap(ramp);
    for (let p = 0; p < 300; p++) {
      expect(out[3 * p + 1]).toBe(out[3 * p]);
      expect(out[3 * p + 2]).toBe(out[3 * p]);
      if (p > 0) expect(out[3 * p]).toBeGreaterThanOrEqual(out[3 * p - 3]);
    }
    expect(out[0]).toBeLessThan(60);
    expect(out.at(-1)).toBeGreaterThan(250);
  });

  it('keeps the hue of saturated highlights', () => {
    const out = toneMap(Float32Array.of(4, 0.5, 0.1), { exposure: 1, white: 20 });
    const linear = [...out].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    // Hue: (g - b) / (r - b) is 0.4/3.9 before; 8-bit rounding moves it by less than 0.01.
    expect((linear[1] - linear[2]) / (linear[0] - linear[2])).toBeCloseTo(0.4 / 3.9, 2);
    expect(out[0]).toBe(255);
  });

  it('survives black, one value, and nonsense', () => {
    expect([...toneMap(new Float32Array(6))]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(chooseTone(new Float32Array(3))).toEqual({ exposure: 1, white: 1, knee: 1, slope: 1 });
    const flat = toneMap(new Float32Array(30).fill(7));
    expect(flat[0]).toBeGreaterThan(90);
    expect(flat[0]).toBeLessThan(140);
    const odd = toneMap(Float32Array.of(NaN, -1, 0.5, Infinity, Infinity, Infinity, 0.5, 0.5, 0.5));
    expect([...odd.subarray(3, 6)]).toEqual([255, 255, 255]);
    expect(() => toneMap(new Float32Array(4))).toThrow('not RGB pixels');
  });
});
