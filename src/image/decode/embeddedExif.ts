/**
 * Where EXIF lies in WebP and JPEG XL, which exifr does not know: it reads the EXIF itself, whose form is a TIFF's.
 *
 * WebP: RIFF chunks (RFC 9649); JPEG XL: ISO boxes, the EXIF after a 4-byte offset (ISO/IEC 18181-2).
 */
import type { PictureFormat } from '../sniff.ts';

/** The bytes for a reader of EXIF: those of WebP's or JPEG XL's EXIF, or the whole file of other formats. */
export function embeddedExif(bytes: Uint8Array, format: PictureFormat): Uint8Array | undefined {
  if (format === 'webp') return withoutMark(chunk(bytes, 12, 'EXIF', true));
  if (format === 'jxl') return withoutMark(chunk(bytes, 0, 'Exif', false)?.subarray(4));
  return bytes;
}

/** Some writers begin with JPEG's mark. */
function withoutMark(exif: Uint8Array | undefined): Uint8Array | undefined {
  return exif && exif[0] === 0x45 ? exif.subarray(6) : exif;
}

/** The body of the first chunk of RIFF, or box, with a name; undefined if there is none. */
function chunk(bytes: Uint8Array, from: number, name: string, isRiff: boolean): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = from; at + 8 <= bytes.length; ) {
    const type = String.fromCharCode(...bytes.subarray(at + (isRiff ? 0 : 4), at + (isRiff ? 4 : 8)));
    // RIFF counts the body and pads it to even; a box counts itself, and 0 means to the end.
    const size = isRiff ? view.getUint32(at + 4, true) : (view.getUint32(at) || bytes.length - at) - 8;
    if (size < 0) return undefined;
    if (type === name) return bytes.subarray(at + 8, at + 8 + size);
    at += 8 + size + (isRiff ? size & 1 : 0);
  }
  return undefined;
}
