/**
 * The merging engine of the page: its weights, its device, and one merge at a time.
 *
 * An engine is kept from merge to merge, for its compiled kernels; it is made anew where other weights are needed, and after a cancelled or failed
 * merge, so that nothing of that stays on the GPU.
 */
import { Deghoster } from '../../../src/deghoster.ts';
import type { MergeOptions, MergeResult } from '../../../src/deghoster.ts';
import { openPlatformDevice } from '../../../src/device.ts';
import { InputError } from '../../../src/errors.ts';
import type { Frame } from '../../../src/image/frame.ts';

type WeightsName = 'fixed' | 'any';

export class Engine {
  readonly #base: string;
  readonly #onRecovered: () => void;
  readonly #weights = new Map<WeightsName, Promise<ArrayBuffer>>();
  #deghoster: { name: WeightsName; it: Deghoster } | undefined;

  /**
   * @param base the page's address: weights lie beside it.
   * @param onRecovered told when the device was lost during a merge, and the merge goes on with another.
   */
  constructor(base: string, onRecovered: () => void) {
    this.#base = base;
    this.#onRecovered = onRecovered;
  }

  /** Fetches all weights, for merging without a network later. */
  async preload(): Promise<void> {
    await Promise.all([this.#fetchWeights('fixed'), this.#fetchWeights('any')]);
  }

  /** Merges. `fixed` knows exactly three frames, `any` any number. Errors are Deghoster.merge's. */
  async merge(frames: readonly Frame[], options: MergeOptions): Promise<MergeResult> {
    const name = frames.length === 3 ? 'fixed' : 'any';
    const weights = await this.#fetchWeights(name);
    if (this.#deghoster?.name !== name) {
      this.dispose();
      this.#deghoster = { name, it: await Deghoster.create({ weights, device: openPlatformDevice }) };
    }
    try {
      return await this.#deghoster.it.merge(frames, { ...options, onDeviceLost: this.#onRecovered });
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Frees everything on the GPU. */
  dispose(): void {
    this.#deghoster?.it.dispose();
    this.#deghoster = undefined;
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
    throw new InputError(`${what} could not be loaded from ${url.pathname}: check the connection and try again`, { cause });
  }
  if (!response.ok) throw new InputError(`${what} could not be loaded from ${url.pathname} (${response.status}): the page is not installed completely`);
  return response.arrayBuffer();
}
