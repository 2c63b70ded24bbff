/**
 * The network's 3x3 convolutions, each alone, in every implementation, by timestamps, on a picture that fills a large
 * GPU.
 *
 * The tuner compares implementations of what the graph fuses. This program compares what the tuner does not: three
 * dilations in one dispatch (src/graph/fuse/dilations.ts) or one by one, each with larger register tiles.
 *
 *     npx tsx bench/gpu/conv.ts [--adapter gpu] [--tiny] [--limit 50]
 *
 * A row for each layer and precision: TFLOP/s by implementation, or why there are none. After `--limit` seconds no
 * further implementation is started.
 */
import { parseArgs } from 'node:util';
import { Gpu } from '../../src/device.ts';
import type { Prepared } from '../../src/graph/executor.ts';
import { addTunedMethods } from '../../src/tune/methods.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { Runner } from '../../src/graph/runner.ts';
import { conv2d } from '../../src/kernels/conv2d/index.ts';
import type { ConvAttrs } from '../../src/kernels/conv2d/attrs.ts';
import { tensorBytes } from '../../src/kernels/tensor.ts';
import type { Target } from '../../src/kernels/target.ts';
import type { DType, Shape } from '../../src/kernels/tensor.ts';
import { rng } from '../../test/reference/random.ts';
import { parseNumber } from '../options.ts';
import { median, timeInTurns, turnsOn } from '../timing.ts';
import { COMMON, main, openGpu, reasonOf, row, say, tflops } from './program.ts';

const { values } = parseArgs({ options: { ...COMMON, limit: { type: 'string', default: '50' } } });

interface Layer {
  name: string;
  inputs: number;
  dilation: number | readonly number[];
}

const OUTPUTS = 32;
const LAYERS: readonly Layer[] = [
  { name: '3x3 32>32', inputs: 32, dilation: 1 },
  { name: '3x3 32>32 dilation 4', inputs: 32, dilation: 4 },
  { name: '3x3 32>32, 1 2 4 fused', inputs: 32, dilation: [1, 2, 4] },
  { name: '3x3 96>32', inputs: 96, dilation: 1 },
  { name: '3x3 96>32, 1 2 4 fused', inputs: 96, dilation: [1, 2, 4] },
];

/**
 * A graph of the layer alone. In f16 its input comes as halves and its output stays so, as between layers of the
 * network.
 */
function graphOf(attrs: ConvAttrs, shape: Shape, precision: DType): Graph {
  const builder = new GraphBuilder();
  const graph = builder.build([builder.add('y', 'conv2d', [builder.input('x', shape)], attrs)]);
  return precision === 'f16'
    ? { ...graph, nodes: graph.nodes.map((node) => ({ ...node, dtype: 'f16' as const })) }
    : graph;
}

/** Fills the plan's input with values between 0.5 and 1, a million of them, repeated. */
function fill(gpu: Gpu, prepared: Prepared, { graph, views }: Plan, precision: DType): void {
  const { shape, dtype, buffer } = views[graph.nodes.findIndex(({ op }) => op === 'input')];
  const floats = rng(7).floats(2 ** 20, 0.5, 1);
  // A half in [0.5, 1) has this exponent and ten bits of fraction.
  const data = precision === 'f16' ? Uint16Array.from(floats, (value) => 0x3800 | ((2 * value - 1) * 1023)) : floats;
  const bytes = tensorBytes(shape, dtype);
  for (let at = 0; at < bytes; at += data.byteLength) {
    const part = data.subarray(0, Math.min(data.length, (bytes - at) / data.BYTES_PER_ELEMENT));
    gpu.device.queue.writeBuffer(prepared.buffers[buffer], at, part as Float32Array<ArrayBuffer>);
  }
}

/**
 * Runs every implementation of a layer, in turns. @param isOver whether no further one may be compiled. @returns
 * TFLOP/s, or why there are none.
 */
async function timeLayer(
  gpu: Gpu,
  { inputs, dilation }: Layer,
  side: number,
  precision: DType,
  isOver: () => boolean,
): Promise<Record<string, number | string>> {
  const target: Target = { capabilities: gpu.capabilities, precision };
  const shape = { channels: inputs, height: side, width: side };
  const attrs: ConvAttrs = {
    weights: 'w',
    channels: OUTPUTS,
    kernel: 3,
    dilation,
    activation: 'leakyRelu',
    slope: 0.2,
  };
  const graph = graphOf(attrs, shape, precision);
  const className = conv2d.shapeClass(attrs, [shape], target);
  const runner = new Runner(gpu, (tensor) =>
    rng(3).floats(tensor.endsWith('bias') ? OUTPUTS : OUTPUTS * inputs * 9, -0.05, 0.05),
  );
  const found: Record<string, number | string> = {};
  let first: Prepared | undefined;
  const ready = new Map<string, { prepared: Prepared; multiplyAdds: number }>();
  for (const { name: implementation } of conv2d
    .implementations(attrs, [shape], target)
    .slice(0, values.tiny ? 1 : undefined)) {
    if (isOver()) break;
    try {
      const planned = plan(graph, { ...target, choices: new Map([[className, implementation]]) });
      const prepared = await runner.prepare(planned, first);
      if (!first) {
        first = prepared;
        fill(gpu, prepared, planned, precision);
      }
      await runner.run(prepared);
      ready.set(implementation, { prepared, multiplyAdds: planned.multiplyAdds });
    } catch (error) {
      found[implementation] = reasonOf(error).slice(0, 120);
    }
  }
  const subjects = [...ready.values()].map(
    ({ prepared }) =>
      (count: number): Promise<number> =>
        runner.time(prepared, 0, count),
  );
  const samples = await timeInTurns(subjects, turnsOn(gpu));
  [...ready].forEach(([implementation, { multiplyAdds }], i) => {
    found[implementation] = Number(tflops(multiplyAdds, median(samples[i])).toPrecision(4));
  });
  runner.dispose();
  return found;
}

await main('conv', async () => {
  addTunedMethods();
  const end = performance.now() + 1000 * parseNumber('limit', values.limit, 1);
  const gpu = new Gpu((await openGpu(values.adapter)).device);
  const side = values.tiny ? 32 : 1024;
  for (const precision of ['f32', ...(gpu.capabilities.f16 ? ['f16'] : [])] as DType[]) {
    for (const layer of values.tiny ? LAYERS.slice(0, 1) : LAYERS) {
      const found = await timeLayer(gpu, layer, side, precision, () => performance.now() > end);
      row({ precision, layer: layer.name, size: `${side}x${side}`, tflops: found });
      say(
        `${precision} ${layer.name}, TFLOP/s: ${Object.entries(found)
          .map(([implementation, rate]) => `${implementation} ${rate}`)
          .join(', ')}`,
      );
    }
  }
});
