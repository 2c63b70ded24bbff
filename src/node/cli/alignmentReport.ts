/** How frames were aligned, as text and as JSON. */
import type { FrameAlignment } from '../../align/types.ts';

/** One line, or none if no frame was moved. @param names of the frames, in exposure order. */
export function alignmentText(alignment: readonly FrameAlignment[], names: readonly (string | undefined)[]): string[] {
  const moved = alignment.flatMap(({ kind, displacement }, k) =>
    kind === 'reference' || kind === 'none'
      ? []
      : [`${names[k]} by ${displacement.toFixed(1)} px${kind === 'homography' ? '' : ` (${kind})`}`],
  );
  return moved.length > 0 ? [`aligned: ${moved.join(', ')}`] : [];
}

/** A frame's alignment for `--json`. */
export function alignmentJson({ kind, matrix, roundTrip, displacement, overlap }: FrameAlignment): object {
  return { kind, matrix, roundTrip: roundTrip ?? null, displacement, overlap: overlap ?? null };
}
