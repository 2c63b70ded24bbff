/**
 * The engine as a library: brackets in, radiance out.
 *
 * A merge runs its schedule's stages in turn: motion maps of the whole picture first, then the picture. Each is a loop over tiles of one size,
 * and everything between two tiles is on the CPU.
 */
import { Gpu, openPlatformDevice } from './device.ts';
import { CancelledError, InputError, UsageError } from './errors.ts';
import { Executor } from './graph/executor.ts';
import { middleFrame, sortFrames } from './image/frame.ts';
import type { Frame } from './image/frame.ts';
import { chooseResponse, responseTable } from './image/chooseResponse.ts';
import type { ChosenResponse, ResponseOption } from './image/chooseResponse.ts';
import { cropMap, cutStack, pasteCore } from './image/stack.ts';
import type { MotionMaps } from './image/stack.ts';
import { RESPONSE, STACK } from './model/part.ts';
import { DEFAULT_MEMORY_BUDGET, schedule, scheduleJson, scheduleText, stageWork } from './model/schedule.ts';
import type { Schedule, Stage } from './model/schedule.ts';
import { loadWeights } from './weights/load.ts';
import type { Weights } from './weights/load.ts';

export interface DeghosterOptions {
  /** A weights file's bytes (safetensors). Without it only `method: 'merge'` works. */
  weights?: Uint8Array | ArrayBuffer;
  /** A device of the caller's. It is borrowed: never destroyed, its error scopes left as they were. By default the platform's (`navigator.gpu`). */
  device?: GPUDevice;
  /** Arithmetic and storage on the GPU. */
  precision?: 'f32';
  /** Most bytes of GPU buffers. 512 MiB by default. */
  memoryBudget?: number;
}

/** How far a merge is. */
export interface Progress {
  stage: 'response' | 'compile' | 'segmentation' | 'fusion' | 'merge';
  /** Tiles of this stage that are done; within a tile it is a fraction. */
  done: number;
  /** Tiles of this stage. */
  total: number;
  /** Share of the whole merge's arithmetic that is done. */
  fraction: number;
}

export interface MergeOptions {
  /** Reference frame, from 0 in exposure order: the moment shown. By default the middle exposure. */
  reference?: number;
  /** The camera's response. `auto` (estimated) by default for 8-bit frames, `gamma` (2.2) otherwise. */
  response?: ResponseOption;
  /**
   * Motion maps in place of the network's own, one a frame in exposure order, `[height, width]` in [0,1] (1 moves). The reference's is
   * not read: it is the union of the others.
   */
  motion?: readonly Float32Array[];
  /** `network`, or for comparison the hat-weighted merge alone, which needs no weights: plain, or with the maps in `motion`. */
  method?: 'network' | 'merge';
  onProgress?: (progress: Progress) => void;
  /** Stops the merge with a CancelledError, within a tile. */
  signal?: AbortSignal;
}

export interface MergeResult {
  /** Y, linear radiance `[height, width, 3]` in [0,1]; 1 is the saturation of the shortest frame. */
  radiance: Float32Array<ArrayBuffer>;
  width: number;
  height: number;
  /** W_k in exposure order, `[height, width]` each; the reference's is the union. Empty for a merge without a network or maps. */
  motion: Float32Array[];
  /** tau_r: radiance times this is what files hold, where 1 is the reference frame's white. */
  scale: number;
  /** The reference frame, from 0 in exposure order. */
  reference: number;
  /** Input index of each frame in exposure order. */
  order: number[];
  /** The camera response that was used. */
  response: ChosenResponse;
  /** Most bytes of GPU buffers held at once. */
  peakBytes: number;
}

/** What a merge would run. `toString()` is for people, `JSON.stringify` for machines. */
export interface PlanReport {
  schedule: Schedule;
  toString(): string;
  toJSON(): object;
}

/** Plans a merge without a device. */
export function planReport(it: Schedule): PlanReport {
  return { schedule: it, toString: () => scheduleText(it), toJSON: () => scheduleJson(it) };
}

