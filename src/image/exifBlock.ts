/**
 * EXIF from the reference frame to the merged picture.
 *
 * An EXIF block is a small TIFF: a directory about the picture, and from there one about the exposure and one about the
 * place (CIPA DC-008, Exif 2.32). It is read entry by entry and written anew: orientation is 1, sizes are the result's,
 * thumbnail and maker notes (whose offsets would break) are dropped, GPS stays, `Software` is deghost.
 */
import { cr3Exif, isCr3 } from './cr3.ts';
import {
  TIFF_TYPE,
  bytesEntry,
  directoryEntry,
  entryNumber,
  numbersEntry,
  readDirectory,
  textEntry,
  tiffOf,
} from './tiffEntries.ts';
import type { TiffEntry } from './tiffEntries.ts';

const EXIF_POINTER = 34665;
const GPS_POINTER = 34853;
const ORIENTATION = 274;
/** The picture's own size, which tells frames of one camera apart. */
const SIZES = new Set([40962, 40963]);
/**
 * Kept about the picture: description, make, model, resolution (3), date, artist, host computer, rating (2), copyright.
 * In TIFF and RAW files all others are about how the pixels are stored.
 */
const KEPT = new Set([270, 271, 272, 282, 283, 296, 306, 315, 316, 18246, 18249, 33432]);
/**
 * Dropped about the exposure: components and bits of the JPEG (2), maker note, FlashPix version, colour space, size
 * (2), sound file, interoperability, custom rendering, Microsoft's padding (2).
 */
const DROPPED = new Set([37121, 37122, 37500, 40960, 40961, 40962, 40963, 40964, 40965, 41985, 59932, 59933]);
/** A JPEG's segment holds 65533 bytes, 6 of them a signature. */
const MAX_BYTES = 65000;

/** What a clean block says of the picture that it is written into. */
export interface ExifTarget {
  width: number;
  height: number;
  /** Whether the samples are sRGB; else they count as uncalibrated, and the ICC profile tells. */
  isSrgb: boolean;
}

/** The directories of a block as entries of a picture's first directory: of TIFF and DNG files too. */
export function exifEntries(block: Uint8Array | undefined, { width, height, isSrgb }: ExifTarget): TiffEntry[] {
  const all = block ? readDirectory(block) : [];
  const pointed = (tag: number): TiffEntry[] => {
    const at = entryNumber(all.find((entry) => entry.tag === tag));
    return block && at !== undefined ? readDirectory(block, at) : [];
  };
  let left = MAX_BYTES - 1024;
  const fits = ({ value }: TiffEntry): boolean => (left -= 12 + value.length + 1) >= 0;
  const exif = pointed(EXIF_POINTER).filter(({ tag }) => !DROPPED.has(tag));
  const image = all.filter(({ tag }) => KEPT.has(tag)).filter(fits);
  const gps = pointed(GPS_POINTER)
    .filter(({ tag }) => tag <= 31 && tag !== 27 && tag !== 28)
    .filter(fits);
  const about = [
    ...exif.filter(fits),
    bytesEntry(36864, new TextEncoder().encode('0232')),
    bytesEntry(40960, new TextEncoder().encode('0100')), // FlashpixVersion, which the standard demands
    numbersEntry(40961, TIFF_TYPE.short, [isSrgb ? 1 : 65535]),
    numbersEntry(40962, TIFF_TYPE.long, [width]),
    numbersEntry(40963, TIFF_TYPE.long, [height]),
    numbersEntry(41985, TIFF_TYPE.short, [1]), // custom rendering
  ];
  return [
    ...image,
    numbersEntry(274, TIFF_TYPE.short, [1]),
    textEntry(305, 'deghost'),
    directoryEntry(EXIF_POINTER, about),
    ...(gps.length > 0 ? [directoryEntry(GPS_POINTER, [numbersEntry(0, TIFF_TYPE.byte, [2, 3, 0, 0]), ...gps])] : []),
  ];
}

