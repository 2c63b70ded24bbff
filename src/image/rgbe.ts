/**
 * Radiance .hdr pictures (RGBE), both ways.
 *
 * Each pixel is three 8-bit mantissas under one 8-bit exponent: value = mantissa * 2^(exponent - 136); exponent 0 is
 * black. Format: https://radsite.lbl.gov/radiance/refer/filefmts.pdf; the scanline coding is Ward's of 1991
 * ("new-style"): the four bytes of the pixels of a line are stored as four planes, each run-length coded.
 *
 * Rounding: mantissas are rounded to the nearest, and decoded without an offset, which is what most readers do
 * (stb_image, OpenCV, FreeImage, three.js). Radiance's own tools truncate and add one half on reading; a file of ours
 * is at most half a step (0.2 to 0.4 %) brighter there.
 *
 * Range: 2^-128 (2.9e-39) to 255 * 2^119 (1.7e38). Smaller values become black, larger ones the largest value. Negative
 * values become 0, because the format has no sign. NaN and infinities are refused: a picture with them points to a bug.
 */
import { FINITE, PRIMARIES, checkPicture, expect } from '../checks.ts';
import { InputError } from '../errors.ts';
import { MOST_DEFLATED } from './packed.ts';

/** Shortest and longest line that new-style coding supports; others are stored flat. */
const MIN_RLE_WIDTH = 8;
const MAX_RLE_WIDTH = 0x7fff;
/** A run pays from this length on. */
const MIN_RUN = 4;
/** Lines are emitted in pieces of about this many bytes. */
const CHUNK_BYTES = 1 << 20;
/** Largest picture that is read: with run-length coding, a few bytes can claim any size. */
const MAX_PIXELS = 1 << 27;

const bits = new DataView(new ArrayBuffer(8));

/** The e of v = m * 2^e with m in [0.5, 1); v positive, finite and normal. */
function exponentOf(v: number): number {
  bits.setFloat64(0, v);
  return ((bits.getUint32(0) >>> 20) & 0x7ff) - 1022;
}

/** Powers of two that map a value under stored exponent e to its mantissa: 2^(136 - e). */
const TO_MANTISSA = Float64Array.from({ length: 256 }, (_, e) => 2 ** (136 - e));
/** The inverse: 2^(e - 136), 0 for e = 0. */
const FROM_MANTISSA = /* @__PURE__ */ Float64Array.from({ length: 256 }, (_, e) => (e === 0 ? 0 : 2 ** (e - 136)));

/** Encodes one pixel of finite values into `out[at..at+3]`, planes `stride` apart. */
function encodePixel(r: number, g: number, b: number, out: Uint8Array, at: number, stride: number): void {
  const largest = Math.max(r, g, b);
  let e = largest > 0 ? exponentOf(largest) + 128 : 0;
  if (e > 0 && e <= 255 && Math.round(largest * TO_MANTISSA[e]) > 255) e++; // rounds up into the next octave
  if (e < 1) {
    out[at] = out[at + stride] = out[at + 2 * stride] = out[at + 3 * stride] = 0;
    return;
  }
  e = Math.min(e, 255);
  const f = TO_MANTISSA[e];
  out[at] = mantissa(r * f);
  out[at + stride] = mantissa(g * f);
  out[at + 2 * stride] = mantissa(b * f);
  out[at + 3 * stride] = e;
}

function mantissa(x: number): number {
  if (!(x > 0)) return 0;
  return x >= 255 ? 255 : Math.round(x);
}

/** Run-length codes `plane` into `out` from `at`; returns the end. At most `length + ceil(length / 128)` bytes. */
function encodeRuns(plane: Uint8Array, out: Uint8Array, at: number): number {
  const length = plane.length;
  let i = 0;
  while (i < length) {
    // Find the next run worth coding; the bytes before it are literal.
    let start = i;
    let run = 0;
    while (start < length) {
      run = 1;
      while (run < 127 && start + run < length && plane[start + run] === plane[start]) run++;
      if (run >= MIN_RUN) break;
      start += run;
      run = 0;
    }
    while (i < start) {
      const literal = Math.min(128, start - i);
      out[at++] = literal;
      for (let j = 0; j < literal; j++) out[at++] = plane[i++];
    }
    if (run >= MIN_RUN) {
      out[at++] = 128 + run;
      out[at++] = plane[i];
      i += run;
    }
  }
  return at;
}

