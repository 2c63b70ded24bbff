/** TIFF, DNG and Ultra HDR files, profiles and EXIF, read back by other people's readers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import exifr from 'exifr';
import { readJpegGainMap } from 'hdrify';
import sharp from 'sharp';
import { decode as decodeTiff } from 'tiff';
import { describe, expect, it } from 'vitest';
import { halfToFloat } from '../../src/float16.ts';
import { COLOR_SPACES, PRIMARIES, invert3, multiply3, rgbToXyz } from '../../src/image/colorSpace.ts';
import { cleanExif, extractExif } from '../../src/image/exifBlock.ts';
import { encodeIccProfile } from '../../src/image/iccEncoder.ts';
import { isSrgbProfile, parseMatrixProfile } from '../../src/image/iccProfile.ts';
import { decodeSrgb } from '../../src/image/srgb.ts';
import { entryNumber, readDirectory } from '../../src/image/tiffEntries.ts';
import { TONE_NAMES } from '../../src/image/toneMappings.ts';
import { writeImage } from '../../src/node/writeImage.ts';
import { writeSamples } from '../../src/node/writeSamples.ts';
import { noise16, random, temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
const at = (name: string) => join(folder, name);
const [width, height, scale] = [300, 270, 4];
const next = random(7);
const radiance = Float32Array.from({ length: width * height * 3 }, () => 2 ** (-10 * next()));
const target = { width, height, isSrgb: true };

const source = await sharp({ create: { width: 8, height: 6, channels: 3, background: 'red' } })
  .jpeg()
  .withExif({
    IFD0: { Make: 'Maker', Model: 'Model 1', Copyright: 'Someone', Orientation: '6', Software: 'Other' },
    IFD2: { ExposureTime: '1/80', FNumber: '8/1', ISOSpeedRatings: '100', DateTimeOriginal: '2024:01:02 03:04:05' },
    IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1', GPSLongitudeRef: 'W', GPSLongitude: '1/1 15/1 0/1' },
  })
  .toBuffer();
const exif = extractExif(source, target)!;
const image = { radiance, width, height, scale, exif };

async function expectExif(file: Buffer) {
  const tags = await exifr.parse(file, { tiff: true, exif: true, gps: true, translateValues: false });
  expect(tags).toMatchObject({ Make: 'Maker', Model: 'Model 1', Copyright: 'Someone', Orientation: 1 });
  expect(tags).toMatchObject({ Software: 'deghost', FNumber: 8, ISO: 100 });
  expect(tags.ExposureTime).toBeCloseTo(1 / 80, 9);
  expect(tags.latitude).toBeCloseTo(51.5, 9);
}

describe('TIFF', () => {
  it('holds floats exactly and halves to 11 bits, with profile and EXIF', async () => {
    await writeImage(at('float.tif'), image, { tiff: 'float' });
    const file = readFileSync(at('float.tif'));
    expect(decodeTiff(file)[0].data).toEqual(radiance.map((y) => y * scale));
    await expectExif(file);
    const metadata = await sharp(file).metadata();
    expect(metadata).toMatchObject({ width, height, depth: 'float' });
    expect(parseMatrixProfile(metadata.icc!)!.curves[0](0.5)).toBe(0.5);
    await writeImage(at('half.tif'), image);
    const halves = decodeTiff(readFileSync(at('half.tif')))[0].data;
    const isNear = (y: number, i: number) => Math.abs(halfToFloat(halves[i]) / (y * scale) - 1) <= 2 ** -11;
    expect(radiance.every(isNear)).toBe(true);
  });

  it('becomes float where a value exceeds the largest half', async () => {
    await writeImage(at('large.tif'), { radiance: Float32Array.of(1e5, 1, 0), width: 1, height: 1, scale: 1 });
    expect([...decodeTiff(readFileSync(at('large.tif')))[0].data]).toEqual([1e5, 1, 0]);
  });

  it('holds samples of 16 bits exactly, as PNG does', async () => {
    const data = noise16(width, height);
    for (const name of ['samples.tif', 'samples.png']) {
      await writeSamples(at(name), { data, width, height, exif, icc: encodeIccProfile('p3', 'srgb') });
      const file = readFileSync(at(name));
      const raw = await sharp(file, { ignoreIcc: true }).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer();
      expect(new Uint16Array(raw.buffer, raw.byteOffset, data.length)).toEqual(data);
      await expectExif(file);
    }
    await expect(writeSamples(at('samples.jpg'), { data, width, height })).rejects.toThrow('use the extension .tif');
  });
});

/** The tiles of a DNG, by the specification: deflated, bytes in planes, differences from pixel to pixel. */
function readDng(file: Buffer) {
  const first = readDirectory(file);
  const raw = readDirectory(file, entryNumber(first.find(({ tag }) => tag === 330)));
  const numbers = (directory: typeof raw, tag: number): number[] => {
    const { type, value } = directory.find((entry) => entry.tag === tag)!;
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    if (type === 3) return Array.from({ length: value.length / 2 }, (_, i) => view.getUint16(2 * i, true));
    if (type === 4) return Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i, true));
    return Array.from(
      { length: value.length / 8 },
      (_, i) => view.getInt32(8 * i, true) / view.getInt32(8 * i + 4, true),
    );
  };
  expect([numbers(raw, 262), numbers(raw, 259), numbers(raw, 317), numbers(raw, 339)]).toEqual([
    [34892],
    [8],
    [3],
    [3, 3, 3],
  ]);
  const [[w], [h], [side]] = [numbers(raw, 256), numbers(raw, 257), numbers(raw, 322)];
  const lengths = numbers(raw, 325);
  const data = new Float32Array(w * h * 3);
  numbers(raw, 324).forEach((offset, t) => {
    const bytes = inflateSync(file.subarray(offset, offset + lengths[t]));
    const x0 = (t % Math.ceil(w / side)) * side;
    const y0 = Math.floor(t / Math.ceil(w / side)) * side;
    for (let y = 0; y < Math.min(side, h - y0); y++) {
      const row = bytes.subarray(y * side * 6, (y + 1) * side * 6);
      for (let i = 3; i < row.length; i++) row[i] += row[i - 3];
      for (let i = 0; i < 3 * Math.min(side, w - x0); i++)
        data[3 * ((y0 + y) * w + x0) + i] = halfToFloat(row[i] * 256 + row[side * 3 + i]);
    }
  });
  return { data, first: (tag: number) => numbers(first, tag) };
}

