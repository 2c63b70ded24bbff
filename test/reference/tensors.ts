/**
 * Every tensor name and shape of a network, written from the spec's lists and not derived from the graph: the two are
 * compared in tests, so neither can drift.
 */
import { FIXED_FRAMES } from '../../src/weights/config.ts';
import type { NetworkConfig } from '../../src/weights/config.ts';

/** Encoder layers, each of which writes to the memory. */
const LAYERS = 4;

/**
 * The tensors of a network by name, with their shapes: conv weights `[O, I/groups, kH, kW]`, biases `[O]`.
 * Order is that of computation.
 */
export function expectedTensors(config: NetworkConfig): Map<string, number[]> {
  const { variant, width, segWidths, ablation } = config;
  const { segmentation = 'network', memory = 'full', fusion = 'separate', decoder = 'sdc-dense' } = ablation ?? {};
  const fixed = variant === 'fixed';
  const frames = fixed ? FIXED_FRAMES : 1; // weights of their own for so many frames
  const slots = LAYERS * (fixed ? FIXED_FRAMES : 2); // each frame's write, or their mean and maximum
  const tensors = new Map<string, number[]>();

  function conv(name: string, inputs: number, outputs: number, kernel: number): void {
    tensors.set(`${name}.weight`, [outputs, inputs, kernel, kernel]);
    tensors.set(`${name}.bias`, [outputs]);
  }

  for (let l = 1; l <= LAYERS; l++) conv(`encoder.${l}`, l === 1 ? 6 : width, width, 3);

  const unets = fixed ? ['seg.short', 'seg.long'] : ['seg.any'];
  for (const net of segmentation === 'network' ? unets : []) {
    function block(name: string, inputs: number, outputs: number): void {
      conv(`${net}.${name}.1`, inputs, outputs, 3);
      conv(`${net}.${name}.2`, outputs, outputs, 3);
    }
    segWidths.forEach((outputs, i) => block(`enc${i + 1}`, i === 0 ? 6 : segWidths[i - 1], outputs));
    block('mid', segWidths[3], segWidths[3]);
    for (let level = 3; level >= 0; level--) {
      const below = segWidths[Math.min(level + 1, 3)]; // mid has the deepest level's width
      block(`dec${level + 1}`, below + segWidths[level], segWidths[level]);
    }
    conv(`${net}.out`, segWidths[0], 1, 1);
  }

  if (memory === 'shared') {
    conv('memory.write', width, width, 1);
    conv('memory.read', slots, width, 1);
  } else if (memory === 'full') {
    for (let l = 1; l <= LAYERS; l++)
      for (let k = 1; k <= frames; k++) conv(fixed ? `memory.write.${l}.${k}` : `memory.write.${l}`, width, width, 1);
  }

  const paths = fusion === 'shared' ? ['shared'] : ['static', 'dynamic'];
  for (const path of segmentation === 'none' ? ['all'] : paths) {
    conv(`fuse.${path}.0`, width * (fixed ? FIXED_FRAMES : 2), width, 3);
    for (let j = 1; j <= 3; j++) {
      if (memory === 'full') conv(`memory.read.${path}.${j}`, slots, width, 1); // `width` groups
      conv(`fuse.${path}.${j}`, memory === 'none' ? width : 2 * width, width, 3);
    }
  }

  if (decoder === 'vanilla') for (let i = 1; i <= 9; i++) conv(`decoder.conv${i}`, width, width, 3);
  if (decoder === 'resnet')
    for (let b = 1; b <= 4; b++) for (const i of [1, 2]) conv(`decoder.res${b}.${i}`, width, width, 3);
  const dense = decoder === 'sdc-dense';
  if (dense || decoder === 'sdc') {
    for (let b = 1; b <= 3; b++) {
      for (let i = 1; i <= 3; i++) conv(`decoder.sdc${b}.${i}`, i === 1 && dense ? b * width : width, width, 3);
      conv(`decoder.sdc${b}.merge`, 3 * width, width, 1);
    }
  }
  conv('decoder.out', dense ? 3 * width : width, 3, 1);
  return tensors;
}
