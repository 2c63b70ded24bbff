/**
 * Reads pictures: JPEG, PNG, TIFF, WebP and AVIF with sharp (readSharp.ts), RAW with LibRaw (readRaw.ts), HEIC, JPEG
 * XL, OpenEXR, Radiance and NPY with others. docs/formats.md has what each holds.
 *
 * The result is what the merge expects: interleaved RGB, upright, in the working space, 8 or 16 bit as in the file
 * (16-bit values exactly, where no colours are converted), or float in [0,1]. In detail:
 * - EXIF orientation is applied; colours are converted to the working space at the file's own depth. Pictures of linear
 *   light (by a profile, or floats) stay linear, and say so.
 * - Greyscale becomes RGB; its profile, if any, is ignored.
 * - Alpha becomes coverage: where it is 0, the picture has no data.
 * - Lab, 32-bit integers and others are refused by name, as are GIF and others (sniff.ts).
 * - RAW stays in the camera's colours, with one white balance for all frames of a stack.
 * - Of several pages (TIFF) or frames (APNG) the first is used.
 * - Truncated and damaged files are errors, never a half-grey picture. The header's size is checked before anything is
 *   decoded, so a wrong header costs nothing.
 *
 * sharp decodes in its threads, as many pictures at once as there are processors, within a memory limit.
 */
import { availableParallelism, freemem } from 'node:os';
import { throwIfCancelled } from '../errors.ts';
import type { ColorSpace } from '../image/colorSpace.ts';
import { inWorkingSpace } from '../image/decode/channels.ts';
import { stackWhiteBalance } from '../image/decode/raw.ts';
import type { RawHead, WhiteBalance } from '../image/decode/raw.ts';
import { embeddedExif } from '../image/decode/embeddedExif.ts';
import { decodeExr, decodeRadiance } from '../image/decode/floats.ts';
import { decodeHeic } from '../image/decode/heic.ts';
import { jxlToPng } from '../image/decode/jxl.ts';
import { exposureFromExif } from '../image/exif.ts';
import { checkSameSize } from '../image/frame.ts';
import { readNpyFrame } from '../image/picture.ts';
import type { DecodedImage } from '../image/picture.ts';
import { sniffFormat } from '../image/sniff.ts';
import type { PictureFormat } from '../image/sniff.ts';
import { loadExrs, loadJxlOxide, loadLibHeif } from './decodePackages.ts';
import { extractExif } from '../image/exifBlock.ts';
import { checkPath, colorSpaceOf } from './arguments.ts';
import { readExif } from './exif.ts';
import { readFileBytes, readFileHead } from './plainFile.ts';
import { shown } from './problems.ts';
import { RAW_BYTES_PER_PIXEL, developRaw, readRawHead } from './readRaw.ts';
import { readSharpFrame } from './readSharp.ts';

/** Most pictures decoded at once. */
const MOST_AT_ONCE = 4;
/**
 * Most bytes that pictures being decoded take together, including their working memory; a single picture may take more.
 */
const DECODING_BYTES = 1 << 30;

/** Most bytes for RAW files: several are developed at once on machines with much memory. */
const RAW_DECODING_BYTES = 8 * 2 ** 30;

