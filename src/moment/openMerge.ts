/**
 * A merge that stays open: what a person changes in a part of it (motion maps, moments) is merged again there alone.
 */
import { ANY, SIGNAL, arrayOf, expect, readOptions, whole, wrongText } from '../checks.ts';
import { InputError, UsageError } from '../errors.ts';
import type { MergeResult } from '../result.ts';
import { disjoint, grown, shared, touched } from './areas.ts';
import type { Rectangle } from './areas.ts';
import { compose, feathered, placeMoment, readMoment } from './compose.ts';
import type { Composed, MomentScene } from './compose.ts';
import { Layer } from './layer.ts';
import { checkMotion } from './moments.ts';
import type { Moments } from './moments.ts';
import { haloOf, mergePart, unitedIn } from './parts.ts';
import type { MergedScene, Part } from './parts.ts';

/** What changes in a rectangle of an open merge: motion maps, moments, or both. */
export interface MergeChange {
  /** The rectangle, in pixels. */
  region: Rectangle;
  /**
   * Motion maps there, as `MergeOptions.motion` but of the region's size, one for each merged frame. As long as a value
   * differs from the network's own, the maps of the whole picture count as given.
   */
  motion?: readonly Float32Array[];
  /** Which frame's moment each pixel shows there, as `MergeOptions.moment` but of the region's size. */
  moment?: Uint8Array;
}

/** A rectangle of the picture that has changed. */
export interface ChangedPart extends Rectangle {
  /** What it shows now, `[height, width, 3]`. */
  radiance: Float32Array;
}

/** How a call on an open merge is stopped. */
export interface UpdateOptions {
  /** Stops with a CancelledError; then nothing has changed. */
  signal?: AbortSignal;
}

/**
 * Runs work after the other calls of the Deghoster that opened the merge. The signal then is one that its `dispose`
 * fires too.
 */
type Next = <T>(call: string, control: { signal?: AbortSignal }, work: () => Promise<T>) => Promise<T>;

/** A merge with what is shown of it. */
export interface Opened {
  scene: MergedScene;
  moments: Moments;
}

/** A picture kept open for changes: from `Deghoster.open`. */
export class OpenMerge {
  /** The merge as it is shown now: `update` changes its `radiance` and `motion` in place. */
  readonly result: MergeResult;
  readonly #checkKept: () => void;
  readonly #next: Next;
  #open: Opened | undefined;

