/**
 * Reading pictures: JPEG, PNG and TIFF (8 and 16 bit) through sharp, and NPY.
 *
 * What comes out is what the merge expects: interleaved RGB, upright, sRGB, 8 or 16 bit as in the file (16-bit values
 * exactly), or float in [0,1]. On the way:
 * - EXIF orientation is applied; ICC profiles other than sRGB are converted to sRGB (16 bit stays 16 bit).
 * - Greyscale becomes RGB; its profile, if any, is ignored.
 * - Alpha is dropped where it is opaque everywhere, and refused otherwise: what lies beneath transparency is no photograph.
 * - CMYK, Lab, and float or 32-bit TIFF are refused by name, as are RAW, HEIC and others (sniff.ts).
 * - Of several pages (TIFF) or frames (APNG) the first counts.
 * - Truncated and damaged files are errors, never a half-grey picture. The size is checked against the header before
 *   anything is decoded, so a header that lies costs nothing.
 */
import { open } from 'node:fs/promises';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { InputError } from '../errors.ts';
import { decodeNpy } from '../image/npy.ts';
import { readExposureInfo } from './exif.ts';
import type { ExposureInfo } from './exif.ts';
import { isSrgbProfile } from './iccProfile.ts';
import { optional, reasonOf, shown, systemProblem } from './problems.ts';
import { sniffFormat } from './sniff.ts';
import type { PictureFormat } from './sniff.ts';

/** Most pixels a frame may have: 64 x 2^20, a little above what 61-megapixel cameras make. */
export const MAX_PIXELS = 64 * 2 ** 20;
/** Largest file that is read into memory: a float32 NPY of MAX_PIXELS and its header. */
const MAX_FILE_BYTES = MAX_PIXELS * 12 + (1 << 16);

/** A picture ready for merging. */
export interface DecodedImage {
  /** RGB, interleaved `[height, width, 3]`: 0..255, 0..65535, or [0,1]. */
  data: Uint8Array | Uint16Array | Float32Array;
  width: number;
  height: number;
  bits: 8 | 16 | 32;
  format: PictureFormat;
  /** Exposure fields from EXIF; empty where there are none. */
  exif: ExposureInfo;
}

/** Reads a whole regular file, with its size bounded. @throws InputError naming the file. */
export async function readFileBytes(path: string, limit = MAX_FILE_BYTES): Promise<Buffer> {
  let handle;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new InputError(`${shown(path)} is a folder, not a file`);
    if (!stat.isFile()) throw new InputError(`${shown(path)} is not a regular file`);
    if (stat.size > limit) throw new InputError(`${shown(path)} is ${stat.size} bytes, at most ${limit} are read`);
    return await handle.readFile();
  } catch (error) {
    throw systemProblem(error, 'read', path);
  } finally {
    await handle?.close();
  }
}

/** Checks a size from a header. */
export function checkSize(width: number, height: number, name: string): void {
  if (!(width >= 1) || !(height >= 1)) throw new InputError(`${name} is ${width}x${height}: a picture has at least one pixel`);
  if (width * height > MAX_PIXELS) {
    throw new InputError(`${name} is ${width}x${height} (${Math.round((width * height) / 1e6)} megapixels), at most ${Math.floor(MAX_PIXELS / 1e6)} megapixels are merged: scale the frames down`);
  }
}

/**
 * Reads one picture.
 * @throws InputError naming the file and what is wrong with it; MissingPackageError without sharp or exifr.
 */
export async function readFrame(path: string): Promise<DecodedImage> {
  const name = shown(path);
  const bytes = await readFileBytes(path);
  const format = sniffFormat(bytes, path, name);
  return format === 'npy' ? readNpyFrame(bytes, name) : readSharpFrame(bytes, format, name);
}

/** Index of the first value outside [0,1], NaN included; -1 when there is none. (A plain loop: findIndex is ten times slower.) */
export function firstOutside(data: Float32Array): number {
  for (let i = 0; i < data.length; i++) if (!(data[i] >= 0 && data[i] <= 1)) return i;
  return -1;
}

/** A `[height, width, 3]` array: float32 in [0,1], uint8 or uint16. */
function readNpyFrame(bytes: Uint8Array, name: string): DecodedImage {
  let array;
  try {
    array = decodeNpy(bytes);
  } catch (error) {
    throw new InputError(`${name}: ${reasonOf(error)}`, { cause: error });
  }
  const { data, shape } = array;
  if (shape.length !== 3 || shape[2] !== 3) throw new InputError(`${name}: the shape is (${shape.join(', ')}), a frame is (height, width, 3)`);
  const [height, width] = shape;
  checkSize(width, height, name);
  if (data instanceof Float32Array) {
    const bad = firstOutside(data);
    if (bad >= 0) throw new InputError(`${name}: row ${Math.floor(bad / 3 / width)}, column ${Math.floor(bad / 3) % width}, channel ${bad % 3} is ${data[bad]}, values must be in [0,1]`);
  }
  const bits = data instanceof Float32Array ? 32 : data instanceof Uint16Array ? 16 : 8;
  return { data, width, height, bits, format: 'npy', exif: {} };
}

