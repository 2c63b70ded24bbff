/**
 * What lies on the device beside pipelines: buffers, counted, packed weights, each uploaded once, and params.
 */
import type { Gpu } from '../device.ts';
import { packParams } from '../kernels/kernel.ts';
import type { Resource } from '../kernels/kernel.ts';
import { halfBits } from '../image/exr.ts';
import type { Plan, Step } from './plan.ts';

/** A tensor of the weights file by name, OIHW. @throws when there is none. */
export type TensorSource = (name: string) => Float32Array;

export class DeviceMemory {
  readonly #gpu: Gpu;
  readonly #tensor: TensorSource;
  readonly #weights = new Map<string, GPUBuffer>();
  #bytes = 0;
  #peak = 0;
  /** What has been created since `attempt` was called. */
  #created: GPUBuffer[] | undefined;

  constructor(gpu: Gpu, tensor: TensorSource) {
    this.#gpu = gpu;
    this.#tensor = tensor;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Most bytes held at once since `resetPeak`. */
  get peakBytes(): number {
    return this.#peak;
  }

  resetPeak(): void {
    this.#peak = this.#bytes;
  }

  create(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.#gpu.device.createBuffer({ label, size, usage });
    this.#created?.push(buffer);
    this.#bytes += size;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return buffer;
  }

  /**
   * Creates what is needed together, and none of it if that fails: bytes are freed, and weights will be uploaded anew.
   * @param create must not await.
   * @throws as `Gpu.guard`.
   */
  async attempt<T>(what: string, create: () => T): Promise<T> {
    const created: GPUBuffer[] = [];
    try {
      return await this.#gpu.guard(what, () => {
        this.#created = created;
        try {
          return create();
        } finally {
          this.#created = undefined;
        }
      });
    } catch (error) {
      for (const buffer of created) {
        for (const [key, weights] of this.#weights) if (weights === buffer) this.#weights.delete(key);
        this.destroy(buffer);
      }
      throw error;
    }
  }

  destroy(buffer: GPUBuffer): void {
    this.#bytes -= buffer.size;
    buffer.destroy();
  }

  /** Frees the weights. */
  dispose(): void {
    this.#weights.forEach((buffer) => this.destroy(buffer));
    this.#weights.clear();
  }

  uploadWeights(plan: Plan): void {
    for (const [key, packed] of plan.weights) {
      if (this.#weights.has(key)) continue;
      const values = packed.pack(this.#tensor);
      const data = packed.dtype === 'f16' ? Uint16Array.from(values, halfBits) : values;
      const buffer = this.create(key, data.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
      this.#gpu.device.queue.writeBuffer(buffer, 0, data);
      this.#weights.set(key, buffer);
    }
  }

  /** All steps' params in one buffer, each at an offset the device can bind. */
  uploadParams(steps: readonly Step[]): { params: GPUBuffer; offsets: { offset: number; size: number }[] } {
    const { device } = this.#gpu;
    const align = device.limits.minUniformBufferOffsetAlignment;
    const packed = steps.map((step) => packParams(step.dispatch.program, step.dispatch.params));
    let end = 0;
    const offsets = packed.map((bytes) => {
      const offset = end;
      end += Math.ceil(bytes.byteLength / align) * align;
      return { offset, size: bytes.byteLength };
    });
    const all = new Uint8Array(end);
    packed.forEach((bytes, i) => all.set(new Uint8Array(bytes), offsets[i].offset));
    const params = this.create('params', end, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    device.queue.writeBuffer(params, 0, all);
    return { params, offsets };
  }

  bind(step: Step, layout: GPUBindGroupLayout, buffers: readonly GPUBuffer[], params: GPUBufferBinding): GPUBindGroup {
    const { program, resources } = step.dispatch;
    const find = (resource: Resource): GPUBuffer => (resource.kind === 'buffer' ? buffers[resource.buffer] : this.#weights.get(resource.key)!);
    const storage = Object.keys(program.bindings).map((name, i): GPUBindGroupEntry => ({ binding: i + 1, resource: { buffer: find(resources[name]) } }));
    return this.#gpu.device.createBindGroup({ label: step.name, layout, entries: [{ binding: 0, resource: params }, ...storage] });
  }
}
