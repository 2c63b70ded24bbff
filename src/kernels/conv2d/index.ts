/**
 * Convolution: stride 1, zero "same" padding, bias, activation; any odd kernel size, dilation, groups; and whatever is
 * fused into it (attrs.ts).
 */
import type { TunedKernel } from '../kernel.ts';
import {
  convResults,
  convShape,
  dilationsOf,
  groupsOf,
  inputChannels,
  layersOf,
  rolesOf,
  weightTensors,
} from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import { implementations } from './methods/index.ts';

export type { Activation, ConvAttrs, ConvRead, ConvStore } from './attrs.ts';

/** Layers like the network's. */
const SAMPLES: readonly (readonly [inputs: number, channels: number, kernel: number, more?: Partial<ConvAttrs>])[] = [
  [6, 32, 3],
  [32, 32, 3],
  [32, 32, 3, { dilation: 4 }],
  [32, 32, 3, { dilation: [1, 2, 4] }],
  [32, 32, 3, { store: { kind: 'pool' } }],
  [96, 32, 3],
  [32, 16, 3],
  [128, 128, 3],
  [32, 32, 1],
  [96, 32, 1],
];

export const conv2d: TunedKernel<ConvAttrs> = {
  samples: SAMPLES.map(([inputs, channels, kernel, more]) => ({
    attrs: { weights: 'w', channels, kernel, activation: 'leakyRelu', slope: 0.2, ...more },
    inputs: [inputs],
  })),
  shape: convShape,
  results: (attrs, inputs) => convResults(attrs, convShape(attrs, inputs)),
  weights: weightTensors,
  /**
   * Features may be f32 or f16. Frames, masks and the response are f32: halves are too coarse for dark pixels of a long
   * exposure.
   */
  storage(attrs, inputs) {
    const { sources } = rolesOf(
      attrs,
      Array.from({ length: inputs }, (_, i) => i),
    );
    return { output: 'any', inputs: Array.from({ length: inputs }, (_, i) => (sources.includes(i) ? 'any' : 'f32')) };
  },
  /** The class is what decides the use of registers and loops: kernel, channels, fused operations. */
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
    return (
      output.height *
      output.width *
      output.channels *
      (inputChannels(attrs, inputs) / groupsOf(attrs)) *
      attrs.kernel ** 2
    );
  },
  implementations: (attrs, inputs, target) => implementations({ attrs, inputs, target }),
};
