/** What a merge gives. Types alone. */
import type { FrameAlignment, Misfit } from './align/types.ts';
import type { ReferenceChoice } from './image/chooseReference.ts';
import type { ChosenResponse } from './image/chooseResponse.ts';
import type { MergeProfile } from './profile.ts';

/** A merged picture, with what the merge found and chose. */
export interface MergeResult {
  /** Y, linear radiance `[height, width, 3]` in [0,1]; 1 is the saturation of the shortest frame. */
  radiance: Float32Array<ArrayBuffer>;
  width: number;
  height: number;
  /**
   * W_k in exposure order, `[height, width]` each; the reference's is the union. Empty for a merge without a network or
   * maps.
   */
  motion: Float32Array[];
  /** tau_r: radiance times this is what files hold, where 1 is the reference frame's white. */
  scale: number;
  /** The reference frame, from 0 in exposure order. */
  reference: number;
  /** Why that frame was taken, if the engine chose it: `reference: 'auto'`. Not if frames were left out. */
  referenceChoice?: ReferenceChoice;
  /** Input index of each merged frame in exposure order. */
  order: number[];
  /** The frames that were left out, with `skipMisfits`, in exposure order. `frame` is the input index. */
  misfits: Misfit[];
  /** How each frame lies on the reference, in exposure order; all `none` for `align: 'none'`. */
  alignment: FrameAlignment[];
  /** The camera response that was used. */
  response: ChosenResponse;
  /** Most bytes of GPU buffers held at once, without the caller's frames and results on the device. */
  peakBytes: number;
  /** The limit that held for them. */
  memoryBudget: number;
  /** Where the time went, with the option `profile`. */
  profile?: MergeProfile;
}

/** A merge whose picture stays on the device. */
export interface BufferResult extends Omit<MergeResult, 'radiance'> {
  /**
   * Y, as `MergeResult.radiance`: float32 `[height, width, 3]`, of usage STORAGE, COPY_SRC and COPY_DST. The caller
   * must destroy it. It is lost with the device, which `dispose` destroys unless the caller passed it in.
   */
  buffer: GPUBuffer;
}

/** A picture that is still being merged. */
export interface RowProgress extends Pick<MergeResult, 'radiance' | 'width' | 'height' | 'scale'> {
  /** How many rows of `radiance`, the result's own array, are final. */
  rows: number;
}
