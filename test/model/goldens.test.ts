/**
 * The engine against the PyTorch goldens, stage by stage: each graph is run whole, every stage of it kept, and compared
 * with what the reference computed in f64.
 */
import { describe, expect, it } from 'vitest';
import { Gpu } from '../../src/device.ts';
import { Runner } from '../../src/graph/runner.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { graphTensors } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import { NO_DATA } from '../../src/kernels/stack.ts';
import { fusionGraph, networkGraphs, segmentationGraph } from '../../src/model/network.ts';
import { loadParts, partsOf } from '../../src/model/partsOf.ts';
import type { Scene } from '../../src/model/part.ts';
import { testDevice } from '../gpu.ts';
import { packNC4HW4, unpackNC4HW4 } from '../reference/layout.ts';
import { uncut } from '../reference/golden.ts';
import { goldenNames, readGolden } from '../reference/goldens.ts';
import type { Golden } from '../reference/goldens.ts';
import { expectClose } from '../reference/random.ts';
import { crop, tensor, where } from '../reference/tensor.ts';
import { expectedTensors } from '../reference/tensors.ts';
import type { Tensor } from '../reference/tensor.ts';

/** Most a stage or the picture may differ, in absolute terms. */
const TOLERANCE = 1e-4;

/** The response table as the graphs read it; zeros where none may be read. */
function responseOf({ response }: Golden): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 4 * 256 }, (_, i) => response?.[i % 4]?.[Math.floor(i / 4)] ?? 0);
}

/** The graph with every node that is a stage among its outputs. */
function keep(graph: Graph, stages: ReadonlySet<string>): Graph {
  const kept = graph.nodes.filter((node) => stages.has(node.name)).map((node) => node.id);
  return { ...graph, outputs: [...new Set([...graph.outputs, ...kept])] };
}

/** Runs a graph and returns every output by node name. */
async function run(
  executor: Runner,
  graph: Graph,
  stack: Float32Array<ArrayBuffer>,
  response: Float32Array<ArrayBuffer>,
): Promise<Map<string, Tensor>> {
  const prepared = await executor.prepare(plan(graph));
  try {
    await executor.upload(prepared, { stack, response });
    await executor.run(prepared);
    const stages = new Map<string, Tensor>();
    const { nodes, outputs } = prepared.plan.graph;
    for (const id of outputs) {
      const { name, shape } = nodes[id];
      stages.set(name, unpackNC4HW4(await executor.read(prepared, id), shape.channels, shape.height, shape.width));
    }
    return stages;
  } finally {
    executor.release(prepared);
  }
}

/** Frames padded by edge replication, with masks in the fourth channel. */
function stackOf(golden: Golden, scene: Scene, masks?: readonly Tensor[]): Float32Array<ArrayBuffer> {
  const { width, height } = scene;
  const all = tensor(4 * golden.frames.length, height, width);
  golden.frames.forEach((frame, k) => {
    for (let c = 0; c < 4; c++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const source = (c * frame.h + Math.min(y, frame.h - 1)) * frame.w + Math.min(x, frame.w - 1);
          const pixel = Math.min(y, frame.h - 1) * frame.w + Math.min(x, frame.w - 1);
          const w = golden.coverage?.[k].data[pixel] === 0 ? NO_DATA : (masks?.[k].data[y * width + x] ?? 0);
          all.data[((4 * k + c) * height + y) * width + x] = c < 3 ? frame.data[source] : w;
        }
      }
    }
  });
  return new Float32Array(packNC4HW4(all));
}

function compare(
  golden: Golden,
  actual: ReadonlyMap<string, Tensor>,
  ignore: (stage: string) => boolean = () => false,
): string[] {
  const compared: string[] = [];
  for (const [stage, expected] of golden.stages) {
    const found = actual.get(stage);
    if (!found || ignore(stage)) continue;
    const cropped = found.h === expected.h && found.w === expected.w ? found : crop(found, expected.h, expected.w);
    expectClose(cropped.data, expected.data, {
      tol: TOLERANCE,
      scale: 1,
      label: `${golden.name} ${stage}`,
      where: where(expected),
    });
    compared.push(stage);
  }
  return compared;
}

