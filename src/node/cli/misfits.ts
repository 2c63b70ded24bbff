/** How `deghost merge --skip-misfits` tells of the frames that it left out. */
import { overlapText } from '../../align/misfits.ts';
import type { Misfit } from '../../align/types.ts';
import { alignmentJson } from './alignmentReport.ts';
import type { MergeOptions } from './mergeOptions.ts';
import type { Stack } from './mergeStack.ts';

/** A line for each frame. @param stack the whole stack, as it was given to the merge. */
export function misfitLines(misfits: readonly Misfit[], { frames }: Stack): string[] {
  return misfits.map(
    ({ frame, alignment }) =>
      `left out: ${frames[frame].name}, because no alignment to the reference could be trusted ` +
      `(${overlapText(alignment)} of the picture to compare)`,
  );
}

/** The same for `--json`. */
export function misfitsJson(
  misfits: readonly Misfit[],
  { frames, order }: Stack,
  { inputs }: Pick<MergeOptions, 'inputs'>,
): object[] {
  return misfits.map(({ frame, alignment }) => ({
    file: inputs[order[frame]],
    exposure: frames[frame].exposure,
    alignment: alignmentJson(alignment),
  }));
}
