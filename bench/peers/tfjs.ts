/** TensorFlow.js with its WebGPU backend as a contestant, on a device of its own from the common adapter. */
import { requestAdapter } from '../../src/node/adapter.ts';
import { loadWeights } from '../../src/model/loadWeights.ts';
import type { Weights } from '../../src/model/loadWeights.ts';
import { interleave, pad, planes } from '../engine.ts';
import type { Contestant, Engine, EngineContext, Planes, Session, Work } from '../engine.ts';
import { onHost, peerVersion, provideWebGpu, requirePeer } from './load.ts';
import { TfjsNetwork } from './tfjsNetwork.ts';
import type { Tf, TfTensor } from './tfjsNetwork.ts';

const CORE = '@tensorflow/tfjs-core';
const BACKEND = '@tensorflow/tfjs-backend-webgpu';

interface TfSetup extends Tf {
  removeBackend(name: string): void;
  registerBackend(name: string, factory: () => Promise<Backend>, priority: number): void;
  setBackend(name: string): Promise<boolean>;
}
interface Backend {
  commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}
interface BackendModule {
  WebGPUBackend: new (device: GPUDevice, info: GPUAdapterInfo) => Backend;
}

/** What the backend was seen to hold, 457 MiB at 128x128. */
const BYTES_PER_PIXEL = 29_000;

/** What the backend asks for when it opens a device itself. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

class TfjsEngine implements Engine {
  readonly version: string;
  readonly adapter: string;
  readonly device: GPUDevice;
  readonly hostBytesPerPixel: number | undefined;
  readonly #tf: Tf;
  readonly #backend: Backend;
  readonly #network: TfjsNetwork;
  readonly #context: EngineContext;

  constructor(
    tf: Tf,
    backend: Backend,
    device: GPUDevice,
    version: string,
    context: EngineContext,
    { config, tensors }: Weights,
  ) {
    this.#tf = tf;
    this.#backend = backend;
    this.device = device;
    this.version = version;
    this.adapter = device.adapterInfo.description;
    this.hostBytesPerPixel = onHost(device) ? BYTES_PER_PIXEL : undefined;
    this.#context = context;
    this.#network = new TfjsNetwork(tf, config, tensors);
  }

  async prepare(work: Work, input: readonly Planes[]): Promise<Session> {
    const tf = this.#tf;
    const { taus, reference } = this.#context;
    if (work.kind === 'layer') {
      const [x] = input;
      const source = tf.tensor(interleave(x), [1, x.h, x.w, x.c]);
      let output: TfTensor | undefined;
      return {
        run: async () => {
          output?.dispose();
          output = this.#network.conv(work.layer, source);
          await this.#done();
        },
        result: async () => planes(await output!.data(), output!.shape[3], x.h, x.w),
        release: () => [source, output].forEach((tensor) => tensor?.dispose()),
      };
    }
    const padded = input.map(pad);
    const [{ h, w }] = padded;
    const data = new Float32Array(padded.length * 3 * h * w);
    padded.forEach((x, k) => data.set(interleave(x), k * 3 * h * w));
    let last = new Float32Array(0);
    return {
      run: async () => {
        const Y = tf.tidy(() => this.#network.run(tf.tensor(data, [padded.length, h, w, 3]), taus, reference));
        last = (await Y.data()) as Float32Array<ArrayBuffer>;
        Y.dispose();
      },
      result: () => planes(last, 3, h, w),
      release: () => undefined,
    };
  }

  /** Submits what the backend has recorded, which it does in batches, and waits for it. */
  async #done(): Promise<void> {
    if (this.#backend.commandEncoder) {
      this.#backend.endComputePassEncoder();
      this.#backend.submitQueue();
    }
    await this.device.queue.onSubmittedWorkDone();
  }

  dispose(): void {
    this.device.destroy();
  }
}

export const tfjs: Contestant = {
  id: 'tfjs',
  name: 'tfjs, WebGPU',
  async open(context) {
    const version = peerVersion(BACKEND);
    await provideWebGpu(context.software);
    const tf = requirePeer<TfSetup>(CORE);
    const { WebGPUBackend } = requirePeer<BackendModule>(BACKEND);
    const { adapter } = await requestAdapter({ software: context.software });
    const device = await adapter.requestDevice({
      label: 'tfjs',
      requiredFeatures: (['timestamp-query', 'bgra8unorm-storage'] as const).filter((name) =>
        adapter.features.has(name),
      ),
      requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    });
    tf.removeBackend('webgpu');
    const backend = new WebGPUBackend(device, adapter.info);
    tf.registerBackend('webgpu', async () => backend, 1);
    await tf.setBackend('webgpu');
    return new TfjsEngine(tf, backend, device, version, context, await loadWeights(context.weights));
  },
};