  /** @internal */
  constructor(result: MergeResult, open: Opened, checkKept: () => void, next: Next) {
    this.#open = open;
    this.result = result;
    [this.#checkKept, this.#next] = [checkKept, next];
  }

  /**
   * Whether the motion maps count as given. Those of the network do not, also when they are put back where others were:
   * the network makes maps for each moment that is shown, and maps that are given are the same for all.
   */
  get isMotionGiven(): boolean {
    return this.#opened('isMotionGiven').moments.isGiven;
  }

  /**
   * Merges again what a change touches, on small tiles. The picture then is what a merge of the same frames and options
   * with all changes makes, up to rounding. One exception: once maps were given, in a picture whose sides are no
   * multiples of 16, a strip along the right and lower edge may differ, because the network's own maps reach into the
   * padding there.
   * @returns the rectangles that may have changed; outside of them no bit has.
   * @throws UsageError; InputError naming the region or the map; CancelledError, GpuError and DeviceLostError, after
   * which all is as it was before.
   */
  async update(change: MergeChange, options: UpdateOptions = {}): Promise<ChangedPart[]> {
    const opened = this.#opened('update');
    const { scene, moments } = opened;
    const read = this.#readChange(change, opened);
    const { signal } = readOptions('update', options, { signal: SIGNAL });
    return this.#run('update', signal, async (stop) => {
      this.#opened('update');
      this.#checkKept();
      const merge = scene.merge.again({ signal: stop });
      const wasGiven = moments.isGiven;
      const undo = this.#apply(read, opened);
      try {
        return await this.#recompose({ ...scene, merge }, moments, read, wasGiven, stop);
      } catch (error) {
        undo();
        throw error;
      } finally {
        merge.dispose();
      }
    });
  }

  /**
   * What one frame alone shows in a rectangle: linear radiance as in the result, of the frame as it is aligned.
   * @param frame from 0 in exposure order, among the merged frames.
   * @returns `[height, width, 3]`.
   * @throws UsageError; InputError; CancelledError; GpuError; DeviceLostError.
   */
  async view(frame: number, region: Rectangle, options: UpdateOptions = {}): Promise<Float32Array> {
    const { scene } = this.#opened('view');
    const { request } = scene;
    expect('view: frame', frame, whole(0, request.taus.length - 1));
    const area = readRegion('view', region, request);
    const { signal } = readOptions('view', options, { signal: SIGNAL });
    return this.#run('view', signal, async (stop) => {
      this.#checkKept();
      const merge = scene.merge.again({ signal: stop });
      // Where everything moves, the plain merge shows its reference alone.
      const all = ({ width, height }: Rectangle): Float32Array[] =>
        request.taus.map(() => new Float32Array(width * height).fill(1));
      const plain = { ...request, config: undefined, motionGiven: true };
      try {
        return (await mergePart({ ...scene, merge, request: plain }, frame, area, all)).radiance;
      } finally {
        merge.dispose();
      }
    });
  }

  /**
   * The motion maps of a rectangle for the merge's reference, whichever moment is shown there: to be changed and given
   * back to `update`. Empty for a merge without maps.
   * @returns copies, of the region's size.
   * @throws UsageError
   */
  motionIn(region: Rectangle): Float32Array[] {
    const { scene, moments } = this.#opened('motionIn');
    return moments.motion.below(readRegion('motionIn', region, scene.request));
  }

  /** Lets go of the frames. `result` stays as it is. */
  dispose(): void {
    this.#open = undefined;
  }

  #run<T>(call: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const control = { signal };
    return this.#next(call, control, () => work(control.signal!));
  }

  #opened(call: string): Opened {
    if (!this.#open) throw new UsageError(`${call}: this merge is disposed: open another`);
    return this.#open;
  }

  /** @throws UsageError; InputError. */
  #readChange(given: MergeChange, { scene: { request }, moments }: Opened): MergeChange {
    const { region, motion, moment } = readOptions('update', given, { region: ANY, motion: ANY, moment: ANY }, [
      'region',
    ]);
    const area = readRegion('update', region, request);
    if (motion === undefined && moment === undefined)
      throw new UsageError('update: neither motion nor moment is given: give what changes');
    const size = `${area.width}x${area.height}`;
    const pixels = area.width * area.height;
    const frames = request.taus.length;
    const { config } = request;
    if (motion !== undefined) {
      if (config?.ablation?.segmentation === 'none')
        throw new UsageError(
          'motion maps are given, which these weights do not use (segmentation "none"): leave them out',
        );
      if (!Array.isArray(motion))
        throw new UsageError(wrongText('motion', motion, 'an array of a Float32Array a frame'));
      if (motion.length !== frames)
        throw new InputError(`${motion.length} motion maps for ${frames} frames: pass a map for each merged frame`);
    }
    const maps =
      motion &&
      Array.from(motion as unknown[], (one, k) => {
        const map = arrayOf(`motion map ${k + 1}`, one, [Float32Array]).slice();
        if (k === request.reference) return new Float32Array(pixels);
        if (map.length !== pixels)
          throw new InputError(`motion map ${k + 1} has ${map.length} values, a region of ${size} needs ${pixels}`);
        const bad = map.findIndex((w) => !(w >= 0 && w <= 1));
        if (bad >= 0) throw new InputError(`motion map ${k + 1}: value ${bad} is ${map[bad]}, it must be in [0,1]`);
        return map;
      });
    if (moment === undefined) return { region: area, motion: maps };
    checkMotion(config ? 'network' : 'merge', maps !== undefined || moments.isGiven, config);
    const map = readMoment(moment, frames, area);
    return { region: area, motion: maps, moment: placeMoment(map, [...request.taus.keys()], request.reference) };
  }

  /**
   * Puts a change into the maps.
   * @returns what takes it back.
   */
  #apply({ region, motion, moment }: MergeChange, { moments, scene }: Opened): () => void {
    const { map } = moments;
    const { width, height, taus, reference, config, motionGiven } = scene.request;
    const [before, shown] = [moments.motion, this.result.motion];
    // A merge without maps is one in which nothing moves.
    if (motion && moments.motion.planes.length === 0) {
      const still = taus.map(() => new Float32Array(width * height));
      moments.motion = new Layer(still, scene.request, 1);
      this.result.motion = still;
    }
    const copyMap = (from: Uint8Array): void => {
      for (let y = 0; y < region.height; y++)
        map.set(from.subarray(y * region.width, (y + 1) * region.width), (region.y + y) * width + region.x);
    };
    const oldMap = new Uint8Array(region.width * region.height);
    for (let y = 0; y < region.height; y++) {
      const start = (region.y + y) * width + region.x;
      oldMap.set(map.subarray(start, start + region.width), y * region.width);
    }
    const oldMaps = moments.motion.below(region);
    const wasGiven = moments.isGiven;
    if (moment) copyMap(moment);
    if (motion) {
      const isBack = moments.motion.change(region, unitedIn(motion, reference), reference);
      // The network's own maps are not given.
      moments.isGiven = !isBack || motionGiven || !config;
    }
    return () => {
      copyMap(oldMap);
      if (!motion) return;
      moments.motion.change(region, oldMaps, reference);
      moments.isGiven = wasGiven;
      [moments.motion, this.result.motion] = [before, shown];
    };
  }

  /** Merges what a change touches, and shows it when all of it is there. */
  async #recompose(
    scene: MergedScene,
    moments: Moments,
    { region, motion, moment }: MergeChange,
    wasGiven: boolean,
    signal: AbortSignal,
  ): Promise<ChangedPart[]> {
    const { schedule } = scene;
    const { map, motion: maps } = moments;
    const radiance = moments.radiance!;
    const halo = haloOf(scene.request, scene.means);
    const request = { ...scene.request, motionGiven: moments.isGiven };
    const given = moments.isGiven ? (area: Rectangle) => maps.below(area) : undefined;
    const parts: MomentScene = { ...scene, request, map, given };
    const changed = motion && grown(region, halo, schedule);
    const rectangles = [
      ...(changed ? [changed] : []),
      ...(moment ? [feathered(region, schedule)] : []),
      // Maps that are given are the same for each moment, the network's own are not.
      ...(moments.isGiven !== wasGiven ? touched(map, schedule, request.reference, halo) : []),
    ];
    const below: [area: Rectangle, part: Part][] = [];
    const composed: Composed[] = [];
    for (const area of disjoint(rectangles, halo)) {
      let [values] = radiance.below(area);
      const anew = changed && shared(area, changed);
      if (anew) {
        const part = await mergePart(parts, request.reference, anew, given);
        below.push([anew, part]);
        const layer = new Layer([values], area, 3);
        layer.replace({ ...anew, x: anew.x - area.x, y: anew.y - area.y }, [part.radiance]);
        [values] = layer.planes;
      }
      composed.push(await compose(parts, area, values, maps.below(area), signal));
    }
    this.#checkKept();
    for (const [area, part] of below) radiance.replace(area, [part.radiance]);
    for (const { area, isOther, ...shown } of composed) {
      if (isOther) {
        radiance.show(area, [shown.radiance]);
        maps.show(area, shown.motion);
      } else for (const layer of [radiance, maps]) layer.reveal(area);
    }
    return composed.map(({ area, radiance }) => ({ ...area, radiance }));
  }
}

/** @throws UsageError for a rectangle that is none, or not within the picture. */
function readRegion(call: string, given: Rectangle, { width, height }: { width: number; height: number }): Rectangle {
  const region = readOptions(`${call}: region`, given, { x: ANY, y: ANY, width: ANY, height: ANY });
  const [x, y] = [region.x, region.y];
  expect(`${call}: region.x`, x, whole(0, width - 1));
  expect(`${call}: region.y`, y, whole(0, height - 1));
  expect(`${call}: region.width`, region.width, whole(1, width - x));
  expect(`${call}: region.height`, region.height, whole(1, height - y));
  return region;
}
