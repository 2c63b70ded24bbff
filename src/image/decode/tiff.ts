/**
 * The first page of a TIFF: what its directory says, checked, and its samples converted to RGB. 8 and 16 bit, and float
 * of 16 and 32 bit.
 *
 * It reads strips and tiles, interleaved and planar, uncompressed and as LZW, ZIP, PackBits, Zstandard or JPEG;
 * grey, RGB
 * and palettes. Anything else is refused by name. The page reads all TIFFs with it; the command line those that its own
 * library (libtiff in sharp) does not: float samples and Zstandard.
 */
import { InputError } from '../../errors.ts';
import { checkSize } from '../picture.ts';
import { textOf } from '../../checks.ts';
import { MAX_PROFILE_BYTES, checkDeflated, damaged, notIntegers, notRgb, profileNotRead } from '../refusals.ts';
import { readDirectory, tiffOf } from '../tiffEntries.ts';
import { toRgb } from './channels.ts';
import type { StoredPicture } from './channels.ts';
import { orient } from './orient.ts';
import { LINEAR_SRGB, SRGB, iccColor } from './sourceColor.ts';
import { JPEG, YCBCR, isCompressionRead, readSegments } from './tiffSegments.ts';
import type { TiffDirectory, TiffLayout, TiffPackages } from './tiffSegments.ts';
import type { Samples } from './workingSpace.ts';

/**
 * What is read of a directory: size, bits, compression, kind, order of bits, places of strips, orientation, samples,
 * rows, lengths, planes, predictor, palette, tiles (4), alpha, format, JPEG's tables, profile.
 */
const NEEDED = new Set([
  256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 347, 34675,
]);
/** Most bytes of one of them: places of four million strips, or a profile. */
const MOST_VALUE_BYTES = 16 << 20;

const TAG_ROWS_PER_STRIP = 278;
const TAG_PALETTE = 320;
const TAG_EXTRA_SAMPLES = 338;
const TAG_JPEG_TABLES = 347;
const TAG_ICC = 34675;

/** ExtraSamples: alpha by which the colours are multiplied. */
const ASSOCIATED = 1;
/** SampleFormat. */
const SIGNED = 2;
const FLOAT = 3;

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
  50001: 'WebP',
  52546: 'JPEG XL',
};

/** Decodes a TIFF. @throws InputError naming the file. */
export async function decodeTiff(bytes: Uint8Array, name: string, packages: TiffPackages): Promise<StoredPicture> {
  const little = bytes[0] === 0x49;
  // BigTIFF: its magic number is 43, and all its offsets have 64 bits.
  if (bytes[little ? 2 : 3] === 43)
    throw new InputError(
      `${name} is a BigTIFF file, which is not read here: save it as ordinary TIFF, or as 16-bit PNG`,
    );
  // The package takes a directory's counts for true, and follows it to others: it gets what is needed, written anew.
  const entries = readDirectory(bytes, undefined, MOST_VALUE_BYTES).filter(({ tag }) => NEEDED.has(tag));
  if (entries.length === 0) throw damaged(name, 'it holds no picture');
  let page: TiffDirectory;
  try {
    [page] = (await packages.tiff()).decode(tiffOf(entries), { ignoreImageData: true, pages: [0] });
  } catch (error) {
    throw damaged(name, error);
  }
  const layout = layoutOf(page, bytes, name);
  const { width, height, bits, photometric } = layout;
  let samples = await readSegments(bytes, layout, name, packages);
  if (photometric === WHITE_IS_ZERO) invert(samples, layout.samples);
  if (photometric === PALETTE)
    samples = fromPalette(samples, page.get(TAG_PALETTE) as ArrayLike<number> | undefined, name);
  const channels = photometric === PALETTE ? 3 : layout.samples;
  const upright = orient(samples, width, height, Number(page.orientation ?? 1), channels);
  const icc = bytesOf(page.get(TAG_ICC), 'its colour profile', MAX_PROFILE_BYTES, name);
  const color = channels >= 3 && icc ? iccColor(icc) : layout.float ? LINEAR_SRGB : SRGB;
  if (!color) throw profileNotRead(name);
  const extra = page.get(TAG_EXTRA_SAMPLES) as number | ArrayLike<number> | undefined;
  const isAssociated = (typeof extra === 'object' ? extra[0] : extra) === ASSOCIATED;
  return { ...upright, ...toRgb(upright.data, channels, name, isAssociated), bits: layout.float ? 32 : bits, color };
}

