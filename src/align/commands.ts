/**
 * Records dispatches of programs on buffers and submits them together. Each dispatch has its own params, which lie in
 * one uniform buffer per submission.
 */
import type { Gpu } from '../device.ts';
import type { Pipelines } from '../graph/pipelines.ts';
import type { ParamValues, Program } from '../kernels/program.ts';

/** Alignment of uniform bindings on every device (`minUniformBufferOffsetAlignment`). */
const UNIFORM_ALIGN = 256;

interface Command {
  program: Program;
  params: ArrayBuffer;
  buffers: readonly GPUBuffer[];
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

  /** Adds a dispatch. @param buffers in the order of the program's bindings. */
  add(
    program: Program,
    params: ParamValues,
    buffers: readonly GPUBuffer[],
    workgroups: readonly [number, number, number],
  ): void {
    this.#pending.push({ program, params: program.pack(params), buffers, workgroups });
  }

  /**
   * Submits what was added, in order.
   * @param then records more after the dispatches.
   * @throws GpuError; DeviceLostError.
   */
  async submit(what: string, then?: (encoder: GPUCommandEncoder) => void): Promise<void> {
    const commands = this.#pending;
    this.#pending = [];
    const compiled = commands.map(({ program }) => this.#pipelines.get(program));
    const pipelines = await this.#gpu.wait(Promise.all(compiled.map(({ pipeline }) => pipeline)));
    const { device } = this.#gpu;
    await this.#gpu.guard(what, () => {
      const stride = (bytes: number): number => Math.ceil(bytes / UNIFORM_ALIGN) * UNIFORM_ALIGN;
      const size = commands.reduce((sum, { params }) => sum + stride(params.byteLength), UNIFORM_ALIGN);
      const uniform = device.createBuffer({
        label: `${what}: params`,
        size,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      const packed = new Uint8Array(size);
      const encoder = device.createCommandEncoder({ label: what });
      let offset = 0;
      if (commands.length > 0) {
        const pass = encoder.beginComputePass({ label: what });
        commands.forEach(({ program, params, buffers, workgroups }, i) => {
          packed.set(new Uint8Array(params), offset);
          const resources: GPUBindingResource[] = [
            { buffer: uniform, offset, size: params.byteLength },
            ...buffers.map((buffer) => ({ buffer })),
          ];
          offset += stride(params.byteLength);
          pass.setPipeline(pipelines[i]);
          pass.setBindGroup(
            0,
            device.createBindGroup({
              label: program.label,
              layout: compiled[i].layout,
              entries: resources.map((resource, binding) => ({ binding, resource })),
            }),
          );
          pass.dispatchWorkgroups(...workgroups);
        });
        pass.end();
      }
      then?.(encoder);
      device.queue.writeBuffer(uniform, 0, packed);
      device.queue.submit([encoder.finish()]);
      uniform.destroy(); // freed when the GPU is done with it
    });
  }
}
