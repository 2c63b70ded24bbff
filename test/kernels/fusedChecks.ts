/**
 * Convolutions fused with what is around them, against the references of the operations one by one. Sizes are odd,
 * where the fusion allows it, and tiny. Channels are few: code grows with them, and a driver may take half a minute to
 * compile a large tile.
 */
import { fusePool } from '../../src/graph/fuse/pool.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { ConvAttrs } from '../../src/kernels/conv2d/index.ts';
import { EXPOSURE_CASES, exposureData } from '../cases/others.ts';
import type { OtherCase } from '../cases/others.ts';
import * as exposure from '../reference/exposure.ts';
import * as ops from '../reference/ops.ts';
import { expectClose } from '../reference/random.ts';
import type { Rng } from '../reference/random.ts';
import { concat, tensor, where } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import { USUAL, responseTensor, stack } from './checks.ts';
import type { Manner } from './checks.ts';
import type { KernelCheck } from './kernelCheck.ts';
import type { KernelHarness } from './harness.ts';

const SLOPE = 0.2;

/** A layer's weights, scaled by their fan-in, and the reference that they make. */
class Layer {
  readonly weights: Record<string, Float32Array>;
  readonly #name: string;

  constructor(random: Rng, name: string, inputs: number, outputs: number, kernel: number) {
    const bound = Math.sqrt(3 / (inputs * kernel * kernel));
    this.#name = name;
    this.weights = {
      [`${name}.weight`]: random.floats(outputs * inputs * kernel * kernel, -bound, bound),
      [`${name}.bias`]: random.floats(outputs),
    };
  }

  reference(input: Tensor, { channels: outputs, kernel, activation = 'none' }: ConvAttrs, dilation = 1): Tensor {
    return ops.conv2d(input, {
      weight: this.weights[`${this.#name}.weight`],
      bias: this.weights[`${this.#name}.bias`],
      outputs,
      kernel,
      dilation,
      groups: 1,
      activation,
      slope: SLOPE,
    });
  }
}

function random3d(random: Rng, c: number, h: number, w: number): Tensor {
  return tensor(c, h, w, random.floats(c * h * w));
}

interface Fused {
  attrs: ConvAttrs;
  inputs: Tensor[];
  weights: Record<string, Float32Array>;
  expected: Tensor;
}

/** Runs a fused convolution. */
async function check(
  kernels: KernelHarness,
  { attrs, inputs, weights, expected }: Fused,
  index: number,
  label: string,
  { targets, tolerance, replace }: Manner,
): Promise<number> {
  const shapes = inputs.map(({ c, h, w }) => ({ channels: c, height: h, width: w }));
  let worst = 0;
  for (const target of targets(attrs, shapes, kernels.capabilities)) {
    const actual = await kernels.run(
      { op: 'conv2d', attrs, inputs, weights },
      { target, replace, inputOffset: index % 2 ? 4 : 0, outputOffset: index % 3 ? 8 : 0 },
    );
    worst = Math.max(
      worst,
      expectClose(actual.data, expected.data, {
        tol: tolerance,
        label: `${[...target.choices!.values()].join()} ${label}`,
        where: where(expected),
      }),
    );
  }
  return worst;
}

const BASE = { kernel: 3, activation: 'leakyRelu', slope: SLOPE } as const;

