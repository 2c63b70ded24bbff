/**
 * One merge: the stages of a schedule, tile by tile.
 *
 * Motion maps of the whole picture come first, then the picture. Between two tiles all data is on the CPU too, except
 * for frames and a result that the caller wants on the device. If the device is lost, it is opened once more, and the
 * merge goes on with the first tile that is not in the picture yet.
 */
import type { AlignFramesOptions, Aligned } from './align/run.ts';
import type { AlignOption } from './align/types.ts';
import { isDeviceFrame, readGrid, readPatches } from './deviceGrids.ts';
import { directMerge, directProgram } from './directMerge.ts';
import { DeviceLostError } from './errors.ts';
import { Commands } from './graph/commands.ts';
import type { Prepared } from './graph/executor.ts';
import { pixelBytes } from './graph/frameStore.ts';
import { UnfitResult } from './graph/results.ts';
import { responseTable } from './image/chooseResponse.ts';
import type { ChosenResponse } from './image/chooseResponse.ts';
import { countClipped, referenceGrid } from './image/chooseReference.ts';
import type { ClippedPixels } from './image/chooseReference.ts';
import { frameSize } from './image/frame.ts';
import type { Frame } from './image/frame.ts';
import { cropMap } from './image/motion.ts';
import type { MotionMaps } from './image/motion.ts';
import type { Tile } from './image/tile.ts';
import type { Program } from './kernels/program.ts';
import type { SamplesMerge } from './mergeSamples.ts';
import { bufferOf, pixelsOf, planesOf } from './mergeTargets.ts';
import type { Picture, StageResult } from './mergeTargets.ts';
import { stageWork } from './model/schedule.ts';
import type { Schedule, Stage } from './model/schedule.ts';
import { stageProfile, stageTimes } from './profile.ts';
import type { MergeProfile } from './profile.ts';
import type { Session } from './session.ts';
import { runTiles } from './stage.ts';
import { bring, keeping, tileFrames } from './tileFrames.ts';
import type { TileFrames } from './tileFrames.ts';

/** Progress of a merge. */
export interface Progress {
  stage: 'response' | 'align' | 'compile' | 'segmentation' | 'fusion' | 'merge' | 'moment';
  /** Finished tiles of this stage, with a fraction for the current tile. When compiling, finished programs. */
  done: number;
  /** All tiles of this stage, or all programs, or all parts that show another moment. */
  total: number;
  /** Share of the whole merge's arithmetic that is done. */
  fraction: number;
}

/** How a running merge is stopped, and how it reports. */
export interface MergeControl {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onDeviceLost?: (error: DeviceLostError) => void;
  /** Measures where the time goes. */
  profile?: boolean;
  /** Called when more rows of a picture in an array are final. */
  onRows?: (rows: number) => unknown;
}

export class Merge {
  readonly #session: Session;
  #frames: TileFrames;
  readonly #control: MergeControl;
  #reopened = false;
  /** Whether a part of the result already is on the device, and would be lost with the device. */
  readonly #onDevice = { kept: false };
  #peak = 0;
  /** The measurements, if any. */
  readonly profile: MergeProfile | undefined;

  /** @param frames sorted by exposure. */
  constructor(session: Session, frames: TileFrames, control: MergeControl) {
    this.#session = session;
    this.#frames = frames;
    this.#control = control;
    if (control.profile)
      this.profile = { timestamps: session.executor.canTime, ms: 0, responseMs: 0, compileMs: 0, stages: [] };
    session.executor.memory.resetPeak();
  }