/** A clean block for a picture. Without a block it still says size and software. */
export function cleanExif(block: Uint8Array | undefined, target: ExifTarget): Uint8Array<ArrayBuffer> {
  return tiffOf(exifEntries(block, target));
}

const matches = (bytes: Uint8Array, at: number, text: string): boolean =>
  at >= 0 && at + text.length <= bytes.length && [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));

/** The block in a JPEG's APP1 segment. */
function inJpeg(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) return undefined;
    const size = bytes[at + 2] * 256 + bytes[at + 3];
    if (size < 2) return undefined;
    if (marker === 0xe1 && matches(bytes, at + 4, 'Exif\0\0')) return bytes.subarray(at + 10, at + 2 + size);
    at += 2 + size;
  }
  return undefined;
}

/** The payload of a PNG's or RIFF's chunk. */
function inChunks(bytes: Uint8Array, isPng: boolean): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = isPng ? 8 : 12; at + 8 <= bytes.length; ) {
    const size = isPng ? view.getUint32(at) : view.getUint32(at + 4, true);
    if (matches(bytes, isPng ? at + 4 : at, isPng ? 'eXIf' : 'EXIF')) {
      const data = bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + size));
      return matches(data, 0, 'Exif\0\0') ? data.subarray(6) : data;
    }
    at += isPng ? 12 + size : 8 + size + (size & 1);
  }
  return undefined;
}

/** HEIC and AVIF hold the block as an item; it is found by its signature, which follows a 4-byte offset. */
function inHeif(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = bytes.indexOf(0x45); at >= 0; at = bytes.indexOf(0x45, at + 1)) {
    if (!matches(bytes, at, 'Exif\0\0')) continue;
    const block = bytes.subarray(at + 6, at + 6 + 4 * MAX_BYTES);
    if (readDirectory(block).length > 0) return block;
  }
  return undefined;
}

/**
 * The EXIF block of a JPEG, PNG, WebP, TIFF, HEIC, AVIF or TIFF-like RAW file, as it is: all in it is hostile. CR3's
 * three blocks come as one.
 */
export function findExif(bytes: Uint8Array): Uint8Array | undefined {
  let block: Uint8Array | undefined;
  if (bytes[0] === 0xff && bytes[1] === 0xd8) block = inJpeg(bytes);
  else if (matches(bytes, 1, 'PNG\r\n')) block = inChunks(bytes, true);
  else if (matches(bytes, 0, 'RIFF') && matches(bytes, 8, 'WEBP')) block = inChunks(bytes, false);
  else if (isCr3(bytes)) block = cr3Exif(bytes);
  else if (matches(bytes, 4, 'ftyp')) block = inHeif(bytes);
  else if (matches(bytes, 0, 'FUJIFILM') && bytes.length > 92) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    block = inJpeg(bytes.subarray(view.getUint32(84)));
  } else block = bytes;
  return block && readDirectory(block).length > 0 ? block : undefined;
}

/**
 * The same block, written anew and small, for the merged picture's files.
 * @returns undefined if there is none, or none that can be read.
 */
export function extractExif(bytes: Uint8Array, target: ExifTarget): Uint8Array<ArrayBuffer> | undefined {
  const block = findExif(bytes);
  return block && cleanExif(block, target);
}

/**
 * The same block with all that it says of the picture and the exposure, for readers of EXIF that take a file's counts
 * for true: entries that are too large or lie outside the block are left out.
 * @returns undefined as `extractExif`.
 */
export function safeExif(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const block = findExif(bytes);
  if (!block) return undefined;
  const all = readDirectory(block);
  const at = entryNumber(all.find(({ tag }) => tag === EXIF_POINTER));
  const exposure =
    at === undefined ? [] : readDirectory(block, at).filter(({ tag }) => !DROPPED.has(tag) || SIZES.has(tag));
  const about = all.filter(({ tag }) => KEPT.has(tag) || tag === ORIENTATION);
  return tiffOf([...about, ...(exposure.length > 0 ? [directoryEntry(EXIF_POINTER, exposure)] : [])]);
}
