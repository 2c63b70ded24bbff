/**
 * `deghost/node`: what only Node can do. It reads brackets, writes results, and gets an adapter without a browser.
 * @module deghost/node
 */
import type { ColorSpace } from '../image/colorSpace.ts';
import type { Frame } from '../image/frame.ts';
import { readStackFiles } from './readStack.ts';

export { listAdapters, requestAdapter, requestDevice } from './adapter.ts';
export type { AdapterInfo, NodeAdapter, SoftwareChoice } from './adapter.ts';
export { readShippedWeights, shippedWeightsPath } from './package.ts';
export { exposureFromExif, exposures } from '../image/exif.ts';
export type { ExposureInfo } from '../image/exif.ts';
export type { ColorSpace } from '../image/colorSpace.ts';
export { MAX_PIXELS } from '../image/picture.ts';
export type { DecodedImage, MergedImage } from '../image/picture.ts';
export { readFrame } from './readImage.ts';
export { checkOutputPath, outputFormat, writeImage } from './writeImage.ts';
export type { OutputFormat, WriteImageOptions } from './writeImage.ts';
export { writeSamples } from './writeSamples.ts';
export type { SamplePicture } from './writeSamples.ts';
export { checkMotionFolder, readMotionMaps, writeMotionMaps } from './motionMaps.ts';
export { removeTemporaryFiles, writeFileAtomic } from './writeFile.ts';
export type { FileContent } from './writeFile.ts';
export { FileTuneCache } from './tuneCache.ts';
export type { FileTuneCacheOptions } from './tuneCache.ts';

/**
 * Reads a bracketed stack, in the order given; the merge sorts them.
 * @param options.exposures one positive number per path; without it the pictures' EXIF is used.
 * @param options.colorSpace the working space that the pictures' colours are converted to; sRGB by default.
 * @returns frames named by their file names, or by their whole paths where file names repeat.
 * @throws InputError naming the file, if it cannot be read or its size differs from the first; MissingPackageError
 * without a package that the files need.
 */
export async function readFrames(
  paths: readonly string[],
  options: { exposures?: readonly number[]; colorSpace?: ColorSpace; signal?: AbortSignal } = {},
): Promise<Frame[]> {
  return (await readStackFiles(paths, options)).frames;
}
