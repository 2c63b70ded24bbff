/**
 * Convolution methods that no device runs without a tuning: its key holds their code, so whoever reads or makes one has
 * them. A page that passes a tuning that it keeps itself, and loads nothing of `deghost/tune`, runs its defaults where
 * the tuning chose one of these.
 */
import { addMethod } from '../kernels/conv2d/methods/index.ts';
import { staged } from '../kernels/conv2d/methods/staged.ts';
import { winograd } from '../kernels/conv2d/methods/winograd.ts';

/** Makes the methods available that only a tuner takes. */
export function addTunedMethods(): void {
  addMethod(staged);
  addMethod(winograd);
}
