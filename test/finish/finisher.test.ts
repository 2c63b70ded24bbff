/** Finishing on the device against f64, and what each setting does. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { Finisher } from '../../src/finish/finisher.ts';
import type { RadiancePicture } from '../../src/finish/pictures.ts';
import { FINISH_RANGES, completeSettings } from '../../src/finish/settings.ts';
import type { FinishSettings } from '../../src/finish/settings.ts';
import { testDevice } from '../gpu.ts';
import { referenceDisplay, referenceFinish, referenceHue } from '../reference/finish.ts';
import { rng } from '../reference/random.ts';

/** Runs with a finisher of a picture. */
async function withFinisher<T>(picture: RadiancePicture, use: (finisher: Finisher) => Promise<T>): Promise<T> {
  const finisher = await Finisher.create(await testDevice(), picture);
  try {
    return await use(finisher);
  } finally {
    finisher.dispose();
  }
}

/** Display-linear. */
const linear = (picture: RadiancePicture, settings: Partial<FinishSettings>): Promise<Float32Array> =>
  withFinisher(picture, (finisher) => finisher.finish('linear', settings));

/** Coloured noise over 16 EV, with an edge, black pixels and very bright ones. */
function colors(width: number, height: number): Float32Array<ArrayBuffer> {
  const random = rng(7);
  const next = (): number => random.next();
  const data = new Float32Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const ev = (i % width < width / 2 ? -6 : 1) + 4 * next() - 2;
    for (let c = 0; c < 3; c++) data[3 * i + c] = 0.18 * 2 ** (ev + 2 * next() - 1);
  }
  data.fill(0, 0, 6);
  data.fill(1e4, 6, 9);
  data.set([0.9, 0, 0, 0, 0, 3, 1e-9, 0, 0, -0.5, 0.2, 0.1], 9);
  return data;
}

const picture = { radiance: colors(40, 27), width: 40, height: 27 };
const all: Partial<FinishSettings> = {
  exposure: 0.7,
  contrast: 20,
  highlights: -60,
  shadows: 70,
  clarity: 40,
  saturation: 25,
  white: 3.5,
  black: -7,
};

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs(a[i] - b[i]);
    if (!(off <= most)) most = off;
  }
  return most;
}

/** Luminances, sRGB. */
const luminances = (data: ArrayLike<number>): number[] =>
  Array.from(
    { length: data.length / 3 },
    (_, i) => 0.2126 * data[3 * i] + 0.7152 * data[3 * i + 1] + 0.0722 * data[3 * i + 2],
  );
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('a finished picture', () => {
  it.each<[string, Partial<FinishSettings>]>([
    ['no settings', {}],
    ['all settings', all],
    ['the opposite of all', { ...all, contrast: -40, highlights: 50, shadows: -60, clarity: -50, saturation: -70 }],
  ])('is as the reference says: %s', async (_, settings) => {
    const { radiance: data, ...size } = picture;
    const expected = referenceFinish({ data, ...size }, completeSettings(settings));
    const off = worst(await linear(picture, settings), expected);
    expect(off).toBeLessThan(1e-4);
  });

  it.each(['p3', 'rec2020'] as const)('has the luminance and the colours of %s', async (colorSpace) => {
    const { radiance: data, ...size } = picture;
    const expected = referenceFinish({ data, ...size, space: colorSpace }, completeSettings(all));
    expect(worst(await linear({ ...picture, colorSpace }, all), expected)).toBeLessThan(1e-4);
  });

  it('as codes is the same under sRGB curve', async () => {
    const [floats, codes] = await withFinisher(picture, async (finisher) => [
      await finisher.finish('linear', all),
      await finisher.finish('codes', all),
    ]);
    const encode = (x: number): number => (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055);
    floats.forEach((x, i) => expect(Math.abs(codes[i] - 255 * encode(x))).toBeLessThan(0.505));
  });

  it('is the same in bands, whatever its blocks', async () => {
    // A tall picture of more pixels than a band holds: both halves of it are one picture, twice as large.
    const [width, height] = [600, 2000];
    const radiance = new Float32Array(3 * width * height);
    for (let i = 0; i < width * height; i++)
      radiance.fill(0.18 * 2 ** (((i % width) / width) * 6 - 3 + Math.floor(i / width) / height), 3 * i, 3 * i + 3);
    const finished = await linear({ radiance, width, height }, { shadows: 80, highlights: -80 });
    // Smooth across the bands' border, as everywhere.
    let step = 0;
    for (let i = 300; i < width * (height - 1); i += width)
      step = Math.max(step, Math.abs(finished[3 * (i + width)] - finished[3 * i]));
    expect(step).toBeLessThan(0.001);
  });
});

