/** What a merge found of how its frames lie on the reference, in numbers that people can read. */
import type { FrameAlignment } from '../../../src/align/types.ts';
import type { AlignedFrame, FrameToMerge } from '../messages.ts';

/** @param frames as they were given to the merge. */
export function alignedFrames(
  { alignment, order }: { alignment: readonly FrameAlignment[]; order: readonly number[] },
  frames: readonly FrameToMerge[],
): AlignedFrame[] {
  return alignment.map(({ kind, failed = false, displacement, matrix }, k) => ({
    id: frames[order[k]].id,
    kind,
    failed,
    moved: displacement,
    // The rotation nearest to the homography's linear part.
    turned: (180 / Math.PI) * Math.atan2(matrix[3] - matrix[1], matrix[0] + matrix[4]),
  }));
}
