/** Keeps one engine open from one merge to the next: opening and compiling take longer than a small merge. */
import { ComingEngine } from './engine.ts';
import type { CommandIo } from './io.ts';
import type { MergeOptions } from './mergeOptions.ts';
import type { WeightsFile } from './weights.ts';

/** Where a merge gets its engine from, and what becomes of it. */
export interface EngineSource {
  begin(
    options: MergeOptions,
    weights: WeightsFile | undefined,
    io: Pick<CommandIo, 'stderr' | 'signal'>,
  ): Promise<ComingEngine>;
  /** Called when a merge has ended. */
  end(engine: ComingEngine, failed: boolean): Promise<void>;
}

/** An engine for one merge alone. */
export const ONE_MERGE: EngineSource = {
  begin: (options, weights, io) => ComingEngine.begin(options, weights, io),
  async end(engine, failed) {
    const closed = engine.close();
    // Errors are reported at once, even if a driver is still compiling.
    if (!failed) await closed;
  },
};

/** One engine for many merges, one after another; another one when its device is lost. */
export class EnginePool implements EngineSource {
  #engine: ComingEngine | undefined;

  async begin(
    options: MergeOptions,
    weights: WeightsFile | undefined,
    io: Pick<CommandIo, 'stderr' | 'signal'>,
  ): Promise<ComingEngine> {
    if (this.#engine?.isLost) await this.close();
    if (!this.#engine) this.#engine = await ComingEngine.begin(options, weights, io);
    else if (weights && this.#engine.weightsPath !== weights.path) this.#engine.change(weights);
    return this.#engine;
  }

  async end(): Promise<void> {}

  async close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.close();
  }
}
