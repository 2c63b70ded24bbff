/**
 * What a convolution on matrix units is to the rest. The method itself (matrix.ts) comes with a device's traits, from who opened the device (node/matrices.ts): browsers offer no such
 * units yet, and so pages do not load it.
 */
import type { Dispatch, PackedWeights, Shape, Target, View } from '../kernel.ts';
import type { ConvAttrs } from './attrs.ts';
import type { Variant } from './variants.ts';

/** The matrices that a subgroup multiplies at once, of halves with sums in f32: left ones of m x k, right ones of k x n, sums of m x n. */
export interface MatrixSize {
  m: number;
  n: number;
  k: number;
}

export interface Matrices extends MatrixSize {
  conv2d: MatrixMethod;
}

/** A variant of this method: `columns x rows` pixels and `out` blocks, of whole matrices, are a workgroup's. */
export interface MatrixVariant extends Variant {
  matrices: Matrices;
}

export interface MatrixMethod {
  /** Those for a layer, most promising first. */
  candidates(attrs: ConvAttrs, inputs: readonly Shape[], target: Target): MatrixVariant[];
  /** OIHW weights of layers in the order they are read, and what that order is called. */
  weights(attrs: ConvAttrs, inputs: readonly Shape[], variant: MatrixVariant): { order: string; pack(layers: readonly Float32Array[]): Float32Array<ArrayBuffer> };
  dispatch(variant: MatrixVariant, attrs: ConvAttrs, inputs: readonly View[], output: View, results: readonly View[], weights: readonly PackedWeights[]): Dispatch;
}

export function isMatrix(variant: Variant | undefined): variant is MatrixVariant {
  return variant?.matrices !== undefined;
}
