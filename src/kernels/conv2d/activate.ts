/**
 * Activations in WGSL. relu, leakyRelu and none differ only in the slope for negative values (0, slope, 1). The slope
 * is a param, so they share programs.
 */
import type { ConvAttrs } from './attrs.ts';

export function negativeSlope(attrs: ConvAttrs): number {
  if (attrs.activation === 'relu') return 0;
  return attrs.activation === 'leakyRelu' ? (attrs.slope ?? 0.2) : 1;
}

/** Activations, grouped by the code they need. */
export type ActivationCode = 'slope' | 'sigmoid';

export function activationCode({ activation }: ConvAttrs): ActivationCode {
  return activation === 'sigmoid' ? 'sigmoid' : 'slope';
}

/** `activate(x)`, which reads `params.slope`. */
export const ACTIVATE: Record<ActivationCode, string> = {
  slope: 'fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }',
  sigmoid: 'fn activate(x: vec4f) -> vec4f { return 1.0 / (1.0 + exp(-x)); }',
};
