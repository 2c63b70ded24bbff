/**
 * Assembles the strips or tiles of a TIFF.
 *
 * The package `tiff` reads directories well, and single strips of LZW and ZIP; but it puts tiles of colour pictures
 * together wrongly, and knows neither planes nor PackBits nor JPEG. So every segment is decoded by itself, by the
 * package where it can, and copied into place here. (TIFF 6.0, sections 9, 15 and 22; JPEG as in Adobe's Technical Note
 * 2 of 1995.)
 */
import { damaged } from '../../../../src/image/refusals.ts';
import { decodeInBands } from './bands.ts';
import { jpegHeader } from './header.ts';
import { tiff } from './packages.ts';

export type Samples = Uint8Array | Uint16Array;

export interface TiffLayout {
  width: number;
  height: number;
  bits: 8 | 16;
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

/** Whether segments with this compression can be decoded. */
export function isCompressionRead(compression: number): boolean {
  return [NONE, LZW, JPEG, ...ZIP, PACK_BITS].includes(compression);
}

/**
 * Reads all segments.
 * @returns `[height, width, samples]`.
 * @throws InputError naming the file, where segments are missing or damaged.
 */
export async function readSegments(bytes: Uint8Array, layout: TiffLayout, name: string): Promise<Samples> {
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
    const samples = await decodeSegment(bytes.subarray(from, to), { ...layout, ...size }, channels, name);
    if (samples.length < size.width * size.height * channels)
      throw damaged(
        name,
        `a strip or tile has ${samples.length} samples, ${size.width}x${size.height} with ${channels} channels needs ` +
          `${size.width * size.height * channels}`,
      );
    // A single strip with the whole picture, as many programs write it, need not be copied.
    if (columns * rows * planes === 1 && !layout.tiled) return samples.subarray(0, width * height * channels);
    out ??=
      layout.bits === 16
        ? new Uint16Array(width * height * layout.samples)
        : new Uint8Array(width * height * layout.samples);
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
async function decodeSegment(data: Uint8Array, layout: TiffLayout, channels: number, name: string): Promise<Samples> {
  if (layout.compression === JPEG) return decodeJpeg(data, layout, channels, name);
  if (layout.compression === NONE) return samplesOf(data, layout);
  if (layout.compression === PACK_BITS)
    return samplesOf(unpackBits(data, (layout.width * layout.height * channels * layout.bits) / 8), layout);
  const { decode } = await tiff();
  try {
    const [page] = decode(singleStrip(data, layout, channels));
    return page.data as Samples;
  } catch (error) {
    throw damaged(name, error);
  }
}

/** Bytes as samples; 16-bit ones are copied, because they may be unaligned and in either byte order. */
function samplesOf(data: Uint8Array, { bits, little }: TiffLayout): Samples {
  if (bits === 8) return data.slice();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const out = new Uint16Array(data.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = view.getUint16(2 * i, little);
  return out;
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

/** A TIFF of one strip, grey or interleaved, in the same byte order. */
function singleStrip(
  data: Uint8Array,
  { width, height, bits, compression, predictor, little }: TiffLayout,
  channels: number,
): Uint8Array {
  const fields = [
    [256, width],
    [257, height],
    [258, bits],
    [259, compression],
    [262, 1],
    [273, 0],
    [277, channels],
    [278, height],
    [279, data.length],
    [317, predictor],
  ];
  const start = 8 + 2 + 12 * fields.length + 4;
  const out = new Uint8Array(start + data.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, fields.length, little);
  fields.forEach(([tag, value], i) => {
    const at = 10 + 12 * i;
    view.setUint16(at, tag, little);
    view.setUint16(at + 2, 4, little); // LONG
    view.setUint32(at + 4, 1, little);
    view.setUint32(at + 8, tag === 273 ? start : value, little);
  });
  out.set(data, start);
  return out;
}

const START = Uint8Array.of(0xff, 0xd8);

/** Adobe's marker, which says whether three channels are YCbCr or RGB: only the TIFF says so, not its JPEGs. */
function adobeMarker(transform: 0 | 1): Uint8Array {
  return Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform);
}

/** Decodes a JPEG segment with the browser, tables and picture joined into one file. */
async function decodeJpeg(
  data: Uint8Array,
  { width, height, jpegTables, photometric }: TiffLayout,
  channels: number,
  name: string,
): Promise<Uint8Array> {
  const parts = [
    START,
    ...(channels === 3 ? [adobeMarker(photometric === YCBCR ? 1 : 0)] : []),
    jpegTables.subarray(2, Math.max(2, jpegTables.length - 2)),
    data.subarray(2),
  ];
  const file = new Blob(parts as Uint8Array<ArrayBuffer>[]);
  const size = jpegHeader(new Uint8Array(await file.arrayBuffer()), name);
  if (size.width !== width || size.height < height)
    throw damaged(name, `a strip or tile holds ${size.width}x${size.height} pixels, it should have ${width}x${height}`);
  const { data: rgb } = await decodeInBands(file, name, false);
  return channels === 3 ? rgb : Uint8Array.from({ length: rgb.length / 3 }, (_, i) => rgb[3 * i]);
}
