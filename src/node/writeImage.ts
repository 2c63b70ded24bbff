/**
 * Writes the merged picture in the format of the file's extension.
 *
 * | extension  | content                                                                     |
 * |------------|-----------------------------------------------------------------------------|
 * | .hdr       | Radiance RGBE, run-length coded; 1.0 is the reference frame's white          |
 * | .exr       | OpenEXR, half or float, ZIP; 1.0 is the reference frame's white              |
 * | .tif       | TIFF, half or float, linear, deflated; 1.0 is the reference frame's white    |
 * | .dng       | linear DNG, half or float: the camera's RGB if it is known (dng.ts)          |
 * | .npy       | float32 `[height, width, 3]`: the network's own output, unscaled             |
 * | .png, .jpg | tone-mapped or finished, 8 bits                                              |
 * | .uhdr.jpg  | Ultra HDR: a JPEG with a gain map                                            |
 *
 * All but .npy name the working space. .tif, .dng, .png and .jpg carry the EXIF of the reference frame.
 */
import { extname } from 'node:path';
import type { Sharp } from 'sharp';
import { FUNCTION, SIGNAL, oneOf, readOptions, whole, wrongText } from '../checks.ts';
import { InputError, UsageError, reasonOf } from '../errors.ts';
import { inBands } from '../image/bands.ts';
import { namedPrimaries } from '../image/colorSpace.ts';
import { developColors } from '../image/developColors.ts';
import { streamDng } from '../image/dng.ts';
import { cleanExif } from '../image/exifBlock.ts';
import { streamExr } from '../image/exr.ts';
import type { ExrPixelType } from '../image/exr.ts';
import { streamFloatTiff } from '../image/floatTiff.ts';
import { gainMapCoding } from '../image/gainMap.ts';
import type { GainMapMetadata } from '../image/gainMap.ts';
import { encodeIccProfile } from '../image/iccEncoder.ts';
import { jpegWith, pngWith } from '../image/metadataSegments.ts';
import { npyPieces } from '../image/npy.ts';
import type { MergedImage } from '../image/picture.ts';
import { encodeRgbe } from '../image/rgbe.ts';
import { finishedUltraHdr } from '../finish/ultraHdr.ts';
import type { FinishedForHdr } from '../finish/ultraHdr.ts';
import { TONE_NAMES, chooseTones, toneMapRows } from '../image/toneMappings.ts';
import type { ToneName, Tones } from '../image/toneMappings.ts';
import { joinUltraHdr } from '../image/ultraHdrJpeg.ts';
import { checkPath, readMergedImage } from './arguments.ts';
import { deflateDifferences, deflateFast } from './deflate.ts';
import { loadSharp } from './loadSharp.ts';
import { shown } from './problems.ts';
import { checkWritable, writeFileAtomic } from './writeFile.ts';
import type { FileContent } from './writeFile.ts';

/** How a picture is written. Every field has a default. */
export interface WriteImageOptions {
  /** Pixel type of .exr, `half` by default; values beyond 65504 make it `float`. */
  exr?: ExrPixelType;
  /** Pixel type of .tif and .dng, `half` by default; values beyond 65504 make .tif `float`. */
  tiff?: 'half' | 'float';
  /** Tone operator of .png and .jpg: `photographic` by default. */
  tone?: ToneName;
  /** Finishes .png, .jpg and .uhdr.jpg instead of a tone operator: `finishWith` makes one. */
  finish?: FinishPicture;
  /** JPEG quality, 1 to 100, 92 by default. */
  quality?: number;
  /**
   * Waits until the rows above `end` are final, for a picture that is still being merged: .exr is encoded as rows
   * arrive, other formats when all are there. Values are then in [0,1] before scaling.
   */
  rows?: (end: number) => Promise<void>;
  signal?: AbortSignal;
}

/** A picture as displays show it, made when a file needs it. */
export interface FinishedPicture extends FinishedForHdr {
  /** Frees what it holds. */
  dispose(): void;
}

/** Finishes a picture in its working space. */
export type FinishPicture = (picture: MergedImage, signal: AbortSignal | undefined) => Promise<FinishedPicture>;

/** The formats that can be written. */
export type OutputFormat = 'hdr' | 'exr' | 'npy' | 'png' | 'jpg' | 'tif' | 'dng' | 'ultrahdr';

