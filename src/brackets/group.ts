/**
 * Groups the pictures of a folder into brackets, as a person would: frames of one camera with one setting, taken one
 * right after another, each with an exposure of its own.
 *
 * HDRMerge cuts where more than two seconds pass from the end of one exposure to the start of the next; exposures that
 * come again begin another bracket. Pictures that belong to none are listed with the reason.
 */
import type { Shot } from './shots.ts';

/** How pictures are grouped. Every field has a default. */
export interface GroupOptions {
  /** Frames of every bracket: pictures of one camera are then cut by number alone. */
  frames?: number;
}

/** A bracket, in the order in which its frames were taken. */
export interface Bracket {
  shots: Shot[];
}

/** A picture that belongs to no bracket. */
export interface Skipped {
  name: string;
  /** Why, in plain text, and its kind for whoever words it otherwise. */
  reason: string;
  kind: 'pair' | 'rest' | 'unexposed' | 'alone' | 'many' | 'alike';
}

type Reason = Omit<Skipped, 'name'>;

/** Longest pause within a bracket, in milliseconds. */
const MOST_PAUSE = 2000;
/** What a time without fractions may be off by. */
const COARSE = 1000;
/** Exposures that are nearer than this, in stops, are the same. */
const SAME_EV = 0.2;
/** Least range of a bracket, in stops. */
const LEAST_RANGE = 1;
const [LEAST_FRAMES, MOST_FRAMES] = [2, 16];

/** By numbers in names, as people count: IMG_9 before IMG_10. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

function stemOf(name: string): string {
  return name.replace(/\.[^./\\]+$/, '').toLowerCase();
}

/** @returns brackets by the names of their first frames, and all pictures that are in none. */
export function groupBrackets(
  shots: readonly Shot[],
  { frames }: GroupOptions = {},
): { brackets: Bracket[]; skipped: Skipped[] } {
  const skipped: Skipped[] = [];
  const taken = onePerStem(shots, skipped);
  const brackets: Bracket[] = [];
  for (const alike of partition(taken).values()) {
    alike.sort((a, b) => (a.time ?? 0) - (b.time ?? 0) || byName(a.name, b.name));
    const groups = frames === undefined ? runs(alike).flatMap(byExposure) : byNumber(alike, frames);
    for (const group of groups) {
      const reason = reasonAgainst(group, frames);
      if (reason === undefined) brackets.push({ shots: group });
      else for (const { name } of group) skipped.push({ name, ...reason });
    }
  }
  brackets.sort((a, b) => byName(a.shots[0].name, b.shots[0].name));
  skipped.sort((a, b) => byName(a.name, b.name));
  return { brackets, skipped };
}

/** One file of each shot: cameras write a RAW and a JPEG with the same name. The RAW has more light. */
function onePerStem(shots: readonly Shot[], skipped: Skipped[]): Shot[] {
  const stems = new Map<string, Shot[]>();
  for (const shot of shots) stems.set(stemOf(shot.name), [...(stems.get(stemOf(shot.name)) ?? []), shot]);
  return [...stems.values()].flatMap((same) => {
    const [raw, other] = [same.filter(({ isRaw }) => isRaw), same.filter(({ isRaw }) => !isRaw)];
    if (raw.length === 0 || other.length === 0) return same;
    for (const { name } of other) skipped.push({ name, reason: `the same shot as ${raw[0].name}`, kind: 'pair' });
    return raw;
  });
}

function partition(shots: readonly Shot[]): Map<string, Shot[]> {
  const parts = new Map<string, Shot[]>();
  for (const shot of shots) parts.set(shot.key, [...(parts.get(shot.key) ?? []), shot]);
  return parts;
}

/** Pictures taken one right after another. Where times are missing, nothing is cut. */
function runs(shots: readonly Shot[]): Shot[][] {
  const found: Shot[][] = [];
  shots.forEach((shot, i) => {
    const before = shots[i - 1];
    if (before && !isPauseBetween(before, shot)) found.at(-1)!.push(shot);
    else found.push([shot]);
  });
  return found;
}

function isPauseBetween(a: Shot, b: Shot): boolean {
  if (a.time === undefined || b.time === undefined) return a.time !== b.time;
  const pause = b.time - (a.time + 1000 * (a.exposureTime ?? 0));
  return pause > MOST_PAUSE + (a.isPrecise && b.isPrecise ? 0 : COARSE);
}

/** Cuts a run where an exposure comes again. */
function byExposure(run: readonly Shot[]): Shot[][] {
  const found: Shot[][] = [];
  for (const shot of run) {
    const group = found.at(-1);
    const comesAgain = group?.some(
      ({ ev }) => ev === undefined || shot.ev === undefined || Math.abs(ev - shot.ev) < SAME_EV,
    );
    if (group && !comesAgain) group.push(shot);
    else found.push([shot]);
  }
  return found;
}

function byNumber(shots: readonly Shot[], count: number): Shot[][] {
  return Array.from({ length: Math.ceil(shots.length / count) }, (_, i) => shots.slice(i * count, (i + 1) * count));
}

/** Why a group is no bracket; undefined if it is one. */
function reasonAgainst(group: readonly Shot[], frames: number | undefined): Reason | undefined {
  if (frames !== undefined)
    return group.length === frames
      ? undefined
      : { kind: 'rest', reason: `${group.length} left over after brackets of ${frames}` };
  if (group.length < LEAST_FRAMES)
    return group[0].ev === undefined
      ? { kind: 'unexposed', reason: 'its EXIF says nothing of its exposure: give the number of frames of a bracket' }
      : { kind: 'alone', reason: 'no other picture of the scene with another exposure right before or after it' };
  if (group.length > MOST_FRAMES)
    return { kind: 'many', reason: `${group.length} exposures in a row, at most ${MOST_FRAMES} are merged` };
  const evs = group.map(({ ev }) => ev!);
  const range = Math.max(...evs) - Math.min(...evs);
  return range < LEAST_RANGE
    ? { kind: 'alike', reason: `exposures ${range.toFixed(1)} EV apart, at least ${LEAST_RANGE} EV are needed` }
    : undefined;
}
