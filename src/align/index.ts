/**
 * `deghost/align`: finds how the frames of a hand-held bracket lie on each other, and resamples them. A merge loads
 * what it needs of it by `import()`, so a page that never aligns never loads it.
 * @module deghost/align
 */
export { coveredRectangle } from './crop.ts';
export type { Covering, Rectangle } from './crop.ts';
export { LEAST_SIDE } from './bands.ts';
export { LEAST_DISPLACEMENT } from './estimate.ts';
export { alignStack, warpFrame } from './resample.ts';
export type { AlignStackOptions, StackAlignment } from './resample.ts';
export type { EstimateOptions } from './estimate.ts';
export type { AlignmentKind, FrameAlignment, Homography, Mesh, Warp } from './types.ts';
