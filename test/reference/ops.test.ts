/** The reference operations against values worked out by hand or in another way, and what the case tables promise. */
import { describe, expect, it } from 'vitest';
import {
  BLEND_CASES,
  EXPOSURE_CASES,
  MASK_CASES,
  MAX_POOL_CASES,
  MEAN_MAX_CASES,
  READ_CASES,
  UPSAMPLE_CASES,
} from '../cases/others.ts';
import { CONV_CASES, convData, randomCase } from '../cases/conv.ts';
import { pairwise } from '../cases/pairwise.ts';
import { addBase, align, hat, interpolate, linearise, toneMap } from './exposure.ts';
import { packNC4HW4, paddingLanes, unpackNC4HW4 } from './layout.ts';
import { conv2d, groupedRead, maxPool, padEdge, upsampleNearest } from './ops.ts';
import { expectClose, rng, worstDifference } from './random.ts';
import { tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** Convolution by its definition, output by output, asking for each input through a bounds check. */
function convByDefinition(
  x: Tensor,
  weight: ArrayLike<number>,
  o: number,
  y: number,
  px: number,
  k: number,
  dilation: number,
  perGroup: number,
  groupOutputs: number,
): number {
  let sum = 0;
  for (let i = 0; i < perGroup; i++) {
    for (let t = 0; t < k * k; t++) {
      const sy = y + (Math.floor(t / k) - (k - 1) / 2) * dilation;
      const sx = px + ((t % k) - (k - 1) / 2) * dilation;
      const inside = sy >= 0 && sx >= 0 && sy < x.h && sx < x.w;
      const channel = Math.floor(o / groupOutputs) * perGroup + i;
      if (inside) sum += weight[(o * perGroup + i) * k * k + t] * x.data[(channel * x.h + sy) * x.w + sx];
    }
  }
  return sum;
}

describe('conv2d', () => {
  it('by hand: a 3x3 of ones counts neighbours, bias and activation after', () => {
    const ones = tensor(1, 3, 3, Array(9).fill(1));
    const weight = Array(9).fill(1);
    expect([...conv2d(ones, { weight, outputs: 1, kernel: 3 }).data]).toEqual([4, 6, 4, 6, 9, 6, 4, 6, 4]);
    expect([...conv2d(ones, { weight, outputs: 1, kernel: 3, dilation: 2 }).data]).toEqual([4, 2, 4, 2, 1, 2, 4, 2, 4]);
    expect([
      ...conv2d(ones, { weight, bias: [-6], outputs: 1, kernel: 3, activation: 'leakyRelu', slope: 0.25 }).data,
    ]).toEqual([-0.5, 0, -0.5, 0, 3, 0, -0.5, 0, -0.5]);
    expect([...conv2d(ones, { weight, bias: [-6], outputs: 1, kernel: 3, activation: 'relu' }).data]).toEqual([
      0, 0, 0, 0, 3, 0, 0, 0, 0,
    ]);
    expect(
      conv2d(ones, { weight, bias: [-4 + Math.log(3)], outputs: 1, kernel: 3, activation: 'sigmoid' }).data[0],
    ).toBeCloseTo(0.75, 14);
  });

  it('it correlates: an off-centre tap shifts the picture', () => {
    const x = tensor(1, 2, 3, [1, 2, 3, 4, 5, 6]);
    expect([...conv2d(x, { weight: [0, 0, 0, 0, 0, 1, 0, 0, 0], outputs: 1, kernel: 3 }).data]).toEqual([
      2, 3, 0, 5, 6, 0,
    ]);
  });

  it('equals its definition on random cases', () => {
    const random = rng(21);
    for (let n = 0; n < 12; n++) {
      const c = {
        ...randomCase(random),
        activation: 'none' as const,
        bias: false,
        width: random.int(1, 12),
        height: random.int(1, 12),
      };
      const { input, weight, expected } = convData(c);
      const size = c.width * c.height;
      const direct = expected.data.map((_, i) =>
        convByDefinition(
          input,
          weight,
          Math.floor(i / size),
          Math.floor((i % size) / c.width),
          i % c.width,
          c.kernel,
          c.dilation,
          c.inputs / c.groups,
          c.outputs / c.groups,
        ),
      );
      expectClose(expected.data, direct, { tol: 1e-13, label: c.name });
    }
  });

  it('refuses weights and groups that do not fit', () => {
    expect(() => conv2d(tensor(3, 1, 1), { weight: [1], outputs: 1, kernel: 1 })).toThrow(
      /1 weights for \[1, 3, 1, 1\]/,
    );
    expect(() => conv2d(tensor(3, 1, 1), { weight: [1], outputs: 1, kernel: 1, groups: 2 })).toThrow(/2 groups/);
  });
});

describe('resampling', () => {
  const x = tensor(1, 3, 3, [1, 2, 9, 4, 3, 0, 5, 5, 5]);
  it('max-pool drops an odd last row and column', () => expect(maxPool(x)).toEqual(tensor(1, 1, 1, [4])));
  it('nearest doubles', () =>
    expect([...upsampleNearest(tensor(1, 1, 2, [1, 2])).data]).toEqual([1, 1, 2, 2, 1, 1, 2, 2]));
  it('padding replicates the bottom and right edge', () => {
    expect([...padEdge(tensor(1, 1, 3, [1, 2, 3]), 2).data]).toEqual([1, 2, 3, 3, 1, 2, 3, 3]);
    expect(padEdge(x, 3)).toEqual(x);
  });
});

describe('memory read', () => {
  it('output g sees channel g of every slot: a grouped conv of the memory with its channels shuffled', () => {
    const random = rng(4);
    const [slots, width] = [3, 4];
    const memory = tensor(slots * width, 2, 3, random.floats(slots * width * 6));
    const weight = random.floats(width * slots);
    const bias = random.floats(width);
    const shuffled = tensor(slots * width, 2, 3);
    for (let g = 0; g < width; g++)
      for (let s = 0; s < slots; s++)
        shuffled.data.set(memory.data.subarray((s * width + g) * 6, (s * width + g + 1) * 6), (g * slots + s) * 6);
    const expected = conv2d(shuffled, { weight, bias, outputs: width, kernel: 1, groups: width });
    expectClose(groupedRead(memory, weight, bias).data, expected.data, { tol: 1e-15, label: 'read' });
  });
});

describe('exposure maths', () => {
  it('hat', () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((x) => hat(x, false, false))).toEqual([0, 0.5, 1, 0.5, 0]);
    expect([0, 0.25, 0.5, 0.75, 1].map((x) => hat(x, true, false))).toEqual([0, 0.5, 1, 1, 1]);
    expect([0, 0.25, 0.5, 0.75, 1].map((x) => hat(x, false, true))).toEqual([1, 1, 1, 0.5, 0]);
  });
  it("align, linearise and the response agree: aligned frames have the reference's linear value", () => {
    const x = tensor(1, 1, 3, [0, 0.3, 1]);
    const aligned = align(x, 1, 4, 2.2);
    expect(aligned.data[2]).toBe(1);
    expect(linearise(aligned, 4, 2.2).data[1]).toBeCloseTo(linearise(x, 1, 2.2).data[1], 15);
  });
  it('interpolates a table, ends included', () => {
    expect([0, 0.25, 0.5, 0.875, 1].map((x) => interpolate([0, 1, 5], x))).toEqual([0, 0.5, 1, 4, 5]);
  });
  it('a zero correction gives the base back, clipped', () => {
    const base = tensor(1, 1, 3, [0, 0.25, 1]);
    expectClose(addBase(tensor(1, 1, 3), base, 4).data, [0.25e-6, 0.25, 0.9999], { tol: 1e-15, label: 'base' });
    expect(toneMap(tensor(1, 1, 2, [0, 1])).data).toEqual(new Float64Array([0, 1]));
  });
});

