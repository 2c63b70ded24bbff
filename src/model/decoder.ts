/**
 * D, the decoder (spec: D): three densely connected blocks of shared dilated convolutions (SDC), each runs the same
 * three convolutions at dilations 1, 2 and 4. Then a 1x1 convolution gives the picture's logits.
 */
import type { GraphNode } from '../graph/graph.ts';
import { conv, tensorName } from './part.ts';
import type { Network } from './part.ts';

export const BLOCKS = 3;
const DILATIONS = [1, 2, 4];
const CONVS = 3;

/** One block of shared dilated convolutions. */
export function sdc(net: Network, index: number, input: GraphNode): GraphNode {
  const name = `sdc.${index}`;
  const weights = `decoder.sdc${index}`;
  const runs = DILATIONS.map((dilation) => {
    let x = input;
    for (let i = 1; i <= CONVS; i++)
      x = conv(net, `${name}.d${dilation}.${i}`, x, net.config.width, 3, { weights: `${weights}.${i}`, dilation });
    return x;
  });
  return conv(net, name, net.graph.concat(`${name}.runs`, runs), net.config.width, 1, { weights: `${weights}.merge` });
}

/** Rows around a pixel that it depends on: three kernels of 3x3 at dilation 4 in each of three blocks. */
export const DECODER_HALO = BLOCKS * CONVS * Math.max(...DILATIONS);

/** Densely connected blocks on Z: u_b is Z with the outputs of all blocks before. Output: all blocks' outputs. */
export function sdcDense(net: Network, z: GraphNode): GraphNode {
  const { graph } = net;
  const outs: GraphNode[] = [];
  for (let b = 1; b <= BLOCKS; b++) outs.push(sdc(net, b, graph.concat(`sdc.${b} input`, [z, ...outs])));
  return graph.concat('decoder.out input', outs);
}

/** The last convolution. Output: [3, H, W], logits o with base `merge`, else Y = sigmoid(o). */
export function decoded(net: Network, x: GraphNode): GraphNode {
  if (net.config.base === 'merge') return conv(net, 'o', x, 3, 1, { act: false, weights: 'decoder.out' });
  return net.graph.add('Y', 'conv2d', [x], {
    weights: tensorName(net, 'decoder.out'),
    channels: 3,
    kernel: 1,
    activation: 'sigmoid',
  });
}
