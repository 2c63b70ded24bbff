/**
 * A part of a generated program: how a convolution reads (sources.ts) or stores (stores.ts).
 *
 * A **recipe** describes each part. It is plain data and holds everything that the code depends on, so equal recipes
 * mean equal programs. Nodes with the same recipe differ only in **values**: buffers and params.
 */
import type { Bindings, ParamTypes, ParamValues, Resources } from '../program.ts';

export interface Code {
  /** Distinguishes programs in their labels. */
  label: string;
  /** WGSL functions, with their bindings and params. */
  functions: string;
  bindings: Bindings;
  params: ParamTypes;
}

export interface Values {
  resources: Resources;
  params: ParamValues;
}

/** The label of a convolution's program. @param implementation name of the implementation. */
export function programLabel(
  kernel: number,
  sources: readonly Code[],
  dilations: number,
  store: Code,
  implementation: string,
): string {
  const parts = [
    `conv2d ${kernel}x${kernel}`,
    ...sources.map(({ label }) => label),
    sources.length > 1 ? 'two inputs' : '',
    dilations > 1 ? `${dilations} dilations` : '',
    store.label,
    implementation,
  ];
  return parts.filter((part) => part !== '').join(' ');
}