describe('settings', () => {
  it('that are 0 leave light under the base curve alone', async () => {
    const grey = new Float32Array(3 * 24 * 8);
    for (let i = 0; i < 24 * 8; i++) grey.fill(0.18 * 2 ** ((i % 24) / 2 - 8), 3 * i, 3 * i + 3);
    const display = referenceDisplay(completeSettings({}));
    const out = await linear({ radiance: grey, width: 24, height: 8 }, {});
    for (let i = 0; i < grey.length; i++)
      expect(Math.abs(out[i] - display(Math.log2(grey[i] / 0.18)))).toBeLessThan(1e-6);
  });

  it('each does what it says', async () => {
    await withFinisher(picture, async (finisher) => {
      const base = await finisher.finish('linear', { white: 6 });
      const of = async (settings: Partial<FinishSettings>): Promise<number[]> =>
        luminances(await finisher.finish('linear', { white: 6, ...settings }));
      const before = luminances(base);
      const lights = luminances(picture.radiance);
      const dark = (values: number[]): number => mean(values.filter((_, i) => lights[i] < 0.05));
      const bright = (values: number[]): number => mean(values.filter((_, i) => lights[i] > 0.5 && lights[i] < 100));
      expect(mean(await of({ exposure: 1 }))).toBeGreaterThan(mean(before) * 1.2);
      const lifted = await of({ shadows: 60 });
      expect(dark(lifted)).toBeGreaterThan(dark(before) * 1.3);
      expect(Math.abs(bright(lifted) - bright(before))).toBeLessThan(0.002);
      const pressed = await of({ highlights: -60 });
      expect(bright(pressed)).toBeLessThan(bright(before) * 0.95);
      expect(Math.abs(dark(pressed) - dark(before))).toBeLessThan(0.002);
      const steep = await of({ contrast: 50 });
      expect(dark(steep)).toBeLessThan(dark(before));
      expect(bright(steep)).toBeGreaterThan(bright(before));
      expect(mean(await of({ white: 3 }))).toBeGreaterThan(mean(before));
      expect(dark(await of({ black: -4 }))).toBeLessThan(dark(before));
      const grey = await finisher.finish('linear', { white: 6, saturation: -100 });
      for (let i = 0; i < grey.length; i += 3)
        expect(Math.max(Math.abs(grey[i] - grey[i + 1]), Math.abs(grey[i] - grey[i + 2]))).toBeLessThan(1e-4);
      const spread = (data: ArrayLike<number>): number =>
        mean(Array.from({ length: data.length / 3 }, (_, i) => Math.abs(data[3 * i] - data[3 * i + 2])));
      expect(spread(await finisher.finish('linear', { white: 6, saturation: 40 }))).toBeGreaterThan(1.1 * spread(base));
      const balanced = async (settings: Partial<FinishSettings>): Promise<number[]> => {
        const data = await finisher.finish('linear', { white: 6, ...settings });
        return [0, 1, 2].map((c) => mean(Array.from({ length: data.length / 3 }, (_, i) => data[3 * i + c])));
      };
      const [neutral, warm, magenta] = [
        await balanced({}),
        await balanced({ temperature: 60 }),
        await balanced({ tint: 50 }),
      ];
      expect(warm[0] / warm[2]).toBeGreaterThan((1.2 * neutral[0]) / neutral[2]);
      expect(magenta[1] / (magenta[0] + magenta[2])).toBeLessThan((0.95 * neutral[1]) / (neutral[0] + neutral[2]));
    });
  });

  it('clarity strengthens texture and leaves a plain surface', async () => {
    const size = 64;
    const radiance = new Float32Array(3 * size * size);
    for (let i = 0; i < size * size; i++)
      radiance.fill(0.18 * 2 ** (0.3 * Math.sin(((i % size) + Math.floor(i / size)) * 1.5)), 3 * i, 3 * i + 3);
    await withFinisher({ radiance, width: size, height: size }, async (finisher) => {
      const range = async (clarity: number): Promise<number> => {
        const data = (await finisher.finish('linear', { clarity })).slice(3 * size * 30, 3 * size * 34);
        return Math.log2(Math.max(...data) / Math.min(...data));
      };
      const [less, none, more] = [await range(-50), await range(0), await range(50)];
      expect(more / none).toBeGreaterThan(1.2);
      expect(less / none).toBeLessThan(0.8);
    });
  });

  it.each([
    ['a lamp', [20, 7, 0.6]],
    ['a sky', [0.5, 0.98, 2]],
    ['a blue lamp', [0.1, 0.3, 20]],
  ])('keep the hue of %s that is too bright for the display', async (_, light) => {
    const radiance = new Float32Array(3 * 16 * 16).fill(0.05);
    radiance.set(light, 3 * 120);
    const out = await linear({ radiance, width: 16, height: 16 }, { white: 4, highlights: -50, saturation: 15 });
    const shown = [...out.slice(360, 363)];
    expect(Math.max(...shown)).toBeGreaterThan(0.99);
    const [a, b] = [light, shown].map(referenceHue);
    expect(Math.abs(((a - b + 540) % 360) - 180)).toBeLessThan(0.5);
    expect(Math.max(...shown) - Math.min(...shown)).toBeGreaterThan(0.2);
  });

  it.each(Object.entries(FINISH_RANGES))('%s out of its range is refused with both values', (name, [least, most]) => {
    for (const value of [least - 1, most + 1, NaN])
      expect(() => completeSettings({ [name]: value })).toThrow(
        `${name} is ${value}, it must be from ${least} to ${most}`,
      );
  });

  it('that do not exist are refused', () => {
    expect(() => completeSettings({ warmth: 1 } as never)).toThrow('has no option "warmth": its options are exposure,');
  });
});