  /** Most bytes of GPU buffers held at once. */
  get peakBytes(): number {
    return Math.max(this.#peak, this.#session.executor.memory.peakBytes + this.warpBytes);
  }

  /** Bytes of what resamples frames. */
  get warpBytes(): number {
    return this.#frames.warpBytes;
  }

  /** Bytes of a pixel of each array that goes to the device as it is. */
  get pixelBytes(): number[] {
    return pixelBytes(this.#frames.list);
  }

  /**
   * Finds how the frames lie on the reference. Frames that do not lie there as they are will be resampled. With
   * `skipMisfits`, what follows is done without the misfits.
   * @param option matrices are in exposure order.
   */
  async align(
    option: Exclude<AlignOption, 'none'>,
    options: Omit<AlignFramesOptions, 'signal' | 'onProgress'>,
  ): Promise<Aligned> {
    const { Warper, alignFrames, warperBytes } = await import('./align/run.ts');
    const { signal, onProgress } = this.#control;
    const session = this.#session;
    const aligned = await this.#again(() =>
      alignFrames(session, this.#frames.list, option, {
        ...options,
        signal,
        onProgress: (done, total) => onProgress?.({ stage: 'align', done, total, fraction: 0 }),
      }),
    );
    const { kept, warps } = aligned;
    const frames = kept.map((k) => this.#frames.list[k]);
    const bytes = warps.some(Boolean) ? warperBytes(frames) : 0;
    this.#frames = tileFrames(session, frames, warps, bytes, () => new Warper(session, frames));
    return aligned;
  }

  /** Frees what the merge made for itself. */
  dispose(): void {
    this.#frames.dispose();
  }

  /** Another merge of the same aligned frames. */
  again(control: MergeControl): Merge {
    return new Merge(this.#session, this.#frames.again(), control);
  }

  /** The frames to estimate a response from. Of frames on the device, only the patches are read back. */
  async patches(): Promise<Frame[]> {
    const read: Frame[] = [];
    for (const frame of this.#frames.list)
      read.push(isDeviceFrame(frame) ? await this.#again(() => readPatches(this.#session, frame)) : frame);
    return read;
  }

  /**
   * What each frame has lost, for choosing a reference. Of frames on the device, only the sampled pixels are read back.
   * @param linear as in `countClipped`.
   */
  async clipped(linear: boolean): Promise<ClippedPixels[]> {
    const { width, height } = frameSize(this.#frames.list[0]);
    const { step, cols, rows } = referenceGrid(width, height);
    const grid = { x: 0, y: 0, width: cols, height: rows, cell: 1, step };
    const counts: ClippedPixels[] = [];
    for (const frame of this.#frames.list) {
      counts.push(
        isDeviceFrame(frame)
          ? countClipped(await this.#again(() => readGrid(this.#session, frame, grid)), linear, 1)
          : countClipped(frame, linear),
      );
    }
    return counts;
  }

  /**
   * Runs a schedule.
   * @param motion maps that replace the network's own.
   * @returns the picture, and the maps in the picture's size.
   */
  async run(
    schedule: Schedule,
    response: ChosenResponse,
    motion: readonly Float32Array[] | undefined,
    picture: Picture,
  ): Promise<Float32Array[]> {
    const { width, height } = schedule;
    const { onProgress, signal } = this.#control;
    const compiling = performance.now();
    await this.#again(async () => {
      const direct = await directProgram(this.#session, this.#frames, schedule.stages[0], motion);
      await this.#session.executor.warm(
        direct ? [] : schedule.stages.map((stage) => stage.plan),
        {
          signal,
          onProgress: (done, total) => onProgress?.({ stage: 'compile', done, total, fraction: 0 }),
        },
        direct ? [direct] : [],
      );
    });
    if (this.profile) this.profile.compileMs = performance.now() - compiling;
    const total = schedule.stages.reduce((sum, stage) => sum + stageWork(stage), 0);
    let before = 0;
    let maps: MotionMaps | undefined = motion && { maps: motion, width, height };
    for (const stage of schedule.stages) {
      const { onRows } = this.#control;
      const share = total ? stageWork(stage) / total : 1;
      const count = stage.tiling.tiles.length;
      const report = (done: number): void =>
        onProgress?.({ stage: stage.name, done, total: count, fraction: before + share * (done / count) });
      if (stage.name === 'segmentation') {
        // Kept at the padded size: fusion sees what the U-Nets made of the padding, not its repeated edge.
        const made = this.#frames.list.map(() => new Float32Array(schedule.padded.width * schedule.padded.height));
        maps = { maps: made, ...schedule.padded };
        await this.runStage(stage, undefined, response, report, { target: planesOf(made, schedule.padded) }, maps);
      } else {
        await this.runStage(
          stage,
          maps,
          response,
          report,
          picture.kind === 'array'
            ? { target: pixelsOf(picture.array, schedule), onRows }
            : bufferOf(this.#session, schedule, picture, this.#onDevice),
        );
      }
      before += share;
    }
    return maps?.maps.map((map) => cropMap(map, maps.width, width, height)) ?? [];
  }

  /**
   * Runs one stage over all its tiles.
   * @param result takes each tile's result.
   * @param makes the maps that it makes, which stay on the device if whole maps do.
   */
  async runStage(
    stage: Stage,
    motion: MotionMaps | undefined,
    response: ChosenResponse,
    report: (done: number) => void,
    result: StageResult,
    makes?: MotionMaps,
  ): Promise<void> {
    const { tiling, plan } = stage;
    const { signal } = this.#control;
    const table = responseTable(response.response);
    const times = this.profile && stageTimes(plan);
    const begun = performance.now();
    let [busyMs, submissions] = [0, 0];
    let next = 0;
    /** The program that made results from samples, if one did. */
    let program: Program | undefined;
    await this.#again(async () => {
      const { executor } = this.#session;
      const before = executor.submissions.totals;
      const frames = this.#frames;
      const store = await frames.onDevice(stage.holdsAll ? undefined : tiling);
      // After a loss the device lacks the maps of the first tiles.
      const keeps = makes !== undefined && stage.holdsAll && next === 0;
      if (keeps) await store.makeMotion(makes);
      else await store.setMotion(motion);
      const commands = new Commands(executor.gpu, executor.pipelines);
      const load = (prepared: Prepared, tile: Tile): Promise<void> =>
        frames.load(stage, store, commands, prepared, tile, table, times);
      let direct: SamplesMerge | undefined;
      try {
        program = await directProgram(this.#session, frames, stage, motion);
        if (program) direct = await directMerge(this.#session, program, stage, store, response);
        await runTiles(
          executor,
          stage,
          {
            load,
            ...result,
            ...(keeps && { store: keeping(this.#session, makes, store) }),
            ...(direct && { direct: { load: (tile) => bring(stage, store, tile, times), take: direct.take } }),
          },
          { signal, report, times },
          next,
          (tile) => {
            next = tile + 1;
            result.onRows?.(tiling.tiles[next]?.y.coreStart ?? Infinity);
          },
        );
        await result.settle?.();
      } catch (error) {
        if (!(error instanceof UnfitResult)) throw error;
        // The tile that was not placed; of a result on the device it may be any.
        const { unfitError } = await import('./whereUnfit.ts');
        throw await unfitError(executor, stage, next < tiling.tiles.length ? [tiling.tiles[next]] : tiling.tiles, load);
      } finally {
        direct?.dispose();
        result.free?.();
      }
      busyMs = executor.submissions.totals.busyMs - before.busyMs;
      submissions = executor.submissions.totals.count - before.count;
    });
    if (!this.profile || !times) return;
    this.profile.stages.push(
      stageProfile(stage, times, { ms: performance.now() - begun, busyMs, submissions }, this.profile, program),
    );
  }

  /**
   * Runs `work` on the device. If the device is lost meanwhile, opens another and runs `work` once more; this happens
   * at most once per merge.
   */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isLostToo =
        this.#onDevice.kept || this.#frames.list.some((frame) => 'texture' in frame || 'buffer' in frame);
      if (!(error instanceof DeviceLostError) || this.#reopened || !this.#session.canReopen || isLostToo) throw error;
      this.#reopened = true;
      this.#control.onDeviceLost?.(error);
      this.#peak = this.#session.executor.memory.peakBytes;
      const { capabilities, maxBinding } = this.#session.gpu;
      await this.#session.reopen();
      // A plan for one device need not run on another.
      const { gpu } = this.#session;
      if (JSON.stringify(gpu.capabilities) !== JSON.stringify(capabilities) || gpu.maxBinding < maxBinding) throw error;
      return work();
    }
  }
}
