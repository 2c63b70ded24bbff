import { describe, expect, it } from 'vitest';
import { floatToHalf, halfToFloat, halvesToFloats } from '../src/float16.ts';
import { rng } from './reference/random.ts';

/** Every finite half's value and bits, in order of value: an oracle that only relies on halves being ordered. */
const positives = Array.from({ length: 0x7c00 }, (_, bits) => halfToFloat(bits));

describe('half precision', () => {
  it.each([
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0x3c01, 1 + 2 ** -10],
    [0x4248, 3.140625],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xc000, -2],
    [0xfc00, -Infinity],
    [0x8000, -0],
  ])('%i is %f', (bits, value) => {
    expect(halfToFloat(bits)).toBe(value);
    expect(floatToHalf(value)).toBe(bits);
  });

  it('many at once equal each alone', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
    expect(halvesToFloats(all)).toEqual(Float32Array.from(all, halfToFloat));
  });

  it('NaN stays NaN', () => {
    for (const bits of [0x7c01, 0x7e00, 0xffff]) expect(halfToFloat(bits)).toBeNaN();
    expect(halfToFloat(floatToHalf(NaN))).toBeNaN();
  });

  it('every one of the 65536 halves round-trips and they grow with their bits', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToFloat(bits);
      if (!Number.isNaN(value) && floatToHalf(value) !== bits)
        throw new Error(`${bits} -> ${value} -> ${floatToHalf(value)}`);
    }
    for (let bits = 1; bits < positives.length; bits++) expect(positives[bits] > positives[bits - 1]).toBe(true);
  });

  it('half way between two halves goes to the even one, slightly off to the nearer', () => {
    for (let low = 0; low < positives.length - 1; low++) {
      const middle = (positives[low] + positives[low + 1]) / 2; // exact in f64
      const step = middle * 2 ** -50;
      const got = [middle - step, middle, middle + step].map(floatToHalf);
      const even = low % 2 === 0 ? low : low + 1;
      if (got[0] !== low || got[1] !== even || got[2] !== low + 1)
        throw new Error(`between ${low} and ${low + 1}: ${got}`);
    }
    expect(floatToHalf(65519.999)).toBe(0x7bff);
    expect(floatToHalf(65520)).toBe(0x7c00);
    expect(floatToHalf(-1e300)).toBe(0xfc00);
    expect(floatToHalf(2 ** -25)).toBe(0);
    expect(floatToHalf(2 ** -25 * 1.0001)).toBe(1);
    expect(floatToHalf(1e-310)).toBe(0);
  });

  it('random doubles go to their nearest half', () => {
    const random = rng(5);
    for (let n = 0; n < 2000; n++) {
      const value = (random.next() * 2 - 1) * 2 ** random.int(-26, 15);
      const got = Math.abs(halfToFloat(floatToHalf(value)) - value);
      const bits = floatToHalf(value) & 0x7fff;
      for (const neighbour of [bits - 1, bits + 1]) {
        if (neighbour >= 0 && neighbour < 0x7c00)
          expect(got).toBeLessThanOrEqual(Math.abs(positives[neighbour] - Math.abs(value)));
      }
    }
  });
});
