/**
 * A kernel holds every fact about one op: the shape of its output, the weights it reads, how it stores tensors, the
 * dispatch that computes it, and samples of its nodes. No other file lists anything about a kernel.
 *
 * Most kernels have one implementation, `lower`. Some have several: a device runs the first by default, or the one that
 * a tuner chose.
 */
import type { Dispatch } from './program.ts';
import { shapeText } from './tensor.ts';
import type { DType, Shape, View } from './tensor.ts';
import type { Target } from './target.ts';

/** A tensor of the weights file that a node reads. */
export interface WeightTensor {
  name: string;
  shape: readonly number[];
}

/** Weights packed for one implementation; `key` names the packing, so that equal packings are shared. */
export interface PackedWeights {
  key: string;
  /** How the packed values are stored, f32 by default. */
  dtype?: DType;
  /**
   * Texels per row, if the weights are stored as a texture: software adapters load a texel in a third of the time of a
   * vector in a buffer.
   */
  row?: number;
  pack(tensor: (name: string) => Float32Array): Float32Array<ArrayBuffer>;
}

/** The tensors of a node. */
export interface Tensors {
  inputs: readonly View[];
  output: View;
  /** Further outputs (`Kernel.results`). */
  results: readonly View[];
}

/** One way to compute a node on a device. */
export interface Implementation {
  /** The name a tuner's choice refers to: unique within a node, the same for all nodes of a shape class. */
  name: string;
  /** The packed weights that its dispatch binds. */
  weights: readonly PackedWeights[];
  dispatch(tensors: Tensors): Dispatch;
}

/** f32 only, or either type: shaders convert what they load and store. */
export type Stored = 'f32' | 'any';

/**
 * How a kernel can store its output (and further results) and read its inputs: one type for all inputs, or one per
 * input.
 */
export interface Storage {
  output: Stored;
  inputs: Stored | readonly Stored[];
}

/** A node like the network's. */
export interface Sample<A> {
  attrs: A;
  /** A number means the channels of a tensor as large as the picture. */
  inputs: readonly (number | Shape)[];
}

interface Facts<A> {
  /** Shape of the output. @throws if the inputs do not fit, naming the op and both values. */
  shape(attrs: A, inputs: readonly Shape[]): Shape;
  /**
   * The input whose buffer is updated in place and becomes the output, if any. The results, if there are any, then
   * update the inputs that follow it.
   */
  inPlace?(attrs: A, inputs: number): number | undefined;
  /** Shapes of the tensors it stores besides its output; nodes of op `result` stand for them. */
  results?(attrs: A, inputs: readonly Shape[]): Shape[];
  weights?(attrs: A, inputs: readonly Shape[]): WeightTensor[];
  /** Half floats are opt-in: a kernel without `storage` reads and stores f32, in plans of either precision. */
  storage?(attrs: A, inputs: number): Storage;
  /** Multiply-adds, for reports. */
  multiplyAdds?(attrs: A, inputs: readonly Shape[], output: Shape): number;
  /** Nodes that benches time. A tuning's key covers the code of their implementations. */
  samples: readonly Sample<A>[];
}

/** A kernel with one implementation. */
export interface SingleKernel<A> extends Facts<A> {
  lower(node: Tensors & { attrs: A }): Dispatch;
}

/** A kernel with several. */
export interface TunedKernel<A> extends Facts<A> {
  /** At least one, best guess first. */
  implementations(attrs: A, inputs: readonly Shape[], target: Target): Implementation[];
  /** Nodes of one class have the same implementations and all run with the same one, so a tuner times only one node. */
  shapeClass(attrs: A, inputs: readonly Shape[], target: Target): string;
}

export type Kernel<A> = SingleKernel<A> | TunedKernel<A>;

export function isTuned<A>(kernel: Kernel<A>): kernel is TunedKernel<A> {
  return 'implementations' in kernel;
}

/** The implementations of a node, best guess first. */
export function implementationsOf<A>(
  kernel: Kernel<A>,
  attrs: A,
  inputs: readonly Shape[],
  target: Target,
): Implementation[] {
  if (isTuned(kernel)) return kernel.implementations(attrs, inputs, target);
  return [{ name: '', weights: [], dispatch: (tensors) => kernel.lower({ attrs, ...tensors }) }];
}

/** How a kernel reads input `i` of `inputs`, and how it stores its output. */
export function storageOf<A>(
  kernel: Kernel<A>,
  attrs: A,
  inputs: number,
): { output: Stored; input(i: number): Stored } {
  const { output, inputs: read }: Storage = kernel.storage?.(attrs, inputs) ?? { output: 'f32', inputs: 'f32' };
  return { output, input: (i) => (typeof read === 'string' ? read : read[i]) };
}

/** The shapes of a sample's inputs, for a picture of some size: square where one side is given. */
export function sampleShapes({ inputs }: Pick<Sample<unknown>, 'inputs'>, width: number, height = width): Shape[] {
  return inputs.map((input) => (typeof input === 'number' ? { channels: input, height, width } : input));
}

/** The error for inputs that do not fit an op. */
export function shapeError(op: string, what: string): Error {
  return new Error(`${op}: ${what}`);
}

export function expectInputs(op: string, inputs: readonly Shape[], count: number): void {
  if (inputs.length !== count) throw shapeError(op, `${inputs.length} inputs, expected ${count}`);
}

export function expectSameSize(op: string, inputs: readonly Shape[]): void {
  for (const shape of inputs) {
    if (shape.height !== inputs[0].height || shape.width !== inputs[0].width) {
      throw shapeError(op, `input ${shapeText(shape)} differs in size from ${shapeText(inputs[0])}`);
    }
  }
}
