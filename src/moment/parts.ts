/**
 * Merges a part of a picture alone, with any of its frames as the reference: the same frames, aligned as they were, on
 * tiles that are no larger than the part and its halo.
 */
import type { Merge } from '../merge.ts';
import type { pixelsOf, planesOf } from '../mergeTargets.ts';
import type { ChosenResponse } from '../image/chooseResponse.ts';
import type { MotionMaps } from '../image/motion.ts';
import type { loadWeights } from '../model/loadWeights.ts';
import type { partsOf } from '../model/partsOf.ts';
import type { Schedule, ScheduleRequest, Stage, StageName, schedule, weightBytes } from '../model/schedule.ts';
import type { DeghosterOptions } from '../options.ts';
import type { PasteTarget } from '../stage.ts';
import type { NetworkConfig } from '../weights/config.ts';
import type { WeightTensor } from '../weights/safetensors.ts';
import type { Span, Tile } from '../image/tile.ts';
import { grown, shared } from './areas.ts';
import type { Rectangle } from './areas.ts';

/**
 * What the core has already, and hands over: a bundler would cut it in two where what is loaded later imported from its
 * middle.
 */
export interface CoreMeans {
  loadWeights: typeof loadWeights;
  partsOf: typeof partsOf;
  schedule: typeof schedule;
  weightBytes: typeof weightBytes;
  pixelsOf: typeof pixelsOf;
  planesOf: typeof planesOf;
}

/** The picture's padding, on which the U-Nets' grids lie. */
const GRID = 16;
/** Sides of parts are multiples of this where there is room, so that plans can be used again; and how many are kept. */
const SIDE = 64;
const MOST_PLANS = 12;

/** The network for other moments, where the merge's own knows one reference alone. */
export interface OtherWeights {
  given?: DeghosterOptions['momentWeights'];
  /** Once they are loaded: the tensors by names that no other network has. */
  tensors?: Map<string, WeightTensor>;
  config?: NetworkConfig;
}

/** Before the names of their tensors. */
const PREFIX = 'moment/';

/** The config that a part is merged with. @throws InputError for weights that cannot be used. */
async function configFor(
  { request: { config, reference }, means, others }: MergedScene,
  frame: number,
): Promise<NetworkConfig | undefined> {
  const { given } = others;
  if (frame === reference || config?.variant !== 'fixed' || given === undefined) return config;
  if (!others.config) {
    const loaded = await means.loadWeights(typeof given === 'function' ? await given() : given, 'momentWeights');
    others.tensors = new Map([...loaded.tensors].map(([name, tensor]) => [PREFIX + name, tensor]));
    others.config = { ...loaded.config, prefix: PREFIX };
  }
  return others.config;
}

/** A merge that ran, of which parts can be merged again. */
export interface MergedScene {
  /** Its frames, aligned. */
  merge: Merge;
  /** What its schedule was made for. */
  request: ScheduleRequest;
  schedule: Schedule;
  response: ChosenResponse;
  means: CoreMeans;
  others: OtherWeights;
  /** Stages of parts by what they were planned for: planning takes as long as a small tile. */
  plans: Map<string, Stage>;
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
  return unitedIn(
    maps.map((map, k) => (k === reference ? maps[frame] : most(map, maps[frame]))),
    frame,
  );
}

function most(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((w, i) => Math.max(w, b[i]));
}

/** Maps with the union of the others as those of one frame. */
export function unitedIn(maps: readonly Float32Array[], frame: number): Float32Array[] {
  const others = maps.filter((_, k) => k !== frame);
  return maps.map((map, k) => (k === frame ? others.reduce(most) : map));
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

/** A rectangle with sides that others have too. */
function rounded({ x, y, width, height }: Rectangle, { padded }: Pick<Schedule, 'padded'>): Rectangle {
  const [w, h] = [Math.ceil(width / SIDE) * SIDE, Math.ceil(height / SIDE) * SIDE];
  const [right, bottom] = [Math.min(w, padded.width), Math.min(h, padded.height)];
  return { x: Math.min(x, padded.width - right), y: Math.min(y, padded.height - bottom), width: right, height: bottom };
}

/** Merges a part with frame `frame` as the reference. @throws as a merge. */
export async function mergePart(
  scene: MergedScene,
  frame: number,
  area: Rectangle,
  given: GivenMaps | undefined,
): Promise<Part> {
  const { merge, schedule: whole, response, means, plans } = scene;
  const config = await configFor(scene, frame);
  const request = { ...scene.request, config, gamma: config?.gamma ?? scene.request.gamma };
  const { reference } = request;
  const { padded } = whole;
  const parts = config && means.partsOf(config);
  const run = async (
    only: StageName,
    seen: Rectangle,
    wanted: Rectangle,
    maps: MotionMaps | undefined,
    target: PasteTarget,
  ): Promise<void> => {
    const { width, height } = seen;
    const key = [only, frame, width, height, request.motionGiven].join();
    let stage = plans.get(key);
    if (!stage) {
      // Weights of the other stage stay on the device.
      const others = whole.stages.filter(({ name }) => name !== only);
      const otherBytes = others.reduce((sum, { plan }) => sum + means.weightBytes(plan), request.otherBytes ?? 0);
      [stage] = means.schedule({ ...request, reference: frame, width, height, only, otherBytes }).stages;
      if (plans.size >= MOST_PLANS) plans.delete(plans.keys().next().value!);
      plans.set(key, stage);
    }
    const tiles: Tile[] = stage.tiling.tiles
      .map(({ x, y }) => ({
        x: cutSpan(x, seen.x, wanted.x, wanted.width),
        y: cutSpan(y, seen.y, wanted.y, wanted.height),
      }))
      .filter(({ x, y }) => x.coreStart < x.coreEnd && y.coreStart < y.coreEnd);
    const tiling = { ...stage.tiling, tiles };
    await merge.runStage({ ...stage, tiling }, maps, response, () => undefined, { target: placed(target, wanted) });
  };
  const seen = rounded(grown(area, haloOf(request, means), padded, GRID), whole);
  let maps: MotionMaps | undefined;
  if (given) {
    const inside = shared(seen, { ...whole, x: 0, y: 0 })!;
    maps = { maps: mapsFor(given(inside), reference, frame), ...inside };
  } else if (parts?.segmentation) {
    const made = request.taus.map(() => new Float32Array(seen.width * seen.height));
    maps = { maps: made, ...seen };
    const around = rounded(grown(seen, parts.segmentation.tiles.halo, padded, GRID), whole);
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
