/**
 * Shared by all parts of the network: the scene they are built for, their inputs, and their convolution.
 *
 * Graphs read a **stack**: frame k is block k, (R, G, B, W_k). The segmentation graph ignores W.
 */
import { GraphBuilder } from '../graph/graph.ts';
import type { GraphNode } from '../graph/graph.ts';
import { TABLE_SIZE } from '../kernels/exposure.ts';
import type { FrameAttrs } from '../kernels/exposure.ts';
import { checkFrameCount } from '../weights/config.ts';
import type { NetworkConfig } from '../weights/config.ts';

/** What a graph is built for: a stack of frames in one size. It includes the exposures and the size of tiles. */
export interface Scene extends FrameAttrs {
  /** tau_k = t_k / t_1, shortest first. */
  taus: readonly number[];
  /** Index of the reference frame. */
  reference: number;
  /** Whether samples are linear light, for the gate. */
  linear?: boolean;
  /** Added to S's logits; 0 if absent. */
  logitShift?: number;
  /** Whether a frame may lack data somewhere. */
  covered?: boolean;
  /** Whether the stack's W are maps that were given, not the network's own. */
  motionGiven?: boolean;
  width: number;
  height: number;
}

/** Names of the graphs' inputs. */
export const STACK = 'stack';
export const RESPONSE = 'response';

/** A graph being built, with what every part of the network needs. */
export interface Network {
  graph: GraphBuilder;
  config: NetworkConfig;
  scene: Scene;
  stack: GraphNode;
  response: GraphNode;
}

/** A new graph with the inputs that all graphs have. */
export function frames(scene: Scene): Pick<Network, 'graph' | 'stack' | 'response'> {
  const graph = new GraphBuilder();
  const { width, height, reference } = scene;
  let stack = graph.input(STACK, { channels: 4 * scene.taus.length, height, width });
  if (scene.covered && scene.motionGiven) stack = graph.add('stack covered', 'coveredStack', [stack], { reference });
  const response = graph.input(RESPONSE, { channels: 4, height: 1, width: TABLE_SIZE });
  return { graph, stack, response };
}

/** Begins a network's graph. @throws InputError if the variant cannot take this many frames. */
export function begin(config: NetworkConfig, scene: Scene): Network {
  checkFrameCount(config, scene.taus.length);
  return { ...frames(scene), config, scene };
}

/** The name of weights as the device knows them. */
export function tensorName({ config }: Pick<Network, 'config'>, name: string): string {
  return (config.prefix ?? '') + name;
}

/** A convolution of the network: `act` is LeakyReLU with the file's slope. */
export function conv(
  net: Network,
  name: string,
  x: GraphNode,
  channels: number,
  kernel: number,
  options: { act?: boolean; weights?: string; dilation?: number } = {},
): GraphNode {
  const { act = true, weights = name, dilation = 1 } = options;
  return net.graph.add(name, 'conv2d', [x], {
    weights: tensorName(net, weights),
    channels,
    kernel,
    dilation,
    activation: act ? 'leakyRelu' : 'none',
    slope: net.config.slope,
  });
}

/** The attributes of a scene that kernels reading frames take. */
export function frameAttrs({ gamma, useResponse }: Scene): FrameAttrs {
  return { gamma, useResponse };
}