describe('a finisher', () => {
  it('stops when its signal fires, and goes on with the next picture', async () => {
    await withFinisher(picture, async (finisher) => {
      const stop = new AbortController();
      stop.abort();
      await expect(finisher.finish('codes', {}, { signal: stop.signal })).rejects.toThrow('cancelled');
      const shares: number[] = [];
      await finisher.finish('codes', {}, { onProgress: (share) => shares.push(share) });
      expect([shares[0], shares.at(-1)]).toEqual([0, 1]);
    });
  });

  it.each(['finish', 'preview', 'histogram', 'live'] as const)(
    'that is disposed while it works says so: %s',
    async (call) => {
      const device = await testDevice();
      for (const turns of [0, 1, 10, 100, 1000]) {
        const finisher = await Finisher.create(device, picture);
        const ask = (): Promise<unknown> =>
          call === 'finish' ? finisher.finish('codes', {}) : (finisher[call]({}) as Promise<unknown>);
        const asked = Promise.allSettled([ask(), ask()]);
        for (let k = 0; k < turns; k++) await undefined;
        finisher.dispose();
        const why = 'this Finisher is disposed: create another';
        for (const outcome of await asked)
          if (outcome.status === 'rejected') expect(outcome.reason).toEqual(new UsageError(why));
        await expect(ask()).rejects.toThrow(why);
      }
    },
  );

  it('refuses radiance that was transferred meanwhile', async () => {
    const radiance = new Float32Array(3 * 8 * 8).fill(0.5);
    await withFinisher({ radiance, width: 8, height: 8 }, async (finisher) => {
      structuredClone(radiance.buffer, { transfer: [radiance.buffer] });
      await expect(finisher.finish('codes', {})).rejects.toThrow('the radiance was transferred: keep it');
    });
  });

  it('refuses a picture whose values are not its size', async () => {
    const device = await testDevice();
    await expect(Finisher.create(device, { ...picture, height: 28 })).rejects.toThrow('3240 values for 40x28');
    await expect(Finisher.create(device, { ...picture, scale: 0 })).rejects.toThrow(
      'scale is 0, it must be from 1e-38 to 1e+38',
    );
  });
});
