/**
 * What Canon's CR3 says beside its sensor data: EXIF, split into three small TIFFs, and JPEGs of two sizes.
 *
 * CR3 is made of ISO boxes (ISO/IEC 14496-12). `moov` begins with a `uuid` box that holds `CMT1` (about the picture),
 * `CMT2` (about the exposure), `CMT4` (about the place) and `THMB`, 160 x 120; another `uuid` box beside it holds
 * `PRVW`, 1620 x 1080. Source: Laurent Clévy's description, https://github.com/lclevy/canon_cr3. All in it is hostile.
 */
import { directoryEntry, readDirectory, tiffOf } from './tiffEntries.ts';

/** A part of a file, in bytes. */
export interface FilePart {
  from: number;
  length: number;
}

interface Box extends FilePart {
  type: string;
}

/** Most boxes that are looked at in one place. */
const MOST_BOXES = 64;
/** Bytes of a box's head, and of a `uuid` box's. */
const HEAD = 8;
const UUID = 16;
/** Between a preview's uuid and its box. */
const PREVIEW_SKIP = 8;
/** A JPEG begins within so much of its box. */
const JPEG_WITHIN = 32;

const EXIF_POINTER = 34665;
const GPS_POINTER = 34853;

const textAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

export function isCr3(bytes: Uint8Array): boolean {
  return textAt(bytes, 4) === 'ftyp' && textAt(bytes, 8) === 'crx ';
}

/** The boxes from a place of a file's head on: bodies, which may reach beyond the head, but not beyond `end`. */
function boxesIn(head: Uint8Array, from: number, end: number): Box[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const found: Box[] = [];
  for (let at = from; at + HEAD <= Math.min(head.length, end) && found.length < MOST_BOXES; ) {
    // 1 means that 64 bits follow, 0 that it goes to the end: both are of sensor data alone.
    const size = view.getUint32(at);
    if (size < HEAD || at + size > end) break;
    found.push({ type: textAt(head, at + 4), from: at + HEAD, length: size - HEAD });
    at += size;
  }
  return found;
}

/** All boxes in `uuid` boxes, at the top and in `moov`. */
function canonBoxes(head: Uint8Array, fileBytes: number): Box[] {
  const top = boxesIn(head, 0, fileBytes);
  const moov = top.find(({ type }) => type === 'moov');
  const inMoov = moov ? boxesIn(head, moov.from, moov.from + moov.length) : [];
  return [...top, ...inMoov].flatMap(({ type, from, length }) => {
    if (type !== 'uuid') return [];
    const inside = (skip: number): Box[] => boxesIn(head, from + skip, from + length);
    const metadata = inside(UUID);
    return metadata.length > 0 ? metadata : inside(UUID + PREVIEW_SKIP);
  });
}

/** EXIF as one TIFF. @param head the file's first bytes, or all of them. @returns undefined without any. */
export function cr3Exif(head: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const boxes = canonBoxes(head, Number.MAX_SAFE_INTEGER);
  const entries = (type: string) => {
    const box = boxes.find((one) => one.type === type);
    return box ? readDirectory(head.subarray(box.from, box.from + box.length)) : [];
  };
  const [about, exposure, place] = ['CMT1', 'CMT2', 'CMT4'].map(entries);
  if (about.length + exposure.length === 0) return undefined;
  return tiffOf([
    ...about.filter(({ tag }) => tag !== EXIF_POINTER && tag !== GPS_POINTER),
    ...(exposure.length > 0 ? [directoryEntry(EXIF_POINTER, exposure)] : []),
    ...(place.length > 0 ? [directoryEntry(GPS_POINTER, place)] : []),
  ]);
}

/** Where the JPEGs lie. @param head the file's first bytes. */
export function cr3Previews(head: Uint8Array, fileBytes: number): FilePart[] {
  return canonBoxes(head, fileBytes).flatMap(({ type, from, length }) => {
    if (type !== 'THMB' && type !== 'PRVW') return [];
    for (let skip = 0; skip < JPEG_WITHIN; skip++)
      if (head[from + skip] === 0xff && head[from + skip + 1] === 0xd8)
        return skip < length ? [{ from: from + skip, length: length - skip }] : [];
    return [];
  });
}