/** What reads frames, masks or both. */
const OF_FRAMES: Record<string, (c: OtherCase, random: Rng) => Fused> = {
  'of a frame'(c, random) {
    const { frames, taus, gamma, masks, response, undone, linear } = exposureData(c);
    const frame = frames.length - 1;
    const attrs: ConvAttrs = {
      ...BASE,
      weights: 'w',
      channels: 8,
      read: { kind: 'encoder', frame, tau: taus[frame], gamma, useResponse: response !== null },
    };
    const layer = new Layer(random, 'w', 6, 8, 3);
    return {
      attrs,
      inputs: [stack(frames, masks), responseTensor(response)],
      weights: layer.weights,
      expected: layer.reference(concat(undone[frame], linear[frame]), attrs),
    };
  },
  'of a pair'(c, random) {
    const { frames, taus, gamma, masks, response, undone, aligned, reference } = exposureData(c);
    const attrs: ConvAttrs = {
      ...BASE,
      weights: 'w',
      channels: 5,
      read: {
        kind: 'pair',
        frame: 0,
        reference,
        ratio: taus[reference] / taus[0],
        gamma,
        useResponse: response !== null,
      },
    };
    const layer = new Layer(random, 'w', 6, 5, 3);
    return {
      attrs,
      inputs: [stack(frames, masks), responseTensor(response)],
      weights: layer.weights,
      expected: layer.reference(concat(aligned[0], undone[reference]), attrs),
    };
  },
  masked(c, random) {
    const { frames, masks } = exposureData(c);
    const features = frames.map(() => random3d(random, 8, c.height, c.width));
    const attrs: ConvAttrs = {
      ...BASE,
      weights: ['still', 'moving'],
      channels: 8,
      read: { kind: 'masked', frames: frames.length },
    };
    const layers = attrs.weights as string[];
    const [still, moving] = layers.map((name) => new Layer(random, name, 8 * frames.length, 8, 3));
    const part = (complement: boolean): Tensor =>
      concat(...features.map((f, k) => ops.maskMultiply(f, masks[k], complement)));
    return {
      attrs,
      inputs: [concat(...features), stack(frames, masks)],
      weights: { ...still.weights, ...moving.weights },
      expected: concat(still.reference(part(true), attrs), moving.reference(part(false), attrs)),
    };
  },
  'and picture'(c, random) {
    const { frames, taus, gamma, masks, response, reference, hat, base } = exposureData(c);
    const features = random3d(random, 12, c.height, c.width);
    const attrs: ConvAttrs = {
      weights: 'w',
      channels: 3,
      kernel: 1,
      store: { kind: 'picture', taus, reference, gamma, useMasks: true, hat, useResponse: response !== null },
    };
    const layer = new Layer(random, 'w', 12, 3, 1);
    return {
      attrs,
      inputs: [features, stack(frames, masks), responseTensor(response)],
      weights: layer.weights,
      expected: exposure.addBase(layer.reference(features, attrs), base, taus[taus.length - 1]),
    };
  },
};

/** What reads features alone, by size: even where half of it is another input's. */
const OF_FEATURES: Record<string, (width: number, height: number, random: Rng) => Fused> = {
  'two inputs'(width, height, random) {
    const [a, b] = [random3d(random, 8, height, width), random3d(random, 6, height, width)];
    const attrs: ConvAttrs = { ...BASE, weights: 'w', channels: 8 };
    const layer = new Layer(random, 'w', 14, 8, 3);
    return { attrs, inputs: [a, b], weights: layer.weights, expected: layer.reference(concat(a, b), attrs) };
  },
  upsampled(width, height, random) {
    const [low, skip] = [random3d(random, 12, height, width), random3d(random, 8, 2 * height, 2 * width)];
    const attrs: ConvAttrs = { ...BASE, weights: 'w', channels: 7 };
    const layer = new Layer(random, 'w', 20, 7, 3);
    return {
      attrs,
      inputs: [low, skip],
      weights: layer.weights,
      expected: layer.reference(concat(ops.upsampleNearest(low), skip), attrs),
    };
  },
  dilations(width, height, random) {
    const x = random3d(random, 12, height, width);
    const dilation = [1, 2, 4];
    const attrs: ConvAttrs = { ...BASE, weights: 'w', channels: 8, dilation };
    const layer = new Layer(random, 'w', 12, 8, 3);
    return {
      attrs,
      inputs: [x],
      weights: layer.weights,
      expected: concat(...dilation.map((d) => layer.reference(x, attrs, d))),
    };
  },
  'split dilations'(width, height, random) {
    const dilation = [1, 2, 4];
    const parts = dilation.map(() => random3d(random, 8, height, width));
    const attrs: ConvAttrs = { ...BASE, weights: 'w', channels: 8, dilation, split: true };
    const layer = new Layer(random, 'w', 8, 8, 3);
    return {
      attrs,
      inputs: [concat(...parts)],
      weights: layer.weights,
      expected: concat(...dilation.map((d, i) => layer.reference(parts[i], attrs, d))),
    };
  },
};

