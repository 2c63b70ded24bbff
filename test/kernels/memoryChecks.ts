/**
 * Reads of the global memory that compute its writes, as the passes make them, against the references of the writes and
 * the reads one by one, in every variant: all at once, a few slots at a time, and with halves.
 */
import { fuseWrites, fuseWritesByFrame } from '../../src/graph/fuse/writes.ts';
import { halve } from '../../src/graph/fuse/precision.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Graph, GraphNode } from '../../src/graph/graph.ts';
import { memoryRead } from '../../src/kernels/memoryRead.ts';
import type { MemoryReadAttrs } from '../../src/kernels/memoryRead.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { floatToHalf, halfToFloat } from '../../src/float16.ts';
import * as ops from '../reference/ops.ts';
import { expectClose, rng } from '../reference/random.ts';
import { concat, map, tensor, where } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import { KERNEL_TOLERANCE } from './kernelCheck.ts';
import type { KernelCheck } from './kernelCheck.ts';
import type { KernelHarness } from './harness.ts';

interface MemoryCase {
  width: number;
  height: number;
  channels: number;
  layers: number;
  frames: number;
  readers: number;
  activation: 'none' | 'relu' | 'leakyRelu';
  precision: DType;
  /** Whether the memory is the mean and the maximum over frames, whose writes share weights. */
  isReduced?: boolean;
  /** Whether each variant runs, or only the default: a software driver compiles each for seconds. */
  everyVariant: boolean;
}

const LEAKY = { activation: 'leakyRelu', precision: 'f32', everyVariant: false } as const;
const CASES: MemoryCase[] = [
  { ...LEAKY, width: 1, height: 1, channels: 4, layers: 1, frames: 1, readers: 1, activation: 'relu' },
  { ...LEAKY, width: 67, height: 5, channels: 8, layers: 2, frames: 2, readers: 4, everyVariant: true },
  { ...LEAKY, width: 33, height: 17, channels: 12, layers: 3, frames: 3, readers: 5, activation: 'none' },
  { ...LEAKY, width: 23, height: 9, channels: 32, layers: 4, frames: 3, readers: 6 },
  { ...LEAKY, width: 23, height: 9, channels: 8, layers: 4, frames: 3, readers: 6, precision: 'f16' },
  {
    ...LEAKY,
    width: 67,
    height: 5,
    channels: 8,
    layers: 2,
    frames: 4,
    readers: 4,
    isReduced: true,
    everyVariant: true,
  },
  { ...LEAKY, width: 9, height: 7, channels: 12, layers: 4, frames: 1, readers: 2, isReduced: true },
];

/** Halves keep 11 bits: of the results so far, frame by frame, and of the weights of 1x1 convolutions. */
const HALF_TOLERANCE = 4e-3;

const rounded = (x: Tensor): Tensor => map(x, (value) => halfToFloat(floatToHalf(value)));

/** The graph as the network has it, between copies, which may store halves. */
function graphOf({ width, height, channels, layers, frames, readers, activation, isReduced }: MemoryCase): Graph {
  const g = new GraphBuilder();
  const writes: GraphNode[][] = Array.from({ length: layers }, () => []);
  for (let k = 0; k < frames; k++) {
    for (let l = 0; l < layers; l++) {
      const features = g.add(`f.${l}.${k}`, 'copy', [g.input(`input ${l}.${k}`, { channels, width, height })], {});
      const attrs = {
        weights: `write.${l}.${isReduced ? 0 : k}`,
        channels,
        kernel: 1,
        activation,
        slope: 0.2,
      } as const;
      const written = g.add(`v.${l}.${k}`, 'conv2d', [features], attrs);
      if (isReduced)
        writes[l] = [g.add(`m.${l}.${k}`, 'meanMax', [written, ...writes[l]], { index: k, count: frames })];
      else writes[l].push(written);
    }
  }
  const memory = writes.map((slots, l) => g.concat(`memory.${l}`, slots));
  return g.build(
    Array.from({ length: readers }, (_, r) => {
      const read = g.add(`read.${r}`, 'groupedRead', memory, { readers: [`reader.${r}`], channels });
      return g.add(`result ${r}`, 'copy', [read], {});
    }),
  );
}

