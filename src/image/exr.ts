/**
 * Writing OpenEXR: scanlines of RGB in half or float, ZIP-compressed.
 *
 * Layout (https://openexr.com/en/latest/OpenEXRFileLayout.html): magic, version 2, attributes, a table of file offsets,
 * then chunks of 16 lines. Within a line the channels follow each other in alphabetical order (B, G, R). ZIP first
 * splits the bytes into even and odd ones, then stores differences from byte to byte, then deflates; a chunk that would
 * not shrink is stored uncompressed. Without primaries the format's default holds: Rec. 709, those of sRGB.
 *
 * Written here because the packages for it silently turn NaN into 0. The platform deflates: several chunks at once, so
 * that a platform with threads for this (Node's zlib, a browser's CompressionStream) uses them. The file is streamed:
 * its table of offsets comes before the chunks but is known only after them, so it is written last, over zeros.
 */
import { FINITE, FUNCTION, PRIMARIES, SIGNAL, checkPicture, oneOf, readOptions } from '../checks.ts';
import { InputError, throwIfCancelled } from '../errors.ts';
import { MAX_HALF, floatToHalf } from '../float16.ts';
import { inBands } from './bands.ts';

/** How samples are stored: half (16 bits) or float (32 bits). */
export type ExrPixelType = 'half' | 'float';

const PIXEL_TYPE = /* @__PURE__ */ oneOf('half', 'float');

const LINES_PER_CHUNK = 16;
/** Chunks being compressed at once: the default size of Node's thread pool. */
const CONCURRENCY = 4;

/** Compresses bytes to zlib's format (RFC 1950). */
export type Deflate = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/** {@link Deflate} by the web platform, also available in Node and Deno. */
export async function deflateStream(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const ascii = new TextEncoder();

function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Little-endian 32-bit integers. */
function ints(...values: number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => out.setInt32(4 * i, value, true));
  return new Uint8Array(out.buffer);
}

/** Little-endian floats. */
function floats(...values: number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => out.setFloat32(4 * i, value, true));
  return new Uint8Array(out.buffer);
}

function attribute(name: string, type: string, value: Uint8Array): Uint8Array {
  return concat(ascii.encode(`${name}\0${type}\0`), ints(value.length), value);
}

function header(width: number, height: number, type: ExrPixelType, chromaticities: readonly number[] = []): Uint8Array {
  const channels = concat(
    ...['B', 'G', 'R'].map((name) => concat(ascii.encode(`${name}\0`), ints(type === 'half' ? 1 : 2, 0, 1, 1))),
    Uint8Array.of(0),
  );
  const window = ints(0, 0, width - 1, height - 1);
  return concat(
    ints(20000630, 2),
    attribute('channels', 'chlist', channels),
    attribute('compression', 'compression', Uint8Array.of(3)), // ZIP_COMPRESSION
    attribute('dataWindow', 'box2i', window),
    attribute('displayWindow', 'box2i', window),
    attribute('lineOrder', 'lineOrder', Uint8Array.of(0)),
    attribute('pixelAspectRatio', 'float', floats(1)),
    attribute('screenWindowCenter', 'v2f', floats(0, 0)),
    attribute('screenWindowWidth', 'float', floats(1)),
    chromaticities.length > 0
      ? attribute('chromaticities', 'chromaticities', floats(...chromaticities))
      : new Uint8Array(0),
    attribute('software', 'string', ascii.encode('deghost')),
    Uint8Array.of(0),
  );
}

/** The bytes of lines y0 to y1, uncompressed. */
function rawChunk(
  data: Float32Array,
  width: number,
  y0: number,
  y1: number,
  scale: number,
  type: ExrPixelType,
): Uint8Array<ArrayBuffer> {
  const values = (y1 - y0) * width * 3;
  const halves = type === 'half' ? new Uint16Array(values) : undefined;
  const singles = type === 'float' ? new Float32Array(values) : undefined;
  let to = 0;
  for (let y = y0; y < y1; y++) {
    for (let channel = 2; channel >= 0; channel--) {
      for (let x = 0; x < width; x++) {
        const value = data[(y * width + x) * 3 + channel] * scale;
        if (halves) halves[to++] = floatToHalf(value);
        else if (singles) singles[to++] = value;
      }
    }
  }
  return new Uint8Array((halves ?? (singles as Float32Array<ArrayBuffer>)).buffer);
}

