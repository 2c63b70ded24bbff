/** `--moment-in`: a map of moments from a PNG, and what is said of one that is none. */
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import { readMomentMap } from '../../src/node/momentMap.ts';
import { readMotionMaps, writeMotionMaps } from '../../src/node/motionMaps.ts';
import { readStack } from '../../src/node/index.ts';
import { decodeNpy } from '../../src/image/npy.ts';
import { readFileSync } from 'node:fs';
import { testDevice } from '../gpu.ts';
import { deghost, picture, scene } from './commandLine.ts';
import { temporaryFolder } from './pictures.ts';

const { path: folder, put } = temporaryFolder();
const [W, H] = [40, 24];
const at = (name: string): string => join(folder, name);

/** A grey PNG whose left columns have a value. */
async function map(name: string, value: number, channels: 1 | 3 = 1, bits: 8 | 16 = 8, width = W): Promise<string> {
  const raw = new (bits === 16 ? Uint16Array : Uint8Array)(width * H * channels);
  for (let y = 0; y < H; y++) raw.fill(value, y * width * channels, (y * width + 9) * channels);
  if (channels === 3) raw[1] = 77;
  const png = await sharp(raw, { raw: { width, height: H, channels } })
    .toColourspace(channels === 3 ? 'srgb' : bits === 16 ? 'grey16' : 'b-w')
    .png()
    .toBuffer();
  return put(name, png);
}

it('reads numbers of frames, and 0 as none', async () => {
  const read = await readMomentMap(await map('three.png', 3), 3, W, H);
  expect([...read.subarray(0, 12)]).toEqual([...Array(9).fill(2), 255, 255, 255]);
});

it('refuses maps that are none, naming the file, both values and the remedy', async () => {
  const cases: [file: Promise<string>, said: RegExp][] = [
    [map('wide.png', 1, 1, 8, 41), /wide\.png is 41x24, the frames are 40x24: a map has the size of its stack$/],
    [map('four.png', 4), /four\.png: row 0, column 0 is 4, the stack has 3 frames: paint 1 to 3, darkest first, or 0/],
    [map('colour.png', 1, 3), /colour\.png is in colour \(row 0, column 0\): a map of moments is grey, and its values/],
    [map('deep.png', 1, 1, 16), /deep\.png has 16 bits: a map of moments has 8/],
  ];
  for (const [file, said] of cases) await expect(readMomentMap(await file, 3, W, H)).rejects.toThrow(said);
});

it('is what the command merges', async () => {
  const files: string[] = [];
  for (const [k, time] of ['1/320', '1/80', '1/20'].entries())
    files.push(await picture(folder, `${k}.png`, scene(W, H, 4 ** (k - 1), 8 * k), W, H, time));
  await writeMotionMaps(
    at('.'),
    [0, 1, 2].map(() => new Float32Array(W * H).fill(1)),
    W,
    H,
  );
  const moment = await map('moment.png', 3);
  const options = ['--method', 'merge', '--align', 'none', '--response', 'gamma', '--motion-in', folder, '--quiet'];
  const ran = await deghost('merge', ...files, '-o', at('out.npy'), ...options, '--moment-in', moment);
  expect(ran.err + ran.code).toBe('0');
  const deghoster = await Deghoster.create({ device: await testDevice() });
  const expected = await deghoster.merge((await readStack(files)).frames, {
    method: 'merge',
    align: 'none',
    response: 'gamma',
    motion: await readMotionMaps(folder, 3, W, H, 1),
    moment: await readMomentMap(moment, 3, W, H),
  });
  deghoster.dispose();
  const { data } = decodeNpy(readFileSync(at('out.npy')));
  expect(Math.max(...expected.radiance.map((y, i) => Math.abs(y - data[i])))).toBeLessThan(1e-6);
  const blind = await deghost('merge', ...files, '-o', at('out.npy'), '--method', 'merge', '--moment-in', moment);
  expect(blind.err).toMatch(/--moment-in is given with --method merge, which finds no motion .*: add --motion-in/);
  expect(blind.code).toBe(2);
});