const SIZES: [number, number][] = [
  [1, 1],
  [3, 2],
  [23, 5],
  [33, 17],
];

/** A convolution that pools as well, made by the pass: both results. */
async function checkPool(
  kernels: KernelHarness,
  width: number,
  height: number,
  seed: number,
  manner: Manner,
): Promise<number> {
  const random = manner.random(seed);
  const x = random3d(random, 9, height, width);
  const attrs: ConvAttrs = { ...BASE, weights: 'w', channels: 8 };
  const layer = new Layer(random, 'w', 9, 8, 3);
  const g = new GraphBuilder();
  const conv = g.add('conv', 'conv2d', [g.input('x', { channels: 9, height, width })], attrs);
  const graph: Graph = fusePool(g.build([conv, g.add('pool', 'maxPool', [conv], {})]));
  const fused = graph.nodes.find((node) => node.op === 'conv2d')!;
  const full = layer.reference(x, attrs);
  const expected = [full, ops.maxPool(full)];
  let worst = 0;
  for (const target of manner.targets(
    fused.attrs as ConvAttrs,
    [{ channels: 9, height, width }],
    kernels.capabilities,
  )) {
    const actual = await kernels.runGraph(graph, { x }, layer.weights, { target, replace: manner.replace });
    actual.forEach((output, i) => {
      const label = `${i === 0 ? 'convolved' : 'pooled'} ${[...target.choices!.values()].join()}`;
      worst = Math.max(
        worst,
        expectClose(output.data, expected[i].data, { tol: manner.tolerance, label, where: where(expected[i]) }),
      );
    });
  }
  return worst;
}

/** Cases of frames: few, of every size there is. */
const FRAME_CASES = EXPOSURE_CASES.filter((c, i, all) => all.findIndex((other) => other.width === c.width) === i);

/** All fusions in a manner. @param only those of such names */
export function fusedChecks(manner: Manner, only: (what: string) => boolean = () => true): KernelCheck[] {
  const kernel = 'fused conv2d';
  const ofFrames = Object.entries(OF_FRAMES).filter(([what]) => only(what));
  const ofFeatures = Object.entries(OF_FEATURES).filter(([what]) => only(what));
  const pools = only('and max-pool')
    ? ([
        [2, 2],
        [3, 5],
        [22, 7],
        [33, 17],
      ] as const)
    : [];
  return [
    ...ofFrames.flatMap(([what, make]) =>
      FRAME_CASES.map(
        (c, i): KernelCheck => ({
          kernel,
          name: `conv2d ${what} ${c.name}`,
          run: (kernels) => check(kernels, make(c, manner.random(c.seed + 1)), i, c.name, manner),
        }),
      ),
    ),
    ...ofFeatures.flatMap(([what, make]) =>
      SIZES.map(
        ([width, height], i): KernelCheck => ({
          kernel,
          name: `conv2d ${what} ${width}x${height}`,
          run: (kernels) => check(kernels, make(width, height, manner.random(300 + i)), i, what, manner),
        }),
      ),
    ),
    ...pools.map(
      ([width, height], i): KernelCheck => ({
        kernel,
        name: `conv2d and max-pool ${width}x${height}`,
        run: (kernels) => checkPool(kernels, width, height, 400 + i, manner),
      }),
    ),
  ];
}

export const FUSED_CHECKS: readonly KernelCheck[] = fusedChecks(USUAL);