/**
 * Encodes a picture as Radiance .hdr, lazily, in pieces of about 1 MiB.
 * @param data linear RGB, interleaved `[height, width, 3]`.
 * @param scale factor for every value.
 * @param primaries x and y of red, green, blue and white; not named if absent.
 * @throws InputError on NaN or infinite values (after scaling), naming the pixel, or on a size that does not fit the
 * data.
 */
export function* encodeRgbe(
  data: Float32Array,
  width: number,
  height: number,
  scale = 1,
  primaries?: readonly number[],
): Generator<Uint8Array<ArrayBuffer>> {
  checkPicture('hdr', data, width, height);
  expect('scale', scale, FINITE);
  if (primaries !== undefined) expect('primaries', primaries, PRIMARIES);
  const named = primaries ? `PRIMARIES=${primaries.join(' ')}\n` : '';
  yield new TextEncoder().encode(
    `#?RADIANCE\nSOFTWARE=deghost\n${named}FORMAT=32-bit_rle_rgbe\n\n-Y ${height} +X ${width}\n`,
  );
  const coded = width >= MIN_RLE_WIDTH && width <= MAX_RLE_WIDTH;
  const lineBytes = coded ? 4 + 4 * (width + Math.ceil(width / 128)) : 4 * width;
  const linesPerChunk = Math.max(1, Math.floor(CHUNK_BYTES / lineBytes));
  const planes = new Uint8Array(4 * width);
  for (let y0 = 0; y0 < height; y0 += linesPerChunk) {
    const y1 = Math.min(height, y0 + linesPerChunk);
    const chunk = new Uint8Array((y1 - y0) * lineBytes);
    let at = 0;
    for (let y = y0; y < y1; y++) {
      for (let x = 0; x < width; x++) {
        const i = (y * width + x) * 3;
        const r = data[i] * scale;
        const g = data[i + 1] * scale;
        const b = data[i + 2] * scale;
        if (!Number.isFinite(r) || !Number.isFinite(g) || !Number.isFinite(b))
          throw new InputError(`hdr: pixel ${x},${y} is (${r}, ${g}, ${b}), only finite values can be stored`);
        if (coded) encodePixel(r, g, b, planes, x, width);
        else encodePixel(r, g, b, chunk, at + 4 * x, 1);
      }
      if (coded) {
        chunk.set([2, 2, width >> 8, width & 255], at);
        at += 4;
        for (let p = 0; p < 4; p++) at = encodeRuns(planes.subarray(p * width, (p + 1) * width), chunk, at);
      } else {
        at += lineBytes;
      }
    }
    yield chunk.subarray(0, at);
  }
}

/** A decoded .hdr picture: linear RGB, `[height, width, 3]`, divided by the file's EXPOSURE. */
export interface RgbeImage {
  data: Float32Array;
  width: number;
  height: number;
}

/**
 * Decodes a Radiance .hdr picture: flat, old-style and new-style lines, top to bottom.
 * @throws InputError naming what is wrong. The message does not name the file: the caller does.
 */
export function decodeRgbe(bytes: Uint8Array): RgbeImage {
  const { width, height, exposure, start } = parseHeader(bytes);
  const data = new Float32Array(width * height * 3);
  const line = new Uint8Array(4 * width); // RGBE, interleaved
  let at = start;
  for (let y = 0; y < height; y++) {
    const isNewStyle =
      width >= MIN_RLE_WIDTH && width <= MAX_RLE_WIDTH && bytes[at] === 2 && bytes[at + 1] === 2 && bytes[at + 2] < 128;
    at = isNewStyle ? readPlanes(bytes, at, line, width, y) : readPixels(bytes, at, line, width, y);
    for (let x = 0; x < width; x++) {
      const f = FROM_MANTISSA[line[4 * x + 3]] / exposure;
      const i = (y * width + x) * 3;
      data[i] = line[4 * x] * f;
      data[i + 1] = line[4 * x + 1] * f;
      data[i + 2] = line[4 * x + 2] * f;
    }
  }
  return { data, width, height };
}

/** The size that a header says. @throws InputError as `decodeRgbe`. */
export function rgbeSize(bytes: Uint8Array): { width: number; height: number } {
  const { width, height } = parseHeader(bytes);
  return { width, height };
}

