/**
 * The merging engine of the page: its weights, its device, and one merge at a time.
 *
 * The page keeps an engine from merge to merge, for its compiled kernels. It makes a new one if other weights are
 * needed, and after a cancelled or failed merge, so that nothing of that merge stays on the GPU. If the GPU has too
 * little memory, a merge begins again with smaller tiles.
 */
import { Deghoster } from '../../../src/deghoster.ts';
import type { MergeOptions } from '../../../src/options.ts';
import type { MergeResult } from '../../../src/result.ts';
import { openPlatformDevice } from '../../../src/device.ts';
import { InputError } from '../../../src/errors.ts';
import type { Frame } from '../../../src/image/frame.ts';
import { DEFAULT_MEMORY_BUDGET } from '../../../src/model/schedule.ts';
import { shippedVariant } from '../../../src/weights/shipped.ts';
import { failureOf } from './failure.ts';

type WeightsName = ReturnType<typeof shippedVariant>;

/** The page has always chosen the reference. */
type PageMergeOptions = MergeOptions & { reference: number };

/**
 * The fewest bytes of GPU buffers that a merge is tried with. With less, tiles are so small that most of their work is
 * overlap.
 */
const SMALLEST_BUDGET = 128 * 2 ** 20;

export class Engine {
  readonly #base: string;
  readonly #onRecovered: () => void;
  readonly #onSmaller: () => void;
  readonly #weights = new Map<WeightsName, Promise<ArrayBuffer>>();
  #open: { name: WeightsName; deghoster: Deghoster } | undefined;
  /** Bytes of GPU buffers that merges may use: less than at the start once the GPU ran out of memory. */
  #budget = DEFAULT_MEMORY_BUDGET;

  /**
   * @param base the page's address: weights lie beside it.
   * @param onRecovered called when the device was lost during a merge, and the merge goes on with another.
   * @param onSmaller called when there was too little GPU memory, and the merge begins again with half as much.
   */
  constructor(base: string, onRecovered: () => void, onSmaller: () => void) {
    this.#base = base;
    this.#onRecovered = onRecovered;
    this.#onSmaller = onSmaller;
  }

  /** Fetches all weights, and the code that aligns, for merging without a network later. */
  async preload(): Promise<void> {
    const aligning = [import('../../../src/align/run.ts'), import('../../../src/align/meshSearch.ts')];
    await Promise.all([this.#fetchWeights('fixed'), this.#fetchWeights('any'), ...aligning]);
  }

  /** Merges, with the weights that suit the frames and their reference. Errors are Deghoster.merge's. */
  async merge(frames: readonly Frame[], options: PageMergeOptions): Promise<MergeResult> {
    let shortage: unknown;
    for (;;) {
      try {
        return await this.#merge(frames, options);
      } catch (error) {
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

  async #merge(frames: readonly Frame[], options: PageMergeOptions): Promise<MergeResult> {
    const name = shippedVariant(frames.length, options.reference);
    const weights = await this.#fetchWeights(name);
    if (this.#open?.name !== name) {
      this.dispose();
      this.#open = {
        name,
        deghoster: await Deghoster.create({ weights, device: openPlatformDevice, memoryBudget: this.#budget }),
      };
    }
    return this.#open.deghoster.merge(frames, { ...options, onDeviceLost: this.#onRecovered });
  }

  #fetchWeights(name: WeightsName): Promise<ArrayBuffer> {
    let weights = this.#weights.get(name);
    if (!weights) {
      weights = fetchFile(new URL(`weights/${name}.safetensors`, this.#base), `the weights "${name}"`);
      // A failed fetch is tried again at the next merge.
      weights.catch(() => this.#weights.delete(name));
      this.#weights.set(name, weights);
    }
    return weights;
  }
}

/** @throws InputError where the file is not beside the page. */
export async function fetchFile(url: URL, what: string): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new InputError(`${what} could not be loaded from ${url.pathname}: check the connection and try again`, {
      cause,
    });
  }
  if (!response.ok)
    throw new InputError(
      `${what} could not be loaded from ${url.pathname} (${response.status}): the page is not installed completely`,
    );
  return response.arrayBuffer();
}
