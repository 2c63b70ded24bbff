/**
 * A part of a generated program: what a convolution reads (sources.ts) or what becomes of its result (stores.ts).
 *
 * Each part is described by a **recipe**, plain data and all that its code depends on, so that programs can be told
 * apart by their recipes alone. What differs between nodes with one recipe are **values**: buffers and params.
 */
import type { Bindings, ParamTypes, ParamValues, Resources } from '../program.ts';

export interface Code {
  /** Distinguishes programs in their labels. */
  label: string;
  /** WGSL functions, and what they bind and read. */
  functions: string;
  bindings: Bindings;
  params: ParamTypes;
}

export interface Values {
  resources: Resources;
  params: ParamValues;
}

/** What a convolution's program is called. @param implementation the name of what it is generated for. */
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