/** Even bytes before odd ones, then differences: the input of ZIP's deflate. */
function predict(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(raw.length);
  const middle = (raw.length + 1) >> 1;
  for (let i = 0; i < raw.length; i++) out[(i & 1 ? middle : 0) + (i >> 1)] = raw[i];
  for (let i = out.length - 1; i > 0; i--) out[i] = out[i] - out[i - 1] + 128;
  return out;
}

/** The half of infinity. Larger ones, without the sign, are NaN. */
const INFINITE_HALF = 0x7c00;

function throwNotFinite(data: Float32Array, width: number, scale: number, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    if (Math.abs(Math.fround(data[i] * scale)) < Infinity) continue;
    const pixel = Math.floor(i / 3);
    throw new InputError(
      `exr: pixel ${pixel % width},${Math.floor(pixel / width)} holds ${data[i] * scale}, only finite values can be ` +
        'stored',
    );
  }
}

/** The bits of f32s: of 2^-14, the smallest normal half, and of 65520, which is infinite as a half. */
const NORMAL_BITS = 0x38800000;
const INFINITE_BITS = 0x477ff000;
/** The bits of an f32 that a half does not keep, and these of a value half way between two halves. */
const LOST_BITS = 0x1fff;
const TIE_BITS = 0x1000;

/**
 * `predict(rawChunk(...))` of halves, in one pass: this is most of what JavaScript does for a file.
 * @param out takes the bytes.
 */
function predictHalves(
  data: Float32Array,
  width: number,
  y0: number,
  y1: number,
  scale: number,
  out: Uint8Array,
): void {
  const values = (y1 - y0) * width * 3;
  // A line at a time: bits that are read right after they were written would be waited for.
  const line = new Float32Array(width * 3);
  const bitsOf = new Int32Array(line.buffer);
  // Bytes before: the first one stays as it is.
  let low = 128;
  let high = 0;
  let allFinite = true;
  let to = 0;
  for (let y = y0; y < y1; y++) {
    const start = y * line.length;
    for (let i = 0; i < line.length; i++) line[i] = data[start + i] * scale;
    for (let channel = 2; channel >= 0; channel--) {
      for (let i = channel; i < line.length; i += 3) {
        const bits = bitsOf[i];
        let half: number;
        // Nearly all values. An f32 half way between two halves may have been rounded to there.
        if (bits >= NORMAL_BITS && bits < INFINITE_BITS && (bits & LOST_BITS) !== TIE_BITS)
          half = (bits - NORMAL_BITS + (1 << 23) + TIE_BITS) >> 13;
        else {
          half = floatToHalf(data[start + i] * scale);
          if ((half & 0x7fff) >= INFINITE_HALF) allFinite = false;
        }
        const top = half >> 8;
        out[to] = half - low + 128;
        out[values + to] = top - high + 128;
        low = half;
        high = top;
        to++;
      }
    }
  }
  // The first high byte follows the last low one.
  out[values] -= low;
  if (!allFinite) throwNotFinite(data, width, scale, y0 * width * 3, y1 * width * 3);
}

/** Refuses NaN and infinite values. @returns the largest magnitude after scaling. */
async function largestMagnitude(
  data: Float32Array,
  width: number,
  scale: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let largest = 0;
  await inBands(
    data.length,
    (from, to) => {
      for (let i = from; i < to; i++) {
        const value = Math.abs(Math.fround(data[i] * scale));
        if (!(value < Infinity)) throwNotFinite(data, width, scale, i, i + 1);
        if (value > largest) largest = value;
      }
    },
    { signal },
  );
  return largest;
}

/** Bytes that replace those at a place in the file. */
export interface PlacedBytes {
  at: number;
  bytes: Uint8Array;
}

/** How an OpenEXR file is written. */
export interface ExrOptions {
  /** Factor for every value; 1 by default. */
  scale?: number;
  /** `half` by default. */
  type?: ExrPixelType;
  /** x and y of red, green, blue and white; Rec. 709's by default. */
  chromaticities?: readonly number[];
  /** The platform's CompressionStream by default. */
  deflate?: Deflate;
  /** A bound of the magnitudes before scaling, if one is known. Then values are looked at only as they are encoded. */
  largest?: number;
  /** Waits until the rows above `end` are final, for a picture that is still being made. Give `largest` too. */
  rows?: (end: number) => Promise<void>;
  signal?: AbortSignal;
}

/** An OpenEXR file while it is being written. */
export interface ExrStream {
  /** The pixel type of the file. */
  type: ExrPixelType;
  /**
   * Pieces of the file in order, and at the end the table of offsets, which replaces zeros near the beginning. No more
   * than a few chunks of 16 lines are held in memory.
   */
  pieces: AsyncGenerator<Uint8Array | PlacedBytes, void, undefined>;
}

