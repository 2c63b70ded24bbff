/** deghost as a contestant: the network through the public API, one convolution through the executor. */
import { Gpu } from '../src/device.ts';
import { Runner } from '../src/graph/runner.ts';
import { GraphBuilder } from '../src/graph/graph.ts';
import { plan } from '../src/graph/plan.ts';
import { Deghoster } from '../src/index.ts';
import type { Frame } from '../src/index.ts';
import { requestAdapter } from '../src/node/adapter.ts';
import { openWithMatrices } from '../src/node/matrices.ts';
import type { TuneResult } from '../src/tune/index.ts';
import { loadWeights } from '../src/model/loadWeights.ts';
import { packNC4HW4, unpackNC4HW4 } from '../test/reference/layout.ts';
import { tensor } from '../test/reference/tensor.ts';
import { OWN, interleave, planes } from './engine.ts';
import { targetOf, tuningOf } from './tuning.ts';
import type { Contestant, Engine, EngineContext, Planes, Session, Work } from './engine.ts';

class DeghostEngine implements Engine {
  readonly version: string;
  readonly adapter: string;
  readonly device: GPUDevice;
  readonly #gpu: Gpu;
  readonly #context: EngineContext;
  readonly #tuning: TuneResult | undefined;

  constructor(device: GPUDevice, version: string, context: EngineContext, tuning: TuneResult | undefined) {
    this.device = device;
    this.#gpu = new Gpu(device);
    this.#context = context;
    this.#tuning = tuning;
    this.version = version;
    this.adapter = device.adapterInfo.description;
  }

  prepare(work: Work, input: readonly Planes[]): Promise<Session> {
    return work.kind === 'network' ? this.#network(input) : this.#layer(work.layer, input[0]);
  }

  async #network(input: readonly Planes[]): Promise<Session> {
    const { weights, taus, reference } = this.#context;
    const frames = input.map((x, k): Frame => ({ data: interleave(x), width: x.w, height: x.h, exposure: taus[k] }));
    const deghoster = await Deghoster.create({ weights, device: this.device, tuning: this.#tuning });
    let radiance = new Float32Array(0);
    return {
      run: async () => ({ radiance } = await deghoster.merge(frames, { reference, response: 'gamma', align: 'none' })),
      result: () => planes(radiance, 3, input[0].h, input[0].w),
      release: () => deghoster.dispose(),
    };
  }

  async #layer(layer: string, x: Planes): Promise<Session> {
    const { config, tensors } = await loadWeights(this.#context.weights);
    const [outputs, , kernel] = tensors.get(`${layer}.weight`)!.shape;
    const builder = new GraphBuilder();
    const source = builder.input('x', { channels: x.c, height: x.h, width: x.w });
    const graph = builder.build([
      builder.add(layer, 'conv2d', [source], {
        weights: layer,
        channels: outputs,
        kernel,
        dilation: 1,
        activation: 'leakyRelu',
        slope: config.slope,
      }),
    ]);
    const executor = new Runner(this.#gpu, (name) => tensors.get(name)!.data);
    const prepared = await executor.prepare(plan(graph, targetOf(this.#gpu, this.#tuning)));
    await executor.upload(prepared, { x: new Float32Array(packNC4HW4(tensor(x.c, x.h, x.w, x.data))) });
    return {
      run: () => executor.run(prepared),
      result: async () => {
        const { data } = unpackNC4HW4(await executor.read(prepared, graph.outputs[0]), outputs, x.h, x.w);
        return { data: Float32Array.from(data), c: outputs, h: x.h, w: x.w };
      },
      release: () => {
        executor.release(prepared);
        executor.dispose();
      },
    };
  }

  dispose(): void {
    this.device.destroy();
  }
}

/** deghost on the adapter of the context. */
export function deghostContestant(version: string): Contestant {
  return {
    id: OWN,
    name: 'deghost',
    async open(context) {
      const { adapter } = await requestAdapter({ software: context.software });
      const device = await openWithMatrices(adapter);
      return new DeghostEngine(device, version, context, await tuningOf(device));
    },
  };
}
