/**
 * The merging engine of the page: its weights, its device, and one merge at a time.
 *
 * The page keeps an engine from merge to merge, for its compiled kernels. It makes a new one if other weights are
 * needed, and after a cancelled or failed merge, so that nothing of that merge stays on the GPU. If the GPU has too
 * little memory, a merge begins again with smaller tiles.
 */
import { Deghoster } from '../../../src/deghoster.ts';
import type { MergeOptions } from '../../../src/options.ts';
import type { OpenMerge } from '../../../src/moment/openMerge.ts';
import type { MergeResult } from '../../../src/result.ts';
import { openPlatformDevice } from '../../../src/device.ts';
import { CancelledError, throwIfCancelled } from '../../../src/errors.ts';
import type { Frame } from '../../../src/image/frame.ts';
import { DEFAULT_MEMORY_BUDGET } from '../../../src/model/schedule.ts';
import { shippedVariant } from '../../../src/weights/shipped.ts';
import { failureOf } from './failure.ts';
import { Weights } from './weights.ts';
import type { OnBytes, WeightsName } from './weights.ts';

/** What a call of the engine makes. */
type Made<C> = C extends 'open' ? OpenMerge : MergeResult;

/** The page has always chosen the reference. */
type PageMergeOptions = MergeOptions & {
  reference: number;
  /** Called while the merge waits for its weights. */
  onWeights?: OnBytes;
};

/**
 * The fewest bytes of GPU buffers that a merge is tried with. With less, tiles are so small that most of their work is
 * overlap.
 */
const SMALLEST_BUDGET = 128 * 2 ** 20;

export class Engine {
  readonly #weights: Weights;
  readonly #onRecovered: () => void;
  readonly #onSmaller: () => void;
  #open: { name: WeightsName; deghoster: Deghoster } | undefined;
  /** Bytes of GPU buffers that merges may use: less than at the start once the GPU ran out of memory. */
  #budget = DEFAULT_MEMORY_BUDGET;

  /**
   * @param base the page's address: weights lie beside it.
   * @param onRecovered called when the device was lost during a merge, and the merge goes on with another.
   * @param onSmaller called when there was too little GPU memory, and the merge begins again with half as much.
   */
  constructor(base: string, onRecovered: () => void, onSmaller: () => void) {
    this.#weights = new Weights(base);
    this.#onRecovered = onRecovered;
    this.#onSmaller = onSmaller;
  }

  /** Fetches the weights that suit so many frames before others. */
  expect(frames: number): void {
    if (frames > 1) this.#weights.prefer(shippedVariant(frames));
  }

  /** Fetches all weights, and the code that merges load when they need it, for merging without a network later. */
  async preload(): Promise<void> {
    await this.#weights.preload();
    await Promise.all([
      import('../../../src/align/run.ts'),
      import('../../../src/align/meshSearch.ts'),
      import('../../../src/moment/openMerge.ts'),
      import('../../../src/moment/moments.ts'),
      import('../../../src/mergeSamples.ts'),
    ]);
  }

  /** Merges, with the weights that suit the frames and their reference. Errors are Deghoster.merge's. */
  merge(frames: readonly Frame[], options: PageMergeOptions): Promise<MergeResult> {
    return this.#try('merge', frames, options);
  }

  /** Merges, and keeps the merge open as long as this engine needs no other. Errors are Deghoster.open's. */
  open(frames: readonly Frame[], options: PageMergeOptions): Promise<OpenMerge> {
    return this.#try('open', frames, options);
  }

  async #try<C extends 'merge' | 'open'>(
    call: C,
    frames: readonly Frame[],
    options: PageMergeOptions,
  ): Promise<Made<C>> {
    let shortage: unknown;
    for (;;) {
      try {
        return await this.#merge(call, frames, options);
      } catch (error) {
        // The plain merge leaves nothing behind, and the merge that is open beside it stays so.
        if (options.method === 'merge' && error instanceof CancelledError) throw error;
        this.dispose();
        const { kind } = failureOf(error);
        // If not even one tile fits into this little memory, the frames are not at fault.
        if (kind === 'input' && shortage) throw shortage;
        if (kind !== 'gpu-memory' || this.#budget <= SMALLEST_BUDGET) throw error;
        shortage = error;
        this.#budget /= 2;
        this.#onSmaller();
      }
    }
  }

  /** Frees everything on the GPU. */
  dispose(): void {
    this.#open?.deghoster.dispose();
    this.#open = undefined;
  }

  async #merge<C extends 'merge' | 'open'>(
    call: C,
    frames: readonly Frame[],
    { onWeights, ...options }: PageMergeOptions,
  ): Promise<Made<C>> {
    const name = shippedVariant(frames.length, options.reference);
    const weights = await unlessCancelled(this.#weights.get(name, onWeights), options.signal);
    if (this.#open?.name !== name) {
      this.dispose();
      this.#open = {
        name,
        deghoster: await Deghoster.create({
          weights,
          momentWeights: () => this.#weights.get('any'),
          device: openPlatformDevice,
          memoryBudget: this.#budget,
        }),
      };
    }
    const whole = { ...options, onDeviceLost: this.#onRecovered };
    return this.#open.deghoster[call](frames, whole) as Promise<Made<C>>;
  }
}

/** Waits for something that goes on when the merge is cancelled. @throws CancelledError */
async function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  throwIfCancelled(signal);
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new CancelledError()), { once: true });
    work.then(resolve, reject);
  });
}
