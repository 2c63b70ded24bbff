/**
 * A convolution method: one way to compute layers, in a file of its own in methods/. Each says there what it is and why
 * it exists.
 */
import type { Implementation } from '../kernel.ts';
import type { Target } from '../target.ts';
import type { Shape } from '../tensor.ts';
import type { ConvAttrs } from './attrs.ts';

/** A layer, and what it is to run on. */
export interface Layer {
  attrs: ConvAttrs;
  inputs: readonly Shape[];
  target: Target;
}

export interface Method {
  name: string;
  /** What it offers for a layer, most promising first: nothing where it does not fit. */
  implementations(layer: Layer): Implementation[];
}

/** Lanes of a CPU's vectors, where subgroups are those: software adapters. Undefined on GPUs. */
export function vectorLanes({ capabilities: { cpu, subgroupSize = 0 } = {} }: Target): number | undefined {
  return cpu && subgroupSize > 1 ? subgroupSize : undefined;
}
