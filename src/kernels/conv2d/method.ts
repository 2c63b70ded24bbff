/**
 * A convolution method: one way to compute layers. Each method has its own file in methods/, which says what the method
 * is and why it exists.
 */
import type { Implementation } from '../kernel.ts';
import type { Target } from '../target.ts';
import type { Shape } from '../tensor.ts';
import type { ConvAttrs } from './attrs.ts';

/** A layer and its target device. */
export interface Layer {
  attrs: ConvAttrs;
  inputs: readonly Shape[];
  target: Target;
}

export interface Method {
  name: string;
  /** The method's implementations for a layer, most promising first; none if the method does not fit. */
  implementations(layer: Layer): Implementation[];
  /** Whether this method, wherever it fits, is several times faster on such devices than all others. */
  isBest?(target: Target): boolean;
}

/** Lanes of a CPU's vectors, which software adapters use as subgroups. Undefined on GPUs. */
export function vectorLanes({ capabilities: { cpu, subgroupSize = 0 } = {} }: Target): number | undefined {
  return cpu && subgroupSize > 1 ? subgroupSize : undefined;
}
