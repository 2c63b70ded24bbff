/**
 * One merge: the stages of a schedule, tile by tile.
 *
 * Motion maps of the whole picture come first, then the picture. Between two tiles all data is on the CPU too, except
 * for frames and a result that the caller wants on the device. If the device is lost, it is opened once more, and the
 * merge goes on with the first tile that is not in the picture yet.
 */
import type { AlignFramesOptions, Aligned, Warper } from './align/run.ts';
import type { AlignOption } from './align/types.ts';
import { DeviceLostError, InputError } from './errors.ts';
import { Commands } from './graph/commands.ts';
import type { Prepared } from './graph/executor.ts';
import { FrameStore, pixelBytes } from './graph/frameStore.ts';
import { UnfitResult, createUnfit } from './graph/results.ts';
import { readBytes } from './graph/readBytes.ts';
import type { DeviceFrame, Grid } from './graph/transfer.ts';
import { responseTable } from './image/chooseResponse.ts';
import type { ChosenResponse } from './image/chooseResponse.ts';
import { frameSize, isEightBit } from './image/frame.ts';
import type { Frame, FrameSource } from './image/frame.ts';
import { countClipped, referenceGrid } from './image/chooseReference.ts';
import type { ClippedPixels } from './image/chooseReference.ts';
import { patchGrid } from './image/responsePairs.ts';
import { cropMap } from './image/motion.ts';
import type { MotionMaps } from './image/motion.ts';
import type { Tile } from './image/tile.ts';
import { RESPONSE, STACK } from './model/part.ts';
import { stageWork } from './model/schedule.ts';
import { Program } from './kernels/program.ts';
import { ROW_WORKGROUP, rowGrid } from './kernels/rows.ts';
import type { PictureAttrs } from './kernels/picture.ts';
import type { Core } from './kernels/mergeSamples.ts';
import type { SamplesMerge } from './mergeSamples.ts';
import type { Schedule, Stage } from './model/schedule.ts';
import type { Plan } from './graph/plan.ts';
import { programProfiles, stageTimes } from './profile.ts';
import type { MergeProfile, StageTimes } from './profile.ts';
import type { Session } from './session.ts';
import { partOf, runTiles } from './stage.ts';
import type { PasteTarget, TileWork } from './stage.ts';

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

/** The picture being built: an array or a buffer on the device, both float32 `[height, width, 3]`. */
export type Picture =
  | { kind: 'array'; array: Float32Array<ArrayBuffer> }
  | { kind: 'buffer'; buffer: GPUBuffer | undefined };

function isDeviceFrame(frame: FrameSource): frame is DeviceFrame {
  return !('data' in frame);
}

/** What mergeSamples.ts takes from the core. */
export const CORE: Core = { Program, ROW_WORKGROUP, rowGrid };

export class Merge {
  readonly #session: Session;
  #frames: readonly FrameSource[];
  readonly #control: MergeControl;
  #reopened = false;
  /** Whether a part of the result already is on the device, and would be lost with the device. */
  #keptOnDevice = false;
  #peak = 0;
  #aligned: Aligned | undefined;
  #makeWarper: (() => Warper) | undefined;
  #warper: Warper | undefined;
  #store: FrameStore | undefined;
  /** The measurements, if any. */
  readonly profile: MergeProfile | undefined;

  /** @param frames sorted by exposure. */
  constructor(session: Session, frames: readonly FrameSource[], control: MergeControl) {
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
  warpBytes = 0;

  /** Bytes of a pixel of each array that goes to the device as it is. */
  get pixelBytes(): number[] {
    return pixelBytes(this.#frames);
  }

  #isWarped(frame: number): boolean {
    return this.#aligned?.warps[frame] !== undefined;
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
    this.#aligned = await this.#again(() =>
      alignFrames(this.#session, this.#frames, option, {
        ...options,
        signal,
        onProgress: (done, total) => onProgress?.({ stage: 'align', done, total, fraction: 0 }),
      }),
    );
    this.#frames = this.#aligned.kept.map((k) => this.#frames[k]);
    if (this.#aligned.warps.some(Boolean)) this.warpBytes = warperBytes(this.#frames);
    this.#makeWarper = () => new Warper(this.#session, this.#frames);
    return this.#aligned;
  }

