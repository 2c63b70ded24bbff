/**
 * The attributes of a convolution, including what is fused into it.
 *
 * A node of the network is a plain convolution of one tensor. Graph passes (graph/fuse) fuse more into its dispatch:
 * - **read**: the input is computed as it is loaded, from frames or with masks; or it is two tensors instead of a
 *   concatenation, the first of which may have half the size (nearest upsampling);
 * - **store**: the result is max-pooled as well, or is the logits of the picture;
 * - several **weights**: layers that read the same input, with their outputs one after another;
 * - several **dilations**: one layer runs at each dilation, with outputs one after another; its weights are fetched
 *   once for all.
 */
import type { AlignedPairAttrs, EncoderInputAttrs } from '../exposure.ts';
import { expectSameSize, shapeError } from '../kernel.ts';
import type { WeightTensor } from '../kernel.ts';
import type { PictureAttrs } from '../picture.ts';
import { blocks } from '../tensor.ts';
import type { Shape } from '../tensor.ts';

export type Activation = 'none' | 'relu' | 'leakyRelu' | 'sigmoid';

/** How inputs are loaded. */
export type ConvRead =
  /** Inputs: the stack, the response table. Input channels: those of encoderInput. */
  | ({ kind: 'encoder' } & EncoderInputAttrs)
  /** Inputs: the stack, the response table. Input channels: those of alignedPair. */
  | ({ kind: 'pair' } & AlignedPairAttrs)
  /**
   * Inputs: features of all frames one after another, the stack. There are two layers: the first reads the features
   * times (1 - W_k), the second times W_k.
   */
  | { kind: 'masked'; frames: number };

/** What happens to the result. */
export type ConvStore =
  /** It is stored, and its 2x2 maximum is stored as a further result. */
  | { kind: 'pool' }
  /**
   * The result is three logits, which correct the average of the frames. The last two inputs are the stack and the
   * response table. Only the picture is stored.
   */
  | ({ kind: 'picture' } & PictureAttrs);

export interface ConvAttrs {
  /**
   * Names of the layers. Each layer has the tensors `{name}.weight` [out, in/groups, kernel, kernel] and `{name}.bias`
   * [out].
   */
  weights: string | readonly string[];
  /** Output channels of a layer at one dilation. */
  channels: number;
  kernel: number;
  dilation?: number | readonly number[];
  /** With several dilations: whether each reads its own channels, one group after another in the input. */
  split?: boolean;
  groups?: number;
  activation?: Activation;
  /** Slope for negative values under leakyRelu. */
  slope?: number;
  read?: ConvRead;
  store?: ConvStore;
}

export function layersOf({ weights }: ConvAttrs): readonly string[] {
  return typeof weights === 'string' ? [weights] : weights;
}

export function dilationsOf({ dilation = 1 }: ConvAttrs): readonly number[] {
  return typeof dilation === 'number' ? [dilation] : dilation;
}

export function groupsOf({ groups = 1 }: ConvAttrs): number {
  return groups;
}

/** A node's inputs by their roles. */
export interface Roles<T> {
  /** The tensors that are convolved: one, or two one after another; none if the input is computed from the stack. */
  sources: readonly T[];
  stack?: T;
  response?: T;
}

export function rolesOf<T>({ read, store }: ConvAttrs, inputs: readonly T[]): Roles<T> {
  if (read?.kind === 'encoder' || read?.kind === 'pair') return { sources: [], stack: inputs[0], response: inputs[1] };
  if (read?.kind === 'masked') return { sources: inputs.slice(0, -1), stack: inputs[inputs.length - 1] };
  if (store?.kind === 'picture')
    return { sources: inputs.slice(0, -2), stack: inputs[inputs.length - 2], response: inputs[inputs.length - 1] };
  return { sources: inputs };
}