/** Admits pictures to decoding while there is memory for them. */
class DecodingMemory {
  readonly #limit: number;
  #bytes = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit = DECODING_BYTES) {
    this.#limit = limit;
  }

  /** Waits for room. @returns a function that gives it back. */
  async enter(bytes: number): Promise<() => void> {
    while (this.#bytes > 0 && this.#bytes + bytes > this.#limit)
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
 * @param options `colorSpace` is the working space that its colours are converted to, sRGB by default.
 * @throws InputError naming the file and what is wrong with it; MissingPackageError without a package that it needs;
 * UsageError.
 */
export async function readFrame(path: string, options: { colorSpace?: ColorSpace } = {}): Promise<DecodedImage> {
  checkPath(path);
  const colorSpace = colorSpaceOf('readFrame', options) ?? 'srgb';
  return read(path, { colorSpace, memory: new DecodingMemory() });
}

/** What all pictures of a stack are read with. */
interface Reading {
  colorSpace: ColorSpace;
  memory: DecodingMemory;
  /** Of RAW files: that of the stack, and what was read of each before. */
  raw?: { heads: ReadonlyMap<string, RawHead>; whiteBalance: WhiteBalance };
  signal?: AbortSignal;
}

async function read(path: string, reading: Reading): Promise<DecodedImage> {
  const { colorSpace, memory } = reading;
  const name = shown(path);
  const bytes = await readFileBytes(path);
  const format = sniffFormat(bytes, path, name);
  if (format === 'npy') return readNpyFrame(bytes, name);
  const { exif, ...picture } =
    format === 'raw' ? await readRaw(bytes, path, reading) : await decode(bytes, format, name, colorSpace, memory);
  const withExif = embeddedExif(bytes, format);
  const exifBlock = withExif && extractExif(withExif, { ...picture, isSrgb: true });
  return {
    ...picture,
    format,
    exif: exif ?? (withExif ? await readExif(withExif) : {}),
    ...(exifBlock && { exifBlock }),
  };
}

async function readRaw(bytes: Uint8Array, path: string, { raw, memory, signal }: Reading) {
  const name = shown(path);
  const head = raw?.heads.get(path) ?? (await readRawHead(bytes, name, signal));
  const leave = await memory.enter(head.pixels * RAW_BYTES_PER_PIXEL);
  try {
    return await developRaw(bytes, name, head, raw?.whiteBalance ?? head.camera.whiteBalance, signal);
  } finally {
    leave();
  }
}

/** A file's first bytes, from which RAW can be told from all but TIFF. */
const MAGIC_BYTES = 64;

/** What the RAW files among pictures have in common; undefined if there are none. */
async function rawOf(
  paths: readonly string[],
  { exposures, reference, signal }: Pick<ReadOptions, 'exposures' | 'reference' | 'signal'>,
): Promise<Reading['raw']> {
  const heads = new Map<string, RawHead>();
  const frames: { camera: RawHead['camera']; exposure: number }[] = [];
  for (const [i, path] of paths.entries()) {
    throwIfCancelled(signal);
    if (!(await mayBeRaw(path))) continue;
    const bytes = await readFileBytes(path);
    const name = shown(path);
    if (sniffFormat(bytes, path, name) !== 'raw') continue;
    const head = await readRawHead(bytes, name, signal);
    heads.set(path, head);
    const { exposure, camera } = head;
    frames.push({ camera, exposure: exposures?.[i] ?? exposureFromExif(exposure) ?? 2 ** (exposure.bias ?? 0) });
  }
  if (heads.size === 0) return undefined;
  return { heads, whiteBalance: stackWhiteBalance(frames, heads.size === paths.length ? reference : undefined) };
}

async function mayBeRaw(path: string): Promise<boolean> {
  try {
    const format = sniffFormat(await readFileHead(path, MAGIC_BYTES), path, path);
    return format === 'raw' || format === 'tiff';
  } catch {
    return false; // what is wrong is said when its turn comes
  }
}

async function decode(
  bytes: Uint8Array,
  format: PictureFormat,
  name: string,
  colorSpace: ColorSpace,
  memory: DecodingMemory,
): Promise<Omit<DecodedImage, 'format' | 'exif'> & { exif?: DecodedImage['exif'] }> {
  switch (format) {
    case 'exr': {
      const { exif, ...stored } = decodeExr(await loadExrs(), bytes, name);
      return { ...inWorkingSpace(stored, colorSpace, name), exif };
    }
    case 'radiance':
      return { ...inWorkingSpace(decodeRadiance(bytes, name), colorSpace, name), exif: {} };
    case 'heic':
      return inWorkingSpace(await decodeHeic(loadLibHeif, bytes, name), colorSpace, name);
    case 'jxl': {
      const png = jxlToPng(await loadJxlOxide(), bytes, name);
      return readSharpFrame(png, 'png', name, colorSpace, (size) => memory.enter(size));
    }
    default:
      return readSharpFrame(bytes, format, name, colorSpace, (size) => memory.enter(size));
  }
}

/** How the pictures of a stack are read. */
export interface ReadOptions {
  colorSpace?: ColorSpace;
  /** Of each picture, if they are known; else EXIF's. RAW files take the white balance of the reference. */
  exposures?: readonly number[];
  /** In exposure order, from 0; the middle if absent. */
  reference?: number;
  /** Called when another picture was read. */
  onRead?(done: number, total: number): void;
  signal?: AbortSignal;
}

/**
 * Reads the pictures of a stack, several at once, and yields them in order. If the caller stops early, a few are
 * decoded for nothing.
 * @throws as `readFrame`, for the first picture that cannot be read or whose size differs from the first, after the
 * pictures before it were yielded; CancelledError.
 */
export async function* readFrameFiles(
  paths: readonly string[],
  { colorSpace = 'srgb', signal, onRead, ...options }: ReadOptions = {},
): AsyncGenerator<DecodedImage, void, undefined> {
  const raw = await rawOf(paths, { ...options, signal });
  const forRaw = Math.max(DECODING_BYTES, Math.min(RAW_DECODING_BYTES, freemem() / 2));
  const memory = new DecodingMemory(raw ? forRaw : DECODING_BYTES);
  let done = 0;
  // Ends RAW workers too when the caller stops early.
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  signal?.addEventListener('abort', abort);
  const atOnce = Math.min(MOST_AT_ONCE, availableParallelism());
  const coming: Promise<DecodedImage>[] = [];
  let first: DecodedImage | undefined;
  let begun = 0;
  let failure: { error: unknown } | undefined;
  try {
    for (const path of paths) {
      while (begun < paths.length && coming.length < atOnce) {
        throwIfCancelled(signal);
        const picture = read(paths[begun++], { colorSpace, memory, raw, signal: stop.signal });
        // A failure is thrown when its turn comes, and what the callback throws with the next picture.
        const tell = (): void => {
          try {
            onRead?.(++done, paths.length);
          } catch (error) {
            failure ??= { error };
          }
        };
        picture.then(tell, () => undefined);
        coming.push(picture);
      }
      const picture = await coming.shift()!;
      if (failure) throw failure.error;
      throwIfCancelled(signal);
      first ??= picture;
      // The merge would report the same, but only after all the others were decoded. A frame on its side may be turned.
      const isOnSide = (picture.exif.orientation ?? 1) !== (first.exif.orientation ?? 1);
      const { width, height } = isOnSide && picture.width === first.height ? first : picture;
      checkSameSize({ width, height }, shown(path), first, shown(paths[0]));
      yield picture;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    abort();
  }
}
