/** RAW files in Node, with DNGs made here: docs/raw.md says what is promised. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode as decodeTiff } from 'tiff';
import { afterAll, describe, expect, test } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import { cameraToSrgb } from '../../src/image/decode/raw.ts';
import { developColors } from '../../src/image/developColors.ts';
import { writeImage } from '../../src/node/writeImage.ts';
import { decodeExr } from '../../src/image/decode/floats.ts';
import type { DecodedImage } from '../../src/image/picture.ts';
import { loadExrs } from '../../src/node/decodePackages.ts';
import { readFrameFiles, readFrame } from '../../src/node/readImage.ts';
import { readStack, readStackFiles } from '../../src/node/readStack.ts';
import { testDevice } from '../gpu.ts';
import { CAMERA, PATCH, X_TRANS, cameraRgb, dng, patches } from '../rawDng.ts';
import type { DngPicture } from '../rawDng.ts';
import { deghost } from './commandLine.ts';

const folder = mkdtempSync(join(tmpdir(), 'deghost-raw-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [WIDTH, HEIGHT] = [96, 64];
const SIZE = { width: WIDTH, height: HEIGHT };

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function shoot(name: string, exposure: number, more: Partial<DngPicture> = {}): string {
  return put(name, dng({ ...SIZE, scene: patches, exposure, ...more }));
}

/** Mean of a patch's middle, by channel. */
function patchMean({ data, width }: Pick<DecodedImage, 'data' | 'width'>, column: number, row: number): number[] {
  const sum = [0, 0, 0];
  for (let y = row * PATCH + 5; y < row * PATCH + 11; y++)
    for (let x = column * PATCH + 5; x < column * PATCH + 11; x++)
      for (let c = 0; c < 3; c++) sum[c] += data[3 * (y * width + x) + c];
  return sum.map((value) => value / 36);
}

const everyPatch = [0, 1, 2, 3].flatMap((row) => [0, 1, 2, 3, 4, 5].map((column) => [column, row] as const));

/** A colour's samples after white balance, from 0 to 65535. */
function balanced(rgb: readonly number[], exposure: number, neutral = cameraRgb([1, 1, 1])): number[] {
  return cameraRgb(rgb).map((value, c) => Math.min(65535, Math.max(0, (value / neutral[c]) * exposure * 65535)));
}

/** The merged picture has the scene's colours. */
function expectPatches(data: Float32Array, width: number): void {
  for (const [column, row] of everyPatch) {
    const seen = patchMean({ data, width }, column, row);
    patches(column * PATCH, row * PATCH).forEach((value, c) =>
      expect(Math.abs(seen[c] - value)).toBeLessThan(0.02 * value + 0.004),
    );
  }
}

test('samples are the scene in white-balanced camera RGB, and exposures keep their ratio', async () => {
  const paths = [shoot('r1.dng', 0.2), shoot('r2.dng', 1.04)];
  const { images, frames, camera } = await readStackFiles(paths);
  expect(frames[1].exposure / frames[0].exposure).toBeCloseTo(5.2, 3);
  expect(images.map(({ bits, linear, format }) => [bits, linear, format])).toEqual([
    [16, true, 'raw'],
    [16, true, 'raw'],
  ]);
  expect(camera).toMatchObject({ make: 'Synth', model: 'Bayer 1' });
  for (const [column, row] of everyPatch) {
    const rgb = patches(column * PATCH, row * PATCH);
    const [short, long] = images.map((image) => patchMean(image, column, row));
    balanced(rgb, 0.2).forEach((value, c) => expect(Math.abs(short[c] - value)).toBeLessThan(0.005 * value + 6));
    if (Math.max(...long) < 60000)
      for (let c = 0; c < 3; c++) if (short[c] > 2000) expect(long[c] / short[c] / 5.2).toBeCloseTo(1, 2.31);
  }
});