async function check(kernels: KernelHarness, c: MemoryCase, byFrame: boolean, name: string): Promise<number> {
  const { width, height, channels, layers, frames, readers, activation, precision } = c;
  const random = rng(channels * 100 + readers);
  const bound = Math.sqrt(3 / channels);
  const layer = (count: number, most: number): { weight: Float32Array; bias: Float32Array } => ({
    weight: random.floats(count, -most, most),
    bias: random.floats(channels),
  });
  const inputs: Record<string, Tensor> = {};
  const weights: Record<string, Float32Array> = {};
  const add = (layerName: string, { weight, bias }: ReturnType<typeof layer>): void => {
    weights[`${layerName}.weight`] = weight;
    weights[`${layerName}.bias`] = bias;
  };
  let shared: ReturnType<typeof layer> | undefined;
  const written = Array.from({ length: layers * frames }, (_, slot) => {
    const [l, k] = [Math.floor(slot / frames), slot % frames];
    const x = tensor(channels, height, width, random.floats(channels * width * height));
    const write = c.isReduced && k > 0 ? shared! : layer(channels * channels, bound);
    shared = write;
    inputs[`input ${l}.${k}`] = x;
    add(`write.${l}.${k}`, write);
    const seen = precision === 'f16' ? rounded(x) : x;
    return ops.conv2d(seen, { ...write, outputs: channels, kernel: 1, activation, slope: 0.2 });
  });
  const slots = c.isReduced
    ? Array.from({ length: layers }, (_, l) => written.slice(l * frames, (l + 1) * frames)).flatMap((over) => [
        map(over[0], (_, i) => over.reduce((sum, { data }) => sum + data[i], 0) / frames),
        ops.maxFrames(over),
      ])
    : written;
  const expected = Array.from({ length: readers }, (_, r) => {
    const read = layer(channels * slots.length, 1 / slots.length);
    add(`reader.${r}`, read);
    return ops.groupedRead(concat(...slots), read.weight, read.bias);
  });
  const fused = (byFrame ? fuseWritesByFrame : fuseWrites)(graphOf(c));
  const graph = precision === 'f16' ? halve(fused) : fused;
  if (graph.nodes.some(({ op }) => op === 'groupedRead' || op === 'conv2d')) throw new Error('a write was not fused');
  const { capabilities } = kernels;
  const nodes = graph.nodes.filter(({ op }) => op === 'memoryRead');
  const namesOf = (node: GraphNode, cpu: boolean): [shapeClass: string, names: string[]] => {
    const attrs = node.attrs as MemoryReadAttrs;
    const shapes = node.inputs.map((id) => graph.nodes[id].shape);
    const target = { capabilities: { ...capabilities, cpu }, precision };
    const names = memoryRead.implementations(attrs, shapes, target).map((implementation) => implementation.name);
    return [memoryRead.shapeClass(attrs, shapes, target), names];
  };
  let worst = 0;
  for (const variant of namesOf(nodes[0], false)[1].slice(0, c.everyVariant ? undefined : 1)) {
    const choices = new Map(nodes.map((node) => [namesOf(node, false)[0], variant]));
    const target = { capabilities: { ...capabilities, cpu: false }, precision, choices };
    const actual = await kernels.runGraph(graph, inputs, weights, { target });
    const tol = precision === 'f16' ? HALF_TOLERANCE : KERNEL_TOLERANCE;
    actual.forEach((output, r) => {
      const label = `${variant} ${name}, reader ${r + 1}`;
      worst = Math.max(worst, expectClose(output.data, expected[r].data, { tol, label, where: where(expected[r]) }));
    });
  }
  return worst;
}

export const MEMORY_CHECKS: readonly KernelCheck[] = CASES.flatMap((c) =>
  (c.isReduced ? [false] : [false, true]).map((byFrame): KernelCheck => {
    const { width, height, channels, layers, frames, readers, precision } = c;
    const name =
      `${width}x${height}, ${layers} layers of ${channels} channels, ${frames} frames, ${readers} readers` +
      `${c.isReduced ? ', reduced' : ''}${byFrame ? ', by frame' : ''}${precision === 'f16' ? ', halves' : ''}`;
    return {
      kernel: 'memoryRead',
      name,
      ...(precision === 'f16' ? { needs: precision, tolerance: HALF_TOLERANCE } : {}),
      run: (kernels) => check(kernels, c, byFrame, name),
    };
  }),
);
