/**
 * Writes the merged picture in the format of the file's extension.
 *
 * | extension  | content                                                            |
 * |------------|--------------------------------------------------------------------|
 * | .hdr       | Radiance RGBE, run-length coded; 1.0 is the reference frame's white |
 * | .exr       | OpenEXR, half or float, ZIP; 1.0 is the reference frame's white     |
 * | .npy       | float32 `[height, width, 3]`: the network's own output, unscaled    |
 * | .png, .jpg | tone-mapped 8-bit sRGB                                              |
 */
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { InputError, UsageError, reasonOf } from '../errors.ts';
import { inBands } from '../image/bands.ts';
import { streamExr } from '../image/exr.ts';
import type { ExrPixelType } from '../image/exr.ts';
import { npyPieces } from '../image/npy.ts';
import type { MergedImage } from '../image/picture.ts';
import { encodeRgbe } from '../image/rgbe.ts';
import { chooseTone, toneMap } from '../image/toneMap.ts';
import { loadSharp } from './loadSharp.ts';
import { shown } from './problems.ts';
import { checkWritable, writeFileAtomic } from './writeFile.ts';

/** How a picture is written. Every field has a default. */
export interface WriteImageOptions {
  /** Pixel type of .exr, `half` by default; values beyond 65504 make it `float`. */
  exr?: ExrPixelType;
  /** JPEG quality, 1 to 100, 92 by default. */
  quality?: number;
  signal?: AbortSignal;
}

const deflateAsync = promisify(deflate);
/** At higher levels half floats hardly shrink further but take twice the time. */
const deflateFast = (bytes: Uint8Array): Promise<Uint8Array> => deflateAsync(bytes, { level: 4 });

/** The formats that can be written. */
export type OutputFormat = 'hdr' | 'exr' | 'npy' | 'png' | 'jpg';

const FORMATS: Record<string, OutputFormat> = {
  '.hdr': 'hdr',
  '.exr': 'exr',
  '.npy': 'npy',
  '.png': 'png',
  '.jpg': 'jpg',
  '.jpeg': 'jpg',
};

/** The format for a path's extension. @throws UsageError listing the known extensions. */
export function outputFormat(path: string): OutputFormat {
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(FORMATS, extension)) return FORMATS[extension];
  const what = extension === '' ? 'no extension' : `the unknown extension "${shown(extension)}"`;
  throw new UsageError(`${shown(path)} has ${what}: use one of ${Object.keys(FORMATS).join(', ')}`);
}

/**
 * Checks an output path before any work is done.
 * @throws UsageError for an unknown extension; InputError for a missing or unwritable folder; MissingPackageError.
 */
export async function checkOutputPath(path: string): Promise<OutputFormat> {
  const format = outputFormat(path);
  if (format === 'png' || format === 'jpg') await loadSharp(`writing .${format}`);
  await checkWritable(path);
  return format;
}

/**
 * Writes a merged picture, completely or not at all.
 * @throws as `checkOutputPath`; InputError on values that are not finite, a full disk and the like; CancelledError.
 */
export async function writeImage(path: string, image: MergedImage, options: WriteImageOptions = {}): Promise<void> {
  const { radiance, width, height, scale } = image;
  const { signal } = options;
  const format = await checkOutputPath(path);
  if (radiance.length !== width * height * 3)
    throw new InputError(
      `cannot write ${shown(path)}: ${radiance.length} values, ${width}x${height} RGB needs ${width * height * 3}`,
    );
  if (!(scale > 0) || !Number.isFinite(scale))
    throw new InputError(`cannot write ${shown(path)}: the scale is ${scale}, it must be positive and finite`);
  await inBands(
    radiance.length,
    (from, to) => {
      for (let i = from; i < to; i++) {
        if (Number.isFinite(radiance[i])) continue;
        const pixel = Math.floor(i / 3);
        throw new InputError(
          `cannot write ${shown(path)}: row ${Math.floor(pixel / width)}, column ${pixel % width} holds ` +
            `${radiance[i]}, only finite values are written`,
        );
      }
    },
    { signal },
  );
  if (format === 'hdr') return writeFileAtomic(path, encodeRgbe(radiance, width, height, scale), { signal });
  if (format === 'exr')
    return writeFileAtomic(
      path,
      (await streamExr(radiance, width, height, { scale, type: options.exr, deflate: deflateFast, signal })).pieces,
      { signal },
    );
  if (format === 'npy') return writeFileAtomic(path, npyPieces(radiance, [height, width, 3]), { signal });
  const sharp = await loadSharp(`writing .${format}`);
  // The operator chooses its own exposure, so the scale would change nothing.
  const tone = chooseTone(radiance);
  const mapped = new Uint8Array(radiance.length);
  await inBands(radiance.length, (from, to) => mapped.set(toneMap(radiance.subarray(from, to), tone), from), {
    multiple: 3,
    signal,
  });
  const picture = sharp(mapped, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  let bytes: Buffer;
  try {
    bytes = await (format === 'png'
      ? picture.png()
      : picture.jpeg({ quality: options.quality ?? 92, chromaSubsampling: '4:4:4' })
    ).toBuffer();
  } catch (error) {
    throw new InputError(`cannot write ${shown(path)}: ${reasonOf(error)}`, { cause: error });
  }
  return writeFileAtomic(path, bytes, { signal });
}
