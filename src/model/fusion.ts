/**
 * F_S and F_D, fusion of still and of moving regions (spec: F_S and F_D): two networks of the same form with separate
 * weights. One reads the encoder's features times the masks, the other times the inverse masks; both read the same
 * memory.
 */
import type { GraphNode } from '../graph/graph.ts';
import type { Encoder } from './encoder.ts';
import { memory } from './memory.ts';
import type { Memory } from './memory.ts';
import { conv } from './part.ts';
import type { Network } from './part.ts';

/** Convolutions after the first. Each takes its input concatenated with a read of the memory. */
const READS = 3;
/** All have 3x3 kernels. */
export const FUSION_HALO = READS + 1;

/** What a fusion network is made of. */
export interface FuseOptions {
  /** The nodes' names: `static`, `dynamic`. */
  side: string;
  /** The weights' names. */
  weights?: string;
  /** Absent: without a memory. */
  memory?: Memory;
}

/** One fusion network on features of all frames. */
export function fuse(net: Network, input: GraphNode, { side, weights = side, memory: mem }: FuseOptions): GraphNode {
  const { width } = net.config;
  let x = conv(net, `fuse.${side}.0`, input, width, 3, { weights: `fuse.${weights}.0` });
  for (let j = 1; j <= READS; j++) {
    const joined = mem ? net.graph.concat(`fuse.${side}.${j} input`, [x, mem.read(`${weights}.${j}`)]) : x;
    x = conv(net, `fuse.${side}.${j}`, joined, width, 3, { weights: `fuse.${weights}.${j}` });
  }
  return x;
}

/** Collects features of one kind over frames: side by side for `fixed`, as mean and maximum for `any`. */
export class Features {
  readonly #net: Network;
  readonly #name: string;
  readonly #parts: GraphNode[] = [];

  /** @param name of the kind: `S`, `D`. */
  constructor(net: Network, name: string) {
    this.#net = net;
    this.#name = name;
  }

  /** Adds the features of the next frame, counted from 0. */
  add(frame: number, features: GraphNode): void {
    const { graph, config, scene } = this.#net;
    if (config.variant === 'fixed') this.#parts.push(features);
    else
      this.#parts[0] = graph.add(
        `${this.#name}.${frame + 1} mean max`,
        'meanMax',
        frame === 0 ? [features] : [features, this.#parts[0]],
        { index: frame, count: scene.taus.length },
      );
  }

  /** All of them as one tensor. */
  joined(): GraphNode {
    return this.#net.graph.concat(this.#name, this.#parts);
  }
}

/** Encodes every frame, writes the memory, and multiplies the features by the masks. Output: S and D of all frames. */
export function maskedFeatures(net: Network, encode: Encoder, mem?: Memory): { still: GraphNode; moving: GraphNode } {
  const { graph, scene, stack } = net;
  const masked = { still: new Features(net, 'S'), moving: new Features(net, 'D') };
  for (let frame = 0; frame < scene.taus.length; frame++) {
    const features = encode(frame, (layer, f) => mem?.write(layer, frame, f));
    for (const keep of ['still', 'moving'] as const) {
      const name = `${keep === 'still' ? 'S' : 'D'}.${frame + 1}`;
      masked[keep].add(frame, graph.add(name, 'maskMultiply', [features, stack], { frame, keep }));
    }
  }
  return { still: masked.still.joined(), moving: masked.moving.joined() };
}

/** Z: D_f where the union mask says that something moves, S_f elsewhere. */
export function blended({ graph, scene, stack }: Network, still: GraphNode, moving: GraphNode): GraphNode {
  return graph.add('Z', 'blend', [moving, still, stack], { frame: scene.reference });
}

/** Encodes every frame, writes the memory, and fuses: Z. */
export function fusion(net: Network, encode: Encoder): GraphNode {
  const mem = memory(net);
  const { still, moving } = maskedFeatures(net, encode, mem);
  const fused = (side: string, features: GraphNode): GraphNode => fuse(net, features, { side, memory: mem });
  return blended(net, fused('static', still), fused('dynamic', moving));
}
