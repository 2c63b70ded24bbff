/**
 * The global memory (spec: Global memory): every encoder layer of every frame is written to it, and every fusion layer
 * reads all of it.
 *
 * Writing costs nothing: it is placement. `fixed` writes frame k's layer into slot k of the layer's memory tensor;
 * `any` keeps the mean and the maximum over frames, updated in place as frames arrive. There is one tensor per layer
 * (slots in the spec's order), so that none exceeds a binding's size.
 */
import type { GraphNode } from '../graph/graph.ts';
import { ENCODER_LAYERS } from './encoder.ts';
import { conv, tensorName } from './part.ts';
import type { Network } from './part.ts';

/** How the names of the layers begin that write to the memory. */
export const WRITERS = 'memory.write.';

/** The names of the memory's layers. */
export interface MemoryNames {
  /** Of the layer that writes frame k's encoder layer l, both counted from 1. */
  write(layer: number, frame: number): string;
  /** Of the layer of a reader, e.g. `static.1`. */
  read(reader: string): string;
}

function ownNames({ config }: Network): MemoryNames {
  return {
    write: (layer, frame) => `${WRITERS}${layer}${config.variant === 'fixed' ? `.${frame}` : ''}`,
    read: (reader) => `memory.read.${reader}`,
  };
}

export interface Memory {
  /** Writes f_{l,k}. Frames arrive in order. */
  write(layer: number, frame: number, features: GraphNode): void;
  /** R(M) for reader `name`, e.g. `static.1`. All writes must come before. */
  read(name: string): GraphNode;
}

export function memory(net: Network, names = ownNames(net)): Memory {
  const { graph, config, scene } = net;
  const frames = scene.taus.length;
  const writes: GraphNode[][] = Array.from({ length: ENCODER_LAYERS }, () => []);
  let tensors: GraphNode[] | undefined;

  const writeSlot = (layer: number, frame: number, features: GraphNode): void => {
    const name = `v.${layer}.${frame + 1}`;
    const weights = names.write(layer, frame + 1);
    const written = conv(net, name, features, config.width, 1, { weights });
    const slots = writes[layer - 1];
    if (config.variant === 'fixed') slots.push(written);
    else
      slots[0] = graph.add(`${name} mean max`, 'meanMax', frame === 0 ? [written] : [written, slots[0]], {
        index: frame,
        count: frames,
      });
  };

  const read = (name: string): GraphNode => {
    tensors ??= writes.map((slots, i) => graph.concat(`memory.${i + 1}`, slots));
    return graph.add(`read.${name}`, 'groupedRead', tensors, {
      readers: [tensorName(net, names.read(name))],
      channels: config.width,
    });
  };

  return { write: writeSlot, read };
}
