/**
 * D, the decoder (spec: D): three densely connected blocks of shared dilated convolutions (SDC), each runs the same
 * three convolutions at dilations 1, 2 and 4. Then a 1x1 convolution gives the picture's logits.
 */
import type { GraphNode } from '../graph/graph.ts';
import { conv } from './part.ts';
import type { Network } from './part.ts';

const BLOCKS = 3;
const DILATIONS = [1, 2, 4];
const CONVS = 3;

function sdc(net: Network, index: number, input: GraphNode): GraphNode {
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

/**
 * Blends S_f and D_f by the union mask and decodes. Output: [3, H, W], logits o with base `merge`, else Y = sigmoid(o).
 */
export function decoder(net: Network, still: GraphNode, moving: GraphNode): GraphNode {
  const { graph, scene, stack, config } = net;
  const z = graph.add('Z', 'blend', [moving, still, stack], { frame: scene.reference });
  const outs: GraphNode[] = [];
  for (let b = 1; b <= BLOCKS; b++) outs.push(sdc(net, b, graph.concat(`sdc.${b} input`, [z, ...outs])));
  const joined = graph.concat('decoder.out input', outs);
  if (config.base === 'merge') return conv(net, 'o', joined, 3, 1, { act: false, weights: 'decoder.out' });
  return graph.add('Y', 'conv2d', [joined], { weights: 'decoder.out', channels: 3, kernel: 1, activation: 'sigmoid' });
}