/**
 * Encodes a picture as OpenEXR, piece by piece. Half becomes float where a value exceeds the largest half, 65504:
 * nothing is clipped. Half keeps 11 bits of values from 6.1e-5 on, and steps of 6e-8 below.
 * @param data linear RGB, interleaved `[height, width, 3]`. The data must not change while pieces are read.
 * @throws InputError on NaN or infinite values (after scaling), naming the pixel, or on a size that does not fit the
 * data; UsageError; CancelledError, from `pieces` too.
 */
export async function streamExr(
  data: Float32Array,
  width: number,
  height: number,
  options: ExrOptions = {},
): Promise<ExrStream> {
  checkPicture('exr', data, width, height);
  const read = readOptions('streamExr', options, {
    scale: FINITE,
    type: PIXEL_TYPE,
    chromaticities: PRIMARIES,
    deflate: FUNCTION,
    largest: ['a number from 0', (value) => typeof value === 'number' && value >= 0],
    rows: FUNCTION,
    signal: SIGNAL,
  });
  const { scale = 1, signal } = read;
  const bound = Math.fround((read.largest ?? Infinity) * scale);
  const isKnown = bound < Infinity || read.rows !== undefined;
  const largest = isKnown ? bound : await largestMagnitude(data, width, scale, signal);
  const type = largest > MAX_HALF ? 'float' : (read.type ?? 'half');
  return { type, pieces: pieces(data, width, height, type, read) };
}

async function* pieces(
  data: Float32Array,
  width: number,
  height: number,
  type: ExrPixelType,
  { scale = 1, deflate = deflateStream, signal, chromaticities, rows }: ExrOptions,
): ExrStream['pieces'] {
  const count = Math.ceil(height / LINES_PER_CHUNK);
  // Memory of chunks that were written: new memory takes the system's time, and the garbage collector's.
  const spare: Uint8Array<ArrayBuffer>[] = [];
  const encode = async (k: number) => {
    const y0 = k * LINES_PER_CHUNK;
    const y1 = Math.min(height, y0 + LINES_PER_CHUNK);
    await rows?.(y1);
    const raw = (): Uint8Array<ArrayBuffer> => rawChunk(data, width, y0, y1, scale, type);
    let predicted: Uint8Array<ArrayBuffer>;
    if (type === 'half') {
      const length = (y1 - y0) * width * 6;
      predicted = spare.pop() ?? new Uint8Array(length);
      // The last chunk may be shorter.
      if (predicted.length !== length) predicted = predicted.subarray(0, length);
      predictHalves(data, width, y0, y1, scale, predicted);
    } else {
      if (rows) throwNotFinite(data, width, scale, y0 * width * 3, y1 * width * 3);
      predicted = predict(raw());
    }
    const packed = await deflate(predicted);
    const body = packed.length < predicted.length ? packed : raw();
    return { start: ints(y0, body.length), body, predicted };
  };
  const head = header(width, height, type, chromaticities);
  const table = new DataView(new ArrayBuffer(8 * count));
  yield head;
  yield new Uint8Array(8 * count);
  let offset = head.length + table.byteLength;
  const coming: ReturnType<typeof encode>[] = [];
  for (let k = 0; k < count; k++) {
    for (let next = k + coming.length; next < count && coming.length < CONCURRENCY; next++) {
      const chunk = encode(next);
      chunk.catch(() => undefined); // a caller that stops early does not wait for this
      coming.push(chunk);
    }
    const { start, body, predicted } = await coming.shift()!;
    throwIfCancelled(signal);
    table.setBigUint64(8 * k, BigInt(offset), true);
    offset += start.length + body.length;
    yield start;
    yield body;
    if (type === 'half') spare.push(predicted);
  }
  yield { at: head.length, bytes: new Uint8Array(table.buffer) };
}

/**
 * Encodes a picture as a whole OpenEXR file: {@link streamExr} for callers that hold the file in memory anyway.
 * @returns the file in pieces, and its pixel type.
 * @throws as `streamExr`.
 */
export async function encodeExr(
  data: Float32Array,
  width: number,
  height: number,
  options: ExrOptions = {},
): Promise<{ pieces: Uint8Array[]; type: ExrPixelType }> {
  const stream = await streamExr(data, width, height, options);
  const found: Uint8Array[] = [];
  for await (const piece of stream.pieces) {
    if (piece instanceof Uint8Array) found.push(piece);
    else found[1].set(piece.bytes); // the table
  }
  return { pieces: found, type: stream.type };
}
