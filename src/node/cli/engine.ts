/**
 * The engine of `deghost merge`, prepared while the pictures are being read: the device is opened, a new GPU is tuned
 * for, and the merge's programs are compiled.
 *
 * Its errors are thrown only when the engine is needed, so that the user first hears about a bad picture. Only the
 * adapter is requested before anything is read: that takes little time, and must not happen while files are opened
 * (nativeWarnings.ts).
 */
import { setImmediate } from 'node:timers/promises';
import { Deghoster } from '../../deghoster.ts';
import { deviceCapabilities } from '../../device.ts';
import { openWithMatrices } from '../matrices.ts';
import { requestAdapter } from '../adapter.ts';
import type { AdapterInfo, NodeAdapter } from '../adapter.ts';
import { FileTuneCache } from '../tuneCache.ts';
import { say } from './io.ts';
import type { CommandIo } from './io.ts';
import type { MergeOptions } from './mergeOptions.ts';
import { tuningForMerge } from './tuning.ts';
import { readWeights } from './weights.ts';
import type { WeightsFile } from './weights.ts';

export interface Engine {
  deghoster: Deghoster;
  info: AdapterInfo;
}

/** Milliseconds since the start of the work. */
export interface EngineTimes {
  /** Until the device was open. */
  openedMs?: number;
  /** From then until everything was compiled, if that is done. */
  compiledMs?: number;
}

export class ComingEngine {
  readonly #options: MergeOptions;
  readonly #io: Pick<CommandIo, 'stderr' | 'signal'>;
  #engine: Promise<Engine>;
  #prepared: Promise<void>;
  readonly #stop = new AbortController();
  /** Stops compiling for weights that are no longer needed. */
  #stopPreparing = new AbortController();
  readonly times: EngineTimes = {};
  /** The file of the weights that it was opened or changed for. */
  weightsPath: string | undefined;
  #device: GPUDevice | undefined;
  /** Whether its device is lost, or it could not be made: no merge can use it. */
  isLost = false;

  private constructor(
    adapter: Promise<NodeAdapter>,
    options: MergeOptions,
    weights: WeightsFile | undefined,
    io: Pick<CommandIo, 'stderr' | 'signal'>,
  ) {
    this.#options = options;
    this.#io = io;
    this.weightsPath = weights?.path;
    const begun = performance.now();
    this.#engine = this.#open(adapter, weights);
    this.#engine.then(
      () => (this.times.openedMs = performance.now() - begun),
      () => undefined,
    );
    this.#prepared = this.#prepare();
  }

  /** Compiles what the merge will run. */
  #prepare(): Promise<void> {
    const { inputs, method, motionIn } = this.#options;
    const signal = AbortSignal.any([this.#stop.signal, this.#stopPreparing.signal]);
    const prepared = this.#engine.then(async ({ deghoster }) => {
      const opened = performance.now();
      await deghoster.prepare(inputs.length, { method, motion: motionIn !== undefined, signal });
      this.times.compiledMs = performance.now() - opened;
    });
    // `ready` reports failures, and so does the merge, which compiles whatever is not ready.
    this.#engine.catch(() => (this.isLost = true));
    prepared.catch(() => undefined);
    return prepared;
  }

  /** Starts. Returns when the search for the adapter has ended. */
  static async begin(
    options: MergeOptions,
    weights: WeightsFile | undefined,
    io: Pick<CommandIo, 'stderr' | 'signal'>,
  ): Promise<ComingEngine> {
    const adapter = requestAdapter({ software: options.adapter });
    await adapter.catch(() => undefined);
    return new ComingEngine(adapter, options, weights, io);
  }

  /** Switches to other weights. */
  change(weights: WeightsFile): void {
    this.weightsPath = weights.path;
    this.#stopPreparing.abort();
    this.#stopPreparing = new AbortController();
    const [engine, prepared] = [this.#engine, this.#prepared];
    this.#engine = engine.then(async ({ deghoster, info }) => {
      await prepared.catch(() => undefined);
      deghoster.dispose();
      return { deghoster: await this.#create(weights, info), info };
    });
    this.#prepared = this.#prepare();
  }

  /** The engine, which may still be compiling. @throws NoAdapterError; InputError for the weights. */
  ready(): Promise<Engine> {
    return this.#engine;
  }

  /**
   * Stops and frees everything, whether or not it was ready. This may take as long as compiling one pipeline, and may
   * block this thread meanwhile.
   */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#engine.then(
      ({ deghoster }) => deghoster.dispose(),
      () => undefined,
    );
    await setImmediate();
    this.#device?.destroy();
    await this.#prepared.catch(() => undefined);
  }

  async #open(adapter: Promise<NodeAdapter>, weights: WeightsFile | undefined): Promise<Engine> {
    const { adapter: found, info } = await adapter;
    this.#device = await openWithMatrices(found);
    void this.#device.lost.then(() => (this.isLost = true));
    return { deghoster: await this.#create(weights, info), info };
  }

  /** An engine on the open device. */
  async #create(weights: WeightsFile | undefined, info: AdapterInfo): Promise<Deghoster> {
    const { memoryBudget, precision, inputs, tune, quiet, momentIn, weights: own } = this.#options;
    const io = this.#io;
    const device = this.#device!;
    const capabilities = deviceCapabilities(device);
    const message = (text: string): void => void (quiet || say(io, text));
    // The Deghoster throws if the device does not have the precision.
    const tuning =
      tune && weights && (precision !== 'f16' || capabilities.f16)
        ? await tuningForMerge({
            device,
            capabilities,
            info,
            config: weights.config,
            frames: inputs.length,
            precision,
            cache: new FileTuneCache({ warn: message }),
            message,
            signal: AbortSignal.any([io.signal, this.#stop.signal]),
          })
        : undefined;
    // Shipped ones come in two kinds, of which one takes any frame as the reference.
    const others = async (): Promise<Uint8Array> => (await readWeights(undefined, inputs.length, 0)).bytes;
    const momentWeights = momentIn !== undefined && own === undefined ? others : undefined;
    return Deghoster.create({ weights: weights?.bytes, momentWeights, device, memoryBudget, precision, tuning });
  }
}