export class Deghoster {
  readonly #gpu: Gpu;
  readonly #owned: boolean;
  readonly #executor: Executor;
  readonly #weights: Weights | undefined;
  readonly #memoryBudget: number;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /** @internal Use `Deghoster.create`. */
  constructor(gpu: Gpu, owned: boolean, weights: Weights | undefined, memoryBudget: number) {
    this.#gpu = gpu;
    this.#owned = owned;
    this.#weights = weights;
    this.#memoryBudget = memoryBudget;
    this.#executor = new Executor(gpu, (name) => {
      const tensor = weights?.tensors.get(name);
      if (!tensor) throw new InputError(`weights: no tensor ${name}`);
      return tensor.data;
    });
  }

  /**
   * Checks the weights and opens the device.
   * @throws InputError for weights that cannot be used; NoAdapterError; UsageError.
   */
  static async create(options: DeghosterOptions = {}): Promise<Deghoster> {
    const { precision = 'f32', memoryBudget = DEFAULT_MEMORY_BUDGET } = options;
    if (precision !== 'f32') throw new UsageError(`precision is "${String(precision)}", only "f32" is supported`);
    if (!(memoryBudget > 0)) throw new UsageError(`memoryBudget is ${memoryBudget}, it must be a positive number of bytes`);
    const { weights: bytes } = options;
    const weights = bytes && loadWeights(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
    const device = options.device ?? (await openPlatformDevice());
    return new Deghoster(new Gpu(device), options.device === undefined, weights, memoryBudget);
  }

  /** What `merge` would run for frames of this size, with exposures a factor of four apart. */
  plan(width: number, height: number, frames: number, reference = middleFrame(frames), method: 'network' | 'merge' = 'network'): PlanReport {
    const taus = Array.from({ length: frames }, (_, k) => 4 ** k);
    return planReport(this.#schedule({ width, height, taus, reference, useResponse: true, motionGiven: false, method }));
  }

  /**
   * Merges a bracketed stack. Calls on one Deghoster run one after another.
   * @param frames 2 to 16 frames of one size, in any order.
   * @throws InputError naming the frame or map and the remedy; UsageError; CancelledError; GpuError; DeviceLostError.
   */
  merge(frames: readonly Frame[], options: MergeOptions = {}): Promise<MergeResult> {
    const run = this.#queue.then(() => this.#merge(frames, options));
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** Frees everything on the GPU; a device that was passed in stays open. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#executor.dispose();
    if (this.#owned) this.#gpu.device.destroy();
  }

  async #merge(input: readonly Frame[], options: MergeOptions): Promise<MergeResult> {
    if (this.#disposed) throw new UsageError('merge: this Deghoster is disposed: create another');
    const { signal, onProgress, method = 'network' } = options;
    if (signal?.aborted) throw new CancelledError();
    const { frames, order } = sortFrames(input);
    const reference = checkReference(options.reference, frames.length);
    checkSamples(frames);
    const motion = options.motion && withUnion(checkMotion(options.motion, frames), reference);
    const { width, height } = frames[0];

    onProgress?.({ stage: 'response', done: 0, total: 1, fraction: 0 });
    const response = chooseResponse(frames, options.response, signal);
    const taus = frames.map((frame) => frame.exposure / frames[0].exposure);
    const it = this.#schedule({ width, height, taus, reference, useResponse: response.report.kind !== 'gamma', motionGiven: motion !== undefined, method });

    onProgress?.({ stage: 'compile', done: 0, total: 1, fraction: 0 });
    this.#executor.resetPeak();
    await this.#gpu.wait(Promise.all(it.stages.map((stage) => this.#executor.compile(stage.plan))));

    const radiance = new Float32Array(width * height * 3);
    const total = it.stages.reduce((sum, stage) => sum + stageWork(stage), 0);
    let before = 0;
    let maps: MotionMaps | undefined = motion && { maps: motion, width, height };
    for (const stage of it.stages) {
      const share = total ? stageWork(stage) / total : 1;
      const report = (done: number): void => {
        const count = stage.tiling.tiles.length;
        onProgress?.({ stage: stage.name, done, total: count, fraction: before + (share * done) / count });
      };
      if (stage.name === 'segmentation') {
        // Kept at the padded size: fusion sees what the U-Nets made of the padding, not its repeated edge.
        const made = frames.map(() => new Float32Array(it.padded.width * it.padded.height));
        const targets = made.map((array) => ({ array, stride: 1, offset: 0 }));
        await this.#runStage(stage, frames, undefined, it.padded, response, targets, report, signal);
        maps = { maps: made, ...it.padded };
      } else {
        const targets = [0, 1, 2].map((offset) => ({ array: radiance, stride: 3, offset }));
        await this.#runStage(stage, frames, maps, { width, height }, response, targets, report, signal);
      }
      before += share;
    }
    const made = maps?.maps.map((map) => cropMap(map, maps.width, width, height)) ?? [];
    return { radiance, width, height, motion: made, scale: taus[reference], reference, order, response, peakBytes: this.#executor.peakBytes };
  }

  /** Runs one stage over all its tiles, pasting the cores of its only output's channels into `targets`, arrays of `target`'s size. */
  async #runStage(
    stage: Stage,
    frames: readonly Frame[],
    motion: MotionMaps | undefined,
    target: { width: number; height: number },
    response: ChosenResponse,
    targets: readonly { array: Float32Array; stride: number; offset: number }[],
    report: (done: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { tiling, plan } = stage;
    const prepared = await this.#executor.prepare(plan);
    try {
      const stack = new Float32Array(frames.length * tiling.width * tiling.height * 4);
      const inputs = { [STACK]: stack, [RESPONSE]: responseTable(response.response) };
      const worked = plan.steps.map(() => 0);
      plan.steps.reduce((sum, step, i) => (worked[i] = sum + step.multiplyAdds), 0);
      const whole = Math.max(1, plan.multiplyAdds);
      for (const [i, tile] of tiling.tiles.entries()) {
        if (signal?.aborted) throw new CancelledError();
        cutStack(frames, motion, tile, tiling.width, tiling.height, stack);
        await this.#executor.run(prepared, inputs, { signal, onStep: (step) => report(i + (step > 0 ? worked[step - 1] / whole : 0)) });
        const values = await this.#executor.read(prepared, plan.graph.outputs[0]);
        pasteCore(values, tile, tiling.width, tiling.height, target, targets);
        report(i + 1);
      }
    } finally {
      this.#executor.release(prepared);
    }
  }

  #schedule(request: { width: number; height: number; taus: number[]; reference: number; useResponse: boolean; motionGiven: boolean; method: 'network' | 'merge' }): Schedule {
    const config = request.method === 'network' ? this.#weights?.config : undefined;
    if (request.method === 'network' && !config) throw new UsageError('merge: no weights were given to Deghoster.create: pass weights, or method "merge" for the plain merge');
    const limits = { memoryBudget: this.#memoryBudget, maxBinding: this.#gpu.maxBinding };
    return schedule({ ...request, config, gamma: config?.gamma ?? 2.2, limits });
  }
}

function checkReference(reference: number | undefined, count: number): number {
  if (reference === undefined) return middleFrame(count);
  if (!Number.isInteger(reference) || reference < 0 || reference >= count) {
    throw new InputError(`reference is ${reference}, it must be one of 0..${count - 1} (frames in exposure order)`);
  }
  return reference;
}

/** Float frames hold values in [0,1]. */
function checkSamples(frames: readonly Frame[]): void {
  frames.forEach(({ data, name }, k) => {
    if (!(data instanceof Float32Array)) return;
    const bad = data.findIndex((x) => !(x >= 0 && x <= 1));
    if (bad >= 0) throw new InputError(`${name ?? `frame ${k + 1}`}: sample ${bad} is ${data[bad]}, float samples must be in [0,1]: scale the picture first`);
  });
}

function checkMotion(motion: readonly Float32Array[], frames: readonly Frame[]): readonly Float32Array[] {
  const { width, height } = frames[0];
  if (motion.length !== frames.length) throw new InputError(`${motion.length} motion maps for ${frames.length} frames: pass one a frame, in exposure order`);
  motion.forEach((map, k) => {
    if (map.length !== width * height) throw new InputError(`motion map ${k + 1} has ${map.length} values, ${width}x${height} needs ${width * height}`);
    const bad = map.findIndex((w) => !(w >= 0 && w <= 1));
    if (bad >= 0) throw new InputError(`motion map ${k + 1}: value ${bad} is ${map[bad]}, it must be in [0,1]`);
  });
  return motion;
}

/** The maps with the reference's replaced by the maximum of the others (spec: S). */
function withUnion(motion: readonly Float32Array[], reference: number): Float32Array[] {
  const union = new Float32Array(motion[reference].length);
  motion.forEach((map, k) => {
    if (k !== reference) for (let i = 0; i < union.length; i++) union[i] = Math.max(union[i], map[i]);
  });
  return motion.map((map, k) => (k === reference ? union : map));
}
