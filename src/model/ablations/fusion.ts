/** Fusion without maps (A3), with one network for both sides, and with less memory (A8; the paper's Table III). */
import type { GraphNode } from '../../graph/graph.ts';
import type { Ablation } from '../../weights/config.ts';
import type { Encoder } from '../encoder.ts';
import { Features, blended, fuse, maskedFeatures } from '../fusion.ts';
import { memory } from '../memory.ts';
import type { Memory, MemoryNames } from '../memory.ts';
import type { Network } from '../part.ts';
import type { NetworkParts } from '../parts.ts';

/** One layer for all writes and one for all reads. */
const SHARED: MemoryNames = { write: () => 'memory.write', read: () => 'memory.read' };

/** Each reader's read once, though both sides ask for it: with shared weights it is the same tensor. */
function readOnce(mem: Memory, name: (reader: string) => string): Memory {
  const known = new Map<string, GraphNode>();
  return {
    write: mem.write,
    read(reader) {
      const key = name(reader);
      const node = known.get(key) ?? mem.read(reader);
      known.set(key, node);
      return node;
    },
  };
}

function memoryOf(net: Network, kind: Ablation['memory']): Memory | undefined {
  if (kind === 'none') return undefined;
  return kind === 'full'
    ? readOnce(memory(net), (reader) => reader)
    : readOnce(memory(net, SHARED), () => 'memory.read');
}

/** A3: the features of all frames in one network. */
function unmasked(net: Network, encode: Encoder, mem: Memory | undefined): GraphNode {
  const features = new Features(net, 'E');
  for (let frame = 0; frame < net.scene.taus.length; frame++)
    features.add(
      frame,
      encode(frame, (layer, f) => mem?.write(layer, frame, f)),
    );
  return fuse(net, features.joined(), { side: 'all', memory: mem });
}

/** The fusion of an ablation. */
export function ablatedFusion({ segmentation, memory: kind, fusion }: Ablation): NetworkParts['fusion'] {
  return (net, encode) => {
    const mem = memoryOf(net, kind);
    if (segmentation === 'none') return unmasked(net, encode, mem);
    const { still, moving } = maskedFeatures(net, encode, mem);
    const fused = (side: string, features: GraphNode): GraphNode =>
      fuse(net, features, { side, weights: fusion === 'shared' ? 'shared' : side, memory: mem });
    return blended(net, fused('static', still), fused('dynamic', moving));
  };
}
