/** The small pictures that cameras put beside a file's own are found, and nothing outside the file. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { embeddedPreviews, jpegSize } from '../../src/image/decode/embeddedPreviews.ts';
import { readExposureInfo } from '../../src/image/exif.ts';
import { extractExif } from '../../src/image/exifBlock.ts';
import { entryText, readDirectory } from '../../src/image/tiffEntries.ts';
import { exifReader } from '../../app/src/worker/decode/exifReader.ts';
import { cameraJpeg, cr3, plainJpeg } from '../cameraFiles.ts';
import { rng } from '../reference/random.ts';
import { dng, patches } from '../rawDng.ts';

const found = (file: Uint8Array): Buffer[] =>
  embeddedPreviews(file, file.length).map(({ from, length }) => Buffer.from(file.subarray(from, from + length)));

async function dngFile(more: object = {}): Promise<{ file: Uint8Array; small: Buffer; large: Buffer }> {
  const [small, large] = [await plainJpeg(40, 30, '#336699'), await plainJpeg(200, 150, '#996633')];
  const previews = [
    { jpeg: small, width: 40, height: 30 },
    { jpeg: large, width: 200, height: 150 },
  ];
  return { file: dng({ width: 32, height: 24, scene: patches, exposure: 1, previews, ...more }), small, large };
}

async function cr3File(): Promise<{ file: Buffer; thumbnail: Buffer; preview: Buffer }> {
  const [thumbnail, preview] = [await plainJpeg(160, 120, '#123456'), await plainJpeg(1620, 1080, '#654321')];
  return { file: cr3({ time: [1, 250], orientation: 8, thumbnail, preview }), thumbnail, preview };
}

describe('a camera’s small pictures', () => {
  it('of a JPEG are in the second directory of its EXIF', async () => {
    const { bytes, small } = await cameraJpeg(0);
    expect(found(bytes)).toEqual([small]);
  });

  it('of DNG are in directories of their own, and the sensor’s data is none', async () => {
    for (const isLast of [false, true]) {
      const { file, small, large } = await dngFile({ isLast });
      expect(found(file)).toEqual([large, small]);
    }
    expect(found(dng({ width: 32, height: 24, scene: patches, exposure: 1 }))).toEqual([]);
  });

  it('of CR3 are in boxes, as is how it was taken', async () => {
    const { file, thumbnail, preview } = await cr3File();
    expect(found(file)).toEqual([preview, thumbnail]);
    expect(await readExposureInfo(exifReader, file)).toEqual({ time: 1 / 250, fNumber: 7.1, iso: 400, orientation: 8 });
    const clean = readDirectory(extractExif(file, { width: 4, height: 4, isSrgb: true })!);
    expect(entryText(clean.find(({ tag }) => tag === 272))).toBe('Canon EOS R5');
  });

  it('are found from the file’s first bytes, wherever they lie', async () => {
    const { file, preview, thumbnail } = await cr3File();
    const head = file.subarray(0, file.indexOf(preview) + 100);
    expect(embeddedPreviews(head, file.length).map(({ length }) => length)).toEqual([preview.length, thumbnail.length]);
    // A file that is shorter than its boxes say.
    expect(embeddedPreviews(head, head.length).map(({ length }) => length)).toEqual([thumbnail.length]);
  });

  it('are none outside of the file, whatever it says', async () => {
    const { next } = rng(7);
    const { bytes, small } = await cameraJpeg(0);
    const at = bytes.indexOf(small);
    for (const length of [0, 4, 30, at, at + small.length - 1]) expect(found(bytes.subarray(0, length))).toEqual([]);
    for (const whole of [bytes, (await dngFile()).file, (await cr3File()).file])
      for (let round = 0; round < 300; round++) {
        const file = Uint8Array.from(whole.subarray(0, round % 3 ? whole.length : Math.floor(next() * whole.length)));
        // Counts, offsets and lengths are in the heads.
        for (let k = 0; k < 6; k++) file[Math.floor(next() * Math.min(file.length, 2048))] = [0, 1, 0xff, 0x80][k % 4];
        for (const { from, length } of embeddedPreviews(file, file.length)) {
          expect(from).toBeGreaterThanOrEqual(0);
          expect(from + length).toBeLessThanOrEqual(file.length);
        }
      }
  });

  it('are not looked for in circles', async () => {
    const { file } = await dngFile();
    const view = new DataView(file.buffer);
    const first = view.getUint32(4, true);
    // The directory after the first one is the first one.
    view.setUint32(first + 2 + 12 * view.getUint16(first, true), first, true);
    expect(found(file)).toHaveLength(2);
  });
});

it('a JPEG’s size is read where it is one that all readers know', async () => {
  const { file, large } = await dngFile();
  expect(jpegSize(large)).toEqual({ width: 200, height: 150 });
  const progressive = await sharp(large).jpeg({ progressive: true }).withMetadata().toBuffer();
  expect(jpegSize(progressive)).toEqual({ width: 200, height: 150 });
  const lossless = Buffer.from(large);
  lossless[large.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc3;
  expect(jpegSize(lossless)).toBeUndefined();
  expect([file, large.subarray(0, 20), large.subarray(2), new Uint8Array(0)].map(jpegSize)).toEqual(
    Array(4).fill(undefined),
  );
});