const REFUSED_SPACES: Record<string, string> = { cmyk: 'CMYK', lab: 'CIE Lab', labs: 'CIE Lab', xyz: 'CIE XYZ', multiband: 'multi-channel' };
const READ_SPACES = new Set(['srgb', 'rgb', 'rgb16', 'b-w', 'grey16']);
/** Complaints about JPEG headers that leave the pixels intact; some phones write such files. */
const HARMLESS = /Invalid SOS parameters for sequential JPEG|extraneous bytes before marker/;

type SharpModule = Awaited<ReturnType<typeof loadSharp>>;

/** Loads sharp, or says that it is missing. */
export async function loadSharp(purpose: string) {
  return (await optional(() => import('sharp'), 'sharp', purpose)).default;
}

async function readSharpFrame(bytes: Buffer, format: PictureFormat, name: string): Promise<DecodedImage> {
  const sharp = await loadSharp('reading JPEG, PNG and TIFF');
  const metadata = await pictureMetadata(sharp, bytes, format, name);
  const bits = metadata.depth === 'ushort' ? 16 : 8;
  const isGrey = metadata.space === 'b-w' || metadata.space === 'grey16';
  const isConverted = !isGrey && metadata.icc !== undefined && !isSrgbProfile(metadata.icc);
  const { data, info } = await decode(name, (failOn) => {
    const options: SharpOptions = { failOn, limitInputPixels: MAX_PIXELS, autoOrient: true, ignoreIcc: !isConverted };
    let pipeline = sharp(bytes, options).toColourspace(bits === 16 ? 'rgb16' : 'srgb');
    // sharp's working space is Display P3 for 16-bit pictures with a profile: asking for sRGB converts once more.
    if (isConverted && bits === 16) pipeline = pipeline.withIccProfile('srgb', { attach: false });
    return pipeline.raw({ depth: bits === 16 ? 'ushort' : 'uchar' });
  });
  const { width, height, channels } = info;
  const samples = bits === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (samples.length !== width * height * channels) throw new InputError(`${name}: ${samples.length} samples were decoded, ${width}x${height} with ${channels} channels needs ${width * height * channels}`);
  return { data: toRgb(samples, width, channels, name), width, height, bits, format, exif: await readExposureInfo(bytes) };
}

/** Reads and judges the header alone. */
async function pictureMetadata(sharp: SharpModule, bytes: Buffer, format: PictureFormat, name: string): Promise<Metadata> {
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    if (/\blabs?q?\b/.test(reasonOf(error))) throw notRgb(name, 'lab'); // libvips fails on some of them before it names the space
    throw damaged(name, error);
  }
  const { width, height, space = '', depth = '' } = metadata;
  checkSize(width, height, name);
  if (metadata.format !== format) throw new InputError(`${name} starts like a ${format} file but holds ${metadata.format}`);
  if (!READ_SPACES.has(space)) throw notRgb(name, space);
  if (depth !== 'uchar' && depth !== 'ushort') throw new InputError(`${name} has ${depth} samples, only 8-bit and 16-bit integers are read: convert it to 16 bit`);
  if (format === 'png') {
    // Deflate packs at most 1032 bytes into one: a header that claims more than that is cut off or lies.
    const needed = (width * height * metadata.channels * (metadata.bitsPerSample ?? 8)) / 8 / 1032;
    if (needed > bytes.length) throw new InputError(`${name} is cut off: the header says ${width}x${height}, which ${bytes.length} bytes cannot hold`);
  }
  return metadata;
}

function notRgb(name: string, space: string): InputError {
  return new InputError(`${name} is a ${REFUSED_SPACES[space] ?? space} picture, which is not read: convert it to RGB`);
}

function damaged(name: string, error: unknown): InputError {
  return new InputError(`${name} cannot be decoded, it is damaged or cut off: ${reasonOf(error)}`, { cause: error });
}

/** Decodes with every warning an error, but for the harmless ones. */
async function decode(name: string, build: (failOn: 'warning' | 'error') => Sharp) {
  try {
    return await build('warning').toBuffer({ resolveWithObject: true });
  } catch (error) {
    if (!HARMLESS.test(String(error))) throw damaged(name, error);
  }
  try {
    return await build('error').toBuffer({ resolveWithObject: true });
  } catch (error) {
    throw damaged(name, error);
  }
}

/** Expands grey and drops alpha, which must be opaque. `samples`: `[height, width, channels]`. */
function toRgb(samples: Uint8Array | Uint16Array, width: number, channels: number, name: string): Uint8Array | Uint16Array {
  if (channels === 3) return samples;
  if (channels !== 1 && channels !== 2 && channels !== 4) throw new InputError(`${name} has ${channels} channels, only RGB and greyscale are read`);
  const pixels = samples.length / channels;
  const opaque = samples instanceof Uint16Array ? 65535 : 255;
  const rgb = samples instanceof Uint16Array ? new Uint16Array(pixels * 3) : new Uint8Array(pixels * 3);
  const hasAlpha = channels % 2 === 0;
  const isGrey = channels < 3;
  for (let p = 0; p < pixels; p++) {
    const from = p * channels;
    if (hasAlpha && samples[from + channels - 1] !== opaque) {
      throw new InputError(`${name} is transparent (row ${Math.floor(p / width)}, column ${p % width} has alpha ${samples[from + channels - 1]} of ${opaque}): flatten it and save it without alpha`);
    }
    for (let c = 0; c < 3; c++) rgb[3 * p + c] = samples[isGrey ? from : from + c];
  }
  return rgb;
}