const FORMATS: Record<string, OutputFormat> = {
  '.hdr': 'hdr',
  '.exr': 'exr',
  '.tif': 'tif',
  '.tiff': 'tif',
  '.dng': 'dng',
  '.npy': 'npy',
  '.png': 'png',
  '.jpg': 'jpg',
  '.jpeg': 'jpg',
};

/** The format for a path's extension. @throws UsageError listing the known extensions. */
export function outputFormat(path: string): OutputFormat {
  checkPath(path);
  const extension = extname(path).toLowerCase();
  if (/\.uhdr\.jpe?g$/i.test(path)) return 'ultrahdr';
  if (Object.hasOwn(FORMATS, extension)) return FORMATS[extension];
  const what = extension === '' ? 'no extension' : `the unknown extension "${shown(extension)}"`;
  throw new UsageError(`${shown(path)} has ${what}: use one of ${Object.keys(FORMATS).join(', ')}, .uhdr.jpg`);
}

/**
 * Checks an output path before any work is done. In its folder a file is created, and removed at once.
 * @throws UsageError for an unknown extension; InputError for a missing or unwritable folder; MissingPackageError.
 */
export async function checkOutputPath(path: string): Promise<OutputFormat> {
  const format = outputFormat(path);
  if (format === 'png' || format === 'jpg' || format === 'ultrahdr') await loadSharp(`writing ${extname(path)}`);
  await checkWritable(path);
  return format;
}

const PIXEL_TYPE = oneOf('half', 'float');

/** @throws UsageError */
function readWriteOptions(options: WriteImageOptions): WriteImageOptions {
  return readOptions('writeImage', options, {
    exr: PIXEL_TYPE,
    tiff: PIXEL_TYPE,
    tone: oneOf(...TONE_NAMES),
    finish: FUNCTION,
    quality: whole(1, 100),
    rows: FUNCTION,
    signal: SIGNAL,
  });
}

/**
 * Writes a merged picture, completely or not at all.
 * @throws as `checkOutputPath`; InputError on values that are not finite, a full disk and the like; CancelledError.
 */
export async function writeImage(
  path: string,
  givenImage: MergedImage,
  givenOptions: WriteImageOptions = {},
): Promise<void> {
  checkPath(path);
  const image = readMergedImage(givenImage);
  const options = readWriteOptions(givenOptions);
  const { radiance, width, height, scale } = image;
  const { signal } = options;
  const format = await checkOutputPath(path);
  if (radiance.length !== width * height * 3)
    throw new InputError(
      `cannot write ${shown(path)}: ${radiance.length} values, ${width}x${height} RGB needs ${width * height * 3}`,
    );
  if (!Number.isFinite(scale) || scale <= 0)
    throw new InputError(`cannot write ${shown(path)}: the ${wrongText('scale', scale, 'positive and finite')}`);
  if (options.rows && format === 'exr' && !image.camera)
    return writeFileAtomic(path, await encode(path, format, image, 1, options), { signal });
  await options.rows?.(height);
  let largest = 0;
  await inBands(
    radiance.length,
    (from, to) => {
      for (let i = from; i < to; i++) {
        const value = Math.abs(radiance[i]);
        if (value <= largest) continue;
        if (value < Infinity) {
          largest = value;
          continue;
        }
        const pixel = Math.floor(i / 3);
        throw new InputError(
          `cannot write ${shown(path)}: row ${Math.floor(pixel / width)}, column ${pixel % width} holds ` +
            `${radiance[i]}, only finite values are written`,
        );
      }
    },
    { signal },
  );
  if (format === 'npy') return writeFileAtomic(path, npyPieces(radiance, [height, width, 3]), { signal });
  if (format === 'dng') {
    const { parameters } = chooseTones(radiance, scale, image.colorSpace ?? 'srgb');
    const dng = { type: options.tiff, tone: parameters, largest, deflate: deflateFast, signal };
    return writeFileAtomic(path, streamDng(image, dng), { signal });
  }
  const space = image.colorSpace ?? 'srgb';
  const keepNegative = format === 'exr' || format === 'tif';
  const developed = image.camera
    ? await developColors(radiance, image.camera, space, { signal, keepNegative })
    : radiance;
  const picture: MergedImage = { ...image, radiance: developed, colorSpace: space, camera: undefined };
  const known = developed === radiance ? largest : undefined;
  return writeFileAtomic(path, await encode(path, format, picture, known, options), { signal });
}