function parseHeader(bytes: Uint8Array): { width: number; height: number; exposure: number; start: number } {
  let at = 0;
  const nextLine = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0 || end - at > 4096) throw new InputError('.hdr header is cut off or has no end');
    const text = new TextDecoder('latin1').decode(bytes.subarray(at, end));
    at = end + 1;
    return text.replace(/\r$/, '');
  };
  if (bytes[0] !== 0x23 || bytes[1] !== 0x3f)
    throw new InputError('not a Radiance .hdr file: it does not start with "#?"');
  nextLine();
  let exposure = 1;
  for (let text = nextLine(); text !== ''; text = nextLine()) {
    const [, key, value] = /^\s*([A-Z]+)\s*=\s*(.*?)\s*$/.exec(text) ?? [];
    if (key === 'FORMAT' && value !== '32-bit_rle_rgbe')
      throw new InputError(`.hdr format "${value}" is not supported, only 32-bit_rle_rgbe`);
    if (key === 'EXPOSURE') exposure *= Number(value); // repeated lines multiply
  }
  if (!(exposure > 0) || !Number.isFinite(exposure))
    throw new InputError(`.hdr EXPOSURE comes to ${exposure}, it must be positive`);
  const resolution = nextLine();
  const size = /^-Y\s+(\d{1,9})\s+\+X\s+(\d{1,9})$/.exec(resolution);
  if (!size)
    throw new InputError(`.hdr size line "${resolution.slice(0, 60)}" is not supported, only "-Y height +X width"`);
  const height = Number(size[1]);
  const width = Number(size[2]);
  if (width < 1 || height < 1 || width * height > MAX_PIXELS)
    throw new InputError(
      `.hdr header says ${width}x${height}: at least one and at most ${MAX_PIXELS} pixels are accepted`,
    );
  // Each line holds at least one pixel or code. (Old-style runs rule out a sharper bound than deflate's.)
  if (bytes.length - at < 4 * height || 4 * width * height > MOST_DEFLATED * bytes.length)
    throw new InputError(
      `.hdr file is cut off: the header says ${width}x${height}, which ${bytes.length} bytes cannot hold`,
    );
  return { width, height, exposure, start: at };
}

const cutOff = (y: number) => new InputError(`.hdr file is cut off in line ${y}`);

function readPlanes(bytes: Uint8Array, at: number, line: Uint8Array, width: number, y: number): number {
  const claimed = (bytes[at + 2] << 8) | bytes[at + 3];
  if (claimed !== width) throw new InputError(`.hdr line ${y} is ${claimed} pixels wide, the header says ${width}`);
  at += 4;
  for (let plane = 0; plane < 4; plane++) {
    for (let x = 0; x < width; ) {
      if (at + 1 >= bytes.length) throw cutOff(y);
      const code = bytes[at++];
      const isRun = code > 128;
      const count = isRun ? code - 128 : code;
      if (count === 0 || x + count > width)
        throw new InputError(`.hdr line ${y} holds a run of ${count} at pixel ${x} of ${width}`);
      if (!isRun && at + count > bytes.length) throw cutOff(y);
      for (let j = 0; j < count; j++, x++) line[4 * x + plane] = isRun ? bytes[at] : bytes[at + j];
      at += isRun ? 1 : count;
    }
  }
  return at;
}

/**
 * Flat pixels, and old-style runs: (1, 1, 1, n) repeats the last pixel, further such pixels count in the next higher
 * byte.
 */
function readPixels(bytes: Uint8Array, at: number, line: Uint8Array, width: number, y: number): number {
  let shift = 0;
  for (let x = 0; x < width; ) {
    if (at + 4 > bytes.length) throw cutOff(y);
    if (bytes[at] === 1 && bytes[at + 1] === 1 && bytes[at + 2] === 1) {
      const count = bytes[at + 3] * 2 ** shift;
      if (x === 0 || x + count > width)
        throw new InputError(`.hdr line ${y} holds a run of ${count} at pixel ${x} of ${width}`);
      for (let j = 0; j < count; j++, x++) line.copyWithin(4 * x, 4 * x - 4, 4 * x);
      shift += 8;
    } else {
      for (let j = 0; j < 4; j++) line[4 * x + j] = bytes[at + j];
      x++;
      shift = 0;
    }
    at += 4;
  }
  return at;
}
