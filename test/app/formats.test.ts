/**
 * Every format that is read, in Node and in the page's decoders: both against the picture that the file was made from.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeExr } from 'hdrify';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRgbe } from '../../src/image/rgbe.ts';
import type { ColorSpace } from '../../src/image/colorSpace.ts';
import { tiff } from '../node/pictures.ts';
import type { TiffField } from '../node/pictures.ts';
import { inNode, openDecoders } from './decoders.ts';
import type { PageDecoders, Samples } from './decoders.ts';

const [W, H] = [56, 40];
/** The picture of test/pictures, in [0,1]. */
const ramp = Float32Array.from({ length: W * H * 3 }, (_, i) => {
  const [x, y] = [Math.floor(i / 3) % W, Math.floor(i / 3 / W)];
  return [x / (W - 1), y / (H - 1), (x + y) / (W + H - 2)][i % 3];
});
const fixture = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`../pictures/${name}`, import.meta.url)));
const raw8 = () =>
  sharp(
    Uint8Array.from(ramp, (v) => Math.round(255 * v)),
    { raw: { width: W, height: H, channels: 3 } },
  );
const raw16 = () =>
  sharp(
    Uint16Array.from(ramp, (v) => Math.round(65535 * v)),
    { raw: { width: W, height: H, channels: 3 } },
  ).toColourspace('rgb16');

let page: PageDecoders;
beforeAll(async () => {
  page = await openDecoders();
});
afterAll(() => page?.close());

/** Both sides' pictures. */
async function both(name: string, bytes: Uint8Array, space?: ColorSpace): Promise<[string, Samples][]> {
  return [
    ['node', await inNode(name, bytes, space)],
    ['page', await page.decode(name, bytes, space)],
  ];
}

/** Largest difference from a picture in [0,1], where there is data. */
function worst({ data, bits, coverage }: Samples, expected: ArrayLike<number> = ramp): number {
  const top = bits === 32 ? 1 : 2 ** bits - 1;
  let found = 0;
  data.forEach((value, i) => {
    if (coverage?.[Math.floor(i / 3)] !== 0) found = Math.max(found, Math.abs(value / top - expected[i]));
  });
  return found;
}

async function refused(name: string, bytes: Uint8Array, message: RegExp): Promise<void> {
  await expect(inNode(name, bytes)).rejects.toThrow(message);
  await expect(page.decode(name, bytes)).rejects.toThrow(message);
}

