/**
 * The engine as a library: brackets in, radiance out. This file checks and chooses what a merge needs; merge.ts runs
 * the merge.
 */
import type { AlignOption, FrameAlignment, Misfit } from './align/types.ts';
import { openPlatformDevice } from './device.ts';
import type { DeviceLostError } from './errors.ts';
import { GpuError, InputError, UsageError, throwIfCancelled } from './errors.ts';
import { frameLabel, frameSize, isEightBit, middleFrame, sortFrames } from './image/frame.ts';
import type { FrameSource } from './image/frame.ts';
import { choiceOf } from './image/chooseReference.ts';
import type { ReferenceChoice } from './image/chooseReference.ts';
import { chooseResponse } from './image/chooseResponse.ts';
import type { ChosenResponse, ResponseOption } from './image/chooseResponse.ts';
import { withUnion } from './image/motion.ts';
import { firstOutside } from './image/picture.ts';
import type { Choices } from './kernels/target.ts';
import type { DType } from './kernels/tensor.ts';
import { Merge, checkBufferSize } from './merge.ts';
import type { Picture, Progress } from './merge.ts';
import { loadWeights } from './model/loadWeights.ts';
import type { Weights } from './model/loadWeights.ts';
import { defaultMemoryBudget, schedule, scheduleReport } from './model/schedule.ts';
import type { PlanReport, Schedule } from './model/schedule.ts';
import type { MergeProfile } from './profile.ts';
import { Session } from './session.ts';
import { choicesOf } from './tune/result.ts';
import type { TuneResult } from './tune/result.ts';

/** What `Deghoster.create` takes. Every field has a default. */
export interface DeghosterOptions {
  /** A weights file's bytes (safetensors). Without it only `method: 'merge'` works. */
  weights?: Uint8Array | ArrayBuffer;
  /**
   * The caller's own device: it is borrowed and never destroyed, and its error scopes stay as they were. Or a function
   * that opens a device, which the Deghoster then owns: if that device is lost during a merge, the function is called
   * once more and the merge goes on. By default, a function that opens the platform's device (`navigator.gpu`).
   */
  device?: GPUDevice | (() => Promise<GPUDevice>);
  /**
   * How the GPU stores weights and the tensors between layers: `f32` (default), or `f16`, which halves the memory and
   * so allows larger tiles. `f16` needs the device feature `shader-f16`. Arithmetic is f32 either way, but f16 stores
   * sums over frames as halves between frames.
   */
  precision?: DType;
  /**
   * The result of `tune` (`deghost/tune`) for this device and precision: which implementations to run. Without it, the
   * engine makes good guesses from what the device offers.
   */
  tuning?: TuneResult | Choices;
  /**
   * Limit for the bytes of all GPU buffers together. By default 512 MiB on software adapters, and up to 2 GiB on GPUs,
   * where a merge that runs out of memory begins again with half of it.
   */
  memoryBudget?: number;
}

/** How one stack is merged. Every field has a default. */
export interface MergeOptions {
  /**
   * Reference frame, from 0 in exposure order: the picture shows its moment. By default the middle exposure. `auto`
   * takes the frame with the fewest burnt-out or black pixels, but keeps the middle frame if that loses at most 1 %
   * more of the picture (`MergeResult.referenceChoice` says why).
   */
  reference?: number | 'auto';
  /** How frames are aligned to the reference: `auto` by default. */
  align?: AlignOption;
  /**
   * Leaves out frames that do not belong to the bracket: those of which alignment finds nothing in the reference.
   * Frames that are burnt out or black nearly everywhere look the same to it. If no frame lies on a reference that
   * nobody chose, the reference is left out. Not with `align: 'none'` or given matrices, which find no misfits.
   */
  skipMisfits?: boolean;
  /**
   * How readily something counts as moving, from 0 to 1: 0.5, the default, takes the network's word. More removes more
   * ghosts and shows more of the reference alone; less does the opposite. Nothing is done to given maps.
   */
  strength?: number;
  /** The camera's response. `auto` (estimated) by default for 8-bit frames, `gamma` (2.2) otherwise. */
  response?: ResponseOption;
  /**
   * Motion maps that replace the network's own: one per frame in exposure order, `[height, width]` in [0,1] (1 moves).
   * The reference's map is not read: it is the union of the others.
   */
  motion?: readonly Float32Array[];
  /**
   * `network`, or for comparison `merge`: the hat-weighted average alone, which needs no weights. It is plain, or uses
   * the maps in `motion`.
   */
  method?: 'network' | 'merge';
  /** Called as the merge proceeds, at least once per tile. */
  onProgress?: (progress: Progress) => void;
  /**
   * Called by `merge` as soon as more rows of the picture are final, from the top on: they can be encoded while the GPU
   * goes on.
   */
  onRows?: (progress: RowProgress) => void;
  /** Stops the merge with a CancelledError, without waiting for a tile to end. */
  signal?: AbortSignal;
  /**
   * Called when the device was lost and another is about to be opened. That happens only for a device that this
   * Deghoster opened and that holds no frames and no part of the result.
   */
  onDeviceLost?: (error: DeviceLostError) => void;
  /**
   * Measures where the time goes: `MergeResult.profile`. With timestamp queries each step runs in its own pass, which
   * costs a little time.
   */
  profile?: boolean;
}

