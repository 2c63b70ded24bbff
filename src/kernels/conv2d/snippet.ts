/** A part of a generated program: WGSL with what it binds and the params it reads. Programs are put together from sources (what is convolved) and a store (what becomes of it). */
import type { Binding, ParamTypes, ParamValues, Resource } from '../kernel.ts';

export interface Snippet {
  /** Distinguishes programs in their labels. */
  label: string;
  /** WGSL functions. */
  functions: string;
  bindings: Record<string, Binding>;
  resources: Record<string, Resource>;
  params: ParamTypes;
  values: ParamValues;
}