/** A float TIFF of one strip. */
function floatTiff(bits: 16 | 32, samples: Uint8Array, channels = 3, fields: TiffField[] = []): Buffer {
  const each = (value: number) => Array<number>(channels).fill(value);
  return tiff(
    [
      [256, 3, [W]],
      [257, 3, [H]],
      [258, 3, each(bits)],
      [259, 3, [1]],
      [262, 3, [2]],
      [277, 3, [channels]],
      [278, 3, [H]],
      [279, 4, [samples.length]],
      [339, 3, each(3)],
      ...fields,
    ],
    [],
    samples,
  );
}
const bytesOf = (array: Float32Array | Uint16Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Lossy 8-bit chroma at half size, of a picture that changes by 5 codes a pixel. */
const LOSSY = 14 / 255;

describe('formats', () => {
  it('WebP and AVIF of 8, 10 and 12 bit', async () => {
    for (const [, picture] of await both('a.webp', await raw8().webp({ lossless: true }).toBuffer())) {
      expect(picture.bits).toBe(8);
      expect(worst(picture)).toBeLessThan(0.5001 / 255);
    }
    for (const bitdepth of [8, 10, 12] as const) {
      const bytes = await (bitdepth === 8 ? raw8() : raw16())
        .avif({ quality: 100, chromaSubsampling: '4:4:4', bitdepth })
        .toBuffer();
      for (const [side, picture] of await both('a.avif', bytes)) {
        expect([side, picture.bits]).toEqual([side, bitdepth === 8 ? 8 : 16]);
        expect(worst(picture), `${side}, ${bitdepth} bit`).toBeLessThan(4 / 255);
      }
    }
  });

  it('white of a 10-bit AVIF is white', async () => {
    const white = sharp(new Uint16Array(W * H * 3).fill(65535), { raw: { width: W, height: H, channels: 3 } });
    const bytes = await white.toColourspace('rgb16').avif({ quality: 100, bitdepth: 10 }).toBuffer();
    for (const [side, { data }] of await both('w.avif', bytes))
      expect([side, Math.min(...data)]).toEqual([side, 65535]);
  });

  it('AVIF turned by its own properties', async () => {
    const bytes = await raw8().withMetadata({ orientation: 6 }).avif({ quality: 100 }).toBuffer();
    expect(bytes.includes('irot')).toBe(true);
    for (const [side, { width, height, data }] of await both('r.avif', bytes)) {
      expect([side, width, height]).toEqual([side, H, W]);
      expect(data[1], side).toBeGreaterThan(240); // the stored picture's last row is now the first column
      expect(data[3 * (H - 1) + 1], side).toBeLessThan(15);
    }
  });

  it('HEIC of 8 and 10 bit, JPEG XL of 16 bit; Display P3 stays what it is, or is converted', async () => {
    for (const [side, picture] of await both('a.heic', fixture('8bit.heic'))) {
      expect([side, picture.bits]).toEqual([side, 8]);
      expect(worst(picture), side).toBeLessThan(LOSSY);
    }
    for (const [name, limit] of [
      ['p3-10bit.heic', LOSSY],
      ['p3-16bit.jxl', 0.5001 / 65535],
    ] as const) {
      for (const [side, picture] of await both(name, fixture(name), 'p3')) {
        expect([side, picture.bits, picture.clippedColors]).toEqual([side, 16, undefined]);
        expect(worst(picture), `${name}, ${side}`).toBeLessThan(limit);
      }
      for (const [side, picture] of await both(name, fixture(name), 'srgb')) {
        expect(picture.clippedColors, `${name}, ${side}`).toBeGreaterThan(700);
      }
    }
  });

  it('alpha is coverage', async () => {
    for (const name of ['alpha.heic', 'alpha.jxl'])
      for (const [side, { coverage }] of await both(name, fixture(name)))
        expect(coverage && Array.from(coverage), `${name}, ${side}`).toEqual(
          Array.from({ length: W * H }, (_, p) => (p % W < 10 ? 0 : 1)),
        );
  });

  it('float TIFF of 16 and 32 bit, linear; alpha that is associated is divided out', async () => {
    const halves = Uint16Array.of(0x3800, 0x4000, 0xbc00); // 0.5, 2, -1
    const repeated = Uint16Array.from({ length: W * H * 3 }, (_, i) => halves[i % 3]);
    for (const [side, picture] of await both('h.tif', floatTiff(16, bytesOf(repeated)))) {
      expect([side, picture.bits, picture.linear]).toEqual([side, 32, true]);
      expect(Array.from(picture.data.subarray(0, 3))).toEqual([0.5, 1, 0]);
    }
    for (const [side, picture] of await both('f.tif', floatTiff(32, bytesOf(ramp)))) {
      expect([side, picture.linear]).toEqual([side, true]);
      expect(worst(picture), side).toBe(0);
    }
    const rgba = Float32Array.from({ length: W * H * 4 }, (_, i) => [0.3, 0.15, 0.6, 0.6][i % 4]);
    for (const [side, { data }] of await both('a.tif', floatTiff(32, bytesOf(rgba), 4, [[338, 3, [1]]])))
      [0.5, 0.25, 1].forEach((value, c) => expect(data[c], side).toBeCloseTo(value, 6));
    const bad = ramp.slice();
    bad[3 * (2 * W + 5) + 1] = NaN;
    await refused('nan.tif', floatTiff(32, bytesOf(bad)), /nan\.tif: row 2, column 5, channel 1 is NaN/);
  });

  it('OpenEXR and Radiance, linear', async () => {
    const rgba = Float32Array.from({ length: W * H * 4 }, (_, i) =>
      i % 4 === 3 ? 1 : ramp[Math.floor(i / 4) * 3 + (i % 4)],
    );
    for (const compression of ['none', 'rle', 'zips', 'zip', 'piz', 'pxr24'] as const) {
      const bytes = writeExr({ width: W, height: H, data: rgba, linearColorSpace: 'linear-rec709' }, { compression });
      for (const [side, picture] of await both('a.exr', bytes)) {
        expect([side, picture.bits, picture.linear]).toEqual([side, 32, true]);
        expect(worst(picture), `${compression}, ${side}`).toBeLessThan(2 ** -11); // halves
      }
      await refused('cut.exr', bytes.subarray(0, bytes.length - 40), /cut\.exr cannot be decoded/);
    }
    const bytes = Buffer.concat([...encodeRgbe(ramp, W, H, 1)]);
    for (const [side, picture] of await both('a.hdr', bytes)) {
      expect([side, picture.linear]).toEqual([side, true]);
      expect(worst(picture), side).toBeLessThan(1 / 128);
    }
  });

  it('CMYK JPEG', async () => {
    const grey = sharp(new Uint8Array(W * H * 3).fill(128), { raw: { width: W, height: H, channels: 3 } });
    const bytes = await grey.toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    for (const [side, { data, bits }] of await both('c.jpg', bytes)) {
      expect([side, bits]).toEqual([side, 8]);
      expect(Math.max(...data) - Math.min(...data), side).toBeLessThan(60); // one colour, whatever the inks
    }
  });

  it('cut off files are refused by name', async () => {
    await refused('cut.heic', fixture('8bit.heic').subarray(0, 900), /cut\.heic cannot be decoded/);
    await refused('cut.jxl', fixture('p3-16bit.jxl').subarray(0, 300), /cut\.jxl cannot be decoded/);
    const webp = await raw8().webp().toBuffer();
    await refused('cut.webp', webp.subarray(0, webp.length - 50), /cut\.webp cannot be decoded/);
  });
});
