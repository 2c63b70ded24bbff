/** What a merge loads when it aligns its frames. */
import type { FrameSource } from '../image/frame.ts';
import { givenAlignments } from './given.ts';
import { estimateAlignments } from './estimate.ts';
import type { AlignDevice, EstimateOptions } from './estimate.ts';
import { fittingFrames } from './misfits.ts';
import type { AlignOption, FrameAlignment, Misfit, Warp } from './types.ts';

export { Warper, warperBytes } from './warper.ts';
export type { EstimateOptions } from './estimate.ts';

/** How a merge aligns its frames. */
export interface AlignFramesOptions extends Omit<EstimateOptions, 'method'> {
  /** Whether to leave out frames that do not belong to the bracket. */
  skipMisfits: boolean;
  /** Whether somebody chose the reference. If not, it may turn out to be a misfit itself. */
  isReferenceGiven: boolean;
}

/** What a merge needs to know of its frames' alignment. Frames are in exposure order. */
export interface Aligned {
  /** Places of the frames to merge among all frames: all of them, unless misfits were left out. */
  kept: number[];
  /** The reference's place among all frames. */
  reference: number;
  /** The frames that were left out, by their places among all frames. */
  misfits: Misfit[];
  /** One for each frame to merge. */
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
  { skipMisfits, isReferenceGiven, ...options }: AlignFramesOptions,
): Promise<Aligned> {
  const { reference } = options;
  const estimate = (some: readonly FrameSource[], from: number, method: EstimateOptions['method']) =>
    estimateAlignments(device, some, { ...options, method, reference: from });
  const all = async (): Promise<Omit<Aligned, 'warps'>> => ({
    kept: frames.map((_, k) => k),
    reference,
    misfits: [],
    alignment:
      typeof option === 'object'
        ? givenAlignments(frames, option.matrices, reference)
        : await estimate(frames, reference, option),
  });
  const found =
    skipMisfits && typeof option !== 'object'
      ? await fittingFrames(frames, reference, isReferenceGiven, (some, from) => estimate(some, from, option))
      : await all();
  return {
    ...found,
    warps: found.alignment.map((one) => (isWarped(one) ? { matrix: one.matrix, mesh: one.mesh } : undefined)),
  };
}
