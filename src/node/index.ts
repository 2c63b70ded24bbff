/**
 * `deghost/node`: what only Node can do. It reads brackets, writes results, and gets an adapter without a browser.
 * @module deghost/node
 */
export { listAdapters, requestAdapter, requestDevice } from './adapter.ts';
export type { AdapterInfo, AdapterOptions, NodeAdapter, SoftwareChoice } from './adapter.ts';
export { UnprovedAccessError } from './robustness.ts';
export { readShippedWeights, shippedWeightsPath } from './package.ts';
export { exposureFromExif, exposures } from '../image/exif.ts';
export type { ExposureInfo } from '../image/exif.ts';
export type { ColorSpace } from '../image/colorSpace.ts';
export { MAX_PIXELS } from '../image/picture.ts';
export type { CameraColor, DecodedImage, MergedImage } from '../image/picture.ts';
export { readFrame } from './readImage.ts';
export { readStack } from './readStack.ts';
export type { PictureStack, ReadStackOptions } from './readStack.ts';
export { checkOutputPath, outputFormat, writeImage } from './writeImage.ts';
export type { FinishPicture, FinishedPicture, OutputFormat, WriteImageOptions } from './writeImage.ts';
export { finishWith } from './finishWith.ts';
export { writeSamples } from './writeSamples.ts';
export type { SamplePicture } from './writeSamples.ts';
export { checkMotionFolder, readMotionMaps, writeMotionMaps } from './motionMaps.ts';
export { removeTemporaryFiles, writeFileAtomic } from './writeFile.ts';
export type { FileContent } from './writeFile.ts';
export { FileTuneCache } from './tuneCache.ts';
export type { FileTuneCacheOptions } from './tuneCache.ts';
