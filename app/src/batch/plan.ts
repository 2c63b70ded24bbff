/** What is known of a folder before anything is merged: its brackets, and why other pictures are in none. */
import { groupFolders, pictureKind } from '../../../src/brackets/pictureFiles.ts';
import type { Shot } from '../../../src/brackets/shots.ts';
import { middleFrame } from '../../../src/image/frame.ts';
import { mergedName } from '../mergedName.ts';
import type { Skipped } from '../../../src/brackets/group.ts';
import type { NamedFile } from '../messages.ts';

/** One frame of a bracket. */
export interface PlannedFrame extends NamedFile {
  /** Stops from the middle exposure, if known. */
  ev: number | undefined;
  /** Exposure time in seconds, if known. */
  shutter: number | undefined;
}

/** A bracket of the plan. */
export interface PlannedBracket {
  /** Its place in the plan, from 0. */
  id: number;
  /** In exposure order, as far as exposures are known. */
  frames: PlannedFrame[];
  /** Names of the first and last frame as they were taken. */
  ends: [string, string];
  /** Name of the result without its extension. */
  stem: string;
}

export interface Plan {
  brackets: PlannedBracket[];
  /** Pictures in no bracket, and files that are no pictures if they were picked one by one, by the reason. */
  leftOver: { reason: string; kind: Skipped['kind'] | 'no-picture'; names: string[] }[];
  /** How many pictures and other files the plan is about. */
  files: number;
}

function framesOf(shots: readonly Shot[], files: ReadonlyMap<string, Blob>): PlannedFrame[] {
  const sorted = [...shots].sort((a, b) => (a.ev ?? 0) - (b.ev ?? 0));
  const zero = sorted[middleFrame(sorted.length)].ev;
  return sorted.map(({ name, ev, exposureTime }) => ({
    name,
    file: files.get(name)!,
    ev: ev === undefined || zero === undefined ? undefined : ev - zero,
    shutter: exposureTime,
  }));
}

const fileName = (path: string): string => path.replace(/^.*\//, '');

/**
 * Groups files as the command line does.
 * @param shots of the files that are pictures, in their order.
 * @param frames of every bracket, if they are to be counted.
 */
export function makePlan(files: readonly NamedFile[], shots: readonly Shot[], frames: number | undefined): Plan {
  const { brackets, skipped } = groupFolders(shots, { frames });
  const byName = new Map(files.map(({ name, file }) => [name, file]));
  const stems = new Map<string, number>();
  const leftOver = new Map<string, Plan['leftOver'][number]>();
  const leave = (name: string, kind: Skipped['kind'] | 'no-picture', reason = ''): void => {
    const group = leftOver.get(reason) ?? { reason, kind, names: [] };
    group.names.push(name);
    leftOver.set(reason, group);
  };
  for (const { name, kind, reason } of skipped) leave(name, kind, reason);
  for (const { name } of files) if (!pictureKind(name)) leave(name, 'no-picture');
  return {
    brackets: brackets.map(({ shots: taken }, id) => {
      const [first, last] = [taken[0].name, taken.at(-1)!.name];
      const stem = mergedName(fileName(first));
      // Two folders may have pictures of one name.
      const times = (stems.get(stem.toLowerCase()) ?? 0) + 1;
      stems.set(stem.toLowerCase(), times);
      return {
        id,
        frames: framesOf(taken, byName),
        ends: [first, fileName(last)],
        stem: times === 1 ? stem : `${stem}-${times}`,
      };
    }),
    leftOver: [...leftOver.values()],
    files: files.length,
  };
}
