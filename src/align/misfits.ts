/** Leaves out the frames of a bracket that do not belong to it: nothing of them could be found in the reference. */
import { InputError } from '../errors.ts';
import { frameLabel, middleFrame } from '../image/frame.ts';
import type { FrameSource } from '../image/frame.ts';
import { IDENTITY } from './homography.ts';
import type { FrameAlignment, Misfit } from './types.ts';

/** The frames that belong together. */
export interface Fitting {
  /** Their places in the bracket, and how each lies on the reference. */
  kept: number[];
  alignment: FrameAlignment[];
  /** The reference's place in the bracket. */
  reference: number;
  /** The frames that were left out, by their places in the bracket. */
  misfits: Misfit[];
}

function isMisfit({ failed, kind }: FrameAlignment): boolean {
  return failed === true && kind === 'none';
}

/** The share of the picture that can be compared. */
export function overlapText({ overlap = 0 }: FrameAlignment): string {
  return `${(100 * overlap).toFixed(overlap < 0.1 ? 1 : 0)} %`;
}

/**
 * Aligns a bracket without the frames that do not belong to it.
 * @param frames in exposure order.
 * @param isGiven whether somebody chose the reference. If not, and no frame lies on it, it is the misfit itself.
 * @param estimate aligns frames to the one at `reference`.
 * @throws InputError naming the frames if fewer than two are left; whatever `estimate` throws.
 */
export async function fittingFrames(
  frames: readonly FrameSource[],
  reference: number,
  isGiven: boolean,
  estimate: (frames: readonly FrameSource[], reference: number) => Promise<FrameAlignment[]>,
): Promise<Fitting> {
  const places = frames.map((_, k) => k);
  const found = await estimate(frames, reference);
  const out = places.filter((k) => isMisfit(found[k]));
  if (out.length < frames.length - 1) {
    const kept = places.filter((k) => !out.includes(k));
    return {
      kept,
      alignment: kept.map((k) => found[k]),
      reference,
      misfits: out.map((k) => ({ frame: k, alignment: found[k] })),
    };
  }
  const shares = out.map((k) => `${frameLabel(frames[k], k)} ${overlapText(found[k])}`).join(', ');
  if (isGiven || frames.length === 2)
    throw new InputError(
      `no frame lies on the reference, ${frameLabel(frames[reference], reference)} (of the picture can be compared: ` +
        `${shares})`,
      { problem: 'misfits', remedy: 'choose another reference, or merge frames of one scene' },
    );
  const others = places.filter((k) => k !== reference);
  const rest = await fittingFrames(
    others.map((k) => frames[k]),
    middleFrame(others.length),
    false,
    estimate,
  );
  const overlap = Math.max(...out.map((k) => found[k].overlap ?? 0));
  const itself: Misfit = {
    frame: reference,
    alignment: { kind: 'none', matrix: IDENTITY, displacement: 0, overlap, failed: true },
  };
  return {
    ...rest,
    kept: rest.kept.map((k) => others[k]),
    reference: others[rest.reference],
    misfits: [itself, ...rest.misfits.map((misfit) => ({ ...misfit, frame: others[misfit.frame] }))].sort(
      (a, b) => a.frame - b.frame,
    ),
  };
}
