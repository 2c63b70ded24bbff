/** What a merge loads when its options name moments. */
import { UsageError } from '../errors.ts';
import type { Picture } from '../mergeTargets.ts';
import type { MergeRequest } from '../mergeChecks.ts';
import { frameSize } from '../image/frame.ts';
import type { ScheduleRequest } from '../model/schedule.ts';
import type { Session } from '../session.ts';
import type { NetworkConfig } from '../weights/config.ts';
import { touched } from './areas.ts';
import type { Rectangle } from './areas.ts';
import { NO_MOMENT, compose, placeMoment, readMoment } from './compose.ts';
import { Layer } from './layer.ts';
import { haloOf } from './parts.ts';
import type { CoreMeans, MergedScene } from './parts.ts';
import { bufferShown, layerShown } from './shown.ts';

/** @throws UsageError where no frame's moment is told from another's. */
export function checkMotion(method: MergeRequest['method'], isGiven: boolean, config: NetworkConfig | undefined): void {
  if (method === 'merge' ? isGiven : config?.ablation?.segmentation !== 'none') return;
  throw new UsageError(
    method === 'merge'
      ? 'moment is given with method "merge" and no motion maps, which shows all moments at once: give maps ' +
          'in motion too'
      : 'moment is given, but these weights look for no motion (segmentation "none") and show all moments at once: ' +
          'leave it out',
  );
}

/** The moments of one merge. */
export class Moments {
  /** Frame numbers, `[height, width]`. */
  map: Uint8Array;
  /** The rectangles that another moment than the reference's touches. */
  areas: readonly Rectangle[] = [];
  /** Their share of the merge's work. */
  share = 0;
  /** Whether maps were given. */
  isGiven = false;
  /** The picture, if it is an array, and the maps. */
  radiance: Layer | undefined;
  motion = new Layer([], { width: 0, height: 0 }, 1);

  /** @throws InputError; UsageError. */
  constructor(given: MergeRequest, config: NetworkConfig | undefined) {
    const { frames, moment, method, motion } = given;
    const size = frameSize(frames[0]);
    if (moment) checkMotion(method, motion !== undefined, config);
    this.map = moment
      ? readMoment(moment, frames.length, size)
      : new Uint8Array(size.width * size.height).fill(NO_MOMENT);
  }

  /**
   * Says which frames are merged, of all.
   * @throws InputError naming a frame that is not.
   */
  place(kept: readonly number[], request: ScheduleRequest, means: CoreMeans): void {
    this.map = placeMoment(this.map, kept, request.reference);
    this.areas = touched(this.map, request, request.reference, haloOf(request, means));
    const work = this.areas.reduce(
      (sum, { width, height }) => sum + Math.min(width + 200, request.width) * Math.min(height + 200, request.height),
      0,
    );
    this.share = work / (work + request.width * request.height);
  }

  /** The first row that another moment touches. */
  get top(): number {
    return Math.min(...this.areas.map(({ y }) => y));
  }

  /**
   * Shows them in the picture of a merge.
   * @param maps its maps. What is kept open needs some.
   * @returns the maps of what is shown.
   */
  async show(
    scene: MergedScene,
    session: Session,
    picture: Picture,
    maps: readonly Float32Array[],
    report: (done: number, total: number) => void,
  ): Promise<Float32Array[]> {
    const { map, areas } = this;
    const { schedule, request } = scene;
    if (picture.kind === 'array') this.radiance = new Layer([picture.array], schedule, 3);
    const shown = this.radiance
      ? layerShown(this.radiance)
      : bufferShown((picture as { buffer: GPUBuffer }).buffer, session, schedule.width);
    // Maps that were given are the caller's.
    const motion = new Layer(request.motionGiven ? maps.map((one) => one.slice()) : maps, schedule, 1);
    [this.motion, this.isGiven] = [motion, request.motionGiven];
    const given = request.motionGiven ? (area: Rectangle) => motion.below(area) : undefined;
    for (const [i, area] of areas.entries()) {
      report(i, areas.length);
      const made = await compose({ ...scene, map, given }, area, await shown.read(area), motion.below(area));
      if (!made.isOther) continue;
      await shown.write(area, made.radiance);
      motion.show(area, made.motion);
    }
    if (areas.length > 0) report(areas.length, areas.length);
    return [...motion.planes];
  }
}
