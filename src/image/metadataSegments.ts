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

/** The JPEG in pieces, with EXIF and profile right after its JFIF header. */
export function jpegWith(jpeg: Uint8Array, { exif, icc }: Metadata): Uint8Array[] {
  const hasJfif = jpeg[2] === 0xff && jpeg[3] === 0xe0;
  const at = hasJfif ? 4 + jpeg[4] * 256 + jpeg[5] : 2;
  return [
    jpeg.subarray(0, at),
    ...(exif ? [jpegSegment(0xe1, 'Exif\0\0', exif)] : []),
    ...(icc ? [jpegSegment(0xe2, 'ICC_PROFILE\0', icc, [1, 1])] : []),
    jpeg.subarray(at),
  ];
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

/** The PNG in pieces, with profile and EXIF right after its header. */
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
  return [png.subarray(0, at), ...extra, png.subarray(at)];
}
