/**
 * Another moment for a part of the picture (spec: Another moment for a part): Y is the sum of a_c Y_c, where a_c is the
 * region that shows frame c, feathered, and Y_c the merge with reference c. Only rectangles that another moment touches
 * are merged with its frame.
 */
import { arrayOf } from '../checks.ts';
import { InputError, throwIfCancelled } from '../errors.ts';
import { FEATHER, extent, grown, shares } from './areas.ts';
import type { Rectangle } from './areas.ts';
import { mergePart } from './parts.ts';
import type { GivenMaps, MergedScene } from './parts.ts';

/** In a map: the reference's moment, whichever frame that is. */
export const NO_MOMENT = 255;

/** All 9x9 pixels that a region is feathered over. */
const ALL = (2 * FEATHER + 1) ** 2;

/**
 * A map as callers give it, copied.
 * @throws InputError naming its size, or a pixel that names no frame.
 */
export function readMoment(
  given: Uint8Array,
  frames: number,
  { width, height }: { width: number; height: number },
): Uint8Array {
  const map = arrayOf('moment', given, [Uint8Array]).slice();
  if (map.length !== width * height)
    throw new InputError(
      `moment: ${map.length} values, ${width}x${height} needs ${width * height}: give a frame's number for each pixel`,
    );
  const bad = map.findIndex((frame) => frame >= frames && frame !== NO_MOMENT);
  if (bad >= 0)
    throw new InputError(
      `moment: value ${bad} is ${map[bad]}, it must be one of 0..${frames - 1} (frames in exposure order), or ` +
        `${NO_MOMENT} for the reference`,
    );
  return map;
}

/**
 * Renumbers a map's frames in place.
 * @param kept the frames that are merged, of all; others were left out.
 * @param reference the reference among those that are merged.
 * @throws InputError naming a frame that was left out.
 */
export function placeMoment(map: Uint8Array, kept: readonly number[], reference: number): Uint8Array {
  const places = Uint8Array.from({ length: NO_MOMENT + 1 }, (_, frame) =>
    frame === NO_MOMENT ? reference : kept.indexOf(frame) & NO_MOMENT,
  );
  for (let i = 0; i < map.length; i++) {
    const place = places[map[i]];
    if (place === NO_MOMENT)
      throw new InputError(
        `moment: value ${i} is ${map[i]}, a frame that was left out because it does not belong to the bracket: ` +
          'choose another',
      );
    map[i] = place;
  }
  return map;
}

/** What is shown in a rectangle. */
export interface Composed {
  area: Rectangle;
  radiance: Float32Array;
  motion: readonly Float32Array[];
  /** Whether another moment is shown somewhere. */
  isOther: boolean;
}

/** A scene with the frames that its parts show. */
export interface MomentScene extends MergedScene {
  /** Frame numbers, `[height, width]`. */
  map: Uint8Array;
  /** The maps below, if they were given. */
  given: GivenMaps | undefined;
}

/** The frames that an area shows besides the reference, with the part of it that each has a share in. */
function framesIn({ map, schedule, request }: MomentScene, area: Rectangle): [frame: number, part: Rectangle][] {
  return request.taus.flatMap((_, frame): [number, Rectangle][] => {
    const part = frame !== request.reference && extent(shares(map, schedule, frame, area), area);
    return part ? [[frame, part]] : [];
  });
}

/**
 * Composes a rectangle.
 * @param radiance the merge with the scene's reference there; this changes it.
 * @param motion its maps; this changes them too.
 */
export async function compose(
  scene: MomentScene,
  area: Rectangle,
  radiance: Float32Array,
  motion: readonly Float32Array[],
  signal?: AbortSignal,
): Promise<Composed> {
  const { map, schedule, request } = scene;
  const { reference } = request;
  const others = framesIn(scene, area);
  if (others.length > 0)
    shares(map, schedule, reference, area).forEach((count, i) => {
      if (count < ALL) for (let c = 0; c < 3; c++) radiance[3 * i + c] *= count / ALL;
    });
  for (const [frame, part] of others) {
    throwIfCancelled(signal);
    const made = await mergePart(scene, frame, part, scene.given);
    const counts = shares(map, schedule, frame, part);
    for (let y = 0; y < part.height; y++)
      for (let x = 0; x < part.width; x++) {
        const from = y * part.width + x;
        const to = (part.y - area.y + y) * area.width + part.x - area.x + x;
        for (let c = 0; c < 3; c++) radiance[3 * to + c] += (counts[from] / ALL) * made.radiance[3 * from + c];
        if (map[(part.y + y) * schedule.width + part.x + x] !== frame) continue;
        // The reference's map is the union, of any moment.
        made.motion.forEach((w, k) => (motion[k][to] = (k === reference ? made.motion[frame] : w)[from]));
      }
  }
  return { area, radiance, motion, isOther: others.length > 0 };
}

/** The part of the picture that changes with a part of the map. */
export function feathered(area: Rectangle, picture: { width: number; height: number }): Rectangle {
  return grown(area, FEATHER, picture);
}