/**
 * The file's content, for the formats that hold a working space.
 * @param largest a bound of the picture's magnitudes, if one is known.
 */
async function encode(
  path: string,
  format: Exclude<OutputFormat, 'npy' | 'dng'>,
  image: MergedImage,
  largest: number | undefined,
  options: WriteImageOptions,
): Promise<FileContent> {
  const { radiance, width, height, scale, colorSpace: space = 'srgb' } = image;
  const { signal } = options;
  const primaries = namedPrimaries(space);
  if (format === 'hdr') return encodeRgbe(radiance, width, height, scale, primaries);
  if (format === 'exr')
    return (
      await streamExr(radiance, width, height, {
        scale,
        type: options.exr,
        chromaticities: primaries,
        deflate: deflateDifferences,
        largest,
        rows: options.rows,
        signal,
      })
    ).pieces;
  if (format === 'tif') return streamFloatTiff(image, { type: options.tiff, deflate: deflateFast, signal });
  const exif = image.exif && cleanExif(image.exif, { width, height, isSrgb: space === 'srgb' });
  const metadata = { exif, icc: encodeIccProfile(space, 'srgb') };
  const sharp = await loadSharp(`writing ${extname(path)}`);
  const jpeg = (picture: Sharp): Sharp => picture.jpeg({ quality: options.quality ?? 92, chromaSubsampling: '4:4:4' });
  const coded = async (codes: Uint8Array | Uint8ClampedArray, encoder: (picture: Sharp) => Sharp) => {
    try {
      return await encoder(sharp(codes, { raw: { width, height, channels: 3 }, limitInputPixels: false })).toBuffer();
    } catch (error) {
      throw new InputError(`cannot write ${shown(path)}: ${reasonOf(error)}`, { cause: error });
    }
  };
  const encodeShown = async (codes: Uint8Array | Uint8ClampedArray): Promise<FileContent> =>
    format === 'jpg'
      ? jpegWith(await coded(codes, jpeg), metadata)
      : pngWith(await coded(codes, (picture) => picture.png()), metadata, deflateFast);
  const joined = async ({ base, map, gains }: UltraHdr): Promise<FileContent> =>
    joinUltraHdr(await coded(base, jpeg), await coded(map, jpeg), gains, metadata);
  if (options.finish) {
    const finished = await options.finish(image, signal);
    try {
      if (format === 'ultrahdr') return await joined(await finishedUltraHdr(finished));
      return await encodeShown(await finished.codes());
    } finally {
      finished.dispose();
    }
  }
  const tones = chooseTones(radiance, scale, space);
  if (format === 'ultrahdr') return joined(await ultraHdr(radiance, tones, signal));
  return encodeShown(
    await mapped(radiance, (rows) => toneMapRows(rows, tones, options.tone ?? 'photographic'), signal),
  );
}

/** Codes of all samples. */
async function mapped(
  radiance: Float32Array,
  codes: (rows: Float32Array) => ArrayLike<number>,
  signal: AbortSignal | undefined,
): Promise<Uint8ClampedArray> {
  const all = new Uint8ClampedArray(radiance.length);
  await inBands(radiance.length, (from, to) => all.set(codes(radiance.subarray(from, to)), from), {
    multiple: 3,
    signal,
  });
  return all;
}

/** Both pictures of an Ultra HDR file. */
interface UltraHdr {
  base: Uint8Array | Uint8ClampedArray;
  map: Uint8ClampedArray;
  gains: GainMapMetadata;
}

/** Of light alone. 1 in the base's curve is the photographic operator's exposure. */
async function ultraHdr(
  radiance: Float32Array,
  { parameters }: Tones,
  signal: AbortSignal | undefined,
): Promise<UltraHdr> {
  let largest = 0;
  for (let i = 0; i < radiance.length; i++) if (radiance[i] > largest) largest = radiance[i];
  const coding = gainMapCoding(largest, parameters.exposure);
  const base = await mapped(radiance, (rows) => Uint8Array.from(rows, coding.base), signal);
  const map = await mapped(radiance, (rows) => Uint8ClampedArray.from(rows, coding.gain), signal);
  return { base, map, gains: coding.metadata };
}
