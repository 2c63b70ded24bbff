/** The engines of `deghost evaluate`. */
import { Deghoster } from '../../deghoster.ts';
import type { DeghosterOptions } from '../../options.ts';
import { shippedVariant } from '../../weights/shipped.ts';
import { readWeights } from './weights.ts';
import type { WeightsFile } from './weights.ts';

/** One engine per weights file: stacks of three frames may use other weights than the rest. */
export class Engines {
  readonly #open = new Map<string, { deghoster: Deghoster; weights: WeightsFile }>();
  readonly #device: GPUDevice;
  readonly #options: Pick<DeghosterOptions, 'memoryBudget' | 'precision' | 'tuning'>;

  constructor(
    device: GPUDevice,
    { memoryBudget, precision, tuning }: Pick<DeghosterOptions, 'memoryBudget' | 'precision' | 'tuning'>,
  ) {
    this.#device = device;
    this.#options = { memoryBudget, precision, tuning };
  }

  async for(
    path: string | undefined,
    frames: number,
    reference: number,
  ): Promise<{ deghoster: Deghoster; weights: WeightsFile }> {
    const key = path ?? shippedVariant(frames, reference);
    let found = this.#open.get(key);
    // Weights given for all stacks are checked against each one's number of frames.
    if (!found || (path !== undefined && found.weights.config.variant === 'fixed')) {
      const weights = await readWeights(path, frames, reference);
      found ??= {
        deghoster: await Deghoster.create({ weights: weights.bytes, device: this.#device, ...this.#options }),
        weights,
      };
      this.#open.set(key, found);
    }
    return found;
  }

  dispose(): void {
    for (const { deghoster } of this.#open.values()) deghoster.dispose();
  }
}
