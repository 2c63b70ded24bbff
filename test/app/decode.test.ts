/**
 * The page's decoders in Chromium against the command line's: the same samples from the same files, to the last bit.
 */
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { TiffOptions } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise16, noise8, tiff } from '../node/pictures.ts';
import type { TiffField } from '../node/pictures.ts';
import { difference, inNode, openDecoders } from './decoders.ts';
import type { PageDecoders, Samples } from './decoders.ts';
import { exposeScene } from './stack.ts';

/** Neither a multiple of a tile's side nor of a strip's height. */
const WIDTH = 75;
const HEIGHT = 45;

let decoders: PageDecoders;

beforeAll(async () => {
  decoders = await openDecoders();
});

afterAll(() => decoders?.close());

const inPage = (name: string, bytes: Buffer): Promise<Samples> => decoders.decode(name, bytes);

async function expectSame(name: string, bytes: Buffer): Promise<void> {
  expect(difference(await inPage(name, bytes), await inNode(name, bytes))).toBe(0);
}

const scene = exposeScene(WIDTH, HEIGHT, 1, 0);
const raw8 = (channels: 1 | 3 = 3) =>
  sharp(channels === 3 ? scene : scene.filter((_, i) => i % 3 === 1), {
    raw: { width: WIDTH, height: HEIGHT, channels },
  });
const raw16 = () =>
  sharp(noise16(WIDTH, HEIGHT), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).toColourspace('rgb16');

const COMPRESSIONS = ['none', 'lzw', 'deflate', 'packbits'] as const;
const TILES: TiffOptions = { tile: true, tileWidth: 32, tileHeight: 16 };

/** A TIFF of several strips or tiles, put together by hand. @param size of samples in bytes. */
function segmentedTiff(
  bits: number[],
  segments: readonly Uint8Array[],
  fields: TiffField[],
  offsetTag: 273 | 324 = 273,
): Buffer {
  const build = (at: number) => {
    let end = at;
    const offsets = segments.map(({ length }) => (end += length) - length);
    return tiff([
      [256, 4, [WIDTH]],
      [257, 4, [HEIGHT]],
      [258, 3, bits],
      [277, 3, [bits.length]],
      [offsetTag, 4, offsets],
      [offsetTag === 273 ? 279 : 325, 4, segments.map(({ length }) => length)],
      ...fields,
    ]);
  };
  const directory = build(build(0).length);
  return Buffer.concat([directory, ...segments]);
}

/** Runs of equal bytes and the rest, as PackBits. */
function packBits(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < bytes.length; ) {
    let run = 1;
    while (run < 128 && bytes[i + run] === bytes[i]) run++;
    if (run > 1) out.push(257 - run, bytes[i]);
    else out.push(0, bytes[i]);
    i += run;
  }
  return Uint8Array.from(out);
}

/** Differences from pixel to pixel, per row (predictor 2), of one channel. */
function differences<T extends Uint8Array | Uint16Array>(plane: T): T {
  return plane.map((value, i) => (i % WIDTH === 0 ? value : value - plane[i - 1])) as T;
}

const bytesOf = (samples: Uint16Array) => new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

