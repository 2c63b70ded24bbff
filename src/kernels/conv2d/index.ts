/** Convolution: stride 1, zero "same" padding, bias, activation; any odd kernel size, dilation, groups; and what it is fused with (attrs.ts). */
import type { Dispatch, Kernel, Lowering } from '../kernel.ts';
import { convResults, convShape, dilationsOf, groupsOf, inputChannels, layersOf, weightTensors } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import { generalDispatch } from './general.ts';
import { isMatrix } from './matrices.ts';
import { tiledDispatch } from './program.ts';
import { candidates, variantNames } from './variants.ts';
import { packedWeights } from './weights.ts';

export type { Activation, ConvAttrs, ConvRead, ConvStore } from './attrs.ts';

export const conv2d: Kernel<ConvAttrs> = {
  shape: convShape,
  results: (attrs, inputs) => convResults(attrs, convShape(attrs, inputs)),
  weights: weightTensors,
  packed: packedWeights,
  variants: variantNames,
  /** By what decides about registers and loops: kernel, channels, what it is fused with. */
  shapeClass(attrs, inputs, { precision = 'f32' }) {
    const { kernel, channels, read, store } = attrs;
    const dilations = dilationsOf(attrs);
    const layers = layersOf(attrs).length;
    const parts = [`conv2d ${kernel}x${kernel} ${inputChannels(attrs, inputs)}>${channels}`];
    if (layers > 1) parts.push(`${layers} layers`);
    if (dilations.length > 1) parts.push(`${dilations.length} dilations`);
    else if (dilations[0] > 1) parts.push('dilated');
    if (groupsOf(attrs) > 1) parts.push(`${groupsOf(attrs)} groups`);
    if (read) parts.push(read.kind);
    else if (inputs.length > 1 && !store) parts.push('two inputs');
    if (store) parts.push(store.kind);
    if (precision === 'f16') parts.push('f16');
    return parts.join(' ');
  },
  multiplyAdds(attrs, inputs, output) {
    return output.height * output.width * output.channels * (inputChannels(attrs, inputs) / groupsOf(attrs)) * attrs.kernel ** 2;
  },
  lower({ attrs, inputs, output, results, target, variant: name }: Lowering<ConvAttrs>): Dispatch {
    const shapes = inputs.map((input) => input.shape);
    const weights = packedWeights(attrs, shapes, target, name);
    const variant = candidates(attrs, shapes, target).get(name);
    if (isMatrix(variant)) return variant.matrices.conv2d.dispatch(variant, attrs, inputs, output, results, weights);
    return variant ? tiledDispatch(variant, attrs, inputs, output, results, weights) : generalDispatch(attrs, inputs[0], output, weights);
  },
};
