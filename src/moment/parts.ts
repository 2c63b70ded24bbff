/**
 * Merges a part of a picture alone, with any of its frames as the reference: the same frames, aligned as they were, on
 * tiles that are no larger than the part and its halo.
 */
import type { Merge, pixelsOf, planesOf } from '../merge.ts';
import type { ChosenResponse } from '../image/chooseResponse.ts';
import type { MotionMaps } from '../image/motion.ts';
import type { partsOf } from '../model/partsOf.ts';
import type { Schedule, ScheduleRequest, StageName, schedule, weightBytes } from '../model/schedule.ts';
import type { PasteTarget } from '../stage.ts';
import type { Span, Tile } from '../image/tile.ts';
import { grown, shared } from './areas.ts';
import type { Rectangle } from './areas.ts';

/**
 * What the core has already, and hands over: a bundler would cut it in two where what is loaded later imported from its
 * middle.
 */
export interface CoreMeans {
  partsOf: typeof partsOf;
  schedule: typeof schedule;
  weightBytes: typeof weightBytes;
  pixelsOf: typeof pixelsOf;
  planesOf: typeof planesOf;
}

/** The picture's padding, on which the U-Nets' grids lie. */
const GRID = 16;

/** A merge that ran, of which parts can be merged again. */
export interface MergedScene {
  /** Its frames, aligned. */
  merge: Merge;
  /** What its schedule was made for. */
  request: ScheduleRequest;
  schedule: Schedule;
  response: ChosenResponse;
  means: CoreMeans;
}

/** A part of a merge. */
export interface Part {
  /** Y, `[height, width, 3]` of the part. */
  radiance: Float32Array;
  /** W_k, the reference's the union; empty for a merge without maps. */
  motion: readonly Float32Array[];
}

/** Motion maps that were given for the scene's reference, in a rectangle. */
export type GivenMaps = (area: Rectangle) => readonly Float32Array[];

/** How far a picture's pixel depends on others: on frames and maps, without those that maps are made from. */
export function haloOf({ config }: ScheduleRequest, means: CoreMeans): number {
  return config ? means.partsOf(config).fusionTiles.halo : 0;
}

/**
 * The maps for another reference, of maps that were given for one. Frame k shows what frame c shows where neither
 * differs from r.
 */
function mapsFor(maps: readonly Float32Array[], reference: number, frame: number): readonly Float32Array[] {
  if (frame === reference) return maps;
  const most = (a: Float32Array, b: Float32Array): Float32Array => a.map((w, i) => Math.max(w, b[i]));
  const others = maps.map((map, k) => (k === reference ? maps[frame] : most(map, maps[frame])));
  // Its own is the union.
  others[frame] = others.reduce((union, map, k) => (k === frame ? union : most(union, map)), maps[frame]);
  return others;
}

/** Pastes into arrays that lie somewhere in the picture. */
function placed(target: PasteTarget, { x, y }: Rectangle): PasteTarget {
  return {
    ...target,
    width: Infinity,
    height: Infinity,
    paste: (part, values) => target.paste({ ...part, x: part.x - x, y: part.y - y }, values),
  };
}

/** A span at its place in the picture, its core cut to what is wanted. */
function cutSpan({ start, coreStart, coreEnd }: Span, origin: number, from: number, length: number): Span {
  return {
    start: start + origin,
    coreStart: Math.max(from, coreStart + origin),
    coreEnd: Math.min(from + length, coreEnd + origin),
  };
}

/** Merges a part with frame `frame` as the reference. @throws as a merge. */
export async function mergePart(
  { merge, request, schedule: whole, response, means }: MergedScene,
  frame: number,
  area: Rectangle,
  given: GivenMaps | undefined,
): Promise<Part> {
  const { config, reference } = request;
  const { padded } = whole;
  const parts = config && means.partsOf(config);
  const run = async (
    only: StageName,
    seen: Rectangle,
    wanted: Rectangle,
    maps: MotionMaps | undefined,
    target: PasteTarget,
  ): Promise<void> => {
    // Weights of the other stage stay on the device.
    const others = whole.stages.filter(({ name }) => name !== only);
    const [stage] = means.schedule({
      ...request,
      reference: frame,
      width: seen.width,
      height: seen.height,
      only,
      otherBytes: others.reduce((sum, { plan }) => sum + means.weightBytes(plan), request.otherBytes ?? 0),
    }).stages;
    const tiles: Tile[] = stage.tiling.tiles
      .map(({ x, y }) => ({
        x: cutSpan(x, seen.x, wanted.x, wanted.width),
        y: cutSpan(y, seen.y, wanted.y, wanted.height),
      }))
      .filter(({ x, y }) => x.coreStart < x.coreEnd && y.coreStart < y.coreEnd);
    const tiling = { ...stage.tiling, tiles };
    await merge.runStage({ ...stage, tiling }, maps, response, () => undefined, { target: placed(target, wanted) });
  };
  const seen = grown(area, haloOf(request, means), padded, GRID);
  let maps: MotionMaps | undefined;
  if (given) {
    const inside = shared(seen, { ...whole, x: 0, y: 0 })!;
    maps = { maps: mapsFor(given(inside), reference, frame), ...inside };
  } else if (parts?.segmentation) {
    const made = request.taus.map(() => new Float32Array(seen.width * seen.height));
    maps = { maps: made, ...seen };
    const around = grown(seen, parts.segmentation.tiles.halo, padded, GRID);
    await run('segmentation', around, seen, undefined, means.planesOf(made, seen));
  }
  const radiance = new Float32Array(3 * area.width * area.height);
  await run(config ? 'fusion' : 'merge', seen, area, maps, means.pixelsOf(radiance, area));
  const motion = maps ? maps.maps.map((map) => cutMap(map, maps, area)) : [];
  return { radiance, motion };
}

/** A part of a map. */
function cutMap(map: Float32Array, { width, x = 0, y = 0 }: MotionMaps, area: Rectangle): Float32Array {
  const part = new Float32Array(area.width * area.height);
  for (let j = 0; j < area.height; j++) {
    const start = (area.y + j - y) * width + area.x - x;
    part.set(map.subarray(start, start + area.width), j * area.width);
  }
  return part;
}
