/** Writes RGB samples as they are: 8- and 16-bit TIFF and PNG, float TIFF. For aligned frames, which stay frames. */
import { extname } from 'node:path';
import { OBJECT, SIDE, arrayOf, expect } from '../checks.ts';
import { InputError, UsageError, reasonOf } from '../errors.ts';
import { exifEntries } from '../image/exifBlock.ts';
import { pngWith } from '../image/metadataSegments.ts';
import { TIFF_TYPE, bytesEntry, numbersEntry } from '../image/tiffEntries.ts';
import { streamTiff } from '../image/tiffFile.ts';
import { bytes, checkPath, signalOf } from './arguments.ts';
import { deflateFast } from './deflate.ts';
import { loadSharp } from './loadSharp.ts';
import { shown } from './problems.ts';
import { writeFileAtomic } from './writeFile.ts';

/** RGB samples and what is written with them. */
export interface SamplePicture {
  /** RGB, interleaved `[height, width, 3]`. */
  data: Uint8Array | Uint16Array | Float32Array;
  width: number;
  height: number;
  /** A TIFF-structured block. */
  exif?: Uint8Array;
  /** The samples' ICC profile. */
  icc?: Uint8Array<ArrayBuffer>;
}

const SAMPLES = [Uint8Array, Uint16Array, Float32Array];

/** @throws UsageError; InputError. */
function readSamples(picture: SamplePicture): SamplePicture {
  expect('picture', picture, OBJECT);
  const { data, width, height, exif, icc } = picture;
  expect('picture: width', width, SIDE);
  expect('picture: height', height, SIDE);
  return {
    data: arrayOf<SamplePicture['data']>('picture: data', data, SAMPLES),
    ...{ width, height },
    exif: bytes('picture: exif', exif),
    icc: bytes('picture: icc', icc),
  };
}

/**
 * Writes a picture, completely or not at all.
 * @param path ends in .tif, .tiff or .png.
 * @throws UsageError for another extension, and for float samples as PNG; InputError naming the path; CancelledError;
 * MissingPackageError without sharp, for PNG.
 */
export async function writeSamples(
  path: string,
  picture: SamplePicture,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  checkPath(path);
  const { data, width, height, exif, icc } = readSamples(picture);
  const signal = signalOf('writeSamples', options);
  const extension = extname(path).toLowerCase();
  if (data.length !== width * height * 3 || data.length === 0)
    throw new InputError(
      `cannot write ${shown(path)}: ${data.length} values, ${width}x${height} RGB needs ${width * height * 3}`,
    );
  if (extension === '.png') {
    if (data instanceof Float32Array) throw new UsageError(`${shown(path)}: PNG holds no float samples, use .tif`);
    const sharp = await loadSharp('writing .png');
    let png: Buffer;
    try {
      const image = sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
      // sharp's output is 8 bit unless it is told to stay at 16.
      png = await (data instanceof Uint16Array ? image.toColourspace('rgb16') : image).png().toBuffer();
    } catch (error) {
      throw new InputError(`cannot write ${shown(path)}: ${reasonOf(error)}`, { cause: error });
    }
    return writeFileAtomic(path, await pngWith(png, { exif, icc }, deflateFast), { signal });
  }
  if (extension !== '.tif' && extension !== '.tiff')
    throw new UsageError(`${shown(path)} cannot hold samples: use the extension .tif, .tiff or .png`);
  const sample = data instanceof Float32Array ? 'float' : data instanceof Uint16Array ? 'u16' : 'u8';
  const read = (from: number, out: Float64Array): void => out.set(data.subarray(from, from + out.length));
  const pieces = streamTiff(
    { width, height, sample, read },
    (blocks) => [
      ...exifEntries(exif, { width, height, isSrgb: icc === undefined }),
      ...blocks,
      numbersEntry(262, TIFF_TYPE.short, [2]),
      ...(icc ? [bytesEntry(34675, icc)] : []),
    ],
    { deflate: deflateFast, signal },
  );
  return writeFileAtomic(path, pieces, { signal });
}
