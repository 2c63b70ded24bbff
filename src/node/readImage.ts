/**
 * Reads pictures: JPEG, PNG and TIFF (8 and 16 bit) with sharp, and NPY.
 *
 * The result is what the merge expects: interleaved RGB, upright, sRGB, 8 or 16 bit as in the file (16-bit values
 * exactly), or float in [0,1]. In detail:
 * - EXIF orientation is applied; ICC profiles other than sRGB are converted to sRGB (16 bit stays 16 bit).
 * - Greyscale becomes RGB; its profile, if any, is ignored.
 * - Alpha is dropped if it is opaque everywhere, and refused otherwise: the colours under transparency are not a
 *   photograph.
 * - CMYK, Lab, and float or 32-bit TIFF are refused by name, as are RAW, HEIC and others (sniff.ts).
 * - Of several pages (TIFF) or frames (APNG) the first is used.
 * - Truncated and damaged files are errors, never a half-grey picture. The header's size is checked before anything is
 *   decoded, so a wrong header costs nothing.
 *
 * Decoding runs in sharp's threads. As many pictures are decoded at once as there are processors, within a memory
 * limit.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { InputError, reasonOf, throwIfCancelled } from '../errors.ts';
import { checkSameSize } from '../image/frame.ts';
import { MAX_PIXELS, checkSize, readNpyFrame, toRgb } from '../image/picture.ts';
import type { DecodedImage } from '../image/picture.ts';
import { MAX_FILE_BYTES, checkDeflated, damaged, notIntegers, notRgb } from '../image/refusals.ts';
import { sniffFormat } from '../image/sniff.ts';
import type { PictureFormat } from '../image/sniff.ts';
import { extractExif } from '../image/exifBlock.ts';
import { readExif } from './exif.ts';
import { isSrgbProfile } from '../image/iccProfile.ts';
import { loadSharp } from './loadSharp.ts';
import { shown, systemProblem } from './problems.ts';

/** Reads a whole regular file, with its size bounded. @throws InputError naming the file. */
export async function readFileBytes(path: string, limit = MAX_FILE_BYTES): Promise<Buffer> {
  let handle: FileHandle | undefined;
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

/** Most pictures decoded at once. */
const MOST_AT_ONCE = 4;
/**
 * Most bytes that pictures being decoded take together, including their working memory; a single picture may take more.
 */
const DECODING_BYTES = 1 << 30;

/** Admits pictures to decoding while there is memory for them. */
class DecodingMemory {
  #bytes = 0;
  readonly #waiting: (() => void)[] = [];

  /** Waits for room. @returns a function that gives it back. */
  async enter(bytes: number): Promise<() => void> {
    while (this.#bytes > 0 && this.#bytes + bytes > DECODING_BYTES)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
      this.#waiting.splice(0).forEach((wake) => wake());
    };
  }
}

/**
 * Reads one picture.
 * @throws InputError naming the file and what is wrong with it; MissingPackageError without sharp or exifr.
 */
export function readFrame(path: string): Promise<DecodedImage> {
  return read(path, new DecodingMemory());
}

async function read(path: string, memory: DecodingMemory): Promise<DecodedImage> {
  const name = shown(path);
  const bytes = await readFileBytes(path);
  const format = sniffFormat(bytes, path, name);
  if (format === 'npy') return readNpyFrame(bytes, name);
  const picture = await readSharpFrame(bytes, format, name, memory);
  const exifBlock = extractExif(bytes, { ...picture, isSrgb: true });
  return exifBlock ? { ...picture, exifBlock } : picture;
}

/**
 * Reads the pictures of a stack, several at once, and yields them in order. If the caller stops early, a few are
 * decoded for nothing.
 * @throws as `readFrame`, for the first picture that cannot be read or whose size differs from the first, after the
 * pictures before it were yielded; CancelledError.
 */
export async function* readFrameFiles(
  paths: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<DecodedImage, void, undefined> {
  const memory = new DecodingMemory();
  const atOnce = Math.min(MOST_AT_ONCE, availableParallelism());
  const coming: Promise<DecodedImage>[] = [];
  let first: DecodedImage | undefined;
  let begun = 0;
  for (const path of paths) {
    while (begun < paths.length && coming.length < atOnce) {
      throwIfCancelled(signal);
      const picture = read(paths[begun++], memory);
      picture.catch(() => undefined); // thrown when its turn comes
      coming.push(picture);
    }
    const picture = await coming.shift()!;
    throwIfCancelled(signal);
    first ??= picture;
    // The merge would report the same, but only after all the others were decoded.
    checkSameSize(picture, shown(path), first, shown(paths[0]));
    yield picture;
  }
}

const REFUSED_SPACES: Record<string, string> = {
  cmyk: 'CMYK',
  lab: 'CIE Lab',
  labs: 'CIE Lab',
  xyz: 'CIE XYZ',
  multiband: 'multi-channel',
};
const READ_SPACES = new Set(['srgb', 'rgb', 'rgb16', 'b-w', 'grey16']);
/** Warnings about JPEG headers that do not affect the pixels; some phones write such files. */
const HARMLESS = /Invalid SOS parameters for sequential JPEG|extraneous bytes before marker/;

type SharpModule = Awaited<ReturnType<typeof loadSharp>>;

async function readSharpFrame(
  bytes: Buffer,
  format: PictureFormat,
  name: string,
  memory: DecodingMemory,
): Promise<DecodedImage> {
  const sharp = await loadSharp('reading JPEG, PNG and TIFF');
  const metadata = await pictureMetadata(sharp, bytes, format, name);
  const bits = metadata.depth === 'ushort' ? 16 : 8;
  const isGrey = metadata.space === 'b-w' || metadata.space === 'grey16';
  const isConverted = !isGrey && metadata.icc !== undefined && !isSrgbProfile(metadata.icc);
  const leave = await memory.enter(2 * metadata.width * metadata.height * metadata.channels * (bits / 8));
  const decoding = decode(name, (failOn) => {
    const options: SharpOptions = { failOn, limitInputPixels: MAX_PIXELS, autoOrient: true, ignoreIcc: !isConverted };
    let pipeline = sharp(bytes, options).toColourspace(bits === 16 ? 'rgb16' : 'srgb');
    // sharp's working space is Display P3 for 16-bit pictures with a profile: asking for sRGB converts once more.
    if (isConverted && bits === 16) pipeline = pipeline.withIccProfile('srgb', { attach: false });
    return pipeline.raw({ depth: bits === 16 ? 'ushort' : 'uchar' });
  });
  const { data, info } = await decoding.finally(leave);
  const { width, height, channels } = info;
  const samples =
    bits === 16
      ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (samples.length !== width * height * channels)
    throw new InputError(
      `${name}: ${samples.length} samples were decoded, ${width}x${height} with ${channels} channels needs ` +
        `${width * height * channels}`,
    );
  return { data: toRgb(samples, width, channels, name), width, height, bits, format, exif: await readExif(bytes) };
}

/** Reads and checks only the header. */
async function pictureMetadata(
  sharp: SharpModule,
  bytes: Buffer,
  format: PictureFormat,
  name: string,
): Promise<Metadata> {
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    // libvips fails on some Lab files before it names the colour space.
    if (/\blabs?q?\b/.test(reasonOf(error))) throw notRgb(name, REFUSED_SPACES.lab);
    throw damaged(name, error);
  }
  const { width, height, space = '', depth = '' } = metadata;
  checkSize(width, height, name);
  if (metadata.format !== format)
    throw new InputError(`${name} starts like a ${format} file but holds ${metadata.format}`);
  if (!READ_SPACES.has(space)) throw notRgb(name, REFUSED_SPACES[space] ?? space);
  if (depth !== 'uchar' && depth !== 'ushort') throw notIntegers(name, depth);
  if (format === 'png')
    checkDeflated(name, width, height, metadata.channels * (metadata.bitsPerSample ?? 8), bytes.length);
  return metadata;
}

/** Decodes, treating every warning as an error, except for the harmless ones. */
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