describe('TIFF', () => {
  it.each(
    COMPRESSIONS.flatMap(
      (compression) =>
        [
          [compression, 'strips'],
          [compression, 'tiles'],
        ] as const,
    ),
  )('%s in %s, 8 and 16 bit', async (compression, kind) => {
    const options: TiffOptions = { compression, ...(kind === 'tiles' && TILES) };
    await expectSame('a.tif', await raw8().tiff(options).toBuffer());
    await expectSame('b.tif', await raw16().tiff(options).toBuffer());
    await expectSame('c.tif', await raw8(1).toColourspace('b-w').tiff(options).toBuffer());
    await expectSame('d.tif', await raw8().ensureAlpha().tiff(options).toBuffer());
  });

  it.each([
    [50, 'strips'],
    [50, 'tiles'],
    [95, 'strips'],
    [95, 'tiles'],
  ] as const)('JPEG of quality %i in %s', async (quality, kind) => {
    const bytes = await raw8()
      .tiff({ compression: 'jpeg', quality, ...(kind === 'tiles' && TILES) })
      .toBuffer();
    await expectSame('a.tif', bytes);
    await expectSame('b.tif', await raw8(1).toColourspace('b-w').tiff({ compression: 'jpeg', quality }).toBuffer());
  });

  it('whose colours are stored apart (planar)', async () => {
    const planes8 = [0, 1, 2].map((c) => scene.filter((_, i) => i % 3 === c));
    const wide = noise16(WIDTH, HEIGHT);
    const planes16 = [0, 1, 2].map((c) => wide.filter((_, i) => i % 3 === c));
    const planar = (compression: number, more: TiffField[] = []): TiffField[] => [
      [259, 3, [compression]],
      [262, 3, [2]],
      [284, 3, [2]],
      [278, 4, [HEIGHT]],
      ...more,
    ];
    await expectSame('a.tif', segmentedTiff([8, 8, 8], planes8, planar(1)));
    await expectSame('b.tif', segmentedTiff([16, 16, 16], planes16.map(bytesOf), planar(1)));
    await expectSame('c.tif', segmentedTiff([8, 8, 8], planes8.map(packBits), planar(32773)));
    await expectSame(
      'd.tif',
      segmentedTiff(
        [16, 16, 16],
        planes16.map((plane) => deflateSync(bytesOf(differences(plane)))),
        planar(8, [[317, 3, [2]]]),
      ),
    );
    const halves = planes8.flatMap((plane) => [plane.slice(0, WIDTH * 30), plane.slice(WIDTH * 30)]);
    await expectSame(
      'e.tif',
      segmentedTiff([8, 8, 8], halves, [...planar(1).filter(([tag]) => tag !== 278), [278, 4, [30]]]),
    );
  });

  it('with a palette, and grey with white as zero', async () => {
    const indices = noise8(WIDTH, HEIGHT).subarray(0, WIDTH * HEIGHT);
    const palette = [...noise16(16, 16)];
    await expectSame(
      'a.tif',
      segmentedTiff(
        [8],
        [indices],
        [
          [259, 3, [1]],
          [262, 3, [3]],
          [278, 4, [HEIGHT]],
          [320, 3, palette],
        ],
      ),
    );
    await expectSame(
      'b.tif',
      segmentedTiff(
        [8],
        [indices],
        [
          [259, 3, [1]],
          [262, 3, [0]],
          [278, 4, [HEIGHT]],
        ],
      ),
    );
  });

  it('of kinds that are not read is refused with what to do', async () => {
    await expect(inPage('big.tif', await raw8().tiff({ bigtiff: true }).toBuffer())).rejects.toThrow(
      'big.tif is a BigTIFF file, which is not read here: save it as ordinary TIFF, or as 16-bit PNG',
    );
    const plain: TiffField[] = [
      [262, 3, [2]],
      [278, 4, [HEIGHT]],
    ];
    await expect(inPage('lzma.tif', segmentedTiff([8, 8, 8], [scene], [...plain, [259, 3, [34925]]]))).rejects.toThrow(
      'lzma.tif is a TIFF with a compression that is not read here (LZMA): save it uncompressed or with LZW or ZIP',
    );
    await expect(
      inPage('cut.tif', segmentedTiff([8, 8, 8], [scene], [...plain, [259, 3, [1]]]).subarray(0, -100)),
    ).rejects.toThrow(
      /^cut\.tif cannot be decoded, it is damaged or cut off: its pixels end at byte \d+, the file at \d+/,
    );
    await expect(
      inPage('few.tif', segmentedTiff([8, 8, 8], [scene.subarray(0, 900)], [...plain, [259, 3, [1]]])),
    ).rejects.toThrow('a strip or tile has 900 samples, 75x45 with 3 channels needs 10125');
    await expect(
      inPage(
        'strips.tif',
        segmentedTiff(
          [8, 8, 8],
          [scene],
          [
            [262, 3, [2]],
            [278, 4, [16]],
            [259, 3, [1]],
          ],
        ),
      ),
    ).rejects.toThrow('it has 1 strips or tiles of pixels, 75x45 needs 3');
  });
});

describe('PNG and JPEG', () => {
  it('8 and 16 bit, colour and grey, every kind of JPEG', async () => {
    await expectSame('a.png', await raw8().png().toBuffer());
    await expectSame('b.png', await raw16().png().toBuffer());
    await expectSame('c.png', await raw8(1).toColourspace('b-w').png().toBuffer());
    await expectSame('d.png', await raw8().png({ palette: true }).toBuffer());
    await expectSame('e.jpg', await raw8().jpeg({ quality: 60 }).toBuffer());
    await expectSame(
      'f.jpg',
      await raw8().jpeg({ quality: 90, chromaSubsampling: '4:4:4', progressive: true }).toBuffer(),
    );
    await expectSame('g.jpg', await raw8(1).toColourspace('b-w').jpeg().toBuffer());
  });
});