test('all frames have the white balance of the reference', async () => {
  const own = cameraRgb([1, 1, 1]);
  const other = [own[0] * 0.8, 1, own[2] * 1.1];
  const paths = [shoot('w1.dng', 0.2), shoot('w2.dng', 0.8, { neutral: other }), shoot('w3.dng', 1.6)];
  const middle = await readStackFiles(paths);
  const darkest = await readStackFiles(paths, { reference: 0 });
  const rgb = patches(0, 0);
  for (const [images, neutral] of [
    [middle.images, other],
    [darkest.images, own],
  ] as const)
    [0.2, 0.8, 1.6].forEach((exposure, k) => {
      const seen = patchMean(images[k], 0, 0);
      balanced(rgb, exposure, neutral).forEach((value, c) => expect(seen[c] / value).toBeCloseTo(1, 2));
    });
  expect(middle.camera!.whiteBalance[0]).toBeCloseTo(1 / other[0], 4);
  expect(darkest.camera!.whiteBalance[0]).toBeCloseTo(1 / own[0], 4);
});

test('black and white level are the file’s', async () => {
  const [a, b] = await Promise.all([
    readFrame(shoot('b1.dng', 0.8, { black: 0 })),
    readFrame(shoot('b2.dng', 0.8, { black: 2048, white: 15000 })),
  ]);
  for (const [column, row] of everyPatch) {
    const [p, q] = [patchMean(a, column, row), patchMean(b, column, row)];
    p.forEach((value, c) => expect(Math.abs(value - q[c])).toBeLessThan(12));
  }
});

test('the first channel that clips is 1, and no frame is scaled by its own maximum', async () => {
  const grey = { scene: () => [1, 1, 1] };
  const bright = await readFrame(shoot('c1.dng', 3, grey));
  expect(patchMean(bright, 2, 2)).toEqual([65535, 65535, 65535]);
  const dark = await readFrame(shoot('c2.dng', 0.05, grey));
  patchMean(dark, 2, 2).forEach((value) => expect(value / (0.05 * 65535)).toBeCloseTo(1, 2));
});

test.each([3, 6, 8])('orientation %i is applied', async (orientation) => {
  const upright = await readFrame(shoot('o1.dng', 0.8));
  const image = await readFrame(shoot(`o${orientation}.dng`, 0.8, { orientation }));
  const isTurned = orientation !== 3;
  expect([image.width, image.height]).toEqual(isTurned ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]);
  expect(image.exif.orientation).toBe(orientation);
  const [columns, rows] = [WIDTH / PATCH, HEIGHT / PATCH];
  for (const [column, row] of everyPatch) {
    const at = {
      3: [columns - 1 - column, rows - 1 - row],
      6: [rows - 1 - row, column],
      8: [row, columns - 1 - column],
    }[orientation]!;
    const [p, q] = [patchMean(upright, column, row), patchMean(image, at[0], at[1])];
    p.forEach((value, c) => expect(Math.abs(value - q[c])).toBeLessThan(30));
  }
});

test('X-Trans is demosaiced', async () => {
  const big = { width: 640, height: 560, pattern: X_TRANS, scene: () => [0.4, 0.2, 0.1] };
  const image = await readFrame(shoot('x.dng', 0.8, big));
  const seen = patchMean(image, 5, 4);
  balanced([0.4, 0.2, 0.1], 0.8).forEach((value, c) => expect(seen[c] / value).toBeCloseTo(1, 2));
});