  /** Frees what the merge made for itself. */
  dispose(): void {
    this.#warper?.dispose();
    if (this.#store?.gpu === this.#session.gpu) this.#store.dispose();
    this.#store = undefined;
  }

  /** Another merge of the same aligned frames. */
  again(control: MergeControl): Merge {
    const merge = new Merge(this.#session, this.#frames, control);
    merge.#aligned = this.#aligned;
    merge.#makeWarper = this.#makeWarper;
    merge.warpBytes = this.warpBytes;
    return merge;
  }

  /** The frames to estimate a response from. Of frames on the device, only the patches are read back. */
  async patches(): Promise<Frame[]> {
    const read: Frame[] = [];
    for (const frame of this.#frames)
      read.push(isDeviceFrame(frame) ? await this.#again(() => this.#readPatches(frame)) : frame);
    return read;
  }

  /**
   * What each frame has lost, for choosing a reference. Of frames on the device, only the sampled pixels are read back.
   * @param linear as in `countClipped`.
   */
  async clipped(linear: boolean): Promise<ClippedPixels[]> {
    const { width, height } = frameSize(this.#frames[0]);
    const { step, cols, rows } = referenceGrid(width, height);
    const grid = { x: 0, y: 0, width: cols, height: rows, cell: 1, step };
    const counts: ClippedPixels[] = [];
    for (const frame of this.#frames) {
      counts.push(
        isDeviceFrame(frame)
          ? countClipped(await this.#again(() => this.#readGrid(frame, grid)), linear, 1)
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
      const [{ name, plan }] = schedule.stages;
      const direct = name === 'merge' ? await this.#samplesProgram(plan, motion) : undefined;
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
        const made = this.#frames.map(() => new Float32Array(schedule.padded.width * schedule.padded.height));
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
            : this.#toBuffer(schedule, picture),
        );
      }
      before += share;
    }
    return maps?.maps.map((map) => cropMap(map, maps.width, width, height)) ?? [];
  }

  #toBuffer(
    { width, height }: { width: number; height: number },
    picture: { buffer: GPUBuffer | undefined },
  ): Pick<TileWork, 'store'> & { settle: () => Promise<void>; free: () => void } {
    let unfit: GPUBuffer | undefined;
    const store: NonNullable<TileWork['store']> = async (take, tile, clock) => {
      const { gpu, executor, pipelines } = this.#session;
      const { device } = gpu;
      picture.buffer ??= await gpu.guard('allocating the result', (own) =>
        own(
          device.createBuffer({
            label: 'radiance',
            size: width * height * 12,
            usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
          }),
        ),
      );
      unfit ??= await executor.memory.attempt('allocating a flag', () => createUnfit(executor.memory));
      const part = partOf(tile, { width, height });
      this.#keptOnDevice = true;
      if (!part) return;
      // Pictures may be larger than a binding.
      const align = device.limits.minStorageBufferOffsetAlignment;
      const offset = Math.floor((part.y * 12 * width) / align) * align;
      const size = (part.y + part.height) * 12 * width - offset;
      const commands = new Commands(gpu, pipelines);
      take(commands, part, [0, 3], { buffer: picture.buffer, offset, size }, unfit, {
        base: 3 * (part.y * width + part.x) - offset / 4,
        pixelStep: 3,
        rowStep: 3 * width,
        channelStep: 1,
      });
      await commands.submit('storing a tile', undefined, clock);
    };
    // Nothing else comes back to the CPU: the flag does when all is done.
    const settle = async (): Promise<void> => {
      if (unfit && new Uint32Array(await readBytes(this.#session.gpu, unfit, 0, 4))[0] !== 0) throw new UnfitResult();
    };
    // Before a part is in the result, the next try makes both anew: it may be on another device.
    const free = (): void => {
      if (unfit) this.#session.executor.memory.destroy(unfit);
      unfit = undefined;
      if (this.#keptOnDevice) return;
      picture.buffer?.destroy();
      picture.buffer = undefined;
    };
    return { store, settle, free };
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
    result: Pick<TileWork, 'target' | 'store'> &
      Pick<MergeControl, 'onRows'> & { settle?: () => Promise<void>; free?: () => void },
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
      const store = await this.#framesOnDevice(stage.holdsAll ? undefined : tiling);
      // After a loss the device lacks the maps of the first tiles.
      const keeps = makes !== undefined && stage.holdsAll && next === 0;
      if (keeps) await store.makeMotion(makes);
      else await store.setMotion(motion);
      const commands = new Commands(executor.gpu, executor.pipelines);
      const load = (prepared: Prepared, tile: Tile): Promise<void> =>
        this.#load(stage, store, commands, prepared, tile, table, times);
      let direct: SamplesMerge | undefined;
      try {
        program = stage.name === 'merge' ? await this.#samplesProgram(plan, motion) : undefined;
        if (program) direct = await this.#samplesMerge(program, stage, store, response);
        await runTiles(
          executor,
          stage,
          {
            load,
            ...result,
            ...(keeps && { store: this.#keeping(makes, store) }),
            ...(direct && { direct: { load: (tile) => this.#bring(stage, store, tile, times), take: direct.take } }),
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
    const { timestamps } = this.profile;
    const { prepareMs, sendMs, cutMs, takeMs, directMs, pasteMs, stepMs } = times;
    const onGpu = (ms: number): number | null => (timestamps ? ms : null);
    this.profile.stages.push({
      name: stage.name,
      tiles: tiling.tiles.length,
      ms: performance.now() - begun,
      prepareMs,
      sendMs,
      pasteMs,
      busyMs,
      cutMs: onGpu(cutMs),
      computeMs: onGpu(program ? directMs : stepMs.reduce((sum, ms) => sum + ms, 0)),
      takeMs: onGpu(takeMs),
      submissions,
      programs: program
        ? [
            {
              op: 'picture',
              program: program.label,
              dispatches: tiling.tiles.length,
              ms: onGpu(directMs),
              multiplyAdds: 0,
            },
          ]
        : programProfiles(plan, tiling.tiles.length, timestamps ? stepMs : undefined),
    });
  }

  /**
   * The program that makes a plain merge's picture from samples at once; undefined where it takes the plan. Only arrays
   * of 8 bits that have all pixels and lie as they are can be merged so.
   */
  async #samplesProgram(
    { graph: { nodes, outputs } }: Plan,
    motion: MotionMaps | readonly Float32Array[] | undefined,
  ): Promise<Program | undefined> {
    const areSamples = this.#frames.every(
      (frame, k) => !isDeviceFrame(frame) && isEightBit(frame) && !frame.coverage && !this.#isWarped(k),
    );
    if (motion || !areSamples || nodes[outputs[0]].op !== 'picture') return undefined;
    const { samplesProgram } = await import('./mergeSamples.ts');
    return samplesProgram(CORE, this.#session, this.#frames.length);
  }

  async #samplesMerge(
    program: Program,
    { plan: { graph } }: Stage,
    store: FrameStore,
    { response }: ChosenResponse,
  ): Promise<SamplesMerge> {
    const { samplesMerge } = await import('./mergeSamples.ts');
    const { attrs } = graph.nodes[graph.outputs[0]];
    return samplesMerge(CORE, program, this.#session, store, attrs as unknown as PictureAttrs, response);
  }

  /** Brings the pixels of a tile. */
  async #bring(
    { tiling }: Stage,
    store: FrameStore,
    { x, y }: Tile,
    times: StageTimes | undefined,
  ): Promise<{ x: number; y: number; width: number; height: number }> {
    const part = { x: x.start, y: y.start, width: tiling.width, height: tiling.height };
    await store.bring(part);
    if (times) times.sendMs += store.takeSentMs();
    return part;
  }

  /** Keeps a stage's motion maps on the device, beside those that go to the CPU. */
  #keeping(size: MotionMaps, store: FrameStore): NonNullable<TileWork['store']> {
    const { executor } = this.#session;
    const commands = new Commands(executor.gpu, executor.pipelines);
    return async (take, tile) => {
      const part = partOf(tile, size);
      if (!part) return;
      store.addMotion(commands, take, part);
      await commands.submit('keeping motion maps');
    };
  }

  /** The frames as the current device holds them: all of them, or a tile. */
  async #framesOnDevice(tile: { width: number; height: number } | undefined): Promise<FrameStore> {
    const { gpu, executor } = this.#session;
    const held = this.#store;
    if (held?.gpu === gpu) {
      if (held.tile === tile) return held;
      held.dispose();
      this.#store = undefined;
    }
    const isWarped = (k: number): boolean => this.#isWarped(k);
    return (this.#store = await FrameStore.create(gpu, executor.memory, this.#frames, isWarped, tile));
  }

  /** Submits what fills a tile's inputs. */
  async #load(
    stage: Stage,
    store: FrameStore,
    commands: Commands,
    prepared: Prepared,
    tile: Tile,
    table: Float32Array<ArrayBuffer>,
    times: StageTimes | undefined,
  ): Promise<void> {
    const { plan, tiling } = stage;
    const { gpu, executor } = this.#session;
    const input = (name: string): { buffer: GPUBuffer; first: number } =>
      executor.locate(
        prepared,
        plan.graph.nodes.findIndex((node) => node.op === 'input' && node.name === name),
      );
    const { buffer, first } = input(STACK);
    const part = await this.#bring(stage, store, tile, times);
    await gpu.guard('uploading the response', () => {
      const response = input(RESPONSE);
      gpu.device.queue.writeBuffer(response.buffer, 16 * response.first, table);
    });
    store.cut(commands, { ...part, buffer, first });
    await executor.timing(
      times,
      (clock) => commands.submit('cutting a tile', undefined, clock),
      (ms) => (times!.cutMs += ms),
    );
    if (!this.#frames.some(isDeviceFrame) && this.warpBytes === 0) return;
    // The colours of frames that are not arrays, or are resampled.
    const grid = { ...part, cell: 1, step: 1 };
    for (const [k, frame] of this.#frames.entries()) {
      const target = { buffer, first: first + k * tiling.width * tiling.height };
      const warp = this.#aligned?.warps[k];
      if (warp) {
        if (this.#warper?.gpu !== this.#session.gpu) this.#warper = this.#makeWarper!();
        await this.#warper!.load(frame, warp, grid, target, store.frame(k));
      } else if (isDeviceFrame(frame)) await (await this.#session.transfer()).load(frame, grid, target);
    }
  }

  /** A frame's patches as a small picture that has just these patches. */
  async #readPatches(frame: DeviceFrame): Promise<Frame> {
    const { width, height } = frameSize(frame);
    const { step, cols, rows } = patchGrid(width, height);
    const [w, h] = [cols * Math.min(3, width), rows * Math.min(3, height)];
    return {
      ...(await this.#readGrid(frame, { x: 0, y: 0, width: w, height: h, cell: 3, step })),
      exposure: frame.exposure,
      name: frame.name,
    };
  }

  /** A grid of a frame's pixels as a small picture, in 8 bits if the frame has 8 bits. */
  async #readGrid(frame: DeviceFrame, grid: Grid): Promise<Pick<Frame, 'data' | 'width' | 'height'>> {
    const { width, height } = grid;
    const values = await (await this.#session.transfer()).read(frame, grid);
    const scale = isEightBit(frame) ? 255 : 1;
    // A clamped array rounds.
    const data = new (isEightBit(frame) ? Uint8ClampedArray : Float32Array)(width * height * 3);
    for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = values[4 * i + c] * scale;
    return { data, width, height };
  }

  /**
   * Runs `work` on the device. If the device is lost meanwhile, opens another and runs `work` once more; this happens
   * at most once per merge.
   */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isLostToo = this.#keptOnDevice || this.#frames.some((frame) => 'texture' in frame || 'buffer' in frame);
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

/** An interleaved picture to paste tiles into. */
export function pixelsOf(array: Float32Array, { width, height }: { width: number; height: number }): PasteTarget {
  return {
    width,
    height,
    layout: 'pixels',
    paste(part, values) {
      for (let y = 0; y < part.height; y++)
        array.set(values.subarray(3 * y * part.width, 3 * (y + 1) * part.width), 3 * ((part.y + y) * width + part.x));
    },
  };
}

/** Maps to paste tiles into, one a channel. */
export function planesOf(
  maps: readonly Float32Array[],
  { width, height }: { width: number; height: number },
): PasteTarget {
  return {
    width,
    height,
    layout: 'planes',
    paste(part, values) {
      for (const [k, map] of maps.entries())
        for (let y = 0; y < part.height; y++) {
          const from = (k * part.height + y) * part.width;
          map.set(values.subarray(from, from + part.width), (part.y + y) * width + part.x);
        }
    },
  };
}

/** Checks that a buffer result fits one buffer of the device. @throws InputError naming both values. */
export function checkBufferSize(width: number, height: number, device: GPUDevice): void {
  const bytes = width * height * 12;
  if (bytes > device.limits.maxBufferSize) {
    throw new InputError(
      `a result of ${width}x${height} takes a buffer of ${bytes} bytes, the device's largest has ` +
        `${device.limits.maxBufferSize}: merge to an array`,
    );
  }
}