/** The properties of a merge that are known before its frames are. */
interface ExpectedMerge {
  /** As in {@link MergeOptions}. */
  method?: 'network' | 'merge';
  /** Whether motion maps will be given. The network then need not find its own. */
  motion?: boolean;
}

/** What `plan` plans for. */
export interface PlanOptions extends ExpectedMerge {
  /** Size of the frames in pixels. */
  width: number;
  height: number;
  /** Number of frames. */
  frames: number;
  /** Reference frame, from 0 in exposure order; the middle one by default. */
  reference?: number;
}

/** What `prepare` prepares for. */
export interface PrepareOptions extends ExpectedMerge {
  /** Size of the frames, if known; a photograph's by default. It decides the tiles. */
  width?: number;
  height?: number;
  /** Stops with a CancelledError once the pipeline that is being compiled is done. */
  signal?: AbortSignal;
}

/** A picture that is still being merged. */
export interface RowProgress extends Pick<MergeResult, 'radiance' | 'width' | 'height' | 'scale'> {
  /** How many rows of `radiance`, the result's own array, are final. */
  rows: number;
}

/** With less than this, tiles are so small that most of their work is overlap. */
const LEAST_MEMORY_BUDGET = 128 * 1024 ** 2;

/** How much strengths 0 and 1 differ in the network's logits of motion. */
const LOGITS = 8;

const ALIGN_WORDS: readonly unknown[] = ['auto', 'none', 'homography', 'mesh'];

/** The frame size that `prepare` assumes by default: pictures of this size and larger are cut into the same tiles. */
const EXPECTED = { width: 6000, height: 4000 };

/** A merged picture, with what the merge found and chose. */
export interface MergeResult {
  /** Y, linear radiance `[height, width, 3]` in [0,1]; 1 is the saturation of the shortest frame. */
  radiance: Float32Array<ArrayBuffer>;
  width: number;
  height: number;
  /**
   * W_k in exposure order, `[height, width]` each; the reference's is the union. Empty for a merge without a network or
   * maps.
   */
  motion: Float32Array[];
  /** tau_r: radiance times this is what files hold, where 1 is the reference frame's white. */
  scale: number;
  /** The reference frame, from 0 in exposure order. */
  reference: number;
  /** Why that frame was taken, if the engine chose it: `reference: 'auto'`. Not if frames were left out. */
  referenceChoice?: ReferenceChoice;
  /** Input index of each merged frame in exposure order. */
  order: number[];
  /** The frames that were left out, with `skipMisfits`, in exposure order. `frame` is the input index. */
  misfits: Misfit[];
  /** How each frame lies on the reference, in exposure order; all `none` for `align: 'none'`. */
  alignment: FrameAlignment[];
  /** The camera response that was used. */
  response: ChosenResponse;
  /** Most bytes of GPU buffers held at once, without the caller's frames and results on the device. */
  peakBytes: number;
  /** The limit that held for them. */
  memoryBudget: number;
  /** Where the time went, with the option `profile`. */
  profile?: MergeProfile;
}

/** A merge whose picture stays on the device. */
export interface BufferResult extends Omit<MergeResult, 'radiance'> {
  /**
   * Y, as `MergeResult.radiance`: float32 `[height, width, 3]`, of usage STORAGE, COPY_SRC and COPY_DST. The caller
   * must destroy it. It is lost with the device, which `dispose` destroys unless the caller passed it in.
   */
  buffer: GPUBuffer;
}

