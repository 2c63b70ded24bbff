/** E, the shared encoder (spec: E): four 3x3 convolutions on `concat(X_k, lin_k)`, the same for every frame. */
import type { GraphNode } from '../graph/graph.ts';
import { conv, frameAttrs } from './part.ts';
import type { Network } from './part.ts';

/** Layers of the encoder. */
export const ENCODER_LAYERS = 4;
/** Each has a 3x3 kernel. */
export const ENCODER_HALO = ENCODER_LAYERS;

/** Builds frame k's layers in order, f_{1,k} .. f_{4,k}; calls `each` for every layer as it is built. */
export type Encoder = (frame: number, each: (layer: number, features: GraphNode) => void) => GraphNode;

/**
 * An encoder that builds frames on demand. The layers of one frame are written to the global memory before the next
 * frame begins, so only one frame's features are alive at a time.
 */
export function encoder(net: Network): Encoder {
  return (frame, each) => {
    const tau = net.scene.taus[frame];
    let x = net.graph.add(`input.${frame + 1}`, 'encoderInput', [net.stack, net.response], {
      ...frameAttrs(net.scene),
      frame,
      tau,
    });
    for (let layer = 1; layer <= ENCODER_LAYERS; layer++) {
      x = conv(net, `f.${layer}.${frame + 1}`, x, net.config.width, 3, { weights: `encoder.${layer}` });
      each(layer, x);
    }
    return x;
  };
}
