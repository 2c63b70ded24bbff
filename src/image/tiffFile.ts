/**
 * Streams RGB samples as TIFF: blocks (strips or tiles), deflated with a predictor, then the directory. Nothing but a
 * few blocks is held. Layout: TIFF 6.0; predictor 3 and half floats: Adobe's TIFF Technical Note 3.
 *
 * The offset of the directory, in bytes 4 to 7, is known last, so it is written last, over zeros.
 */
import { InputError, throwIfCancelled } from '../errors.ts';
import { floatToHalf } from '../float16.ts';
import type { Deflate, PlacedBytes } from './exr.ts';
import { TIFF_TYPE, encodeDirectory, numbersEntry } from './tiffEntries.ts';
import type { TiffEntry } from './tiffEntries.ts';

const CONCURRENCY = 4;
/** Rows of a strip hold about this many bytes. */
const STRIP_BYTES = 1 << 18;
/** Offsets are 32 bits. */
const MAX_BYTES = 2 ** 32 - 2 ** 20;

/** How samples are stored. */
export type TiffSample = 'u8' | 'u16' | 'half' | 'float';
const BYTES: Record<TiffSample, number> = { u8: 1, u16: 2, half: 2, float: 4 };

/** A picture to be streamed. */
export interface TiffPicture {
  width: number;
  height: number;
  sample: TiffSample;
  /** Samples `from` to `from + out.length` (of `[height, width, 3]`) into `out`. */
  read: (from: number, out: Float64Array) => void;
  /** Side of square tiles, a multiple of 16; strips without it. */
  tile?: number;
  /**
   * Whether float samples are stored as differences (predictor 3). Files are smaller, but many readers do not know it.
   * Integers always are (predictor 2).
   */
  predictFloats?: boolean;
}

/** The bytes of a block before deflating: samples, each row after its predictor. */
function block(picture: TiffPicture, x0: number, y0: number, columns: number, rows: number): Uint8Array<ArrayBuffer> {
  const { width, height, sample, read } = picture;
  const size = BYTES[sample];
  const n = columns * 3;
  const out = new Uint8Array(rows * n * size);
  const line = new Float64Array(n);
  const inside = 3 * Math.min(columns, width - x0);
  const raw = new DataView(new ArrayBuffer(n * size));
  for (let y = 0; y < Math.min(rows, height - y0); y++) {
    read(3 * ((y0 + y) * width + x0), line.subarray(0, inside));
    const row = out.subarray(y * n * size, (y + 1) * n * size);
    if (sample === 'u8') {
      for (let i = n - 1; i >= 0; i--) row[i] = line[i] - (i < 3 ? 0 : line[i - 3]);
    } else if (sample === 'u16') {
      for (let i = 0; i < n; i++) {
        const value = line[i] - (i < 3 ? 0 : line[i - 3]);
        row[2 * i] = value & 255;
        row[2 * i + 1] = (value >> 8) & 255;
      }
    } else {
      const little = !picture.predictFloats;
      for (let i = 0; i < n; i++)
        if (size === 2) raw.setUint16(2 * i, floatToHalf(line[i]), little);
        else raw.setFloat32(4 * i, line[i], little);
      if (little) {
        row.set(new Uint8Array(raw.buffer));
        continue;
      }
      // Planes of bytes, the most significant first, then differences from pixel to pixel.
      for (let i = 0; i < n; i++) for (let b = 0; b < size; b++) row[b * n + i] = raw.getUint8(size * i + b);
      for (let i = row.length - 1; i >= 3; i--) row[i] -= row[i - 3];
    }
  }
  return out;
}

/**
 * Streams a picture.
 * @param directory makes the file's first directory from the entries that describe the blocks, and from what `before`
 * yielded (its offset is 8).
 * @throws InputError if the file would be too large for TIFF; CancelledError.
 */
export async function* streamTiff(
  picture: TiffPicture,
  directory: (blocks: TiffEntry[]) => TiffEntry[],
  { deflate, signal, before = new Uint8Array(0) }: { deflate: Deflate; signal?: AbortSignal; before?: Uint8Array },
): AsyncGenerator<Uint8Array | PlacedBytes, void, undefined> {
  const { width, height, sample, tile } = picture;
  const size = BYTES[sample];
  const columns = tile ?? width;
  const rows = tile ?? Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / (width * 3 * size))));
  const across = Math.ceil(width / columns);
  const count = across * Math.ceil(height / rows);
  yield Uint8Array.of(0x49, 0x49, 42, 0, 0, 0, 0, 0);
  yield before;
  let end = 8 + before.length;
  const encode = (k: number): Promise<Uint8Array> => {
    const y0 = Math.floor(k / across) * rows;
    return deflate(block(picture, (k % across) * columns, y0, columns, tile ?? Math.min(rows, height - y0)));
  };
  const offsets: number[] = [];
  const lengths: number[] = [];
  const coming: Promise<Uint8Array>[] = [];
  for (let k = 0; k < count; k++) {
    for (let next = k + coming.length; next < count && coming.length < CONCURRENCY; next++) {
      const packed = encode(next);
      packed.catch(() => undefined); // a caller that stops early does not wait for this
      coming.push(packed);
    }
    const packed = await coming.shift()!;
    throwIfCancelled(signal);
    offsets.push(end);
    lengths.push(packed.length);
    end += packed.length;
    if (end > MAX_BYTES) throw new InputError('tiff: the file would be larger than 4 GiB, which TIFF cannot hold');
    yield packed;
  }
  if (end & 1) {
    yield new Uint8Array(1);
    end++;
  }
  const { short, long } = TIFF_TYPE;
  const isFloat = sample === 'half' || sample === 'float';
  const entries = directory([
    numbersEntry(256, long, [width]),
    numbersEntry(257, long, [height]),
    numbersEntry(258, short, [8 * size, 8 * size, 8 * size]),
    numbersEntry(259, short, [8]), // Adobe deflate
    numbersEntry(277, short, [3]),
    numbersEntry(284, short, [1]),
    numbersEntry(317, short, [isFloat ? (picture.predictFloats ? 3 : 1) : 2]),
    numbersEntry(339, short, isFloat ? [3, 3, 3] : [1, 1, 1]),
    ...(tile ? [numbersEntry(322, long, [tile]), numbersEntry(323, long, [tile])] : [numbersEntry(278, long, [rows])]),
    numbersEntry(tile ? 324 : 273, long, offsets),
    numbersEntry(tile ? 325 : 279, long, lengths),
  ]);
  yield encodeDirectory(entries, end);
  const place = new DataView(new ArrayBuffer(4));
  place.setUint32(0, end, true);
  yield { at: 4, bytes: new Uint8Array(place.buffer) };
}
