/** A checkpoint's tensors as layers: which bias belongs to which kernel, and how its kernels are laid out. */
import type { Checkpoint, KernelLayout, SourceTensor } from './checkpoint.ts';

/** A tensor with its name and its shape in OIHW. */
export interface LaidOut {
  name: string;
  tensor: SourceTensor;
  shape: readonly number[];
}

/** A convolution of a checkpoint. */
export interface Layer {
  weight: LaidOut;
  bias: LaidOut;
}

const WEIGHT = /^(weights?|kernel|w|0)$/i;
const BIAS = /^(bias(es)?|b|1)$/i;

/** The steps of a name: `module.encoder/conv2d_1/kernel:0` is module, encoder, conv2d_1, kernel. */
export function stepsOf(name: string): string[] {
  return name
    .replace(/:\d+$/, '')
    .split(/[./\\]+/)
    .filter((step) => step !== '');
}

/** A name as the network's names are: steps joined by dots, kernels called weights. */
export function plainName(name: string): string {
  const steps = stepsOf(name);
  const last = steps.at(-1) ?? '';
  if (/^(kernel|weights|w)$/i.test(last)) steps[steps.length - 1] = 'weight';
  if (/^(biases|b)$/i.test(last)) steps[steps.length - 1] = 'bias';
  return steps.join('.');
}

/** Axes of HWIO in the order of OIHW. */
const TO_OIHW = [3, 2, 0, 1];

/** A shape in OIHW; those that are not of kernels stay. */
export function oihw(shape: readonly number[], layout: KernelLayout): readonly number[] {
  return layout === 'HWIO' && shape.length === 4 ? TO_OIHW.map((axis) => shape[axis]) : shape;
}

/** Strides, in values, that read an HWIO kernel in the order of OIHW. */
export function hwioStrides([, width, input, output]: readonly number[]): number[] {
  return [1, output, width * input * output, input * output];
}

/**
 * The layout that the kernels show: their height and width are 1 or 3, at the end or at the start. Where they show
 * nothing, the format's own.
 */
export function layoutOf({ tensors, layout }: Pick<Checkpoint, 'tensors' | 'layout'>): KernelLayout {
  const isSize = (a: number, b: number): boolean => a === b && (a === 1 || a === 3);
  let [first, last] = [0, 0];
  for (const { shape } of tensors.values()) {
    if (shape.length !== 4) continue;
    const [atStart, atEnd] = [isSize(shape[0], shape[1]), isSize(shape[2], shape[3])];
    if (atStart && !atEnd) first++;
    if (atEnd && !atStart) last++;
  }
  return first === last ? layout : first > last ? 'HWIO' : 'OIHW';
}

/**
 * Pairs kernels with biases: by their names, which differ in the last step alone, or because they are neighbours in
 * the file. What is left is no convolution with a bias.
 */
export function layersOf(tensors: readonly LaidOut[]): { layers: Layer[]; rest: LaidOut[] } {
  const biases = new Map<string, LaidOut>();
  for (const item of tensors) {
    const steps = stepsOf(item.name);
    if (item.shape.length === 1 && BIAS.test(steps.at(-1) ?? '')) biases.set(steps.slice(0, -1).join('.'), item);
  }
  // Neighbours: the bias follows its kernel, or, where the file begins with one, precedes it.
  const after = tensors.find(({ shape }) => shape.length === 4 || shape.length === 1)?.shape.length === 1 ? -1 : 1;
  const taken = new Set<LaidOut>();
  const layers: Layer[] = [];
  const pair = (weight: LaidOut, bias: LaidOut | undefined): boolean => {
    if (!bias || taken.has(bias) || bias.shape.length !== 1 || bias.shape[0] !== weight.shape[0]) return false;
    taken.add(weight).add(bias);
    layers.push({ weight, bias });
    return true;
  };
  tensors.forEach((weight, i) => {
    if (weight.shape.length !== 4) return;
    const steps = stepsOf(weight.name);
    const byName = WEIGHT.test(steps.at(-1) ?? '') ? biases.get(steps.slice(0, -1).join('.')) : undefined;
    if (!pair(weight, byName)) pair(weight, tensors[i + after]);
  });
  return { layers, rest: tensors.filter((item) => !taken.has(item)) };
}
