/**
 * Each fusion alone and all together: what it does to the graph, and that the result of a run does not change. Goldens
 * check the fused network as the library runs it (test/runtimes); here the unfused graph is the reference.
 */
import { describe, expect, it } from 'vitest';
import { Gpu } from '../../src/device.ts';
import { Runner } from '../../src/graph/runner.ts';
import { fuseConcat } from '../../src/graph/fuse/concat.ts';
import { fuseDilations } from '../../src/graph/fuse/dilations.ts';
import { fuseFrames } from '../../src/graph/fuse/frames.ts';
import { fuse } from '../../src/graph/fuse/index.ts';
import { fuseMasks } from '../../src/graph/fuse/masks.ts';
import { fuseMerge } from '../../src/graph/fuse/merge.ts';
import { fusePicture } from '../../src/graph/fuse/picture.ts';
import { fusePool } from '../../src/graph/fuse/pool.ts';
import { halve } from '../../src/graph/fuse/precision.ts';
import { fuseReads, fuseReadsByFrame } from '../../src/graph/fuse/reads.ts';
import type { Pass } from '../../src/graph/fuse/rewrite.ts';
import { fuseUpsample } from '../../src/graph/fuse/upsample.ts';
import { fuseWrites, fuseWritesByFrame } from '../../src/graph/fuse/writes.ts';
import { GraphBuilder, computes } from '../../src/graph/graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Target } from '../../src/kernels/target.ts';
import { fusionGraph, segmentationGraph } from '../../src/model/network.ts';
import type { Scene } from '../../src/model/part.ts';
import { testDevice } from '../gpu.ts';
import { unpackNC4HW4 } from '../reference/layout.ts';
import { readGolden } from '../reference/goldens.ts';
import { expectClose, rng } from '../reference/random.ts';

/** The order of summation differs, the arithmetic does not. */
const TOLERANCE = 1e-5;
/** Halves have 11 bits; a sum of many rounded ones loses a few. */
const HALF_TOLERANCE = 5e-3;
const [WIDTH, HEIGHT] = [48, 32];

function graphs(name: string): { segmentation: Graph; fusion: Graph; weights: (tensor: string) => Float32Array } {
  const golden = readGolden(name);
  const { config, taus, reference } = golden;
  const scene: Scene = { taus, reference, width: WIDTH, height: HEIGHT, gamma: config.gamma, useResponse: true };
  return {
    segmentation: segmentationGraph(config, scene),
    fusion: fusionGraph(config, scene),
    weights: (tensor) => golden.weights.get(tensor)!.data,
  };
}

const count = (graph: Graph, op: string): number => graph.nodes.filter((node) => node.op === op).length;

/** Runs a graph on random frames and masks; the same for every graph of one number of frames. */
async function run(
  graph: Graph,
  weights: (tensor: string) => Float32Array,
  target: Target = {},
): Promise<ArrayLike<number>> {
  const executor = new Runner(new Gpu(await testDevice()), weights);
  const random = rng(5);
  const prepared = await executor.prepare(plan(graph, target));
  try {
    const inputs = graph.nodes.filter((node) => node.op === 'input').map((node) => [node.name, node.shape] as const);
    const data = Object.fromEntries(
      inputs.map(([name, { channels, height, width }]) => [
        name,
        new Float32Array(random.floats(Math.ceil(channels / 4) * 4 * height * width, 0, 1)),
      ]),
    );
    // A response is monotone.
    data.response = Float32Array.from({ length: 4 * 256 }, (_, i) => (Math.floor(i / 4) / 255) ** 2);
    await executor.upload(prepared, data);
    await executor.run(prepared);
    const [output] = prepared.plan.graph.outputs;
    const { channels, height, width } = prepared.plan.graph.nodes[output].shape;
    return unpackNC4HW4(await executor.read(prepared, output), channels, height, width).data;
  } finally {
    executor.release(prepared);
    executor.dispose();
  }
}

