/** Steps of what a person changes in a result, and what each of them puts where in the maps of a merge. */
import type { Stroke } from '../messages.ts';
import { brush, strokeRect } from './brush.ts';
import { around, cut, paste } from './maps.ts';
import type { Rect, Size } from './viewer.ts';

/** A stroke of which not all is merged. */
export interface Painting {
  /** All that it reaches. */
  region: Rect;
  lines: Stroke[];
  /** What is merged of it: the first lines, and the maps of a rectangle around them as they were before it. */
  merged?: { lines: number; region: Rect; before: Float32Array[] };
  /** Whether its lines are merged under the brush: not after a part that took too long, or failed. */
  isLive: boolean;
}

/** Motion maps, or the frames whose moment is shown, of a rectangle. */
type Values = { motion: Float32Array[] } | { moment: Uint8Array };

/** What can be undone, and done again: a stroke that is not merged yet, or values that are known. */
export type Step =
  | { stroke: Painting }
  | {
      stroke?: undefined;
      region: Rect;
      before: Values;
      after: Values;
      /** Which of them the merge has. */
      has: 'before' | 'after';
    };

/** A step that is to be in the merge, or taken back from it. */
export interface Change {
  step: Step;
  which: 'before' | 'after';
}

/** What a change puts into the maps of a merge. */
interface Put {
  region: Rect;
  values: Values;
}

/** The maps of a rectangle, as copies. */
type MotionIn = (region: Rect) => Float32Array[];

/** The lines of a stroke that are not merged. */
export function waiting({ lines, merged }: Painting): Stroke[] {
  return lines.slice(merged?.lines ?? 0);
}

/** What of the picture lines reach: each reaches some of it. */
export function linesRect(lines: readonly Stroke[], picture: Size): Rect {
  return lines.map((line) => strokeRect(line, picture)!).reduce(around);
}

/** Paints lines over maps of a rectangle. */
export function painted(maps: Float32Array[], region: Rect, lines: readonly Stroke[], reference: number) {
  for (const line of lines) brush(maps, region, line, reference);
  return maps;
}

/** The maps of a rectangle around what is merged of a stroke, as they were before it. */
export function motionBefore({ merged }: Painting, region: Rect, motionIn: MotionIn): Float32Array[] {
  const motion = motionIn(region);
  if (merged) motion.forEach((map, k) => paste(map, region.width, within(region, merged.region), merged.before[k]));
  return motion;
}

/**
 * What a change puts where, in a merge that has all changes before it.
 * @returns nothing to put where the merge has it already; and what is to be called when it does.
 */
export function prepare(
  { step, which }: Change,
  motionIn: MotionIn,
  { reference, ...picture }: Size & { reference: number },
): { put?: Put; merged(): void } {
  if (!step.stroke)
    return {
      put: step.has === which ? undefined : { region: step.region, values: step[which] },
      merged: () => void (step.has = which),
    };
  const { stroke } = step;
  const { region, merged } = stroke;
  if (which === 'before')
    return {
      put: merged && { region: merged.region, values: { motion: merged.before } },
      merged: () => void (stroke.merged = undefined),
    };
  const lines = waiting(stroke);
  const before = motionBefore(stroke, region, motionIn);
  const after = painted(motionIn(region), region, lines, reference);
  const part = lines.length > 0 ? linesRect(lines, picture) : undefined;
  const values = part && { motion: after.map((map) => cut(map, region.width, within(region, part))) };
  return {
    put: part && values && { region: part, values },
    merged: () =>
      void Object.assign(step, {
        ...{ stroke: undefined, region, has: 'after' },
        ...{ before: { motion: before }, after: { motion: after } },
      }),
  };
}

/** A rectangle inside another, seen from there. */
function within(outer: Rect, inner: Rect): Rect {
  return { ...inner, x: inner.x - outer.x, y: inner.y - outer.y };
}
