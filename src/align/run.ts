/** What a merge loads when it aligns its frames. */
import type { FrameSource } from '../image/frame.ts';
import { givenAlignments } from './given.ts';
import { estimateAlignments } from './estimate.ts';
import type { AlignDevice, EstimateOptions } from './estimate.ts';
import type { AlignOption, FrameAlignment, Warp } from './types.ts';

export { Warper, warperBytes } from './warper.ts';
export type { EstimateOptions } from './estimate.ts';

/** What a merge needs to know of its frames' alignment. */
export interface Aligned {
  /** One for each frame, in exposure order. */
  alignment: FrameAlignment[];
  /** How each frame is resampled; undefined for frames that are not. */
  warps: (Warp | undefined)[];
}

/** Whether a frame must be resampled. */
export function isWarped({ kind }: FrameAlignment): boolean {
  return kind !== 'none' && kind !== 'reference';
}

/**
 * Aligns a merge's frames, as its option says.
 * @param frames in exposure order.
 * @param option matrices are in exposure order too.
 * @throws UsageError; InputError; CancelledError; GpuError; DeviceLostError.
 */
export async function alignFrames(
  device: AlignDevice,
  frames: readonly FrameSource[],
  option: Exclude<AlignOption, 'none'>,
  options: Omit<EstimateOptions, 'method'>,
): Promise<Aligned> {
  const alignment =
    typeof option === 'object'
      ? givenAlignments(frames, option.matrices, options.reference)
      : await estimateAlignments(device, frames, { ...options, method: option });
  return {
    alignment,
    warps: alignment.map((found) => (isWarped(found) ? { matrix: found.matrix, mesh: found.mesh } : undefined)),
  };
}
