/**
 * The engine of `deghost merge`, made while the pictures are being read: the device is opened, a GPU that is met for
 * the first time tuned for, and what the merge will run is compiled.
 *
 * What goes wrong with it is told only when it is asked for, so that a bad picture is what people hear of first. The
 * adapter alone is looked for before anything is read: that takes little time, and must not happen while files are
 * opened (nativeWarnings.ts).
 */
import { setImmediate } from 'node:timers/promises';
import { Deghoster } from '../../deghoster.ts';
import { deviceCapabilities } from '../../device.ts';
import { openWithMatrices } from '../matrices.ts';
import { requestAdapter } from '../adapter.ts';
import type { AdapterInfo, NodeAdapter } from '../adapter.ts';
import { FileTuneCache } from '../tuneCache.ts';
import type { CommandIo } from './io.ts';
import type { MergeOptions } from './mergeOptions.ts';
import { tuningForMerge } from './tuning.ts';
import type { WeightsFile } from './weights.ts';

export interface Engine {
  deghoster: Deghoster;
  info: AdapterInfo;
}

/** Milliseconds from the beginning of the work. */
export interface EngineTimes {
  /** Until the device was open. */
  openedMs?: number;
  /** From then on, until everything was compiled, if it has been. */
  compiledMs?: number;
}

export class ComingEngine {
  readonly #options: MergeOptions;
  readonly #io: Pick<CommandIo, 'stderr' | 'signal'>;
  #engine: Promise<Engine>;
  #prepared: Promise<void>;
  readonly #stop = new AbortController();
  /** Stops the compiling for weights that are no longer wanted. */
  #stopPreparing = new AbortController();
  readonly times: EngineTimes = {};
  #device: GPUDevice | undefined;

  private constructor(
    adapter: Promise<NodeAdapter>,
    options: MergeOptions,
    weights: WeightsFile | undefined,
    io: Pick<CommandIo, 'stderr' | 'signal'>,
  ) {
    this.#options = options;
    this.#io = io;
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
    // Told by `ready`, and by the merge, which compiles whatever is not ready.
    this.#engine.catch(() => undefined);
    prepared.catch(() => undefined);
    return prepared;
  }

  /** Begins. Returns when the adapter has been found, or not. */
  static async begin(
    options: MergeOptions,
    weights: WeightsFile | undefined,
    io: Pick<CommandIo, 'stderr' | 'signal'>,
  ): Promise<ComingEngine> {
    const adapter = requestAdapter({ software: options.adapter });
    await adapter.catch(() => undefined);
    return new ComingEngine(adapter, options, weights, io);
  }

  /** Takes other weights than it began with. */
  change(weights: WeightsFile): void {
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

  /** The engine, which may still be compiling. @throws NoAdapterError; InputError for weights. */
  ready(): Promise<Engine> {
    return this.#engine;
  }

  /**
   * Stops and frees everything, whether or not it was ready. It may take as long as one pipeline takes to compile, and
   * hold this thread meanwhile.
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
    return { deghoster: await this.#create(weights, info), info };
  }

  /** An engine on the device that is open. */
  async #create(weights: WeightsFile | undefined, info: AdapterInfo): Promise<Deghoster> {
    const { memoryBudget, precision, inputs, tune, quiet } = this.#options;
    const io = this.#io;
    const device = this.#device!;
    const capabilities = deviceCapabilities(device);
    const message = (text: string): void => void (quiet || io.stderr.write(`${text}\n`));
    // A precision that the device does not have is told by the Deghoster.
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
    return Deghoster.create({ weights: weights?.bytes, device, memoryBudget, precision, tuning });
  }
}
