/** Decoders in the place of dense SDC blocks: A9, A10 and A11 of the paper's Table II. */
import type { GraphNode } from '../../graph/graph.ts';
import { BLOCKS, sdc } from '../decoder.ts';
import { conv } from '../part.ts';
import type { Network } from '../part.ts';

/** A11: each block reads the one before alone. */
export function sdcChain(net: Network, z: GraphNode): GraphNode {
  let x = z;
  for (let b = 1; b <= BLOCKS; b++) x = sdc(net, b, x);
  return x;
}

const CONVS = 9;
/** 3x3 kernels. */
export const VANILLA_HALO = CONVS;

/** A9: nine 3x3 convolutions. */
export function vanilla(net: Network, z: GraphNode): GraphNode {
  let x = z;
  for (let i = 1; i <= CONVS; i++) x = conv(net, `decoder.conv${i}`, x, net.config.width, 3);
  return x;
}

const RESIDUAL_BLOCKS = 4;
/** Two 3x3 kernels a block. */
export const RESNET_HALO = 2 * RESIDUAL_BLOCKS;

/** A10: four blocks `u = act(u + conv2(act(conv1(u))))`. */
export function resnet(net: Network, z: GraphNode): GraphNode {
  const { width, slope } = net.config;
  let u = z;
  for (let b = 1; b <= RESIDUAL_BLOCKS; b++) {
    const first = conv(net, `decoder.res${b}.1`, u, width, 3);
    const second = conv(net, `decoder.res${b}.2`, first, width, 3, { act: false });
    u = net.graph.add(`res.${b}`, 'residual', [u, second], { slope });
  }
  return u;
}
