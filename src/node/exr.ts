/**
 * Writing OpenEXR: scanlines of RGB in half or float, ZIP-compressed.
 *
 * Layout (https://openexr.com/en/latest/OpenEXRFileLayout.html): magic, version 2, attributes, a table of file offsets, then
 * chunks of 16 lines. Within a line the channels follow each other in alphabetical order (B, G, R). ZIP first splits the
 * bytes into even and odd ones, then stores differences from byte to byte, then deflates; a chunk that would not shrink is
 * stored as it is. No primaries are named: the format's default is Rec. 709, which is what sRGB pictures have.
 *
 * Written here because the packages for it silently turn NaN into 0, and because node:zlib compresses on several threads.
 */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { CancelledError, InputError } from '../errors.ts';

export type ExrPixelType = 'half' | 'float';

/** Largest finite half. */
export const MAX_HALF = 65504;
const LINES_PER_CHUNK = 16;
/** Chunks being compressed at once: the default size of Node's thread pool. */
const CONCURRENCY = 4;
const deflateAsync = promisify(deflate);

const floatBits = new Float32Array(1);
const intBits = new Uint32Array(floatBits.buffer);

/** The bits of the half nearest to v, ties to even (IEEE 754); overflow gives infinity. */
export function halfBits(v: number): number {
  floatBits[0] = v;
  const x = intBits[0];
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65520 or more, or infinite
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are multiples of 2^-24; adding 0.5 leaves the float32 sum with exactly that unit, rounded to even.
    floatBits[0] = Math.abs(floatBits[0]) + 0.5;
    return sign | (intBits[0] - 0x3f000000);
  }
  const roundToEven = 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((magnitude - 0x38000000 + roundToEven) >>> 13);
}

function attribute(name: string, type: string, value: Uint8Array): Uint8Array {
  const head = Buffer.from(`${name}\0${type}\0____`, 'latin1');
  head.writeUInt32LE(value.length, head.length - 4);
  return Buffer.concat([head, value]);
}

function header(width: number, height: number, type: ExrPixelType): Buffer {
  const ints = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);
  const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const channels = Buffer.concat([
    ...['B', 'G', 'R'].map((name) => Buffer.concat([Buffer.from(`${name}\0`), ints(type === 'half' ? 1 : 2, 0, 1, 1)])),
    Buffer.from([0]),
  ]);
  const window = ints(0, 0, width - 1, height - 1);
  return Buffer.concat([
    ints(20000630, 2),
    attribute('channels', 'chlist', channels),
    attribute('compression', 'compression', Uint8Array.of(3)), // ZIP_COMPRESSION
    attribute('dataWindow', 'box2i', window),
    attribute('displayWindow', 'box2i', window),
    attribute('lineOrder', 'lineOrder', Uint8Array.of(0)),
    attribute('pixelAspectRatio', 'float', floats(1)),
    attribute('screenWindowCenter', 'v2f', floats(0, 0)),
    attribute('screenWindowWidth', 'float', floats(1)),
    attribute('software', 'string', Buffer.from('deghost')),
    Buffer.from([0]),
  ]);
}

/** The bytes of lines y0 to y1, uncompressed. */
function rawChunk(data: Float32Array, width: number, y0: number, y1: number, scale: number, type: ExrPixelType): Uint8Array {
  const values = (y1 - y0) * width * 3;
  const halves = type === 'half' ? new Uint16Array(values) : undefined;
  const floats = type === 'float' ? new Float32Array(values) : undefined;
  let to = 0;
  for (let y = y0; y < y1; y++) {
    for (let channel = 2; channel >= 0; channel--) {
      for (let x = 0; x < width; x++) {
        const value = data[(y * width + x) * 3 + channel] * scale;
        if (halves) halves[to++] = halfBits(value);
        else if (floats) floats[to++] = value;
      }
    }
  }
  return new Uint8Array((halves ?? floats as Float32Array).buffer);
}

/** Even bytes before odd ones, then differences: what ZIP deflates. */
function predict(raw: Uint8Array): Uint8Array {
  const out = new Uint8Array(raw.length);
  const middle = (raw.length + 1) >> 1;
  for (let i = 0; i < raw.length; i++) out[(i & 1 ? middle : 0) + (i >> 1)] = raw[i];
  for (let i = out.length - 1; i > 0; i--) out[i] = out[i] - out[i - 1] + 128;
  return out;
}

/** Refuses what no picture should hold. @returns the largest magnitude after scaling. */
function largestMagnitude(data: Float32Array, width: number, scale: number): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) {
    const value = Math.abs(Math.fround(data[i] * scale));
    if (!(value < Infinity)) {
      const pixel = Math.floor(i / 3);
      throw new InputError(`exr: pixel ${pixel % width},${Math.floor(pixel / width)} holds ${data[i] * scale}, only finite values can be stored`);
    }
    if (value > largest) largest = value;
  }
  return largest;
}

/**
 * Encodes a picture as OpenEXR. Half becomes float where a value exceeds the largest half, 65504: nothing is clipped.
 * Half keeps 11 bits of values from 6.1e-5 on, and steps of 6e-8 below.
 * @param data linear RGB, interleaved `[height, width, 3]`.
 * @param scale every value is multiplied by it.
 * @throws InputError on NaN or infinite values (after scaling), naming the pixel, or on a size that does not fit the data.
 */
export async function encodeExr(data: Float32Array, width: number, height: number, scale = 1, type: ExrPixelType = 'half', signal?: AbortSignal): Promise<{ pieces: Uint8Array[]; type: ExrPixelType }> {
  if (data.length !== width * height * 3 || data.length === 0) throw new InputError(`exr: ${data.length} values, ${width}x${height} RGB needs ${width * height * 3}`);
  const chosen = largestMagnitude(data, width, scale) > MAX_HALF ? 'float' : type;
  const count = Math.ceil(height / LINES_PER_CHUNK);
  const chunks: Uint8Array[] = new Array(count);
  let next = 0;
  const worker = async () => {
    while (next < count && !signal?.aborted) {
      const k = next++;
      const y0 = k * LINES_PER_CHUNK;
      const raw = rawChunk(data, width, y0, Math.min(height, y0 + LINES_PER_CHUNK), scale, chosen);
      const packed = await deflateAsync(predict(raw), { level: 4 });
      const body = packed.length < raw.length ? packed : raw;
      const chunk = Buffer.alloc(8 + body.length);
      chunk.writeInt32LE(y0, 0);
      chunk.writeInt32LE(body.length, 4);
      chunk.set(body, 8);
      chunks[k] = chunk;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  if (signal?.aborted) throw new CancelledError();
  const head = header(width, height, chosen);
  const table = Buffer.alloc(8 * count);
  let offset = head.length + table.length;
  chunks.forEach((chunk, k) => {
    table.writeBigUInt64LE(BigInt(offset), 8 * k);
    offset += chunk.length;
  });
  return { pieces: [head, table, ...chunks], type: chosen };
}
