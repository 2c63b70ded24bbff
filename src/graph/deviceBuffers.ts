/**
 * What is on the device besides pipelines: buffers, whose bytes are counted; packed weights, each uploaded once;
 * params.
 */
import type { Gpu } from '../device.ts';
import { floatToHalf } from '../float16.ts';
import type { PackedWeights } from '../kernels/kernel.ts';
import { readsTexture } from '../kernels/program.ts';
import type { Resource } from '../kernels/program.ts';
import { texelBytes } from '../kernels/tensor.ts';
import type { Plan, Step } from './plan.ts';

/** A tensor of the weights file by name, OIHW. @throws if there is none. */
export type TensorSource = (name: string) => Float32Array;

/** Bytes of a buffer, or of a texture of weights. */
function bytesOf(resource: GPUBuffer | GPUTexture): number {
  return 'size' in resource
    ? resource.size
    : resource.width * resource.height * texelBytes(resource.format === 'rgba16float' ? 'f16' : 'f32');
}

export class DeviceBuffers {
  readonly #gpu: Gpu;
  readonly #tensor: TensorSource;
  readonly #weights = new Map<string, GPUBuffer | GPUTexture>();
  #bytes = 0;
  #peak = 0;
  /** What was created since `attempt` was called. */
  #created: (GPUBuffer | GPUTexture)[] | undefined;

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

  /** @param content its first bytes. */
  create(label: string, size: number, usage: GPUBufferUsageFlags, content?: Uint8Array): GPUBuffer {
    const buffer = this.#count(
      this.#gpu.device.createBuffer({ label, size, usage, mappedAtCreation: content !== undefined }),
    );
    if (content) {
      new Uint8Array(buffer.getMappedRange()).set(content);
      buffer.unmap();
    }
    return buffer;
  }

  #count<T extends GPUBuffer | GPUTexture>(resource: T): T {
    this.#created?.push(resource);
    this.#bytes += bytesOf(resource);
    this.#peak = Math.max(this.#peak, this.#bytes);
    return resource;
  }

  /**
   * Creates several things together, or none of them: if one fails, all are freed, and weights will be uploaded again.
   * @param create must not await.
   * @throws as `Gpu.guard`.
   */
  async attempt<T>(what: string, create: () => T): Promise<T> {
    const created: (GPUBuffer | GPUTexture)[] = [];
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
      for (const resource of created) {
        for (const [key, weights] of this.#weights) if (weights === resource) this.#weights.delete(key);
        this.destroy(resource);
      }
      throw error;
    }
  }

  destroy(resource: GPUBuffer | GPUTexture): void {
    this.#bytes -= bytesOf(resource);
    resource.destroy();
  }

  /** Frees the weights. */
  dispose(): void {
    this.#weights.forEach((weights) => this.destroy(weights));
    this.#weights.clear();
  }

  uploadWeights(plan: Plan): void {
    for (const [key, packed] of plan.weights) {
      if (this.#weights.has(key)) continue;
      const values = packed.pack(this.#tensor);
      const data = packed.dtype === 'f16' ? Uint16Array.from(values, floatToHalf) : values;
      this.#weights.set(key, packed.row ? this.#uploadTexture(key, packed, data) : this.#uploadBuffer(key, data));
    }
  }

  #uploadBuffer(label: string, data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.create(label, data.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    this.#gpu.device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  #uploadTexture(
    label: string,
    packed: PackedWeights,
    data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>,
  ): GPUTexture {
    const { device } = this.#gpu;
    const width = packed.row!;
    const bytesPerRow = width * texelBytes(packed.dtype ?? 'f32');
    const size = [width, data.byteLength / bytesPerRow];
    const texture = this.#count(
      device.createTexture({
        label,
        size,
        format: readsTexture(packed).format!,
        usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
      }),
    );
    device.queue.writeTexture({ texture }, data, { bytesPerRow }, size);
    return texture;
  }

  /** All steps' params in one buffer, each at an offset the device can bind. */
  uploadParams(steps: readonly Step[]): { params: GPUBuffer; offsets: { offset: number; size: number }[] } {
    const { device } = this.#gpu;
    const align = device.limits.minUniformBufferOffsetAlignment;
    const packed = steps.map((step) => step.dispatch.program.pack(step.dispatch.params));
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
    const find = (resource: Resource): GPUBuffer | GPUTexture =>
      resource.kind === 'buffer' ? buffers[resource.buffer] : this.#weights.get(resource.key)!;
    const bound = (resource: GPUBuffer | GPUTexture): GPUBindingResource =>
      'size' in resource ? { buffer: resource } : resource.createView();
    const found = Object.keys(program.bindings).map((name) => find(resources[name]));
    this.#gpu.check?.(step.dispatch, found);
    const storage = found.map((one, i): GPUBindGroupEntry => ({ binding: i + 1, resource: bound(one) }));
    return this.#gpu.device.createBindGroup({
      label: step.name,
      layout,
      entries: [{ binding: 0, resource: params }, ...storage],
    });
  }
}
