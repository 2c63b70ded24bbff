/**
 * Records dispatches of programs on buffers and submits them together. Each dispatch has its own params, which lie in
 * one uniform buffer per submission.
 */
import type { Gpu } from '../device.ts';
import type { ParamValues, Program } from '../kernels/program.ts';
import type { Pipelines } from './pipelines.ts';
import type { GpuClock } from './timestamps.ts';

/** Alignment of uniform bindings on every device (`minUniformBufferOffsetAlignment`). */
const UNIFORM_ALIGN = 256;

interface Command {
  program: Program;
  params: ArrayBuffer;
  resources: readonly GPUBindingResource[];
  workgroups: readonly [number, number, number];
}

export class Commands {
  readonly #gpu: Gpu;
  readonly #pipelines: Pipelines;
  #pending: Command[] = [];

  constructor(gpu: Gpu, pipelines: Pipelines) {
    this.#gpu = gpu;
    this.#pipelines = pipelines;
  }

  /** Adds a dispatch. @param resources in the order of the program's bindings. @throws as `Gpu.check`. */
  add(
    program: Program,
    params: ParamValues,
    resources: readonly (GPUBuffer | GPUBindingResource)[],
    workgroups: readonly [number, number, number],
  ): void {
    this.#gpu.check?.({ program, params, workgroups }, resources);
    this.#pending.push({
      program,
      params: program.pack(params),
      resources: resources.map((one) => ('size' in one && 'usage' in one ? { buffer: one } : one)),
      workgroups,
    });
  }

  /**
   * Submits what was added, in order.
   * @param then records more after the dispatches.
   * @param clock times the dispatches as one span, and what `then` records as another. The caller reads it.
   * @throws GpuError; DeviceLostError.
   */
  async submit(what: string, then?: (encoder: GPUCommandEncoder) => void, clock?: GpuClock): Promise<void> {
    const commands = this.#pending;
    this.#pending = [];
    const compiled = commands.map(({ program }) => this.#pipelines.get(program));
    const pipelines = await this.#gpu.wait(Promise.all(compiled.map(({ pipeline }) => pipeline)));
    const { device } = this.#gpu;
    await this.#gpu.guard(what, (own) => {
      const stride = (bytes: number): number => Math.ceil(bytes / UNIFORM_ALIGN) * UNIFORM_ALIGN;
      const size = commands.reduce((sum, { params }) => sum + stride(params.byteLength), UNIFORM_ALIGN);
      const uniform = own(
        device.createBuffer({
          label: `${what}: params`,
          size,
          usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
        }),
      );
      const packed = new Uint8Array(size);
      const encoder = device.createCommandEncoder({ label: what });
      let offset = 0;
      if (commands.length > 0) {
        const pass = encoder.beginComputePass({ label: what, timestampWrites: clock?.pass() });
        commands.forEach(({ program, params, resources, workgroups }, i) => {
          packed.set(new Uint8Array(params), offset);
          const bound = [{ buffer: uniform, offset, size: params.byteLength }, ...resources];
          offset += stride(params.byteLength);
          pass.setPipeline(pipelines[i]);
          pass.setBindGroup(
            0,
            device.createBindGroup({
              label: program.label,
              layout: compiled[i].layout,
              entries: bound.map((resource, binding) => ({ binding, resource })),
            }),
          );
          pass.dispatchWorkgroups(...workgroups);
        });
        pass.end();
      }
      if (then && clock) clock.copies(encoder, () => then(encoder));
      else then?.(encoder);
      clock?.resolve(encoder);
      device.queue.writeBuffer(uniform, 0, packed);
      device.queue.submit([encoder.finish()]);
      uniform.destroy(); // freed when the GPU is done with it
    });
  }
}