type Part = 'segmentation' | 'fusion';
interface Case {
  pass: Pass;
  golden: string;
  part: Part;
  /** Ops before and after. */
  ops: Record<string, [before: number, after: number]>;
}

/** Passes that need another before them run after it. */
const after =
  (...passes: Pass[]): Pass =>
  (graph) =>
    passes.reduce((fused, pass) => pass(fused), graph);

const CASES: Record<string, Case> = {
  'frames in the encoder': {
    pass: fuseFrames,
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { encoderInput: [3, 0], conv2d: [63, 63] },
  },
  'pairs in the segmentation': {
    pass: fuseFrames,
    golden: 'fixed-merge-r0',
    part: 'segmentation',
    ops: { alignedPair: [2, 0] },
  },
  upsampling: {
    pass: fuseUpsample,
    golden: 'fixed-merge-r0',
    part: 'segmentation',
    ops: { upsample: [8, 0], concat: [8, 0] },
  },
  'max-pooling': {
    pass: fusePool,
    golden: 'fixed-merge-r0',
    part: 'segmentation',
    ops: { maxPool: [8, 0], result: [0, 8] },
  },
  masks: {
    pass: fuseMasks,
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { maskMultiply: [6, 0], conv2d: [63, 62], slice: [0, 2] },
  },
  'masks in mean and maximum': {
    pass: fuseMasks,
    golden: 'any-5',
    part: 'fusion',
    ops: { maskMultiply: [10, 0], meanMax: [30, 30] },
  },
  reads: {
    pass: after(fuseReads, fuseConcat),
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { groupedRead: [6, 2], slice: [0, 6], copy: [0, 0] },
  },
  'reads of any': {
    pass: after(fuseReads, fuseConcat),
    golden: 'any-5',
    part: 'fusion',
    ops: { groupedRead: [6, 2], slice: [0, 6] },
  },
  'reads by frame': {
    pass: after(fuseReadsByFrame, fuseConcat),
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { groupedRead: [6, 6], slice: [0, 6] },
  },
  writes: {
    pass: after(fuseWrites, fuseConcat),
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { conv2d: [63, 51], groupedRead: [6, 0], memoryRead: [0, 1], slice: [0, 6], copy: [0, 0] },
  },
  'writes by frame': {
    pass: after(fuseWritesByFrame, fuseConcat),
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { conv2d: [63, 51], groupedRead: [6, 0], memoryRead: [0, 3], slice: [0, 6], copy: [0, 0] },
  },
  'writes of any, with their mean and maximum': {
    pass: after(fuseWrites, fuseConcat),
    golden: 'any-5',
    part: 'fusion',
    ops: { conv2d: [79, 59], meanMax: [30, 10], groupedRead: [6, 0], memoryRead: [0, 1], copy: [0, 0] },
  },
  'writes of any by frame, which cannot be': {
    pass: fuseWritesByFrame,
    golden: 'any-5',
    part: 'fusion',
    ops: { conv2d: [79, 79], groupedRead: [6, 6], memoryRead: [0, 0] },
  },
  'slices placed by a copy where nothing takes two inputs': {
    pass: fuseReads,
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { groupedRead: [6, 2] },
  },
  dilations: { pass: fuseDilations, golden: 'fixed-merge-r0', part: 'fusion', ops: { conv2d: [63, 45] } },
  'dilations with what merges them': {
    pass: after(fuseDilations, fuseMerge),
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { conv2d: [63, 39], dilatedMerge: [0, 3], concat: [18, 15] },
  },
  'the merge': {
    pass: fusePicture,
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { picture: [1, 0], conv2d: [63, 63] },
  },
  'all, for a GPU': {
    pass: (graph) => fuse(graph),
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: {
      conv2d: [63, 26],
      dilatedMerge: [0, 3],
      groupedRead: [6, 0],
      memoryRead: [0, 1],
      result: [0, 1],
      blend: [1, 1],
    },
  },
  'all, reads by frame': {
    pass: (graph) => fuse(graph, { readsByFrame: true }),
    golden: 'fixed-merge-r0',
    part: 'fusion',
    ops: { groupedRead: [6, 0], memoryRead: [0, 3], result: [0, 3] },
  },
  'all of any': {
    pass: (graph) => fuse(graph),
    golden: 'any-5',
    part: 'fusion',
    ops: { maskMultiply: [10, 0], encoderInput: [5, 0] },
  },
};

