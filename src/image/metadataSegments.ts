/**
 * EXIF and ICC profiles into encoded JPEG and PNG files. Encoders (sharp, the browser's canvas) take no such blocks, so
 * they are put in afterwards: JPEG's APP1 and APP2 segments (CIPA DC-008; ICC.1:2022 Annex B), PNG's iCCP and eXIf
 * chunks (PNG, third edition).
 */
import { InputError } from '../errors.ts';
import type { Deflate } from './exr.ts';

/** What is put into a file. */
export interface Metadata {
  /** A TIFF-structured block. */
  exif?: Uint8Array;
  icc?: Uint8Array<ArrayBuffer>;
}

const ascii = new TextEncoder();

/** A JPEG segment: marker, signature, data. @throws InputError if it is too large. */
export function jpegSegment(
  marker: number,
  signature: string,
  data: Uint8Array,
  tail: number[] = [],
): Uint8Array<ArrayBuffer> {
  const head = [...ascii.encode(signature), ...tail];
  const size = 2 + head.length + data.length;
  if (size > 65535) throw new InputError(`jpeg: a segment of ${size} bytes does not fit, at most 65535 do`);
  const out = new Uint8Array(2 + size);
  out.set([0xff, marker, size >> 8, size & 255, ...head]);
  out.set(data, 4 + head.length);
  return out;
}

/** Whether a JPEG's segment is a part of its profile. */
function isProfile(jpeg: Uint8Array, at: number): boolean {
  return jpeg[at + 1] === 0xe2 && String.fromCharCode(...jpeg.subarray(at + 4, at + 15)) === 'ICC_PROFILE';
}

/**
 * The JPEG in pieces, with EXIF and profile right after its JFIF header. The profile takes the place of one that the
 * encoder wrote: browsers call whatever a canvas holds sRGB.
 */
export function jpegWith(jpeg: Uint8Array, { exif, icc }: Metadata): Uint8Array[] {
  const end = (at: number): number => at + 2 + jpeg[at + 2] * 256 + jpeg[at + 3];
  const hasJfif = jpeg[2] === 0xff && jpeg[3] === 0xe0;
  const begin = hasJfif ? end(2) : 2;
  const pieces = [
    jpeg.subarray(0, begin),
    ...(exif ? [jpegSegment(0xe1, 'Exif\0\0', exif)] : []),
    ...(icc ? [jpegSegment(0xe2, 'ICC_PROFILE\0', icc, [1, 1])] : []),
  ];
  let from = begin;
  // 0xda begins the picture.
  for (let at = begin; icc && at + 4 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== 0xda; at = end(at)) {
    if (!isProfile(jpeg, at)) continue;
    pieces.push(jpeg.subarray(from, at));
    from = end(at);
  }
  return [...pieces, jpeg.subarray(from)].filter(({ length }) => length > 0);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ -1) >>> 0;
}

function chunk(name: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(ascii.encode(name), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

/** PNG chunks that say what a profile says. */
const COLOUR_CHUNKS = new Set(['iCCP', 'sRGB', 'gAMA', 'cHRM', 'cICP']);

/** What follows a PNG's header, without what its encoder says of the colours. */
function uncoloured(png: Uint8Array, begin: number): Uint8Array[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  let at = begin;
  let from = begin;
  const pieces: Uint8Array[] = [];
  for (;;) {
    const name = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (at + 12 > png.length || name === 'IDAT') return [...pieces, png.subarray(from)];
    const next = at + 12 + view.getUint32(at);
    if (COLOUR_CHUNKS.has(name)) {
      pieces.push(png.subarray(from, at));
      from = next;
    }
    at = next;
  }
}

/**
 * The PNG in pieces, with profile and EXIF right after its header. The profile takes the place of what the encoder says
 * of the colours.
 */
export async function pngWith(png: Uint8Array, { exif, icc }: Metadata, deflate: Deflate): Promise<Uint8Array[]> {
  const at = 33; // signature and IHDR
  const extra: Uint8Array[] = [];
  if (icc) {
    const packed = await deflate(icc);
    const data = new Uint8Array(9 + packed.length);
    data.set(ascii.encode('deghost\0\0')); // name, and method 0
    data.set(packed, 9);
    extra.push(chunk('iCCP', data));
  }
  if (exif) extra.push(chunk('eXIf', exif));
  return [png.subarray(0, at), ...extra, ...(icc ? uncoloured(png, at) : [png.subarray(at)])];
}
