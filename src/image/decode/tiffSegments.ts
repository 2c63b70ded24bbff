/**
 * Assembles the strips or tiles of a TIFF.
 *
 * The package `tiff` reads directories well; but it unpacks whatever a strip holds, however much that is, puts tiles of
 * colour pictures together wrongly, and knows neither planes nor PackBits nor JPEG nor floats. So every segment is
 * unpacked by itself, into memory of the size that it should have, and copied into place here. (TIFF 6.0, sections 9,
 * 14, 15 and 22; floating-point predictor as in Adobe's Technical Note 3 of 2005, JPEG as in that of 1995.)
 */
import { TooMuchError, inflateInto } from '../inflate.ts';
import { MOST_DEFLATED } from '../packed.ts';
import { damaged } from '../refusals.ts';
import { unpackLzw } from './lzw.ts';
import { undoPredictor } from './tiffPredictor.ts';
import type { Samples } from './workingSpace.ts';

/** A page as the package `tiff` reads its directory. */
export interface TiffDirectory {
  width: number;
  height: number;
  samplesPerPixel: number;
  bitsPerSample: number;
  sampleFormat: number;
  type: number;
  compression: number;
  predictor: number;
  fillOrder: number;
  planarConfiguration: number;
  orientation?: number;
  tileWidth?: number;
  tileHeight?: number;
  tileOffsets?: readonly number[];
  tileByteCounts?: readonly number[];
  stripOffsets?: readonly number[];
  stripByteCounts?: readonly number[];
  get(tag: number): unknown;
  data: ArrayLike<number>;
}

/** What decoding needs of the platform; packages are loaded when they are used. */
export interface TiffPackages {
  /** The package `tiff`. */
  tiff(): Promise<{ decode(bytes: Uint8Array, options?: object): TiffDirectory[] }>;
  /** The package `fzstd`. */
  fzstd(): Promise<{ decompress(bytes: Uint8Array, out: Uint8Array): Uint8Array }>;
  /** Decodes a JPEG of the size given to its stored channels; absent where no file with JPEG gets here. */
  jpeg?(file: Blob, size: { width: number; height: number }, channels: number, name: string): Promise<Uint8Array>;
}

export interface TiffLayout {
  width: number;
  height: number;
  bits: 8 | 16 | 32;
  /** Whether samples are floats, of 16 or 32 bits. */
  float: boolean;
  /** Samples per pixel. */
  samples: number;
  photometric: number;
  compression: number;
  predictor: number;
  /** Byte order. */
  little: boolean;
  /** Whether each sample has segments of its own: first all of the first, then all of the second. */
  planar: boolean;
  /** Size of a tile or strip; the last strip may have fewer rows. */
  segment: { width: number; height: number };
  tiled: boolean;
  offsets: readonly number[];
  lengths: readonly number[];
  /** Tables that all JPEG segments share, as a JPEG without a picture; may be empty. */
  jpegTables: Uint8Array;
}

/** Compression and PhotometricInterpretation, as far as pixels depend on them. */
export const JPEG = 7;
export const YCBCR = 6;
const NONE = 1;
const LZW = 5;
const ZIP = [8, 32946];
const PACK_BITS = 32773;
const ZSTD = 50000;

/** Whether segments with this compression can be decoded. */
export function isCompressionRead(compression: number): boolean {
  return [NONE, LZW, JPEG, ...ZIP, PACK_BITS, ZSTD].includes(compression);
}

/**
 * Reads all segments.
 * @returns `[height, width, samples]`.
 * @throws InputError naming the file, where segments are missing or damaged.
 */
