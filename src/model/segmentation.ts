/**
 * S, motion segmentation (spec: S): for each frame except the reference, a U-Net reads the frame (aligned to the
 * reference's exposure) and the reference, and gives the logit of "something moved here". If the weights have a gate,
 * it multiplies the maps by the evidence in the samples themselves.
 */
import type { GraphNode } from '../graph/graph.ts';
import type { GateConfig } from '../weights/config.ts';
import { conv, frameAttrs } from './part.ts';
import type { Network } from './part.ts';

/** How many pixels away a motion map still depends on its input, on the U-Net's grid; this includes the gate's 10. */
export const SEGMENTATION_TILES = { halo: 96, grid: 16 };

/** Two 3x3 convolutions with activation. */
function block(net: Network, name: string, weights: string, x: GraphNode, channels: number): GraphNode {
  const first = conv(net, `${name}.1`, x, channels, 3, { weights: `${weights}.1` });
  return conv(net, `${name}.2`, first, channels, 3, { weights: `${weights}.2` });
}

/** A U-Net of four levels. `name` is unique to the frame, `weights` to the network. */
function unet(net: Network, name: string, weights: string, input: GraphNode): GraphNode {
  const { graph, config } = net;
  const skips: GraphNode[] = [];
  let x = input;
  config.segWidths.forEach((channels, i) => {
    const skip = block(net, `${name}.enc${i + 1}`, `${weights}.enc${i + 1}`, x, channels);
    skips.push(skip);
    x = graph.add(`${name}.pool${i + 1}`, 'maxPool', [skip], {});
  });
  x = block(net, `${name}.mid`, `${weights}.mid`, x, config.segWidths[3]);
  for (let level = 4; level >= 1; level--) {
    const up = graph.add(`${name}.up${level}`, 'upsample', [x], {});
    const joined = graph.concat(`${name}.join${level}`, [up, skips[level - 1]]);
    x = block(net, `${name}.dec${level}`, `${weights}.dec${level}`, joined, config.segWidths[level - 1]);
  }
  return conv(net, `logit.${name.slice(2)}`, x, 1, 1, { act: false, weights: `${weights}.out` });
}

/** Evidence of motion b in each frame, [frames, H, W] (spec: Gate): `mean9x9(max9x9(mean5x5(e)))`. */
function evidence({ graph, scene, stack, response }: Network, { codes, relative }: GateConfig): GraphNode {
  const { taus, reference, linear = false } = scene;
  let x = graph.add('gate evidence', 'gateEvidence', [stack, response], {
    ...frameAttrs(scene),
    taus,
    reference,
    linear,
    codes,
    relative,
  });
  for (const [of, size] of [
    ['mean', 5],
    ['maximum', 9],
    ['mean', 9],
  ] as const) {
    for (const axis of ['x', 'y'] as const)
      x = graph.add(`gate ${of} of ${size} in ${axis}`, 'gateWindow', [x], { of, radius: (size - 1) / 2, axis });
  }
  return x;
}

/** Motion maps of all frames, [frames, H, W]. */
export function segmentation(net: Network): GraphNode {
  const { graph, config, scene } = net;
  const { taus, reference, covered, logitShift = 0 } = scene;
  const { gate } = config;
  const binary = config.maskMode === 'binary';
  const frames = taus.length;
  let masks: GraphNode | undefined;
  for (let frame = 0; frame < frames; frame++) {
    if (frame === reference) continue;
    const k = frame + 1;
    const pair = graph.add(`pair.${k}`, 'alignedPair', [net.stack, net.response], {
      ...frameAttrs(scene),
      frame,
      reference,
      ratio: taus[reference] / taus[frame],
    });
    const sided = frame < reference ? 'seg.short' : 'seg.long';
    const logit = unet(net, `s.${k}`, config.variant === 'any' ? 'seg.any' : sided, pair);
    masks = graph.add(`masks.${k}`, 'collectMask', masks ? [logit, masks] : [logit], {
      frames,
      frame,
      reference,
      binary: binary && !gate,
      shift: logitShift,
    });
  }
  // After all U-Nets, because then their tensors' memory is free; with up to three frames the gate needs no more than
  // that.
  if (gate)
    masks = graph.add('masks gated', 'gateMasks', [evidence(net, gate), masks!], {
      reference,
      binary,
      low: gate.low,
      high: gate.high,
    });
  return covered ? graph.add('masks covered', 'coveredMasks', [masks!, net.stack], { reference }) : masks!;
}
