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

function fuse(net: Network, side: 'static' | 'dynamic', input: GraphNode, mem: Memory): GraphNode {
  const { width } = net.config;
  let x = conv(net, `fuse.${side}.0`, input, width, 3);
  for (let j = 1; j <= READS; j++) {
    const joined = net.graph.concat(`fuse.${side}.${j} input`, [x, mem.read(`${side}.${j}`)]);
    x = conv(net, `fuse.${side}.${j}`, joined, width, 3);
  }
  return x;
}

/** Encodes every frame, writes the memory, and fuses: S_f and D_f. */
export function fusion(net: Network, encode: Encoder): { still: GraphNode; moving: GraphNode } {
  const { graph, config, scene, stack } = net;
  const frames = scene.taus.length;
  const mem = memory(net);
  const masked = { still: [] as GraphNode[], moving: [] as GraphNode[] };
  for (let frame = 0; frame < frames; frame++) {
    const features = encode(frame, (layer, f) => mem.write(layer, frame, f));
    for (const keep of ['still', 'moving'] as const) {
      const name = `${keep === 'still' ? 'S' : 'D'}.${frame + 1}`;
      const part = graph.add(name, 'maskMultiply', [features, stack], { frame, keep });
      const parts = masked[keep];
      if (config.variant === 'fixed') parts.push(part);
      else
        parts[0] = graph.add(`${name} mean max`, 'meanMax', frame === 0 ? [part] : [part, parts[0]], {
          index: frame,
          count: frames,
        });
    }
  }
  const still = fuse(net, 'static', graph.concat('S', masked.still), mem);
  const moving = fuse(net, 'dynamic', graph.concat('D', masked.moving), mem);
  return { still, moving };
}
