/**
 * The entries of TIFF directories (IFDs), both ways: EXIF blocks, TIFF and DNG files are made of them.
 *
 * Read entries hold their values in little-endian order, whatever the block's order was. Counts and offsets of a block
 * are hostile: an entry that leaves the block, or is too large, is left out. Layout: TIFF 6.0, section 2.
 */

/** Types of TIFF values. */
export const TIFF_TYPE = { byte: 1, ascii: 2, short: 3, long: 4, rational: 5, undefined: 7, srational: 10 } as const;
/** Bytes of one value of types 1 to 12, and of one number in it. */
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const NUMBER_SIZES = [0, 1, 1, 2, 4, 4, 1, 1, 2, 4, 4, 4, 8];
/** Most entries of one directory, and by default most bytes of one value, that are read. */
const MAX_ENTRIES = 512;
const MAX_VALUE_BYTES = 8192;

/** One entry; `directory` in place of a value points to a directory of its own. */
export interface TiffEntry {
  tag: number;
  type: number;
  count: number;
  value: Uint8Array;
  directory?: TiffEntry[];
}

/** An entry of numbers: pairs of numerator and denominator for rationals. */
export function numbersEntry(tag: number, type: number, numbers: readonly number[]): TiffEntry {
  const size = NUMBER_SIZES[type];
  const view = new DataView(new ArrayBuffer(numbers.length * size));
  numbers.forEach((n, i) => {
    if (size === 1) view.setUint8(i, n);
    else if (size === 2) view.setUint16(2 * i, n, true);
    else if (n < 0) view.setInt32(4 * i, n, true);
    else view.setUint32(4 * i, n, true);
  });
  const count = (numbers.length * size) / SIZES[type];
  return { tag, type, count, value: new Uint8Array(view.buffer) };
}

/** An ASCII entry; other characters become question marks. */
export function textEntry(tag: number, text: string): TiffEntry {
  const value = new TextEncoder().encode(`${text.replace(/[^ -~]/g, '?')}\0`);
  return { tag, type: TIFF_TYPE.ascii, count: value.length, value };
}

/** An entry of bytes, of the type UNDEFINED unless another is given. */
export function bytesEntry(tag: number, value: Uint8Array, type: number = TIFF_TYPE.undefined): TiffEntry {
  return { tag, type, count: value.length, value };
}

/** An entry that points to a directory. */
export function directoryEntry(tag: number, directory: TiffEntry[]): TiffEntry {
  return { tag, type: TIFF_TYPE.long, count: 1, value: new Uint8Array(4), directory };
}

/** The text of an ASCII entry, without what follows its first zero. */
export function entryText(entry: TiffEntry | undefined): string | undefined {
  if (entry?.type !== TIFF_TYPE.ascii) return undefined;
  return new TextDecoder('latin1').decode(entry.value).split('\0')[0].trim() || undefined;
}

/**
 * Reads a directory of a TIFF-structured block.
 * @param at the directory's offset; without it, the block's first.
 * @param mostBytes of one value: an entry of more is left out.
 * @returns entries; none if the block is no TIFF or the directory lies outside.
 */
export function readDirectory(block: Uint8Array, at?: number, mostBytes = MAX_VALUE_BYTES): TiffEntry[] {
  if (block.length < 8) return [];
  const mark = block[0] * 256 + block[1];
  if (mark !== 0x4949 && mark !== 0x4d4d) return [];
  const little = mark === 0x4949;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const start = at ?? view.getUint32(4, little);
  if (start < 8 || start + 2 > block.length) return [];
  const count = Math.min(view.getUint16(start, little), MAX_ENTRIES, Math.floor((block.length - start - 2) / 12));
  const entries: TiffEntry[] = [];
  for (let i = 0; i < count; i++) {
    const from = start + 2 + 12 * i;
    const type = view.getUint16(from + 2, little);
    const values = view.getUint32(from + 4, little);
    const bytes = values * (SIZES[type] ?? 0);
    if (bytes === 0 || bytes > mostBytes) continue;
    const place = bytes <= 4 ? from + 8 : view.getUint32(from + 8, little);
    if (place + bytes > block.length) continue;
    const value = new Uint8Array(block.subarray(place, place + bytes)); // a copy, of a Buffer too
    const size = NUMBER_SIZES[type];
    if (!little && size > 1) for (let k = 0; k < bytes; k += size) value.subarray(k, k + size).reverse();
    entries.push({ tag: view.getUint16(from, little), type, count: values, value });
  }
  return entries;
}

/** The number in an entry of one SHORT or LONG: the offset of a directory. */
export function entryNumber(entry: TiffEntry | undefined): number | undefined {
  if (!entry || (entry.type !== TIFF_TYPE.long && entry.type !== TIFF_TYPE.short && entry.type !== 13))
    return undefined;
  const view = new DataView(entry.value.buffer, entry.value.byteOffset, entry.value.byteLength);
  return entry.type === TIFF_TYPE.short ? view.getUint16(0, true) : view.getUint32(0, true);
}

/**
 * Encodes a directory, its values, and the directories that it points to, little-endian.
 * @param base where the bytes will lie in the file. It must be even.
 */
export function encodeDirectory(entries: readonly TiffEntry[], base: number): Uint8Array<ArrayBuffer> {
  // Of two entries of one tag the later counts.
  const sorted = [...new Map(entries.map((entry) => [entry.tag, entry])).values()].sort((a, b) => a.tag - b.tag);
  let end = 2 + 12 * sorted.length + 4;
  const parts: { at: number; bytes: Uint8Array }[] = [];
  const head = new DataView(new ArrayBuffer(end));
  head.setUint16(0, sorted.length, true);
  sorted.forEach(({ tag, type, count, value, directory }, i) => {
    const at = 2 + 12 * i;
    head.setUint16(at, tag, true);
    head.setUint16(at + 2, type, true);
    head.setUint32(at + 4, count, true);
    if (!directory && value.length <= 4) {
      new Uint8Array(head.buffer).set(value, at + 8);
      return;
    }
    const bytes = directory ? encodeDirectory(directory, base + end) : value;
    head.setUint32(at + 8, base + end, true);
    parts.push({ at: end, bytes });
    end += bytes.length + (bytes.length & 1);
  });
  const out = new Uint8Array(end);
  out.set(new Uint8Array(head.buffer));
  for (const { at, bytes } of parts) out.set(bytes, at);
  return out;
}

/** A TIFF without a picture: one directory, and those that it points to. */
export function tiffOf(entries: readonly TiffEntry[]): Uint8Array<ArrayBuffer> {
  const directory = encodeDirectory(entries, 8);
  const out = new Uint8Array(8 + directory.length);
  out.set([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  out.set(directory, 8);
  return out;
}
