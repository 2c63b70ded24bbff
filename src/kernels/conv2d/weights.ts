/** Packing OIHW weights for the kernels' loop orders. */
import { blocks } from '../kernel.ts';
import type { PackedWeights, Shape, Target } from '../kernel.ts';
import { inputChannels, layersOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import { isMatrix } from './matrices.ts';
import { candidates, kernelVectors } from './variants.ts';
import { POSITIONS, transformKernels } from './winograd.ts';

/** [out][in][tap] (OIHW, or transformed) to [out group][in block][tap][in lane][out block of the group] of vec4 (four outputs), layers one after another. */
function packTiled(layers: readonly Float32Array[], channels: number, inputs: number, taps: number, out: number): Float32Array<ArrayBuffer> {
  const groups = blocks(channels) / out;
  const inBlocks = blocks(inputs);
  const layerSize = groups * inBlocks * taps * 16 * out;
  const packed = new Float32Array(layers.length * layerSize);
  layers.forEach((weight, layer) => {
    for (let o = 0; o < channels; o++) {
      const group = Math.floor(o / (4 * out));
      const block = Math.floor(o / 4) % out;
      for (let i = 0; i < inputs; i++) {
        for (let tap = 0; tap < taps; tap++) {
          const vec = ((group * inBlocks + (i >> 2)) * taps + tap) * 4 * out + (i & 3) * out + block;
          packed[layer * layerSize + vec * 4 + (o & 3)] = weight[(o * inputs + i) * taps + tap];
        }
      }
    }
  });
  return packed;
}

/** Each padded with zeros to whole blocks, one after another. */
function padTo4(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const length = blocks(parts[0].length) * 4;
  const padded = new Float32Array(length * parts.length);
  parts.forEach((values, i) => padded.set(values, i * length));
  return padded;
}

/** A layer's weights and biases. Weights are stored in the plan's precision, biases in f32. */
export function packedWeights(attrs: ConvAttrs, inputs: readonly Shape[], target: Target, name: string): PackedWeights[] {
  const layers = layersOf(attrs);
  const variant = candidates(attrs, inputs, target).get(name);
  const dtype = variant ? (target.precision ?? 'f32') : 'f32';
  const channels = inputChannels(attrs, inputs);
  const onMatrices = isMatrix(variant) ? variant.matrices.conv2d.weights(attrs, inputs, variant) : undefined;
  const tiled = variant ? `${variant.winograd ? 'winograd' : 'tiled'}${variant.out}${variant.memory === 'subgroup' ? ' texture' : ''}` : 'oihw';
  return [
    {
      key: `${layers.map((layer) => `${layer}.weight`).join()}:${onMatrices?.order ?? tiled}:${dtype}`,
      dtype,
      row: variant?.memory === 'subgroup' ? kernelVectors(variant, attrs.kernel) : undefined,
      pack: (tensor) => {
        const weights = layers.map((layer) => tensor(`${layer}.weight`));
        if (onMatrices) return onMatrices.pack(weights);
        if (variant?.winograd) return packTiled(weights.map(transformKernels), attrs.channels, channels, POSITIONS, variant.out);
        return variant ? packTiled(weights, attrs.channels, channels, attrs.kernel ** 2, variant.out) : padTo4(weights);
      },
    },
    { key: `${layers.map((layer) => `${layer}.bias`).join()}:vec4`, pack: (tensor) => padTo4(layers.map((layer) => tensor(`${layer}.bias`))) },
  ];
}