describe('DNG', () => {
  const toSrgb = [1.6, -0.5, -0.1, -0.2, 1.5, -0.3, 0, -0.5, 1.5];
  const camera = {
    make: 'Maker',
    model: 'Model 2',
    whiteBalance: [2, 1, 1.5] as const,
    toSrgb,
    colorMatrix: multiply3(
      [1 / 2, 0, 0, 0, 1, 0, 0, 0, 1 / 1.5],
      multiply3(invert3(toSrgb), invert3(rgbToXyz(PRIMARIES.srgb))),
    ),
  };

  it('holds camera RGB without white balance, and its neutral', async () => {
    await writeImage(at('camera.dng'), { ...image, camera });
    const file = readFileSync(at('camera.dng'));
    const { data, first } = readDng(file);
    const gain = 2 ** first(50730)[0];
    expect(first(50730)).toEqual([2]);
    const neutral = first(50728);
    expect(neutral).toEqual([0.5, 1, 0.666667]);
    let worst = 0;
    data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs((value * gain) / neutral[i % 3] / (radiance[i] * scale) - 1));
    });
    expect(worst).toBeLessThan(2 ** -11 + 1e-6); // neutral is rounded to 1e-6
    expect(data.every((value) => value <= 1)).toBe(true);
    const tags = await exifr.parse(file, { tiff: true, exif: true });
    expect(tags).toMatchObject({ Model: 'Model 2', FNumber: 8 });
  });

  it('without a camera has the matrix of the working space: its white is neutral', async () => {
    for (const colorSpace of COLOR_SPACES) {
      await writeImage(at('space.dng'), { ...image, colorSpace });
      const { first } = readDng(readFileSync(at('space.dng')));
      const m = first(50721);
      const white = [0.3127 / 0.329, 1, (1 - 0.3127 - 0.329) / 0.329];
      for (const row of [0, 1, 2])
        expect(m[3 * row] * white[0] + m[3 * row + 1] + m[3 * row + 2] * white[2]).toBeCloseTo(1, 4);
      expect(first(50728)).toEqual([1, 1, 1]);
    }
  });

  it('other formats develop the camera RGB', async () => {
    await writeImage(at('camera.tif'), { ...image, camera }, { tiff: 'float' });
    const { data } = decodeTiff(readFileSync(at('camera.tif')))[0];
    for (const i of [0, 3000, 30000]) {
      const red = 1.6 * radiance[i] - 0.5 * radiance[i + 1] - 0.1 * radiance[i + 2];
      expect(data[i]).toBeCloseTo(red * scale, 5);
    }
  });
});

