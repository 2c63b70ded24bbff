/** Alignments that the caller gives. */
import { textOf } from '../checks.ts';
import { InputError, UsageError } from '../errors.ts';
import { frameLabel, frameSize } from '../image/frame.ts';
import type { FrameSource } from '../image/frame.ts';
import { LEAST_DISPLACEMENT } from './estimate.ts';
import { IDENTITY, displacement, normalized } from './homography.ts';
import type { FrameAlignment, Homography } from './types.ts';

/** Most that a frame may be larger or smaller than the reference, anywhere. */
const MOST_SCALE = 3;

/**
 * Alignments from homographies.
 * @param frames in exposure order.
 * @param matrices one for each frame, in the same order.
 * @throws UsageError for a wrong number of them; InputError naming the frame for one that cannot be used.
 */
export function givenAlignments(
  frames: readonly FrameSource[],
  matrices: readonly Homography[],
  reference: number,
): FrameAlignment[] {
  if (matrices.length !== frames.length)
    throw new UsageError(`align: ${matrices.length} matrices for ${frames.length} frames: give one for each frame`);
  const size = frameSize(frames[0]);
  return frames.map((frame, k) => {
    const fail = (what: string): never => {
      throw new InputError(`${frameLabel(frame, k)}: its alignment matrix ${what}`);
    };
    const given = matrices[k];
    if (given?.length !== 9) fail(`has ${given?.length ?? 0} numbers, a homography has 9`);
    if (!given.every(Number.isFinite))
      fail(`holds ${textOf(given.find((v) => !Number.isFinite(v)))}, all must be finite numbers`);
    if (given[8] === 0) fail('has 0 as its last number, which must be 1');
    const matrix = normalized(given);
    for (const x of [0, size.width - 1])
      for (const y of [0, size.height - 1]) {
        const scale = scaleAt(matrix, x, y);
        if (!(scale >= 1 / MOST_SCALE && scale <= MOST_SCALE))
          fail(
            `makes pixel (${x}, ${y}) ${scale > 0 ? scale.toPrecision(3) : 'less than 0'} times as large, it must be ` +
              `between 1/${MOST_SCALE} and ${MOST_SCALE}`,
          );
      }
    const moved = displacement(matrix, size);
    if (k === reference) {
      if (moved >= LEAST_DISPLACEMENT)
        fail(`moves it by up to ${moved.toFixed(2)} pixels, but it is the reference: give (1, 0, 0, 0, 1, 0, 0, 0, 1)`);
      return { kind: 'reference', matrix: IDENTITY, displacement: 0 };
    }
    const isMoved = moved >= LEAST_DISPLACEMENT;
    return { kind: isMoved ? 'homography' : 'none', matrix: isMoved ? matrix : IDENTITY, displacement: moved };
  });
}

/** How much larger a frame's pixels are than the reference's at a place; NaN or less than 0 where it folds over. */
function scaleAt(h: Homography, x: number, y: number): number {
  const w = h[6] * x + h[7] * y + h[8];
  if (!(w > 0)) return Number.NaN;
  // The homography's Jacobian has the determinant det(H) / w^3.
  const determinant =
    h[0] * (h[4] * h[8] - h[5] * h[7]) - h[1] * (h[3] * h[8] - h[5] * h[6]) + h[2] * (h[3] * h[7] - h[4] * h[6]);
  return Math.sign(determinant) * Math.sqrt(Math.abs(determinant) / w ** 3);
}
