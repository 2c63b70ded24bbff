/**
 * The first page of a TIFF, 8 or 16 bit: what its directory says, checked, and its samples converted to RGB.
 *
 * It reads strips and tiles, interleaved and planar, uncompressed and as LZW, ZIP, PackBits or JPEG; grey, RGB and
 * palettes. Anything else that the command line reads (through libtiff) is refused by name.
 */
import { InputError } from '../../../../src/errors.ts';
import { checkSize, toRgb } from '../../../../src/image/picture.ts';
import { damaged, notIntegers, notRgb } from '../../../../src/image/refusals.ts';
import { orient } from './orient.ts';
import { tiff } from './packages.ts';
import type { Decoded } from './png16.ts';
import { toSrgb } from './profile.ts';
import { JPEG, YCBCR, isCompressionRead, readSegments } from './tiffSegments.ts';
import type { Samples, TiffLayout } from './tiffSegments.ts';

const TAG_ROWS_PER_STRIP = 278;
const TAG_PALETTE = 320;
const TAG_JPEG_TABLES = 347;
const TAG_ICC = 34675;

/** PhotometricInterpretation (TIFF 6.0, section 3, and supplements). */
const WHITE_IS_ZERO = 0;
const PALETTE = 3;
const REFUSED_PHOTOMETRIC: Record<number, string> = { 4: 'mask', 5: 'CMYK', 8: 'CIE Lab', 9: 'CIE Lab', 10: 'CIE Lab' };

const COMPRESSION_NAMES: Record<number, string> = {
  2: 'CCITT',
  3: 'CCITT fax',
  4: 'CCITT fax',
  6: 'JPEG of TIFF 6.0',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'Zstandard',
  50001: 'WebP',
  52546: 'JPEG XL',
};

type Page = ReturnType<Awaited<ReturnType<typeof tiff>>['decode']>[number];

/** Decodes a TIFF. @throws InputError naming the file. */
export async function decodeTiff(bytes: Uint8Array, name: string): Promise<Decoded & { bits: 8 | 16 }> {
  const little = bytes[0] === 0x49;
  // BigTIFF: its magic number is 43, and all its offsets have 64 bits.
  if (bytes[little ? 2 : 3] === 43)
    throw new InputError(
      `${name} is a BigTIFF file, which is not read here: save it as ordinary TIFF, or as 16-bit PNG`,
    );
  let page: Page;
  try {
    [page] = (await tiff()).decode(bytes, { ignoreImageData: true, pages: [0] });
  } catch (error) {
    throw damaged(name, error);
  }
  const layout = layoutOf(page, bytes, name);
  const { width, height, bits, photometric } = layout;
  let samples = await readSegments(bytes, layout, name);
  if (photometric === WHITE_IS_ZERO) invert(samples, layout.samples, bits);
  if (photometric === PALETTE)
    samples = fromPalette(samples, page.get(TAG_PALETTE) as ArrayLike<number> | undefined, name);
  const channels = photometric === PALETTE ? 3 : layout.samples;
  const upright = orient(toRgb(samples, width, channels, name), width, height, Number(page.orientation ?? 1));
  const icc = page.get(TAG_ICC) as ArrayLike<number> | undefined;
  const data = channels >= 3 && icc ? toSrgb(upright.data, Uint8Array.from(icc), name) : upright.data;
  return { ...upright, data, bits };
}

/** What the directory says about the samples. @throws InputError for what is not supported. */
function layoutOf(page: Page, bytes: Uint8Array, name: string): TiffLayout {
  const { width, height, samplesPerPixel: samples, type: photometric, compression } = page;
  checkSize(width, height, name);
  if (REFUSED_PHOTOMETRIC[photometric]) throw notRgb(name, REFUSED_PHOTOMETRIC[photometric]);
  const bits = page.bitsPerSample;
  if ((bits !== 8 && bits !== 16) || page.sampleFormat === 2 || page.sampleFormat === 3) {
    const kind = { 2: ' signed', 3: ' float' }[page.sampleFormat] ?? '';
    throw notIntegers(name, `${bits}-bit${kind}`);
  }
  if (!isCompressionRead(compression))
    throw new InputError(
      `${name} is a TIFF with a compression that is not read here ` +
        `(${COMPRESSION_NAMES[compression] ?? compression}): save it uncompressed or with LZW or ZIP`,
    );
  if (photometric === YCBCR && compression !== JPEG)
    throw new InputError(`${name} is a YCbCr picture, which is not read here: convert it to RGB`);
  if (page.fillOrder !== 1)
    throw new InputError(
      `${name} has its bits in reverse order, which is not read here: save it again as an ordinary TIFF`,
    );
  const tile = page.tileWidth && page.tileHeight ? { width: page.tileWidth, height: page.tileHeight } : undefined;
  const offsets = tile ? page.tileOffsets : page.stripOffsets;
  if (!offsets) throw damaged(name, 'it does not say where its pixels are');
  return {
    width,
    height,
    bits,
    samples,
    photometric,
    compression,
    predictor: page.predictor,
    little: bytes[0] === 0x49,
    planar: samples > 1 && page.planarConfiguration === 2,
    segment: tile ?? { width, height: Math.min(height, Number(page.get(TAG_ROWS_PER_STRIP) ?? height)) },
    tiled: tile !== undefined,
    offsets,
    // Some old programs leave the lengths out: each goes to where the next begins.
    lengths:
      (tile ? page.tileByteCounts : page.stripByteCounts) ??
      offsets.map((at, i) => (offsets[i + 1] ?? bytes.length) - at),
    jpegTables: Uint8Array.from((page.get(TAG_JPEG_TABLES) as ArrayLike<number> | undefined) ?? []),
  };
}

/** White is zero: inverts the first channel in place; a second one is alpha. */
function invert(samples: Samples, channels: number, bits: 8 | 16): void {
  const top = 2 ** bits - 1;
  for (let i = 0; i < samples.length; i += channels) samples[i] = top - samples[i];
}

/** Indices to RGB. @param palette 256 reds, greens, blues, of 16 bits; some old files have 8-bit values in them. */
function fromPalette(indices: Samples, palette: ArrayLike<number> | undefined, name: string): Uint8Array {
  if (!(indices instanceof Uint8Array) || palette?.length !== 768)
    throw new InputError(`${name} has a palette that is not read here: convert it to RGB`);
  const shift = Array.from(palette).some((value) => value > 255) ? 8 : 0;
  const rgb = new Uint8Array(indices.length * 3);
  for (let i = 0; i < indices.length; i++)
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = palette[256 * c + indices[i]] >> shift;
  return rgb;
}