/**
 * Merges brackets. One holds a device, the network's weights and compiled pipelines, and serves any number of merges.
 */
export class Deghoster {
  readonly #session: Session;
  readonly #weights: Weights | undefined;
  readonly #isBudgetGiven: boolean;
  #memoryBudget: number;
  readonly #precision: DType;
  readonly #choices: Choices | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(
    session: Session,
    weights: Weights | undefined,
    memoryBudget: number | undefined,
    precision: DType,
    choices: Choices | undefined,
  ) {
    this.#session = session;
    this.#weights = weights;
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
    const { precision = 'f32', memoryBudget } = options;
    if (precision !== 'f32' && precision !== 'f16')
      throw new UsageError(`precision is "${String(precision)}", it must be "f32" or "f16"`);
    if (memoryBudget !== undefined && !(memoryBudget > 0))
      throw new UsageError(`memoryBudget is ${memoryBudget}, it must be a positive number of bytes`);
    const { weights: bytes } = options;
    const weights = bytes && (await loadWeights(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)));
    const session = await Session.create(options.device ?? openPlatformDevice, (name) => {
      const tensor = weights?.tensors.get(name);
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
    return new Deghoster(session, weights, memoryBudget, precision, options.tuning && choicesOf(options.tuning));
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
    return this.#scheduleOf(options, false);
  }

  #scheduleOf(
    { width, height, frames, reference = middleFrame(frames), method = 'network', motion = false }: PlanOptions,
    covered: boolean,
  ): Schedule {
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
    this.#check('prepare');
    const { method, motion, width = EXPECTED.width, height = EXPECTED.height, signal } = options;
    // Frames that are aligned run all that others run.
    const { stages } = this.#scheduleOf({ width, height, frames, method, motion }, true);
    throwIfCancelled(signal);
    await this.#session.executor.warm(
      stages.map((stage) => stage.plan),
      { signal },
    );
  }

  /**
   * Merges a bracketed stack. Calls on one Deghoster run one after another.
   * @param frames 2 to 16 frames of one size, in any order. Each is an array, an ImageBitmap, or a texture or buffer on
   * this Deghoster's device.
   * @throws InputError naming the frame or map and the remedy; UsageError; CancelledError; GpuError; DeviceLostError.
   */
  merge(frames: readonly FrameSource[], options: MergeOptions = {}): Promise<MergeResult> {
    return this.#next(async () => {
      const picture: Extract<Picture, { kind: 'array' }> = { kind: 'array', array: new Float32Array(0) };
      const result = await this.#merge(frames, options, picture);
      return { radiance: picture.array, ...result };
    });
  }

  /**
   * Merges a bracketed stack into a buffer that stays on the device, for further drawing or computing there. Otherwise
   * like `merge`; the size is limited by the device's `maxBufferSize`.
   * @throws as `merge`.
   */
  mergeToBuffer(frames: readonly FrameSource[], options: MergeOptions = {}): Promise<BufferResult> {
    return this.#next(async () => {
      const picture: Picture = { kind: 'buffer', buffer: undefined };
      try {
        const result = await this.#merge(frames, options, picture);
        return { buffer: picture.buffer!, ...result };
      } catch (error) {
        picture.buffer?.destroy();
        throw error;
      }
    });
  }

  /** Frees everything on the GPU; a device that was passed in stays open. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#session.dispose();
  }

  /** Runs `work` after all calls made before. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(work);
    this.#queue = run.catch(() => undefined);
    return run;
  }

  #check(call: string): void {
    if (this.#disposed) throw new UsageError(`${call}: this Deghoster is disposed: create another`);
  }

  async #merge(
    input: readonly FrameSource[],
    options: MergeOptions,
    picture: Picture,
  ): Promise<Omit<MergeResult, 'radiance'>> {
    this.#check('merge');
    const begun = performance.now();
    const { signal, onProgress, method = 'network', strength = 0.5 } = options;
    throwIfCancelled(signal);
    let { frames, order } = sortFrames(input);
    const given = options.reference === 'auto' ? undefined : checkReference(options.reference, frames.length);
    checkSamples(frames);
    const { width, height } = frameSize(frames[0]);
    if (!(strength >= 0 && strength <= 1)) throw new UsageError(`strength is ${strength}, it must be from 0 to 1`);
    this.#checkSegmentation(options);
    const align = checkAlign(options.align);
    const { skipMisfits = false } = options;
    if (skipMisfits && (align === 'none' || typeof align === 'object'))
      throw new UsageError(
        `skipMisfits is given with align ${align === 'none' ? '"none"' : '{ matrices }'}, which finds no misfits: ` +
          'leave one of them out',
      );
    let scale = 1;
    const { onDeviceLost, onRows } = options;
    const merge = new Merge(this.#session, frames, {
      ...{ signal, onProgress, onDeviceLost, profile: options.profile },
      onRows: (rows) =>
        picture.kind === 'array' &&
        onRows?.({ radiance: picture.array, width, height, scale, rows: Math.min(rows, height) }),
    });
    const referenceChoice =
      given === undefined ? choiceOf(await merge.clipped(options.response === 'linear')) : undefined;
    let reference = given ?? referenceChoice!.reference;
    let motion = options.motion && checkMotion(options.motion, frames.length, width, height);
    if (picture.kind === 'buffer') checkBufferSize(width, height, this.device);
    else picture.array = new Float32Array(width * height * 3);

    onProgress?.({ stage: 'response', done: 0, total: 1, fraction: 0 });
    const choosing = performance.now();
    const choose = (): Promise<ChosenResponse> =>
      chooseResponse(frames, options.response, () => merge.patches(), signal);
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
            isReferenceGiven: typeof options.reference === 'number',
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
    let maps: Float32Array[] | undefined;
    try {
      for (let shortage: unknown; !maps; ) {
        try {
          maps = await merge.run(this.#scheduleFor(request), response, motion, picture);
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
  #checkSegmentation({ method = 'network', motion, strength = 0.5 }: MergeOptions): void {
    const found = method === 'network' && this.#weights?.config.ablation?.segmentation;
    if (!found || found === 'network') return;
    const unused = `given, which these weights do not use (segmentation "${found}")`;
    if (found === 'none' && motion) throw new UsageError(`motion maps are ${unused}: leave them out`);
    if (strength !== 0.5) throw new UsageError(`a strength is ${unused}: leave it out`);
  }

  #scheduleFor(request: {
    width: number;
    height: number;
    taus: number[];
    reference: number;
    useResponse: boolean;
    linear?: boolean;
    covered?: boolean;
    logitShift?: number;
    motionGiven: boolean;
    method: 'network' | 'merge';
    pixelBytes?: readonly number[];
    otherBytes?: number;
  }): Schedule {
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
    return schedule({ ...request, config, gamma: config?.gamma ?? 2.2, limits });
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

function checkAlign(align: AlignOption = 'auto'): AlignOption {
  const isKnown = typeof align === 'object' ? Array.isArray(align?.matrices) : ALIGN_WORDS.includes(align);
  if (!isKnown)
    throw new UsageError(`align is ${JSON.stringify(align)}, it must be "${ALIGN_WORDS.join('", "')}" or { matrices }`);
  return align;
}

function checkReference(reference: number | undefined, count: number): number {
  if (reference === undefined) return middleFrame(count);
  if (!Number.isInteger(reference) || reference < 0 || reference >= count) {
    throw new InputError(
      `reference is ${reference}, it must be "auto" or one of 0..${count - 1} (frames in exposure order)`,
    );
  }
  return reference;
}

/** Float frames hold values in [0,1]. */
function checkSamples(frames: readonly FrameSource[]): void {
  frames.forEach((frame, k) => {
    if (!('data' in frame) || !(frame.data instanceof Float32Array)) return;
    const bad = firstOutside(frame.data);
    if (bad >= 0)
      throw new InputError(
        `${frameLabel(frame, k)}: sample ${bad} is ${frame.data[bad]}, float samples must be in [0,1]: scale the ` +
          'picture first',
      );
  });
}

function checkMotion(
  motion: readonly Float32Array[],
  frames: number,
  width: number,
  height: number,
): readonly Float32Array[] {
  if (motion.length !== frames)
    throw new InputError(
      `${motion.length} motion maps for ${frames} frames: pass a map for each frame in exposure order`,
    );
  motion.forEach((map, k) => {
    if (map.length !== width * height)
      throw new InputError(`motion map ${k + 1} has ${map.length} values, ${width}x${height} needs ${width * height}`);
    const bad = firstOutside(map);
    if (bad >= 0) throw new InputError(`motion map ${k + 1}: value ${bad} is ${map[bad]}, it must be in [0,1]`);
  });
  return motion;
}
