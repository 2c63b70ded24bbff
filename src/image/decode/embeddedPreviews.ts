/**
 * The JPEGs that cameras put beside a picture, which are there long before the picture itself is decoded: in the
 * directories of EXIF (CIPA DC-008, 4.5.8) and of RAW files made like TIFF, DNG's among them (DNG 1.7, "Preview
 * Images"), and in CR3's boxes. All that a file says of them is hostile.
 */
import { cr3Previews, isCr3 } from '../cr3.ts';
import type { FilePart } from '../cr3.ts';
import { findExif } from '../exifBlock.ts';
import { entryNumber, readDirectory } from '../tiffEntries.ts';
import type { TiffEntry } from '../tiffEntries.ts';

const SUBFILE = 254;
const COMPRESSION = 259;
const PHOTOMETRIC = 262;
const STRIP_OFFSETS = 273;
const STRIP_BYTES = 279;
const SUB_DIRECTORIES = 330;
const JPEG_OFFSET = 513; // JPEGInterchangeFormat
const JPEG_BYTES = 514;
/** Of sensor data, which JPEG may hold too: a mosaic, and what was demosaiced. */
const SENSOR = [32803, 34892];
/** Compressions that are JPEG: of TIFF 6.0, and of Technical Note 2. */
const JPEG = [6, 7];

/** Most directories of a file that are looked at, and most bytes of a JPEG. */
const MOST_DIRECTORIES = 16;
const MOST_BYTES = 32 * 2 ** 20;

/** Where the directory after another begins; undefined if there is none. */
function nextDirectory(block: Uint8Array, at: number): number | undefined {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const little = block[0] === 0x49;
  if (at + 2 > block.length) return undefined;
  const end = at + 2 + 12 * view.getUint16(at, little);
  return end + 4 <= block.length ? view.getUint32(end, little) || undefined : undefined;
}

/** The places that an entry of LONGs names. */
function placesIn(entry: TiffEntry | undefined): number[] {
  if (!entry || entry.type === 3) return [];
  const view = new DataView(entry.value.buffer, entry.value.byteOffset, entry.value.byteLength);
  return Array.from({ length: entry.value.length >> 2 }, (_, i) => view.getUint32(4 * i, true));
}

/** The JPEG that a directory describes, from the block's begin; undefined if that is another thing. */
function previewIn(entries: readonly TiffEntry[]): FilePart | undefined {
  // Several strips are no file.
  const number = (tag: number): number | undefined =>
    entryNumber(entries.find((entry) => entry.tag === tag && entry.count === 1));
  const part = (offset: number, bytes: number): FilePart | undefined => {
    const [from, length] = [number(offset), number(bytes)];
    return from === undefined || length === undefined ? undefined : { from, length };
  };
  const isSmall = ((number(SUBFILE) ?? 0) & 1) === 1;
  const isPreview = isSmall && JPEG.includes(number(COMPRESSION)!) && !SENSOR.includes(number(PHOTOMETRIC)!);
  return part(JPEG_OFFSET, JPEG_BYTES) ?? (isPreview ? part(STRIP_OFFSETS, STRIP_BYTES) : undefined);
}

/** The JPEGs of a TIFF's directories: of those that follow one another, and of those within them. */
function tiffPreviews(block: Uint8Array): FilePart[] {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const places = [view.getUint32(4, block[0] === 0x49)];
  const found: FilePart[] = [];
  for (const [k, at] of places.entries()) {
    if (k >= MOST_DIRECTORIES) break;
    const entries = readDirectory(block, at);
    const preview = previewIn(entries);
    if (preview) found.push(preview);
    const next = nextDirectory(block, at);
    const more = [
      ...(next === undefined ? [] : [next]),
      ...placesIn(entries.find(({ tag }) => tag === SUB_DIRECTORIES)),
    ];
    places.push(...more.filter((place) => !places.includes(place)).slice(0, MOST_DIRECTORIES));
  }
  return found;
}

/**
 * Where a file's JPEGs lie: in the file, the largest first. Not turned.
 * @param head the file's first bytes, or all of them: what is described beyond is not found.
 */
export function embeddedPreviews(head: Uint8Array, fileBytes: number): FilePart[] {
  let found: FilePart[] = [];
  if (isCr3(head)) found = cr3Previews(head, fileBytes);
  else {
    const block = findExif(head);
    if (!block) return [];
    const start = block.byteOffset - head.byteOffset;
    // A block within another format holds its own small picture alone.
    const end = start === 0 ? fileBytes : start + block.length;
    found = tiffPreviews(block)
      .map(({ from, length }) => ({ from: start + from, length }))
      .filter(({ from, length }) => from + length <= end);
  }
  return found
    .filter(({ length, from }) => length >= 4 && length <= MOST_BYTES && from + length <= fileBytes)
    .sort((a, b) => b.length - a.length);
}

/**
 * The size that a JPEG names, of a kind that every reader knows: baseline, extended or progressive.
 * @param bytes its first, or all of them. @returns undefined if it is none.
 */
export function jpegSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const short = (at: number): number => 256 * bytes[at] + bytes[at + 1];
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xc2) return { height: short(at + 5), width: short(at + 7) };
    else if (short(at + 2) < 2 || (marker >= 0xc3 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)))
      return undefined;
    else at += 2 + short(at + 2);
  }
  return undefined;
}