const channel = (masks: Tensor, k: number): Tensor =>
  tensor(1, masks.h, masks.w, masks.data.slice(k * masks.h * masks.w, (k + 1) * masks.h * masks.w));
const mu = (y: number): number => Math.log(1 + 5000 * y) / Math.log(5001);

describe('the engine agrees with the PyTorch goldens', () => {
  it.each(goldenNames())('%s', async (name) => {
    const golden = readGolden(name);
    const executor = new Runner(new Gpu(await testDevice()), (tensorName) => golden.weights.get(tensorName)!.data);
    const [{ h, w }] = golden.frames;
    const scene: Scene = {
      taus: golden.taus,
      reference: golden.reference,
      width: Math.ceil(w / 16) * 16,
      height: Math.ceil(h / 16) * 16,
      gamma: golden.config.gamma,
      useResponse: golden.response !== null,
      covered: golden.coverage !== null,
    };
    const stages = new Set(golden.stages.keys());

    await loadParts(golden.config);
    const segmented = partsOf(golden.config).segmentation
      ? await run(
          executor,
          keep(segmentationGraph(golden.config, scene), stages),
          stackOf(golden, scene),
          responseOf(golden),
        )
      : new Map<string, Tensor>();
    const masks = [...segmented].find(([stage]) => stage.startsWith('masks'))?.[1];
    const maps = masks ? golden.frames.map((_, k) => channel(masks, k)) : [];
    maps.forEach((map, k) => segmented.set(`W.${k + 1}`, map));
    const binary = golden.config.maskMode === 'binary';
    const seen = compare(golden, segmented, (stage) => binary && stage.startsWith('W.'));
    if (binary) checkBinary(golden, maps);

    const given = binary && masks ? golden.frames.map((_, k) => golden.stages.get(`W.${k + 1}`)!) : maps;
    const fused = await run(
      executor,
      keep(fusionGraph(golden.config, scene), stages),
      stackOf(golden, scene, masks && given),
      responseOf(golden),
    );
    const Y = fused.get('Y')!;
    fused.set('TY', { ...Y, data: Y.data.map(mu) });
    seen.push(...compare(golden, fused));
    expect(seen).toEqual(
      expect.arrayContaining(
        ['Y', 'TY', ...(masks ? ['Z'] : []), ...(binary ? [] : ['W.1']), 'logit.1'].filter((stage) =>
          stages.has(stage),
        ),
      ),
    );
    executor.dispose();
  });

  it('reads exactly the tensors the spec names', async () => {
    for (const name of goldenNames()) {
      const { config, taus, reference } = readGolden(name);
      await loadParts(config);
      // A fixed network reads all its tensors only when frames lie on both sides of the reference.
      const middle = config.variant === 'fixed' ? 1 : reference;
      const scene: Scene = { taus, reference: middle, width: 16, height: 16, gamma: config.gamma, useResponse: false };
      const read = new Map(networkGraphs(config, scene).flatMap((graph) => [...graphTensors(graph)]));
      expect(new Map([...read].sort())).toEqual(new Map([...expectedTensors(config)].sort()));
    }
  });
});

/** Binary masks equal the reference's, except where the value before the cut is within 1e-4 of one half. */
function checkBinary(golden: Golden, maps: readonly Tensor[]): void {
  const close = new Set<number>();
  golden.frames.forEach((_, k) => uncut(golden, k)?.forEach((w, i) => Math.abs(w - 0.5) <= TOLERANCE && close.add(i)));
  maps.forEach((map, k) => {
    const expected = golden.stages.get(`W.${k + 1}`)!;
    map.data.forEach((w, i) => {
      if (w !== expected.data[i] && !close.has(i))
        throw new Error(`${golden.name} W.${k + 1} at ${i}: ${w}, expected ${expected.data[i]}`);
    });
  });
}
