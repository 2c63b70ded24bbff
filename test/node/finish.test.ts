/** Finished pictures in files: through the command line against f64, and Ultra HDR by hdrify. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJpegGainMap } from 'hdrify';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { Finisher } from '../../src/finish/finisher.ts';
import { lightStatistics, lookSettings } from '../../src/finish/looks.ts';
import { decodeNpy } from '../../src/image/npy.ts';
import { encodeSrgb } from '../../src/image/srgb.ts';
import { finishWith } from '../../src/node/finishWith.ts';
import { writeImage } from '../../src/node/writeImage.ts';
import { testDevice } from '../gpu.ts';
import { referenceFinish } from '../reference/finish.ts';
import { deghost, picture, scene } from './commandLine.ts';

const [width, height] = [37, 23];
const folder = mkdtempSync(join(tmpdir(), 'deghost-finish-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('deghost merge writes .png and previews by a look, natural by default', async () => {
  const stack = [
    await picture(folder, 'a.png', scene(width, height, 0.25), width, height, '1/320'),
    await picture(folder, 'b.png', scene(width, height, 1), width, height, '1/80'),
    await picture(folder, 'c.png', scene(width, height, 4), width, height, '1/20'),
  ];
  const merge = (...args: string[]) => deghost('merge', ...stack, '--method', 'merge', '--align', 'none', ...args);
  const first = await merge('-o', at('y.npy'), '--preview', at('preview.png'));
  expect(first.err).not.toContain('error');
  expect(first.code).toBe(0);
  expect((await merge('-o', at('vivid.png'), '--tone', 'vivid')).code).toBe(0);
  // The middle frame's exposure is four times the shortest's.
  const data = (decodeNpy(readFileSync(at('y.npy'))).data as Float32Array).map((y) => 4 * y);
  const luminances = Array.from({ length: data.length / 3 }, (_, i) =>
    [0.212639, 0.715169, 0.072192].reduce((sum, weight, c) => sum + weight * data[3 * i + c], 0),
  );
  for (const [file, look] of [
    ['preview.png', 'natural'],
    ['vivid.png', 'vivid'],
  ] as const) {
    const expected = referenceFinish({ data, width, height }, lookSettings(look, lightStatistics(luminances)));
    const raw = await sharp(readFileSync(at(file)))
      .raw()
      .toBuffer();
    expect(raw.length).toBe(expected.length);
    let worst = 0;
    expected.forEach((value, i) => (worst = Math.max(worst, Math.abs(raw[i] - 255 * encodeSrgb(value)))));
    expect(worst, file).toBeLessThan(0.6);
  }
  const unknown = await merge('-o', at('x.png'), '--tone', 'garish');
  expect(unknown.err).toContain('natural, vivid, soft, monochrome, photographic');
});

it('Ultra HDR has the look as its base, and more than white in its gain map', async () => {
  const size = 64;
  const radiance = Float32Array.from(
    { length: 3 * size * size },
    (_, i) => 2 ** ((12 * (Math.floor(i / 3) % size)) / size - 10),
  );
  const device = await testDevice();
  const image = { radiance, width: size, height: size, scale: 1 };
  await writeImage(at('a.uhdr.jpg'), image, { finish: finishWith(device, 'natural'), quality: 98 });
  const { data } = readJpegGainMap(readFileSync(at('a.uhdr.jpg')));
  const finisher = await Finisher.create(device, image);
  const settings = finisher.settingsOf('natural');
  const bright = await finisher.finish('linear', settings, { headroom: 3 });
  const codes = await finisher.finish('codes', settings);
  finisher.dispose();
  const base = await sharp(readFileSync(at('a.uhdr.jpg')))
    .raw()
    .toBuffer();
  expect(Math.max(...bright)).toBeGreaterThan(1.8);
  const offsets = Array.from({ length: size * size }, (_, i) => Math.abs(base[3 * i] - codes[3 * i])).sort(
    (a, b) => a - b,
  );
  expect(offsets[Math.floor(0.95 * offsets.length)]).toBeLessThanOrEqual(3);
  const ratios = Array.from({ length: size * size }, (_, i) => (data[4 * i] + 1 / 64) / (bright[3 * i] + 1 / 64));
  ratios.sort((a, b) => a - b);
  expect(ratios[Math.floor(0.02 * ratios.length)]).toBeGreaterThan(0.9);
  expect(ratios[Math.floor(0.98 * ratios.length)]).toBeLessThan(1.1);
});