describe('JPEG, PNG and Ultra HDR', () => {
  it('carry EXIF and the profile', async () => {
    for (const name of ['out.jpg', 'out.png', 'out.uhdr.jpg']) {
      await writeImage(at(name), { ...image, colorSpace: 'p3' });
      const file = readFileSync(at(name));
      await expectExif(file);
      expect(Buffer.from((await sharp(file).metadata()).icc!)).toEqual(Buffer.from(encodeIccProfile('p3', 'srgb')));
    }
  });

  it('Ultra HDR gives the light back, by hdrify', async () => {
    const smooth = radiance.map((_, i) => 2 ** (-6 * ((Math.floor(i / 3) % width) / width)));
    await writeImage(at('smooth.uhdr.jpg'), { ...image, radiance: smooth });
    const { data } = readJpegGainMap(readFileSync(at('smooth.uhdr.jpg')));
    const ratios = Array.from({ length: width * height }, (_, p) => data[4 * p] / smooth[3 * p]).sort((a, b) => a - b);
    const median = ratios[ratios.length >> 1];
    expect(ratios[Math.floor(0.01 * ratios.length)] / median).toBeGreaterThan(0.93);
    expect(ratios[Math.floor(0.99 * ratios.length)] / median).toBeLessThan(1.07);
  });

  it('each tone operator gives a picture of its own; linear is the reference clipped at white', async () => {
    const seen = new Set<string>();
    for (const tone of TONE_NAMES) {
      await writeImage(at('tone.png'), image, { tone });
      const raw = await sharp(readFileSync(at('tone.png')))
        .raw()
        .toBuffer();
      seen.add(raw.toString('base64'));
      if (tone !== 'linear') continue;
      for (let i = 0; i < raw.length; i += 997)
        expect(Math.abs(decodeSrgb(raw[i] / 255) - Math.min(1, radiance[i] * scale))).toBeLessThan(0.005);
    }
    expect(seen.size).toBe(TONE_NAMES.length);
  });
});

describe('ICC profiles', () => {
  it('are understood: sRGB is sRGB, and all whites are D50', () => {
    expect(isSrgbProfile(encodeIccProfile('srgb', 'srgb'))).toBe(true);
    for (const space of COLOR_SPACES) {
      const { colorants } = parseMatrixProfile(encodeIccProfile(space, 'srgb'))!;
      [0.9642, 1, 0.8249].forEach((value, k) =>
        expect(colorants.reduce((sum, xyz) => sum + xyz[k], 0)).toBeCloseTo(value, 4),
      );
    }
  });

  it("lcms converts Rec. 2020's red as the matrices do", async () => {
    const data = Uint8Array.from({ length: 48 }, (_, i) => [200, 120, 90][i % 3]);
    await writeSamples(at('icc.png'), { data, width: 4, height: 4, icc: encodeIccProfile('rec2020', 'srgb') });
    const raw = await sharp(readFileSync(at('icc.png')))
      .toColourspace('srgb')
      .raw()
      .toBuffer();
    const light = [200, 120, 90].map((v) => decodeSrgb(v / 255));
    const m = multiply3(invert3(rgbToXyz(PRIMARIES.srgb)), rgbToXyz(PRIMARIES.rec2020));
    [0, 1, 2].forEach((c) => {
      const expected = m[3 * c] * light[0] + m[3 * c + 1] * light[1] + m[3 * c + 2] * light[2];
      expect(Math.abs(decodeSrgb(raw[c] / 255) - expected)).toBeLessThan(0.008);
    });
  });
});

describe('EXIF blocks', () => {
  it('are found in PNG, TIFF and WebP too, and are the same when cleaned twice', async () => {
    expect(cleanExif(exif, target)).toEqual(exif);
    const webp = await sharp(source).keepExif().webp().toBuffer();
    expect(readDirectory(extractExif(webp, target)!).map(({ tag }) => tag)).toContain(271);
    await writeImage(at('again.png'), image);
    expect(extractExif(readFileSync(at('again.png')), target)).toEqual(exif);
    await writeImage(at('again.tif'), image);
    expect(readDirectory(extractExif(readFileSync(at('again.tif')), target)!)).toEqual(readDirectory(exif));
  });

  it('are read from a big-endian Buffer without changing it', async () => {
    const before = Buffer.from(source);
    expect(extractExif(source, target)).toEqual(extractExif(new Uint8Array(before), target));
    expect(source.equals(before)).toBe(true);
  });

  it('hostile ones never throw and never grow', () => {
    const next = random(3);
    for (let k = 0; k < 3000; k++) {
      const block = exif.slice(0, 8 + Math.floor(next() * exif.length));
      for (let n = 0; n < 1 + (k % 8); n++)
        block[4 + Math.floor(next() * (block.length - 4))] = Math.floor(next() * 256);
      const clean = cleanExif(block, target);
      expect(clean.length).toBeLessThan(65527);
      expect(readDirectory(clean).find(({ tag }) => tag === 274)?.value[0]).toBe(1);
    }
    // Many entries that all claim the same large value.
    const bomb = new Uint8Array(20000);
    const view = new DataView(bomb.buffer);
    bomb.set([0x4d, 0x4d, 0, 42, 0, 0, 0, 8]);
    view.setUint16(8, 512);
    for (let i = 0; i < 512; i++) {
      [270, 2].forEach((value, j) => view.setUint16(10 + 12 * i + 2 * j, value));
      [8000, 8000].forEach((value, j) => view.setUint32(14 + 12 * i + 4 * j, value));
    }
    expect(cleanExif(bomb, target).length).toBeLessThan(65527);
  });
});
