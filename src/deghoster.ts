/**
 * The engine as a library: brackets in, radiance out. This file chooses what a merge needs; merge.ts runs
 * the merge.
 */
import type { FrameAlignment } from './align/types.ts';
import { GpuError, InputError, UsageError, throwIfCancelled } from './errors.ts';
import { frameSize, isEightBit } from './image/frame.ts';
import type { FrameSource } from './image/frame.ts';
import { choiceOf } from './image/chooseReference.ts';
import { chooseResponse } from './image/chooseResponse.ts';
import type { ChosenResponse } from './image/chooseResponse.ts';
import { withUnion } from './image/motion.ts';
import { checkKept, whileKept } from './image/readFrames.ts';
import type { Choices } from './kernels/target.ts';
import type { DType } from './kernels/tensor.ts';
import { samplesProgram } from './directMerge.ts';
import { Merge } from './merge.ts';
import { checkBufferSize, pixelsOf, planesOf } from './mergeTargets.ts';
import type { Picture } from './mergeTargets.ts';
import { checkValues, readDeghosterOptions, readMerge, readPlanOptions, readPrepareOptions } from './mergeChecks.ts';
import type { MergeRequest } from './mergeChecks.ts';
import { loadWeights } from './model/loadWeights.ts';
import type { Weights } from './model/loadWeights.ts';
import { partsOf } from './model/partsOf.ts';
import { defaultMemoryBudget, schedule, scheduleReport, weightBytes } from './model/schedule.ts';
import type { PlanReport, Schedule, ScheduleRequest } from './model/schedule.ts';
import type { OpenMerge, Opened } from './moment/openMerge.ts';
import type { CoreMeans, OtherWeights } from './moment/parts.ts';
import type { DeghosterOptions, MergeOptions, PlanOptions, PrepareOptions } from './options.ts';
import type { BufferResult, MergeResult } from './result.ts';
import { Session } from './session.ts';
import { tileFrames } from './tileFrames.ts';

/** With less than this, tiles are so small that most of their work is overlap. */
const LEAST_MEMORY_BUDGET = 128 * 1024 ** 2;

/** How much strengths 0 and 1 differ in the network's logits of motion. */
const LOGITS = 8;

/** What moments need of the core. */
const MEANS: CoreMeans = { loadWeights, partsOf, schedule, weightBytes, pixelsOf, planesOf };

/** What a merge's schedule is made for, before the weights and the device are looked at. */
type PlannedMerge = Omit<ScheduleRequest, 'config' | 'gamma' | 'limits'> & Required<Pick<MergeOptions, 'method'>>;

/**
 * Merges brackets. One holds a device, the network's weights and compiled pipelines, and serves any number of merges.
 */
export class Deghoster {
  readonly #session: Session;
  readonly #weights: Weights | undefined;
  readonly #others: OtherWeights;
  readonly #isBudgetGiven: boolean;
  #memoryBudget: number;
  readonly #precision: DType;
  readonly #choices: Choices | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;
  /** Of the calls that run or wait. */
  readonly #stops = new Set<AbortController>();

  private constructor(
    session: Session,
    weights: Weights | undefined,
    others: OtherWeights,
    memoryBudget: number | undefined,
    precision: DType,
    choices: Choices | undefined,
  ) {
    // Types forbid it; JavaScript does not.
    if (!(session instanceof Session)) throw new UsageError('new Deghoster: call and await Deghoster.create');
    this.#session = session;
    this.#weights = weights;
    this.#others = others;
    this.#isBudgetGiven = memoryBudget !== undefined;
    this.#memoryBudget =
      memoryBudget ?? defaultMemoryBudget(session.gpu.capabilities, session.gpu.device.limits.maxBufferSize);
    this.#precision = precision;
    this.#choices = choices;
  }

  /**
   * Checks the weights and opens the device.
   * @throws InputError for weights that cannot be used; NoAdapterError; UsageError.
   */
  static async create(options: DeghosterOptions = {}): Promise<Deghoster> {
    const { weights: bytes, device, precision = 'f32', memoryBudget, choices, ...rest } = readDeghosterOptions(options);
    const weights = bytes === undefined ? undefined : await loadWeights(bytes);
    const others: OtherWeights = { given: rest.momentWeights };
    const session = await Session.create(device, (name) => {
      const tensor = weights?.tensors.get(name) ?? others.tensors?.get(name);
      if (!tensor) throw new InputError(`weights: no tensor ${name}`);
      return tensor.data;
    });
    if (precision === 'f16' && !session.gpu.capabilities.f16) {
      session.dispose();
      throw new UsageError(
        'precision is "f16", but the device does not support shader-f16: use "f32", or a device opened with that ' +
          'feature',
      );
    }
    return new Deghoster(session, weights, others, memoryBudget, precision, choices);
  }

