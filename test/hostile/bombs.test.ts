/**
 * Small files that say or hold too much: each is refused by name, at once, and without the memory that it asks for. In
 * Node as the command line reads them, and by the page's own readers.
 */
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jpegHeader, pngHeader, webpHeader } from '../../app/src/worker/decode/header.ts';
import { checkedBitmap } from '../../app/src/worker/decode/checkedBitmap.ts';
import { decodePng16 } from '../../app/src/worker/decode/png16.ts';
import { SRGB } from '../../src/image/decode/sourceColor.ts';
import { decodeRadiance } from '../../src/image/decode/floats.ts';
import { unpackLzw } from '../../src/image/decode/lzw.ts';
import { decodeTiff } from '../../src/image/decode/tiff.ts';
import { InputError } from '../../src/index.ts';
import { readFrame } from '../../src/node/index.ts';
import { tiffPackages } from '../../src/node/decodePackages.ts';
import { temporaryFolder } from '../node/pictures.ts';
import {
  SIZE,
  ZEROS,
  claimingExif,
  deflated16,
  deflatedPng,
  directories,
  longJpeg,
  packed,
  profileBomb,
  shortWebp,
  wideRadiance,
  withScans,
} from './files.ts';

const MOST_BYTES = 200 * 2 ** 20;
/** Of processors' time, all threads together, so that it does not matter what else the machine does. */
const MOST_MS = 2000;

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

const PNG_PACKAGES = { exifr: async () => (await import('exifr')).default, fastPng: () => import('fast-png') };
const folder = temporaryFolder();

/** What reading throws; it takes little time and memory. */
async function refusal(work: () => unknown): Promise<Error> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
  const begun = process.cpuUsage();
  try {
    await work();
    throw new Error('it was accepted');
  } catch (error) {
    most = Math.max(most, process.memoryUsage().rss);
    expect(cpuMs(begun)).toBeLessThan(MOST_MS);
    expect(most - before).toBeLessThan(MOST_BYTES);
    return error as Error;
  } finally {
    clearInterval(watch);
  }
}

describe('the page refuses', () => {
  const cases: Record<string, [work: () => unknown, message: RegExp]> = {
    'a profile of a PNG': [
      () => pngHeader(profileBomb(), 'x.png'),
      /^x\.png: its colour profile unpacks to more than 4000000 bytes/,
    ],
    'the picture of a 16-bit PNG': [
      () => decodePng16(deflated16(ZEROS), 'x.png', SRGB, PNG_PACKAGES),
      /^x\.png: its picture unpacks to more than 392 bytes/,
    ],
    'the picture of a PNG, which the browser would unpack': [
      () => pngHeader(deflatedPng(ZEROS, 8), 'x.png'),
      /^x\.png is damaged: the header says 8x8, its picture has \d+ bytes, which is too many/,
    ],
    'a JPEG of many scans': [
      async () => jpegHeader(withScans(await progressive(), 101), 'x.jpg'),
      /^x\.jpg has more than 100 scans, which are not read/,
    ],
    'a ZIP strip of a TIFF': [
      () => decodeTiff(packed(8, ZEROS), 'x.tif', tiffPackages),
      /^x\.tif: a strip or tile unpacks to more than 192 bytes/,
    ],
    'a tile that is far larger than its data': [
      () => decodeTiff(packed(32773, Buffer.alloc(100), [65000, 65000]), 'x.tif', tiffPackages),
      /^x\.tif .*of 100 bytes says that it unpacks to 12675000000/,
    ],
    'a Zstandard tile that is far larger than its data': [
      () => decodeTiff(packed(50000, Buffer.alloc(100), [30000, 30000]), 'x.tif', tiffPackages),
      /^x\.tif .*of 100 bytes says that it unpacks to 2700000000/,
    ],
    'a TIFF whose size its bytes cannot hold': [
      () =>
        decodeTiff(
          packed(8, Buffer.alloc(100), undefined, [
            [256, 4, [8000]],
            [257, 4, [8000]],
          ]),
          'x.tif',
          tiffPackages,
        ),
      /^x\.tif is cut off: the header says 8000x8000, which \d+ bytes cannot hold/,
    ],
    'a Radiance picture that its bytes cannot hold': [
      () => decodeRadiance(wideRadiance(), 'x.hdr'),
      /^x\.hdr cannot be read: .*says 16000000x4, which \d+ bytes cannot hold/,
    ],
    'a WebP that its bytes cannot hold': [
      () => webpHeader(shortWebp(), 'x.webp'),
      /^x\.webp is cut off: the header says 8000x8000, which 30 bytes cannot hold/,
    ],
    'a JPEG that its bytes cannot hold': [
      () => jpegHeader(longJpeg(), 'x.jpg'),
      /^x\.jpg is cut off: the header says 8192x8192, which 23 bytes cannot hold/,
    ],
  };
  it.each(Object.entries(cases))('%s', async (_, [work, message]) => {
    const error = await refusal(work);
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
  });
});

/** A JPEG of about ten scans. */
const progressive = (): Promise<Buffer> =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: '#864' } })
    .jpeg({ progressive: true })
    .toBuffer();

