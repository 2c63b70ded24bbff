/** The merged picture as TIFF: linear, half or float, 1.0 is the reference frame's white, with profile and EXIF. */
import { MAX_HALF } from '../float16.ts';
import { exifEntries } from './exifBlock.ts';
import type { Deflate } from './exr.ts';
import { encodeIccProfile } from './iccEncoder.ts';
import type { MergedImage } from './picture.ts';
import { TIFF_TYPE, bytesEntry, numbersEntry } from './tiffEntries.ts';
import { streamTiff } from './tiffFile.ts';

/**
 * Streams a picture in a working space; camera RGB must be developed before. All samples must be finite.
 * @param options.type `half` by default; values beyond 65504 make it `float`.
 */
export function streamFloatTiff(
  image: MergedImage,
  options: { type?: 'half' | 'float'; deflate: Deflate; signal?: AbortSignal },
): ReturnType<typeof streamTiff> {
  const { radiance, width, height, scale, exif, colorSpace = 'srgb' } = image;
  const isTooLarge = radiance.some((y) => Math.abs(y * scale) > MAX_HALF);
  const read = (from: number, out: Float64Array): void => {
    for (let i = 0; i < out.length; i++) out[i] = radiance[from + i] * scale;
  };
  return streamTiff(
    { width, height, sample: isTooLarge ? 'float' : (options.type ?? 'half'), read },
    (blocks) => [
      ...exifEntries(exif, { width, height, isSrgb: false }),
      ...blocks,
      numbersEntry(262, TIFF_TYPE.short, [2]),
      bytesEntry(34675, encodeIccProfile(colorSpace, 'linear')),
    ],
    options,
  );
}