/**
 * Of the passes alone a third is run, another in each run of the tests: a driver compiles for seconds, and all of them
 * together are run in any case. DEGHOST_EVERY=1 runs all.
 */
const TURN = Number(process.env.DEGHOST_SEED ?? Math.floor(Math.random() * 3));

describe('fusion changes no result', () => {
  it.each(Object.entries(CASES))(`%s (DEGHOST_SEED=${TURN})`, async (label, { pass, golden, part, ops }) => {
    const { [part]: graph, weights } = graphs(golden);
    const before = JSON.stringify(graph);
    const fused = pass(graph);
    expect(JSON.stringify(graph), 'the graph that was given').toBe(before);
    for (const [op, counts] of Object.entries(ops)) expect([count(graph, op), count(fused, op)], op).toEqual(counts);
    const output = (source: Graph): object => ({
      shape: source.nodes[source.outputs[0]].shape,
      name: source.nodes[source.outputs[0]].name,
    });
    expect(output(fused)).toEqual(output(graph));
    const isTurn = Object.keys(CASES).indexOf(label) % 3 === TURN % 3;
    if (isTurn || label.startsWith('all') || process.env.DEGHOST_EVERY)
      expectClose(await run(fused, weights), await run(graph, weights), { tol: TOLERANCE, scale: 1, label });
  });

  it.each([
    ['fixed-merge-r0', false],
    ['fixed-merge-r0', true],
    ['any-5', false],
    ['any-5', true],
  ])('stores halves, where the device can (%s, reads by frame: %s)', async (golden, readsByFrame) => {
    const { fusion, weights } = graphs(golden);
    const { capabilities } = new Gpu(await testDevice());
    const halved = fuse(fusion, { precision: 'f16', readsByFrame });
    const stored = halved.nodes.filter((node) => computes(node)).map((node) => node.dtype);
    expect(stored.filter((dtype) => dtype === 'f32')).toHaveLength(1); // the picture
    const target: Target = { capabilities, precision: 'f16' };
    if (capabilities.f16)
      expectClose(await run(halved, weights, target), await run(fusion, weights), {
        tol: HALF_TOLERANCE,
        scale: 1,
        label: 'halves',
      });
    else expect(() => plan(halved, target)).toThrow('f16');
  });

  it('keeps what somebody else reads', () => {
    const g = new GraphBuilder();
    const x = g.input('x', { channels: 8, height: 4, width: 4 });
    const low = g.add('pool', 'maxPool', [x], {});
    const up = g.add('up', 'upsample', [low], {});
    const conv = g.add('conv', 'conv2d', [g.concat('joined', [up, x])], { weights: 'w', channels: 4, kernel: 3 });
    const graph = g.build([conv, up]);
    expect(fuseUpsample(graph)).toEqual(graph);
    expect(fusePool(graph), 'pools an input').toEqual(graph);
  });

  it('stores all that a concat joins alike: as floats where one of it must be', () => {
    const g = new GraphBuilder();
    const x = g.input('x', { channels: 8, height: 4, width: 4 });
    const conv = g.add('conv', 'conv2d', [x], { weights: 'w', channels: 4, kernel: 3 });
    const other = g.add('other', 'conv2d', [conv], { weights: 'u', channels: 4, kernel: 3 });
    const graph = halve(
      g.build([g.add('y', 'conv2d', [g.concat('joined', [x, conv]), other], { weights: 'v', channels: 4, kernel: 1 })]),
    );
    expect(Object.fromEntries(graph.nodes.map(({ name, dtype }) => [name, dtype]))).toEqual({
      x: 'f32',
      conv: 'f32',
      joined: 'f32',
      other: 'f16',
      y: 'f32',
    });
  });
});