export async function readSegments(
  bytes: Uint8Array,
  layout: TiffLayout,
  name: string,
  packages: TiffPackages,
): Promise<Samples> {
  const { width, height, segment } = layout;
  const columns = Math.ceil(width / segment.width);
  const rows = Math.ceil(height / segment.height);
  const planes = layout.planar ? layout.samples : 1;
  const channels = layout.samples / planes;
  if (layout.offsets.length < columns * rows * planes)
    throw damaged(
      name,
      `it has ${layout.offsets.length} strips or tiles of pixels, ${width}x${height} needs ${columns * rows * planes}`,
    );
  let out: Samples | undefined;
  for (let i = 0; i < columns * rows * planes; i++) {
    const plane = Math.floor(i / (columns * rows));
    const left = (i % columns) * segment.width;
    const top = (Math.floor(i / columns) % rows) * segment.height;
    const size = {
      width: segment.width,
      height: layout.tiled ? segment.height : Math.min(segment.height, height - top),
    };
    const [from, to] = [layout.offsets[i], layout.offsets[i] + layout.lengths[i]];
    if (!(to <= bytes.length)) throw damaged(name, `its pixels end at byte ${to}, the file at ${bytes.length}`);
    const samples = await decodeSegment(bytes.subarray(from, to), { ...layout, ...size }, channels, name, packages);
    if (samples.length < size.width * size.height * channels)
      throw damaged(
        name,
        `a strip or tile has ${samples.length} samples, ${size.width}x${size.height} with ${channels} channels needs ` +
          `${size.width * size.height * channels}`,
      );
    // A single strip with the whole picture, as many programs write it, need not be copied.
    if (columns * rows * planes === 1 && !layout.tiled) return samples.subarray(0, width * height * channels);
    out ??= new (samples.constructor as new (length: number) => Samples)(width * height * layout.samples);
    const shown = Math.min(size.width, width - left);
    for (let y = 0; y < Math.min(size.height, height - top); y++) {
      const row = samples.subarray(y * size.width * channels, (y * size.width + shown) * channels);
      const at = ((top + y) * width + left) * layout.samples + plane;
      if (planes === 1) out.set(row, at);
      else for (let x = 0; x < shown; x++) out[at + x * layout.samples] = row[x];
    }
  }
  return out as Samples;
}

/** @param layout with the segment's own size. @returns at least `[height, width, channels]`. */
async function decodeSegment(
  data: Uint8Array,
  layout: TiffLayout,
  channels: number,
  name: string,
  packages: TiffPackages,
): Promise<Samples> {
  const { compression, width, height, bits } = layout;
  if (compression === JPEG) return decodeJpeg(data, layout, channels, name, packages);
  const rowBytes = (width * channels * bits) / 8;
  const unpacked = await unpack(data, compression, rowBytes, height, name, packages);
  return undoPredictor(unpacked, layout, channels);
}

/** The bytes of a segment, as they were before compression. */
async function unpack(
  data: Uint8Array,
  compression: number,
  rowBytes: number,
  rows: number,
  name: string,
  packages: TiffPackages,
): Promise<Uint8Array> {
  if (compression === NONE) return data;
  if (rowBytes * rows > MOST_DEFLATED * (data.length + 1))
    throw damaged(name, `a strip or tile of ${data.length} bytes says that it unpacks to ${rowBytes * rows}`);
  if (compression === PACK_BITS) return unpackBits(data, rowBytes * rows);
  try {
    if (compression === ZSTD) return (await packages.fzstd()).decompress(data, new Uint8Array(rowBytes * rows));
    if (compression === LZW) return unpackLzw(data, rowBytes * rows);
    return await inflateInto(new Uint8Array(rowBytes * rows), data, name, 'a strip or tile');
  } catch (error) {
    throw error instanceof TooMuchError ? error : damaged(name, error);
  }
}

/**
 * PackBits (TIFF 6.0, section 9): -127 to -1 repeats the next byte, 0 to 127 copies that many bytes plus one, -128 does
 * nothing.
 * @param length of what comes out.
 */
function unpackBits(data: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let to = 0;
  for (let at = 0; at < data.length && to < length; ) {
    const count = (data[at++] << 24) >> 24;
    if (count === -128) continue;
    if (count >= 0) {
      out.set(data.subarray(at, Math.min(at + count + 1, at + length - to)), to);
      at += count + 1;
      to += count + 1;
    } else {
      out.fill(data[at++], to, to + 1 - count);
      to += 1 - count;
    }
  }
  return out.subarray(0, Math.min(to, length));
}

const START = Uint8Array.of(0xff, 0xd8);

/** Adobe's marker, which says whether three channels are YCbCr or RGB: only the TIFF says so, not its JPEGs. */
function adobeMarker(transform: 0 | 1): Uint8Array {
  return Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform);
}

/** Decodes a JPEG segment, tables and picture joined into one file. */
async function decodeJpeg(
  data: Uint8Array,
  { width, height, jpegTables, photometric }: TiffLayout,
  channels: number,
  name: string,
  { jpeg }: TiffPackages,
): Promise<Uint8Array> {
  const parts = [
    START,
    ...(channels === 3 ? [adobeMarker(photometric === YCBCR ? 1 : 0)] : []),
    jpegTables.subarray(2, Math.max(2, jpegTables.length - 2)),
    data.subarray(2),
  ];
  if (!jpeg) throw damaged(name, 'its JPEG cannot be decoded here');
  return jpeg(new Blob(parts as Uint8Array<ArrayBuffer>[]), { width, height }, channels, name);
}