/** Channels that one layer at one dilation reads. */
export function inputChannels(attrs: ConvAttrs, inputs: readonly Shape[]): number {
  const { sources } = rolesOf(attrs, inputs);
  if (sources.length === 0) return 6;
  const all = sources.reduce((sum, { channels }) => sum + channels, 0);
  return attrs.split ? all / dilationsOf(attrs).length : all;
}

/** Whether a source has half the size of the output. */
export function isHalf(source: Shape, output: Shape): boolean {
  return source.width * 2 === output.width && source.height * 2 === output.height;
}

/** Shape of the output. @throws if the inputs do not fit. */
export function convShape(attrs: ConvAttrs, inputs: readonly Shape[]): Shape {
  const groups = groupsOf(attrs);
  const layers = layersOf(attrs);
  const dilations = dilationsOf(attrs);
  const name = layers.join();
  const fail = (what: string): Error => shapeError('conv2d', `${name}: ${what}`);
  const { sources, stack } = rolesOf(attrs, inputs);
  const size = sources.at(-1) ?? stack;
  if (!size || sources.length > 2) throw fail(`${sources.length} inputs, expected 1 or 2`);
  if (attrs.kernel % 2 !== 1) throw shapeError('conv2d', `kernel size ${attrs.kernel} of ${name} is not odd`);
  if (sources.length === 2) {
    if (sources[0].channels % 4 !== 0)
      throw fail(`a first input of ${sources[0].channels} channels is not a multiple of 4`);
    if (!isHalf(sources[0], size)) expectSameSize('conv2d', sources);
  }
  const channels = inputChannels(attrs, inputs);
  if (channels % groups !== 0 || attrs.channels % groups !== 0)
    throw fail(`${groups} groups do not divide ${channels} inputs and ${attrs.channels} outputs`);
  const parts = layers.length * dilations.length;
  if (parts > 1 && (attrs.channels % 4 !== 0 || groups > 1))
    throw fail(
      `${parts} outputs one after another of ${attrs.channels} channels and ${groups} groups, expected a multiple of ` +
        '4 and 1 group',
    );
  if (layers.length > 1 && dilations.length > 1)
    throw fail(`${layers.length} layers at ${dilations.length} dilations, one of the two must be 1`);
  const isFused = attrs.read ?? attrs.store ?? (sources.length > 1 || parts > 1);
  if (isFused && (attrs.kernel > 3 || groups > 1))
    throw fail(
      `a ${attrs.kernel}x${attrs.kernel} kernel in ${groups} groups is fused with nothing, expected at most 3x3 in 1 ` +
        'group',
    );
  if (attrs.split && (channels % 4 !== 0 || sources.length !== 1))
    throw fail(`split inputs of ${channels} channels in ${sources.length} tensors, expected a multiple of 4 in 1`);
  if (attrs.read?.kind === 'masked' && (layers.length !== 2 || channels % (4 * attrs.read.frames) !== 0))
    throw fail(
      `masked features of ${attrs.read.frames} frames in ${channels} channels for ${layers.length} layers, expected ` +
        'blocks of 4 a frame for 2 layers',
    );
  return { height: size.height, width: size.width, channels: attrs.channels * parts };
}

/** Shapes that a max-pooling store adds. */
export function convResults({ store }: ConvAttrs, output: Shape): Shape[] {
  return store?.kind === 'pool'
    ? [{ channels: output.channels, height: Math.floor(output.height / 2), width: Math.floor(output.width / 2) }]
    : [];
}

export function weightTensors(attrs: ConvAttrs, inputs: readonly Shape[]): WeightTensor[] {
  const perGroup = inputChannels(attrs, inputs) / groupsOf(attrs);
  return layersOf(attrs).flatMap((name) => [
    { name: `${name}.weight`, shape: [attrs.channels, perGroup, attrs.kernel, attrs.kernel] },
    { name: `${name}.bias`, shape: [attrs.channels] },
  ]);
}

/** Output blocks of one layer at one dilation. */
export function layerBlocks(attrs: ConvAttrs): number {
  return blocks(attrs.channels);
}