/** A field that is one whole number. @throws InputError for what is none. */
function whole(value: unknown, what: string, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw damaged(name, `${what} is ${value === undefined ? 'not said' : `${textOf(value)}, not one whole number`}`);
}

/** A field of whole numbers. @throws InputError for what is none. */
function wholes(value: unknown, what: string, name: string): number[] {
  const list = typeof value === 'number' ? [value] : value;
  if (Array.isArray(list) || ArrayBuffer.isView(list)) {
    const numbers = Array.from(list as ArrayLike<unknown>);
    if (numbers.every((one) => Number.isInteger(one) && (one as number) >= 0)) return numbers as number[];
  }
  throw damaged(name, `${what} are ${textOf(value)}, not whole numbers`);
}

/** A field of bytes, if there is one. @throws InputError for what is none, or too long. */
function bytesOf(value: unknown, what: string, most: number, name: string): Uint8Array | undefined {
  if (value === undefined) return undefined;
  const bytes = wholes(value, what, name);
  if (bytes.length > most) throw damaged(name, `${what} has ${bytes.length} bytes, at most ${most} are read`);
  return Uint8Array.from(bytes);
}

/** What the directory says about the samples. @throws InputError for what is not supported. */
function layoutOf(page: TiffDirectory, bytes: Uint8Array, name: string): TiffLayout {
  const [width, height] = [whole(page.width, 'its width', name), whole(page.height, 'its height', name)];
  const samples = whole(page.samplesPerPixel, 'the number of its channels', name);
  const photometric = whole(page.type, 'its kind of colours', name);
  const compression = whole(page.compression, 'its compression', name);
  checkSize(width, height, name);
  if (REFUSED_PHOTOMETRIC[photometric]) throw notRgb(name, REFUSED_PHOTOMETRIC[photometric]);
  const bits = whole(page.bitsPerSample, 'the number of its bits', name);
  const float = page.sampleFormat === FLOAT;
  if (bits !== (float ? 32 : 8) && bits !== 16) throw notIntegers(name, `${bits}-bit${float ? ' float' : ''}`);
  if (page.sampleFormat === SIGNED) throw notIntegers(name, `${bits}-bit signed`);
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
  const tile =
    page.tileWidth && page.tileHeight
      ? {
          width: whole(page.tileWidth, 'the width of tiles', name),
          height: whole(page.tileHeight, 'their height', name),
        }
      : undefined;
  const places = tile ? page.tileOffsets : page.stripOffsets;
  if (!places) throw damaged(name, 'it does not say where its pixels are');
  const offsets = wholes(places, 'the places of its pixels', name);
  const lengths = (tile ? page.tileByteCounts : page.stripByteCounts) as unknown;
  const rows = whole(page.get(TAG_ROWS_PER_STRIP) ?? height, 'the number of rows of its strips', name);
  if (samples < 1 || rows < 1) throw damaged(name, `it has ${samples} channels, and strips of ${rows} rows`);
  checkDeflated(name, width, height, samples * bits, bytes.length);
  return {
    width,
    height,
    bits,
    float,
    samples,
    photometric,
    compression,
    predictor: whole(page.predictor, 'its predictor', name),
    little: bytes[0] === 0x49,
    planar: samples > 1 && page.planarConfiguration === 2,
    segment: tile ?? { width, height: Math.min(height, rows) },
    tiled: tile !== undefined,
    offsets,
    // Some old programs leave the lengths out: each goes to where the next begins.
    lengths: lengths
      ? wholes(lengths, 'the lengths of its strips or tiles', name)
      : offsets.map((at, i) => (offsets[i + 1] ?? bytes.length) - at),
    jpegTables: bytesOf(page.get(TAG_JPEG_TABLES), 'the tables of its JPEGs', 1 << 16, name) ?? new Uint8Array(),
  };
}

/** White is zero: inverts the first channel in place; a second one is alpha. */
function invert(samples: Samples, channels: number): void {
  const top = samples instanceof Float32Array ? 1 : samples instanceof Uint16Array ? 65535 : 255;
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