describe('the page reads', () => {
  it('a JPEG of as many scans as libvips reads, and what programs put behind pictures', async () => {
    const size = { width: 40, height: 30 };
    expect(jpegHeader(withScans(await progressive(), 100), 'x.jpg')).toMatchObject(size);
    const behind = Buffer.concat([await progressive(), withScans(await progressive(), 300)]);
    expect(jpegHeader(behind, 'x.jpg')).toMatchObject(size);
  });

  it('PNGs that are stored, interlaced, or of one column', async () => {
    const noise = Buffer.from(Uint8Array.from({ length: 300 * 300 * 3 }, (_, i) => (i * 7919) >> 3));
    for (const [width, height] of [
      [300, 300],
      [1, 90000],
    ]) {
      const picture = sharp(noise, { raw: { width, height, channels: 3 } });
      for (const options of [{ compressionLevel: 0 }, { progressive: true, compressionLevel: 0 }])
        expect(await pngHeader(await picture.clone().png(options).toBuffer(), 'x.png')).toMatchObject({
          width,
          height,
        });
    }
  });
});

describe('the browser makes a thumbnail', () => {
  const browser = vi.fn(async () => 'a bitmap');
  beforeEach(() => {
    browser.mockClear();
    vi.stubGlobal('createImageBitmap', browser);
  });
  afterEach(() => vi.unstubAllGlobals());
  const ask = (bytes: Uint8Array): Promise<unknown> =>
    checkedBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), 'x', { resizeWidth: 256 });

  it('of what was checked', async () => {
    expect(await ask(await progressive())).toBe('a bitmap');
    browser.mockRejectedValueOnce(new Error('this browser does not read it'));
    expect(await ask(await progressive())).toBeUndefined();
    expect(browser).toHaveBeenCalledTimes(2);
  });

  it.each<[string, () => Uint8Array | Promise<Uint8Array>]>([
    ['a profile', profileBomb],
    ['a picture', () => deflatedPng(ZEROS, 8)],
    ['a WebP', shortWebp],
    ['a JPEG', longJpeg],
    ['many scans', async () => withScans(await progressive(), 101)],
    ['another program', () => Buffer.from('BM of another program')],
  ])('not of what is refused: %s', async (_, make) => {
    await expect(ask(await make())).rejects.toThrow(InputError);
    expect(browser).not.toHaveBeenCalled();
  });

  it('not of a format that is not checked', async () => {
    expect(await ask(packed(8, ZEROS))).toBeUndefined();
    expect(browser).not.toHaveBeenCalled();
  });
});

describe('the command line', () => {
  const read = (name: string, bytes: Uint8Array): Promise<unknown> => readFrame(folder.put(name, bytes));

  it.each([
    ['zip.tif', packed(8, ZEROS)],
    [
      'float.tif',
      packed(8, ZEROS, undefined, [
        [258, 3, [32, 32, 32]],
        [339, 3, [3, 3, 3]],
      ]),
    ],
    ['picture.png', deflated16(ZEROS)],
    ['picture8.png', deflatedPng(ZEROS, 8)],
    ['tile.tif', packed(32773, Buffer.alloc(100), [65000, 65000])],
    ['wide.hdr', wideRadiance()],
  ])('refuses %s, or reads no more of it than its size', async (name, bytes) => {
    const error = await refusal(async () => {
      const picture = (await read(name, bytes)) as { width: number; height: number };
      expect([picture.width, picture.height]).toEqual([SIZE, SIZE]);
      throw new InputError(`${name}: read`);
    });
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(name);
  });

  it('unpacks no profile of a PNG for its EXIF', async () => {
    const error = await refusal(async () => {
      await read('profile.png', profileBomb());
      throw new InputError('read');
    });
    expect(error).toBeInstanceOf(InputError);
  });

  it('believes no count in EXIF, and reads the rest', async () => {
    const file = claimingExif();
    const before = process.memoryUsage().rss;
    const begun = process.cpuUsage();
    const { exif: info } = await readFrame(folder.put('exif.png', file));
    expect(cpuMs(begun)).toBeLessThan(MOST_MS);
    expect(process.memoryUsage().rss - before).toBeLessThan(MOST_BYTES);
    expect(info).toMatchObject({ fNumber: 8, iso: 200 });
    expect(info.time).toBeUndefined();
  });
});

describe('a TIFF directory', () => {
  it.each(Object.entries(directories()))('%s is refused by name, or is no matter', async (_, bytes) => {
    const outcome = await decodeTiff(bytes, 'x.tif', tiffPackages).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      expect(outcome).toBeInstanceOf(InputError);
      expect(outcome.message).toMatch(/^x\.tif/);
      expect(outcome.message).not.toMatch(/undefined|destructure|Cannot read/);
    } else expect(outcome).toMatchObject({ width: SIZE, height: SIZE });
  });
});

describe('LZW', () => {
  it('unpacks no more than there is room for, and refuses codes that cannot be', () => {
    // Clear, 0, then each code the string that is being made: each is one longer than the last.
    const codes = [256, 0, ...Array.from({ length: 200 }, (_, i) => 258 + i), 257];
    let bits = '';
    for (const code of codes) bits += code.toString(2).padStart(9, '0');
    const bytes = Uint8Array.from(bits.match(/.{1,8}/g)!, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    expect(unpackLzw(bytes, 100)).toEqual(new Uint8Array(100));
    expect(unpackLzw(bytes, 1e5).length).toBe(1 + Array.from({ length: 200 }, (_, i) => i + 2).reduce((a, b) => a + b));
    expect(() => unpackLzw(Uint8Array.of(0x80, 0x7f, 0xff), 10)).toThrow('LZW code');
    expect(unpackLzw(new Uint8Array(), 10)).toEqual(new Uint8Array());
  });
});
