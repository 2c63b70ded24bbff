/** Packing OIHW weights for the methods' loop orders. */
import type { PackedWeights } from '../kernel.ts';
import { blocks } from '../tensor.ts';
import type { DType } from '../tensor.ts';
import { layersOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';

/** How a method lays out its weights in memory. */
export interface Packing {
  /** Names the order: layers with the same tensors in the same order share their packed weights. */
  order: string;
  dtype?: DType;
  /** Texels per row, if the weights are stored as a texture. */
  row?: number;
  /** @param layers OIHW weights of each layer. */
  pack(layers: readonly Float32Array[]): Float32Array<ArrayBuffer>;
}

/** Joins arrays, each padded with zeros to whole blocks. */
export function padTo4(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const length = blocks(parts[0].length) * 4;
  const padded = new Float32Array(length * parts.length);
  parts.forEach((values, i) => padded.set(values, i * length));
  return padded;
}

/** A node's weights in a method's packing, and its biases, which are always f32. */
export function packedWeights(
  attrs: ConvAttrs,
  { order, dtype = 'f32', row, pack }: Packing,
): [weights: PackedWeights, bias: PackedWeights] {
  const layers = layersOf(attrs);
  const tensors = (part: string): string[] => layers.map((layer) => `${layer}.${part}`);
  return [
    {
      key: `${tensors('weight').join()}:${order}:${dtype}`,
      dtype,
      row,
      pack: (tensor) => pack(tensors('weight').map(tensor)),
    },
    { key: `${tensors('bias').join()}:vec4`, pack: (tensor) => padTo4(tensors('bias').map(tensor)) },
  ];
}

/**
 * Packs [out][in][position] (OIHW, or transformed) to [out group][in block][position][in lane][out block of the group]
 * of vec4 (four outputs), layers one after another.
 * @param out output blocks of a group.
 * @param isBlockFirst whether an input block's weights come output block by output block: [out block][position][lane].
 */
export function packTiles(
  layers: readonly Float32Array[],
  channels: number,
  inputs: number,
  positions: number,
  out: number,
  isBlockFirst = false,
): Float32Array<ArrayBuffer> {
  const groups = blocks(channels) / out;
  const inBlocks = blocks(inputs);
  const layerSize = groups * inBlocks * positions * 16 * out;
  const packed = new Float32Array(layers.length * layerSize);
  layers.forEach((weight, layer) => {
    for (let o = 0; o < channels; o++) {
      const group = Math.floor(o / (4 * out));
      const block = Math.floor(o / 4) % out;
      for (let i = 0; i < inputs; i++) {
        for (let position = 0; position < positions; position++) {
          const [from, at] = [(group * inBlocks + (i >> 2)) * positions * out, 4 * position + (i & 3)];
          const vec = 4 * from + (isBlockFirst ? 4 * positions * block + at : at * out + block);
          packed[layer * layerSize + vec * 4 + (o & 3)] = weight[(o * inputs + i) * positions + position];
        }
      }
    }
  });
  return packed;
}
