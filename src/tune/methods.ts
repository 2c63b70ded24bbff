/**
 * Convolution methods that no device runs without a tuning. A tuning's key covers their code, so code that reads or
 * makes a tuning needs them. If a page passes a tuning that it stores itself and does not load `deghost/tune`, then the
 * defaults run wherever the tuning chose one of these methods.
 */
import { addMethod } from '../kernels/conv2d/methods/index.ts';
import { staged } from '../kernels/conv2d/methods/staged.ts';
import { winograd } from '../kernels/conv2d/methods/winograd.ts';
import { winogradSpread } from '../kernels/conv2d/methods/winogradSpread.ts';

/** Adds the methods that only a tuner chooses. */
export function addTunedMethods(): void {
  addMethod(staged);
  addMethod(winograd);
  addMethod(winogradSpread);
}
