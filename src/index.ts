/**
 * deghost: ghost-free HDR from bracketed photographs, on any WebGPU device.
 *
 * This is all of the public API that runs anywhere. `deghost/node` adds a device and files for Node.
 * @module deghost
 */
export { Deghoster } from './deghoster.ts';
export type { AlignOption, AlignmentKind, FrameAlignment, Homography, Mesh, Misfit, Warp } from './align/types.ts';
export type { DeghosterOptions, MergeOptions, PlanOptions, PrepareOptions } from './options.ts';
export type { ChangedPart, MergeChange, OpenMerge, UpdateOptions } from './moment/openMerge.ts';
export type { Rectangle } from './moment/areas.ts';
export type { BufferResult, MergeResult, RowProgress } from './result.ts';
export type { Progress } from './merge.ts';
export type { MergeProfile, ProgramProfile, StageProfile } from './profile.ts';
export { openDevice, openPlatformDevice } from './device.ts';
export {
  CancelledError,
  DeghostError,
  DeviceLostError,
  GpuError,
  InputError,
  MissingPackageError,
  NoAdapterError,
  UsageError,
} from './errors.ts';
export type { DeghostErrorCode, InputErrorOptions, InputProblem } from './errors.ts';
export { encodeExr, streamExr } from './image/exr.ts';
export type { ExrOptions, ExrPixelType, ExrStream, PlacedBytes } from './image/exr.ts';
export { MAX_FRAMES, MIN_FRAMES, TEXTURE_FORMATS } from './image/frame.ts';
export type { BufferFrame, Frame, FrameSource, ImageFrame, Samples, TextureFrame } from './image/frame.ts';
export { chooseReference, clippedShare } from './image/chooseReference.ts';
export type { ClippedPixels, ReferenceChoice } from './image/chooseReference.ts';
export type { ChosenResponse, ResponseOption } from './image/chooseResponse.ts';
export { estimateResponse, formatResponse, gammaResponse, linearResponse, parseResponse } from './image/response.ts';
export type { CameraResponse, ChannelReport, ResponseReport } from './image/response.ts';
export { encodeRgbe } from './image/rgbe.ts';
export { encodeSrgb } from './image/srgb.ts';
export { toneMap } from './image/toneMap.ts';
export type { PlanReport, PlannedStage, PlannedStep } from './model/schedule.ts';
export { loadWeights } from './model/loadWeights.ts';
export type { Weights } from './model/loadWeights.ts';
export type { NetworkConfig } from './weights/config.ts';
