/** Motion maps out and in, with and without edits. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import sharp from 'sharp';
import { beforeEach, expect, it } from 'vitest';
import { decodeNpy } from '../../src/image/npy.ts';
import { encodeNpy } from '../npy.ts';
import { checkMotionFolder, readMotionMaps, writeMotionMaps } from '../../src/node/motionMaps.ts';
import { random, temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
const W = 11;
const H = 6;
const dir = join(folder, 'maps');
const at = (name: string) => join(dir, name);

const next = random(3);
const short = Float32Array.from({ length: W * H }, () => next());
const long = Float32Array.from({ length: W * H }, () => (next() < 0.3 ? 1 : 0));
const union = short.map((w, i) => Math.max(w, long[i]));
const maps = [short, union, long];
const read = (reference = 1) => readMotionMaps(dir, 3, W, H, reference);
const grey = (values: ArrayLike<number>) =>
  sharp(Uint8Array.from(values), { raw: { width: W, height: H, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();

beforeEach(async () => {
  rmSync(dir, { recursive: true, force: true });
  await writeMotionMaps(dir, maps, W, H);
});

it('writes round(255 W) as 8-bit grey and W as float32', () => {
  for (const [i, map] of maps.entries()) {
    const png = PNG.sync.read(readFileSync(at(`motion-${i + 1}.png`)));
    expect([png.width, png.height]).toEqual([W, H]);
    expect(readFileSync(at(`motion-${i + 1}.png`))[25]).toBe(0); // colour type: grey
    expect(Array.from(png.data).filter((_, k) => k % 4 === 0)).toEqual(Array.from(map, (w) => Math.round(255 * w)));
    expect(decodeNpy(readFileSync(at(`motion-${i + 1}.npy`)))).toEqual({ data: map, shape: [H, W] });
  }
});

it('reads them back exactly', async () => {
  expect(await read()).toEqual(maps);
});

it('an edited PNG wins over its NPY, and the union follows', async () => {
  const edited = Array.from(long, (w, i) => (i < W ? 128 : 255 * w));
  writeFileSync(at('motion-3.png'), await grey(edited));
  const got = await read();
  const want = Float32Array.from(edited, (v) => v / 255);
  expect(got[0]).toEqual(short);
  expect(got[2]).toEqual(want);
  expect(got[1]).toEqual(short.map((w, i) => Math.max(w, want[i])));
});

it('an edited map of the reference is taken as it is', async () => {
  writeFileSync(at('motion-2.png'), await grey(new Uint8Array(W * H).fill(255)));
  expect((await read())[1]).toEqual(new Float32Array(W * H).fill(1));
  rmSync(at('motion-2.png'));
  writeFileSync(at('motion-2.npy'), encodeNpy(new Float32Array(W * H).fill(0.5), [H, W]));
  expect((await read())[1]).toEqual(new Float32Array(W * H).fill(0.5));
});

it('without maps of the reference it is the union; PNG or NPY alone will do', async () => {
  for (const name of ['motion-2.png', 'motion-2.npy', 'motion-1.png', 'motion-3.npy']) rmSync(at(name));
  expect(await read()).toEqual(maps);
});

it('takes PNGs as editors save them: RGB, alpha, 16 bit', async () => {
  for (const k of [1, 2, 3]) rmSync(at(`motion-${k}.npy`));
  const values = Uint8Array.from(long, (w, i) => (255 * w) ^ i);
  writeFileSync(
    at('motion-3.png'),
    await sharp(
      Uint8Array.from({ length: W * H * 4 }, (_, i) => (i % 4 === 3 ? 255 : values[i >> 2])),
      { raw: { width: W, height: H, channels: 4 } },
    )
      .withIccProfile('srgb')
      .png()
      .toBuffer(),
  );
  const deep = Uint16Array.from({ length: W * H * 3 }, (_, i) => Math.floor(i / 3) * 990);
  writeFileSync(
    at('motion-1.png'),
    await sharp(deep, { raw: { width: W, height: H, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer(),
  );
  const got = await read();
  expect(got[2]).toEqual(Float32Array.from(values, (v) => v / 255));
  expect(got[0]).toEqual(Float32Array.from({ length: W * H }, (_, i) => (i * 990) / 65535));
});

it.each<[string, () => unknown, RegExp]>([
  [
    'a missing map',
    () => ['png', 'npy'].forEach((e) => rmSync(at(`motion-3.${e}`))),
    /motion-3\.png is missing, and so is motion-3\.npy/,
  ],
  [
    'a map too many',
    () => writeFileSync(at('motion-4.png'), 'x'),
    /motion-4\.png is a map of frame 4, the stack has 3/,
  ],
  [
    'NaN',
    () =>
      writeFileSync(
        at('motion-1.npy'),
        encodeNpy(
          short.map((w, i) => (i === 12 ? NaN : w)),
          [H, W],
        ),
      ),
    /motion-1\.npy: row 1, column 1 is NaN, values must be in \[0,1\]/,
  ],
  [
    'a value above 1',
    () =>
      writeFileSync(
        at('motion-2.npy'),
        encodeNpy(
          short.map(() => 1.5),
          [H, W],
        ),
      ),
    /motion-2\.npy: row 0, column 0 is 1\.5/,
  ],
  [
    'another size',
    () => writeFileSync(at('motion-1.npy'), encodeNpy(short, [W, H])),
    /motion-1\.npy is 6x11, the frames are 11x6/,
  ],
  [
    'three dimensions',
    () => writeFileSync(at('motion-1.npy'), encodeNpy(short, [H, W, 1])),
    /motion-1\.npy: a map is a float32 array/,
  ],
  [
    'bytes',
    () => writeFileSync(at('motion-1.npy'), encodeNpy(new Uint8Array(W * H), [H, W])),
    /motion-1\.npy: a map is a float32 array/,
  ],
  ['no NPY', () => writeFileSync(at('motion-1.npy'), 'x'), /motion-1\.npy: not a \.npy file/],
  ['no PNG', () => writeFileSync(at('motion-1.png'), 'x'), /motion-1\.png cannot be decoded/],
  [
    'a cut PNG',
    () => writeFileSync(at('motion-1.png'), readFileSync(at('motion-1.png')).subarray(0, -30)),
    /motion-1\.png cannot be decoded/,
  ],
  ['no folder', () => rmSync(dir, { recursive: true }), /cannot read motion maps from .*maps: no such file or folder/],
])('refuses %s', async (_, spoil, message) => {
  spoil();
  await expect(read()).rejects.toThrow(
    expect.objectContaining({ code: 'input', message: expect.stringMatching(message) }),
  );
});

it('refuses PNGs of another size or in colour', async () => {
  writeFileSync(
    at('motion-1.png'),
    await sharp(new Uint8Array(W * H), { raw: { width: H, height: W, channels: 1 } })
      .png()
      .toBuffer(),
  );
  await expect(read()).rejects.toThrow(/motion-1\.png is 6x11, the frames are 11x6/);
  writeFileSync(
    at('motion-1.png'),
    await sharp(new Uint8Array(W * H * 3).fill(7).fill(8, 40, 41), { raw: { width: W, height: H, channels: 3 } })
      .png()
      .toBuffer(),
  );
  await expect(read()).rejects.toThrow(/motion-1\.png is in colour \(row 1, column 2\)/);
});

it('creates the folder, but not its parents', async () => {
  rmSync(dir, { recursive: true });
  await checkMotionFolder(dir);
  expect(existsSync(dir)).toBe(true);
  await checkMotionFolder(dir);
  await expect(checkMotionFolder(join(folder, 'no', 'maps'))).rejects.toThrow(
    /cannot create .*maps: the folder .*no does not exist, create it first/,
  );
  writeFileSync(join(folder, 'plain'), '');
  await expect(checkMotionFolder(join(folder, 'plain'))).rejects.toThrow(/plain: it is not a folder/);
  mkdirSync(join(folder, 'two'));
  await expect(writeMotionMaps(join(folder, 'two'), [short.map(() => 2)], W, H)).rejects.toThrow(
    'motion map 1: row 0, column 0 is 2',
  );
  await expect(writeMotionMaps(join(folder, 'two'), [short], W, H + 1)).rejects.toThrow('66 values, 11x7 needs 77');
});
