/** What local tone operators get wrong: halos beside edges, reversed gradients, lost texture. */
import { describe, expect, it } from 'vitest';
import { Finisher } from '../../src/finish/finisher.ts';
import type { FinishSettings } from '../../src/finish/settings.ts';
import { testDevice } from '../gpu.ts';

const GREY = 0.18;

/** The EV that a grey picture of the given EV is shown as. */
async function shown(
  width: number,
  height: number,
  ev: (x: number, y: number) => number,
  settings: Partial<FinishSettings>,
): Promise<Float64Array> {
  const radiance = new Float32Array(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) radiance.fill(GREY * 2 ** ev(x, y), 3 * (y * width + x), 3 * (y * width + x) + 3);
  const finisher = await Finisher.create(await testDevice(), { radiance, width, height });
  try {
    const finished = await finisher.finish('linear', settings);
    return Float64Array.from({ length: width * height }, (_, i) => Math.log2(finished[3 * i]));
  } finally {
    finisher.dispose();
  }
}

/** As strong as sliders go in opposite directions: the most that a halo could come from. */
const STRONG = { shadows: 100, highlights: -100, white: 6, black: -10 };
const LOOK = { shadows: 80, highlights: -80, clarity: 15, contrast: 5, white: 3, black: -6 };
/** As far as `natural` goes. */
const FARTHEST = { shadows: 90, highlights: -95, clarity: 15, contrast: 12, white: 1.9, black: -3.1 };

/** Halo of a row: most that either side differs from its end, in EV; and the steepest fall. */
function faults(row: Float64Array, edge: number, ramp: number): { halo: number; reversal: number } {
  const reach = Math.ceil(ramp / 2) + 1;
  let [halo, reversal] = [0, 0];
  for (let x = 0; x < row.length; x++) {
    const end = x < edge - reach ? row[0] : x > edge + reach ? row[row.length - 1] : undefined;
    if (end !== undefined) halo = Math.max(halo, Math.abs(row[x] - end));
    if (x > 0) reversal = Math.max(reversal, row[x - 1] - row[x]);
  }
  return { halo, reversal };
}

/** 2 % in EV. */
const HALO = Math.log2(1.02);

describe.each([
  ['strong sliders', STRONG, 0.12, 0.006],
  ['a look', LOOK, 0.12, 0.006],
  ['the strongest look', FARTHEST, 0.16, 0.008],
  ['a look with all clarity', { ...LOOK, clarity: 100 }, 0.2, 0.01],
] as const)('an edge of 6 EV with %s', (_, settings, mostHalo, mostReversal) => {
  // In a picture of 1024 pixels a block has 2 pixels, and the edge lies within one.
  it.each([
    [256, 128],
    [1024, 513],
  ])('has no halo in %i pixels', async (width, edge) => {
    for (const low of [-5, -3, -1]) {
      const finished = await shown(width, 4, (x) => (x < edge ? low : low + 6), settings);
      const { halo, reversal } = faults(finished.subarray(width, 2 * width), edge, 0);
      expect(halo).toBeLessThan(HALO);
      expect(reversal).toBeLessThan(0.001);
    }
  });

  it.each([5, 10, 20, 40])('that is a ramp of %i pixels of 512 has hardly any', async (ramp) => {
    const width = 512;
    const part = (x: number): number => Math.min(1, Math.max(0, (x - width / 2 + ramp / 2) / ramp));
    const finished = await shown(width, 4, (x) => -3 + 6 * part(x), settings);
    const { halo, reversal } = faults(finished.subarray(width, 2 * width), width / 2, ramp);
    expect(halo).toBeLessThan(mostHalo);
    expect(reversal).toBeLessThan(mostReversal);
  });
});

it.each([2, 4, 6])('a ramp of %i EV of any width has a halo of less than 0.09 EV with a look', async (stops) => {
  const width = 512;
  for (const ramp of [5, 10, 20, 40, 60, 80, 120, 160])
    for (const low of [-5, -3, -1]) {
      const part = (x: number): number => Math.min(1, Math.max(0, (x - width / 2 + ramp / 2) / ramp));
      const finished = await shown(width, 4, (x) => low + stops * part(x), LOOK);
      const { halo, reversal } = faults(finished.subarray(width, 2 * width), width / 2, ramp);
      expect(halo).toBeLessThan(0.09);
      expect(reversal).toBeLessThan(0.015);
    }
});

it('a slanted edge has no halo either', async () => {
  const size = 128;
  const isDark = (x: number, y: number): boolean => x + 0.6 * y < 90;
  const finished = await shown(size, size, (x, y) => (isDark(x, y) ? -3 : 3), LOOK);
  const [dark, bright] = [finished[0], finished[size * size - 1]];
  finished.forEach((ev, i) => {
    const level = isDark(i % size, Math.floor(i / size)) ? dark : bright;
    expect(Math.abs(ev - level)).toBeLessThan(HALO);
  });
});

it.each([
  [2, 0.5],
  [-3, 0.5],
  [-3, 0.25],
])(
  'texture about %d EV of %d EV keeps three quarters of its contrast with strong sliders',
  async (level, amplitude) => {
    const wave = (x: number, y: number): number => level + amplitude * Math.sin(((x + y) * Math.PI) / 4);
    const contrast = async (settings: Partial<FinishSettings>): Promise<number> => {
      const row = (await shown(128, 32, wave, settings)).subarray(128 * 16 + 40, 128 * 16 + 88);
      return Math.max(...row) - Math.min(...row);
    };
    const plain = await contrast({ white: STRONG.white, black: STRONG.black });
    expect(await contrast(STRONG)).toBeGreaterThan(0.75 * plain);
  },
);