describe('layout', () => {
  it('packs four channels a block and unpacks from any channel', () => {
    const x = tensor(5, 1, 2, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const packed = packNC4HW4(x, -1);
    expect([...packed]).toEqual([1, 3, 5, 7, 2, 4, 6, 8, 9, -1, -1, -1, 10, -1, -1, -1]);
    expect(unpackNC4HW4(packed, 5, 1, 2)).toEqual(x);
    expect([...unpackNC4HW4(packed, 2, 1, 2, 3).data]).toEqual([7, 8, 9, 10]);
    expect(paddingLanes(packed, 5, 1, 2)).toEqual(Array(6).fill(-1));
  });
});

describe('comparison', () => {
  it('fails on what is far, NaN, infinite or of another length, naming the worst', () => {
    const close = (actual: number[], expected: number[], scale?: number) => () =>
      expectClose(actual, expected, { tol: 1e-5, scale, label: 'case' });
    expect(close([1, 2.00001], [1, 2])()).toBeCloseTo(0.5e-5, 9);
    expect(close([1, 2.1, 3.05], [1, 2, 3])).toThrow(
      /case: worst at index 1: 2.1, expected 2, off by 1.00e-1, allowed 3.00e-5/,
    );
    expect(close([NaN], [0])).toThrow(/index 0: NaN/);
    expect(close([0], [NaN])).toThrow(/expected NaN/);
    expect(close([Infinity], [-Infinity])).toThrow(/Infinity/);
    expect(close([0], [0, 0])).toThrow(/1 values, expected 2/);
    expect(close([0.0002], [0.0001], 1e-4)).toThrow();
    expect(worstDifference([NaN, Infinity], [NaN, Infinity]).difference).toBe(0);
  });
  it('generators repeat for a seed and differ between seeds', () => {
    expect(rng(1).floats(8)).toEqual(rng(1).floats(8));
    expect(rng(1).floats(8)).not.toEqual(rng(2).floats(8));
    const counts = [0, 0, 0, 0];
    const random = rng(3);
    for (let i = 0; i < 4000; i++) counts[random.int(0, 3)]++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe('case tables', () => {
  it('pairwise rows hold every pair', () => {
    const factors = { a: [1, 2, 3], b: ['x', 'y'], c: [true, false], d: [0, 1, 2, 3] };
    const rows = pairwise(factors, { seed: 9 });
    const seen = new Set(
      rows.flatMap((row) =>
        Object.entries(row).flatMap(([k, v]) => Object.entries(row).map(([l, u]) => `${k}${v}${l}${u}`)),
      ),
    );
    for (const [k, values] of Object.entries(factors))
      for (const [l, others] of Object.entries(factors))
        if (k !== l) for (const v of values) for (const u of others) expect(seen).toContain(`${k}${v}${l}${u}`);
    expect(rows.length).toBeLessThan(24);
  });

  it('conv cases reach every channel count without groups, kernel with dilation, activation with size', () => {
    const plain = CONV_CASES.filter((c) => c.groups === 1);
    const counts = [...Array.from({ length: 17 }, (_, i) => i + 1), 32, 96];
    for (const count of counts) {
      expect(
        plain.some((c) => c.inputs === count),
        `${count} inputs`,
      ).toBe(true);
      expect(
        CONV_CASES.some((c) => c.outputs === count),
        `${count} outputs`,
      ).toBe(true);
    }
    for (const kernel of [1, 3, 5, 7])
      for (const dilation of [1, 2, 3, 4])
        expect(
          CONV_CASES.some((c) => c.kernel === kernel && c.dilation === dilation),
          `${kernel} ${dilation}`,
        ).toBe(true);
    for (const activation of ['none', 'relu', 'leakyRelu', 'sigmoid'])
      for (const width of [1, 3, 16, 23, 33, 67])
        expect(
          CONV_CASES.some((c) => c.activation === activation && c.width === width),
          `${activation} ${width}`,
        ).toBe(true);
    for (const c of CONV_CASES) {
      expect((c.inputs % c.groups) + (c.outputs % c.groups) + (c.outputOffset % 4) + (c.inputOffset % 4), c.name).toBe(
        0,
      );
      expect(c.outputTotal, c.name).toBeGreaterThanOrEqual(c.outputOffset + c.outputs);
    }
  });

  it('every name is unique', () => {
    for (const cases of [
      CONV_CASES,
      MAX_POOL_CASES,
      UPSAMPLE_CASES,
      MASK_CASES,
      BLEND_CASES,
      MEAN_MAX_CASES,
      READ_CASES,
      EXPOSURE_CASES,
    ]) {
      expect(new Set(cases.map((c) => c.name)).size).toBe(cases.length);
      expect(cases.length).toBeGreaterThan(10);
    }
  });
});