  /** The device that merges run on. After a loss this is the new device. */
  get device(): GPUDevice {
    return this.#session.gpu.device;
  }

  /** Limit for the bytes of all GPU buffers together: less than at the start once the GPU ran out of memory. */
  get memoryBudget(): number {
    return this.#memoryBudget;
  }

  /**
   * What `merge` would run for frames of a given size, and the memory it would take.
   * @throws InputError for weights that do not take so many frames, or a memory budget that is too small; UsageError.
   */
  plan(options: PlanOptions): PlanReport {
    return scheduleReport(this.schedule(options));
  }

  /**
   * The schedule behind `plan`.
   * @internal For tests and benches: plans and programs change from version to version.
   */
  schedule(options: PlanOptions): Schedule {
    return this.#scheduleOf(readPlanOptions(options), false);
  }

  #scheduleOf({ width, height, frames, reference, method, motion }: Required<PlanOptions>, covered: boolean): Schedule {
    // The ratios of the exposures change no sizes.
    const taus = Array.from({ length: frames }, (_, k) => 4 ** k);
    const size = { width, height, taus, reference };
    return this.#scheduleFor({ ...size, useResponse: true, covered, motionGiven: motion, method });
  }

  /**
   * Compiles what a merge of this many frames will run. Call it while the frames are being decoded, so that both are
   * ready together. Merges do not wait for it; they compile what is still missing.
   * @throws InputError for weights that do not take so many frames; UsageError; CancelledError; GpuError;
   * DeviceLostError.
   */
  async prepare(frames: number, options: PrepareOptions = {}): Promise<void> {
    const { planned, signal: given } = readPrepareOptions(frames, options);
    await this.#stoppable('prepare', given, async (signal) => {
      // Frames that are aligned run all that others run.
      const { stages } = this.#scheduleOf(planned, true);
      throwIfCancelled(signal);
      // Which a plain merge runs depends on its frames.
      const more = planned.method === 'merge' && (await samplesProgram(this.#session, frames));
      await this.#session.executor.warm(
        stages.map((stage) => stage.plan),
        { signal },
        more ? [more] : [],
      );
    });
  }

  /**
   * Merges a bracketed stack. Calls on one Deghoster run one after another.
   * @param frames 2 to 16 frames of one size, in any order. Each is an array, an ImageBitmap, or a texture or buffer on
   * this Deghoster's device. Their fields and the options are read once, at the call; pixels and motion maps are read
   * until the promise settles, and must stay as they are until then.
   * @throws InputError naming the frame or map and the remedy; UsageError; CancelledError; GpuError; DeviceLostError.
   * What a callback throws ends the merge and is thrown as it is; the next merge works.
   */
  async merge(frames: readonly FrameSource[], options: MergeOptions = {}): Promise<MergeResult> {
    return this.#toArray('merge', readMerge(frames, options));
  }

  #toArray(call: string, request: MergeRequest, keep?: (opened: Opened) => unknown): Promise<MergeResult> {
    return this.#next(call, request, async () => {
      const picture: Extract<Picture, { kind: 'array' }> = { kind: 'array', array: new Float32Array(0) };
      const result = await whileKept(request.frames, request.motion, () => this.#merge(request, picture, keep));
      return { radiance: picture.array, ...result };
    });
  }

  /**
   * Merges a bracketed stack into a buffer that stays on the device, for further drawing or computing there. Otherwise
   * like `merge`; the size is limited by the device's `maxBufferSize`.
   * @throws as `merge`.
   */
  async mergeToBuffer(frames: readonly FrameSource[], options: MergeOptions = {}): Promise<BufferResult> {
    const request = readMerge(frames, options);
    return this.#next('mergeToBuffer', request, async () => {
      const picture: Picture = { kind: 'buffer', buffer: undefined };
      try {
        const result = await whileKept(request.frames, request.motion, () => this.#merge(request, picture));
        return { buffer: picture.buffer!, ...result };
      } catch (error) {
        picture.buffer?.destroy();
        throw error;
      }
    });
  }

  /**
   * Merges a bracketed stack and keeps it open: parts in which motion maps or moments change are then merged again
   * alone. The frames' pixels must stay as they are until the merge is disposed.
   * @throws as `merge`.
   */
  async open(frames: readonly FrameSource[], options: MergeOptions = {}): Promise<OpenMerge> {
    const request = readMerge(frames, options);
    const { OpenMerge } = await import('./moment/openMerge.ts');
    let open: Opened | undefined;
    const result = await this.#toArray('open', request, (opened) => (open = opened));
    const check = (): void => checkKept(request.frames);
    return new OpenMerge(result, open!, check, (call, control, work) => this.#next(call, control, work));
  }

  /**
   * Frees everything on the GPU; a device that was passed in stays open. Calls that run or wait reject with a
   * UsageError, at most two submissions later; what they hold is freed with them.
   */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const stop of this.#stops) stop.abort();
    if (this.#stops.size > 0) this.#session.close();
    else this.#session.dispose();
  }

  /** Runs `work` after all merges called before, with a signal in the request that `dispose` fires too. */
  #next<T>(call: string, request: Pick<MergeRequest, 'signal'>, work: () => Promise<T>): Promise<T> {
    return this.#stoppable(call, request.signal, (signal) => {
      request.signal = signal;
      const run = this.#queue.then(() => {
        throwIfCancelled(signal);
        return work();
      });
      // Without its result, which would stay until the next call.
      const end = (): void => undefined;
      this.#queue = run.then(end, end);
      return run;
    });
  }

  /** Runs `work` with a signal that fires with the caller's, and when this is disposed. */
  async #stoppable<T>(
    call: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const ended = (cause?: unknown): UsageError =>
      new UsageError(`${call}: this Deghoster ${cause ? 'was disposed meanwhile' : 'is disposed'}: create another`, {
        cause,
      });
    if (this.#disposed) throw ended();
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    this.#stops.add(stop);
    try {
      return await work(stop.signal);
    } catch (error) {
      throw this.#disposed && !signal?.aborted ? ended(error) : error;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#stops.delete(stop);
      if (this.#disposed && this.#stops.size === 0) this.#session.dispose();
    }
  }

  async #merge(
    given: MergeRequest,
    picture: Picture,
    keep?: (opened: Opened) => unknown,
  ): Promise<Omit<MergeResult, 'radiance'>> {
    const begun = performance.now();
    const { signal, onProgress, method = 'network', strength = 0.5, align, skipMisfits = false } = given;
    throwIfCancelled(signal);
    let { frames, order, motion } = given;
    checkValues(given);
    this.#checkSegmentation(given);
    const { width, height } = frameSize(frames[0]);
    let scale = 1;
    const { onDeviceLost, onRows } = given;
    const moments =
      (given.moment || keep) && new (await import('./moment/moments.ts')).Moments(given, this.#weights?.config);
    // Rows from there on change once more.
    let final = height;
    const reportRows = (rows: number): void => {
      if (picture.kind !== 'array' || !onRows) return;
      checkKept(given.frames, given.motion);
      onRows({ radiance: picture.array, width, height, scale, rows: Math.min(rows, final) });
    };
    const merge = new Merge(this.#session, tileFrames(this.#session, frames), {
      ...{ signal, onDeviceLost, profile: given.profile },
      onProgress:
        onProgress &&
        ((progress) => onProgress({ ...progress, fraction: progress.fraction * (1 - (moments?.share ?? 0)) })),
      onRows: reportRows,
    });
    const referenceChoice =
      given.reference === undefined ? choiceOf(await merge.clipped(given.response === 'linear')) : undefined;
    let reference = given.reference ?? referenceChoice!.reference;
    if (picture.kind === 'buffer') checkBufferSize(width, height, this.device);
    else picture.array = new Float32Array(width * height * 3);

    onProgress?.({ stage: 'response', done: 0, total: 1, fraction: 0 });
    const choosing = performance.now();
    const choose = (): Promise<ChosenResponse> => chooseResponse(frames, given.response, () => merge.patches(), signal);
    let response = await choose();
    const { profile } = merge;
    if (profile) profile.responseMs = performance.now() - choosing;
    const isLinear = response.report.kind === 'linear';
    const aligned =
      align === 'none'
        ? undefined
        : await merge.align(typeof align === 'object' ? { matrices: sorted(align.matrices, order) } : align, {
            reference,
            linear: isLinear,
            memoryBudget: this.#memoryBudget,
            skipMisfits,
            isReferenceGiven: given.isReferenceGiven,
          });
    const misfits = aligned?.misfits.map(({ frame, alignment }) => ({ frame: order[frame], alignment })) ?? [];
    if (aligned && misfits.length > 0) {
      const { kept } = aligned;
      [frames, order] = [kept.map((k) => frames[k]), kept.map((k) => order[k])];
      motion &&= kept.map((k) => motion![k]);
      reference = kept.indexOf(aligned.reference);
      // The misfits had their part in it.
      response = await choose();
    }
    motion &&= withUnion(motion, reference);
    const taus = frames.map((frame) => frame.exposure / frames[0].exposure);
    // The gate's tolerance is in codes of a file. Linear samples of 8 bits already are such codes; finer ones count as
    // if a JPEG held them.
    const linear = isLinear && !frames.every(isEightBit);
    const request = {
      width,
      height,
      taus,
      reference,
      useResponse: response.report.kind !== 'gamma',
      linear,
      covered: merge.warpBytes > 0 || frames.some((frame) => 'coverage' in frame && frame.coverage),
      logitShift: LOGITS * (strength - 0.5),
      motionGiven: motion !== undefined,
      method,
      pixelBytes: merge.pixelBytes,
      otherBytes: merge.warpBytes,
    };
    scale = taus[reference];
    moments?.place(misfits.length > 0 ? aligned!.kept : frames.map((_, k) => k), this.#requestFor(request), MEANS);
    const { share = 0, top = height } = moments ?? {};
    let maps: Float32Array[] | undefined;
    try {
      for (let shortage: unknown; !maps; ) {
        try {
          final = Math.min(top, height);
          const schedule = this.#scheduleFor(request);
          maps = await merge.run(schedule, response, motion, picture);
          if (moments) {
            const scene = {
              merge,
              request: this.#requestFor(request),
              schedule,
              response,
              means: MEANS,
              others: this.#others,
              plans: new Map(),
            };
            maps = await moments.show(scene, this.#session, picture, maps, (done, total) =>
              onProgress?.({ stage: 'moment', done, total, fraction: 1 - share + (share * done) / total }),
            );
            final = height;
            reportRows(height);
            keep?.({ scene, moments });
          }
        } catch (error) {
          // If not even one tile fits into so little memory, the frames are not at fault.
          if (shortage && error instanceof InputError && error.problem === 'memory-budget') throw shortage;
          this.#stepDown(error);
          shortage = error;
          this.#session.executor.memory.resetPeak();
        }
      }
    } finally {
      merge.dispose();
    }
    if (profile) profile.ms = performance.now() - begun;
    return {
      width,
      height,
      motion: maps,
      scale,
      reference,
      // It counts frames that are no longer there.
      ...(misfits.length === 0 && { referenceChoice }),
      order,
      misfits,
      alignment: aligned?.alignment ?? frames.map((_, k) => unaligned(k === reference)),
      response,
      peakBytes: merge.peakBytes,
      memoryBudget: this.#memoryBudget,
      ...(profile && { profile }),
    };
  }

  /** Halves a budget that nobody gave when the GPU has run out of memory. @throws any other error. */
  #stepDown(error: unknown): void {
    const isShort = error instanceof GpuError && error.isOutOfMemory;
    if (!isShort || this.#isBudgetGiven || this.#memoryBudget <= LEAST_MEMORY_BUDGET) throw error;
    this.#memoryBudget = Math.max(LEAST_MEMORY_BUDGET, this.#memoryBudget / 2);
  }

  /** Options about motion need a network that finds motion so. */
  #checkSegmentation({ method = 'network', motion, strength = 0.5 }: MergeRequest): void {
    const found = method === 'network' && this.#weights?.config.ablation?.segmentation;
    if (!found || found === 'network') return;
    const unused = `given, which these weights do not use (segmentation "${found}")`;
    if (found === 'none' && motion) throw new UsageError(`motion maps are ${unused}: leave them out`);
    if (strength !== 0.5) throw new UsageError(`a strength is ${unused}: leave it out`);
  }

  #scheduleFor(request: PlannedMerge): Schedule {
    return schedule(this.#requestFor(request));
  }

  #requestFor(request: PlannedMerge): ScheduleRequest {
    const config = request.method === 'network' ? this.#weights?.config : undefined;
    if (request.method === 'network' && !config)
      throw new UsageError(
        'merge: no weights were given to Deghoster.create: pass weights, or method "merge" for the plain merge',
      );
    const limits = {
      memoryBudget: this.#memoryBudget,
      maxBinding: this.#session.gpu.maxBinding,
      capabilities: this.#session.gpu.capabilities,
      precision: this.#precision,
      choices: this.#choices,
    };
    return { ...request, config, gamma: config?.gamma ?? 2.2, limits };
  }
}

/** Matrices in exposure order; the wrong number of them is reported where they are used. */
function sorted<T>(matrices: readonly T[], order: readonly number[]): readonly T[] {
  return matrices.length === order.length ? order.map((i) => matrices[i]) : matrices;
}

/** The alignment of a frame that nobody aligned. */
function unaligned(isReference: boolean): FrameAlignment {
  return { kind: isReference ? 'reference' : 'none', matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1], displacement: 0 };
}
