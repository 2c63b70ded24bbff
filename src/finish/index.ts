/**
 * `deghost/finish`: from linear radiance to a finished picture, on the GPU. An entry of its own, so that a page that
 * does not finish pictures does not load it.
 * @module deghost/finish
 */
export { cropPicture, largestCrop } from './crop.ts';
export { Finisher } from './finisher.ts';
export type {
  Crop,
  FinishCut,
  FinishHistogram,
  FinishOptions,
  FinishPreview,
  FinishedSamples,
  RadiancePicture,
} from './pictures.ts';
export { LIVE_FINISH_BYTES, liveFinishWgsl } from './live.ts';
export type { LiveBindings, LiveFinish } from './live.ts';
export type { FinishedKind } from './applyPrograms.ts';
export { LOOK_NAMES } from './looks.ts';
export type { LookName } from './looks.ts';
export { FINISH_RANGES } from './settings.ts';
export type { FinishSettings } from './settings.ts';
