/**
 * onnxruntime as two contestants: onnxruntime-web's WebGPU provider, on Dawn in Node, and onnxruntime-node on the CPU,
 * for context and as the judge of results at sizes that have no golden.
 */
import { cpus } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { largestDifference } from '../compare.ts';
import { LAYER, pad, stacked } from '../engine.ts';
import type { Contestant, Engine, EngineContext, Planes, Session, Work } from '../engine.ts';
import { importPeer, onHost, peerVersion, provideWebGpu, requirePeer } from './load.ts';
import { onnxModel } from './onnxModel.ts';

/** What is used of onnxruntime's API; it is the same in both packages. */
interface OrtTensor {
  data: Float32Array;
  dims: readonly number[];
  getData(): Promise<Float32Array>;
  dispose(): void;
}
interface OrtSession {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}
interface Ort {
  env: { wasm: { numThreads: number }; webgpu: { device: Promise<GPUDevice> } };
  InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor;
    fromGpuBuffer(buffer: GPUBuffer, options: object): OrtTensor;
  };
}

/** A layer whose input channels are no multiple of 4, on which wrong results were seen. */
const PROBE = { layer: 'encoder.1', channels: 6, side: 16 };
const PROBE_TOLERANCE = 1e-3;

/** What the WebGPU provider was seen to hold, 176 MiB at 128x128. */
const BYTES_PER_PIXEL = 11_000;

const dims = (tensors: readonly Planes[]): number[] => [tensors.length, tensors[0].c, tensors[0].h, tensors[0].w];

const planesOf = (data: Float32Array, [, c, h, w]: readonly number[]): Planes => ({
  data: Float32Array.from(data),
  c,
  h,
  w,
});

class OrtEngine implements Engine {
  readonly version: string;
  readonly adapter: string;
  readonly device: GPUDevice | undefined;
  readonly hostBytesPerPixel: number | undefined;
  note: string | undefined;
  padChannels = false;
  readonly #ort: Ort;
  readonly #context: EngineContext;

  constructor(ort: Ort, context: EngineContext, version: string, device?: GPUDevice) {
    this.#ort = ort;
    this.#context = context;
    this.version = version;
    this.device = device;
    this.adapter = device?.adapterInfo.description ?? `CPU, ${cpus().length} cores`;
    this.hostBytesPerPixel = !device || onHost(device) ? BYTES_PER_PIXEL : undefined;
    // Exported now, so that no run waits for it.
    onnxModel(context, { layer: LAYER });
    onnxModel(context, {});
  }

  async prepare(work: Work, input: readonly Planes[]): Promise<Session> {
    const { Tensor, InferenceSession } = this.#ort;
    const model = onnxModel(
      this.#context,
      work.kind === 'layer' ? { layer: work.layer } : { padChannels: this.padChannels },
    );
    const source = work.kind === 'layer' ? input : input.map(pad);
    const shape = dims(source);
    const data = stacked(source);
    // A layer's tensors stay on the device: it is the convolution that is timed.
    const onDevice = work.kind === 'layer' ? this.device : undefined;
    const buffer = onDevice?.createBuffer({
      label: 'x',
      size: data.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
    if (buffer) onDevice!.queue.writeBuffer(buffer, 0, data);
    const session = await InferenceSession.create(model, {
      executionProviders: [this.device ? 'webgpu' : 'cpu'],
      graphOptimizationLevel: 'all',
      freeDimensionOverrides: { H: source[0].h, W: source[0].w },
      logSeverityLevel: 3,
      ...(onDevice ? { preferredOutputLocation: 'gpu-buffer' } : {}),
    });
    let output: OrtTensor | undefined;
    return {
      run: async () => {
        output?.dispose();
        const x = buffer
          ? Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape })
          : new Tensor('float32', data, shape);
        ({ Y: output } = await session.run({ X: x }));
        if (onDevice) await onDevice.queue.onSubmittedWorkDone();
      },
      result: async () => planesOf(await output!.getData(), output!.dims),
      release: async () => {
        output?.dispose();
        await session.release();
        buffer?.destroy();
      },
    };
  }

  dispose(): void {
    // Both packages keep their environment for the process.
  }
}

/** onnxruntime-node's CPU provider. */
export const onnxNode: Contestant = {
  id: 'ort-node',
  name: 'onnxruntime-node, CPU',
  async open(context) {
    const version = peerVersion('onnxruntime-node');
    return new OrtEngine(requirePeer<Ort>('onnxruntime-node'), context, version);
  },
};

/** Runs one layer of a GPU engine and of the CPU. */
async function probe(engine: Engine, context: EngineContext): Promise<number> {
  const { layer, channels, side } = PROBE;
  const work: Work = { kind: 'layer', layer, channels, width: side, height: side };
  const x = {
    data: Float32Array.from({ length: channels * side * side }, (_, i) => ((i * 7919) % 1013) / 1013),
    c: channels,
    h: side,
    w: side,
  };
  const results: Planes[] = [];
  for (const contestant of [engine, await onnxNode.open(context)]) {
    const session = await contestant.prepare(work, [x]);
    await session.run();
    results.push(await session.result());
    await session.release();
  }
  return largestDifference(results[0], results[1]);
}

/** onnxruntime-web's WebGPU provider, the build that its documentation names for it. */
export const onnxWeb: Contestant = {
  id: 'ort-web',
  name: 'onnxruntime-web, WebGPU',
  async open(context) {
    const version = peerVersion('onnxruntime-web');
    await provideWebGpu(context.software);
    // V8's optimizing compiler takes most of a minute over this module, which only schedules. The baseline compiler's
    // code is as fast at that.
    setFlagsFromString('--liftoff-only');
    const ort = await importPeer<Ort>('onnxruntime-web/dist/ort.webgpu.bundle.min.mjs');
    ort.env.wasm.numThreads = 1;
    // The device exists only while a session exists.
    await ort.InferenceSession.create(onnxModel(context, { layer: PROBE.layer }), {
      executionProviders: ['webgpu'],
      logSeverityLevel: 3,
    });
    const engine = new OrtEngine(ort, context, version, await ort.env.webgpu.device);
    const error = await probe(engine, context);
    if (error > PROBE_TOLERANCE) {
      engine.padChannels = true;
      onnxModel(context, { padChannels: true });
      engine.note =
        `wrong on 3x3 convolutions of ${PROBE.channels} channels (error ${error.toPrecision(2)}): given ` +
        `a graph in which they have ${Math.ceil(PROBE.channels / 4) * 4}`;
    }
    return engine;
  },
};