describe('what cannot be read is said with its name and a remedy', () => {
  const whole = dng({ ...SIZE, scene: patches, exposure: 1 });
  test.each<[string, Uint8Array, RegExp]>([
    ['cut.dng', whole.subarray(0, 4000), /cut\.dng cannot be developed.*16-bit TIFF/],
    [
      'half.dng',
      dng({ ...SIZE, scene: patches, exposure: 1, isLast: true }).subarray(0, 8000),
      /half\.dng cannot be developed.*end of file.*cut off/,
    ],
    [
      'junk.nef',
      Uint8Array.from({ length: 900 }, (_, i) => (i * 73 + 11) % 251),
      /junk\.nef cannot be developed.*TIFF/,
    ],
    [
      'huge.dng',
      dng({ ...SIZE, scene: patches, exposure: 1, saysWidth: 16000, saysHeight: 9000 }),
      /huge\.dng is 16000x9000 \(144 megapixels\).*scale/,
    ],
    [
      'stranger.dng',
      dng({ ...SIZE, scene: patches, exposure: 1, isUnknown: true }),
      /stranger\.dng is of a camera that LibRaw does not know \(Synth Bayer 1\): convert it/,
    ],
  ])('%s', async (name, bytes, message) => {
    await expect(readFrame(put(name, bytes))).rejects.toThrow(message);
  });

  test('a stack of two cameras', async () => {
    const paths = [shoot('m1.dng', 0.2), shoot('m2.dng', 0.8, { model: 'Bayer 2' })];
    await expect(readStackFiles(paths)).rejects.toThrow(/m1\.dng is of a Synth Bayer 1 and m2\.dng of a Synth Bayer 2/);
  });

  test('cancelling ends the workers', async () => {
    const paths = [shoot('a1.dng', 0.2), shoot('a2.dng', 0.8)];
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    const read = async () => {
      for await (const _ of readFrameFiles(paths, { signal: controller.signal }));
    };
    await expect(read()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test('the command line merges three RAW files to the colours of the scene, and no DNG of its own again', async () => {
  const paths = [shoot('s1.dng', 0.25), shoot('s2.dng', 1), shoot('s3.dng', 4)];
  const [exr, out] = [join(folder, 'merged.exr'), join(folder, 'merged.dng')];
  const ran = await deghost('merge', ...paths, '-o', exr, '--align', 'none', '--exr-type', 'float');
  expect(ran).toMatchObject({ code: 0 });
  const { data, width, height } = decodeExr(await loadExrs(), readFileSync(exr), exr);
  expect([width, height]).toEqual([WIDTH, HEIGHT]);
  expectPatches(data as Float32Array, width);
  const second = await deghost('merge', ...paths, '-o', out, '--align', 'none', '--method', 'merge');
  expect(second).toMatchObject({ code: 0 });
  await expect(readFrame(out)).rejects.toThrow(/merged\.dng is a floating-point DNG file.*merged already/);
}, 240_000);

test('a program that merges what readStack returns has the colours of the scene too', async () => {
  const paths = [shoot('p1.dng', 0.25), shoot('p2.dng', 1), shoot('p3.dng', 4)];
  const { frames, response, camera, notes } = await readStack(paths);
  expect([response, notes]).toEqual(['linear', []]);
  expect(camera).toMatchObject({ make: 'Synth', model: 'Bayer 1' });
  const deghoster = await Deghoster.create({ device: await testDevice() });
  try {
    const result = await deghoster.merge(frames, { response, method: 'merge', align: 'none' });
    const exr = join(folder, 'program.exr');
    await writeImage(exr, { ...result, camera }, { exr: 'float' });
    const { data, width } = decodeExr(await loadExrs(), readFileSync(exr), exr);
    expectPatches(data as Float32Array, width);
  } finally {
    deghoster.dispose();
  }
});

test('neutral stays neutral, and colours outside the working space are negative where files hold that', async () => {
  const toSrgb = cameraToSrgb(CAMERA);
  for (const row of [0, 3, 6]) expect(toSrgb[row] + toSrgb[row + 1] + toSrgb[row + 2]).toBeCloseTo(1, 9);
  const camera = { make: '', model: '', whiteBalance: [2, 1, 1.5] as const, colorMatrix: CAMERA, toSrgb };
  const image = { radiance: Float32Array.of(0, 1, 0), width: 1, height: 1, scale: 1, camera };
  expect(toSrgb[1]).toBeLessThan(0);
  await writeImage(join(folder, 'green.tif'), image, { tiff: 'float' });
  const [{ data }] = decodeTiff(readFileSync(join(folder, 'green.tif')));
  [1, 4, 7].forEach((at, c) => expect(data[c]).toBeCloseTo(toSrgb[at], 6));
  expect((await developColors(image.radiance, camera, 'srgb'))[0]).toBe(0);
});

test('of RAW and JPEG the batch takes the RAW', async () => {
  const pairs = mkdtempSync(join(folder, 'pairs-'));
  [0.25, 1, 4].forEach((exposure, i) => {
    const taken = `2026:11:26 10:09:2${i}`;
    writeFileSync(join(pairs, `P${i}.dng`), dng({ ...SIZE, scene: patches, exposure, taken }));
    writeFileSync(join(pairs, `P${i}.jpg`), 'a JPEG');
  });
  const ran = await deghost('batch', pairs, '-o', join(folder, 'out'), '--dry-run', '--json');
  expect(ran).toMatchObject({ code: 0 });
  const plan = JSON.parse(ran.out) as { stacks: { files: string[] }[] };
  expect(plan.stacks.map(({ files }) => files.map((file) => file.slice(-6)))).toEqual([['P0.dng', 'P1.dng', 'P2.dng']]);
});
