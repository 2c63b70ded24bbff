/**
 * Compute pipelines, one per program, cached by their source.
 *
 * Some drivers compile when a pipeline is created, others when it first runs (lavapipe: seconds each). `warm` does all
 * of this beforehand: it runs one workgroup of every program on small buffers of its own. WebGPU keeps accesses inside
 * these buffers, whatever the params say, and nothing reads them. A device that does not do that only compiles.
 */
import type { Gpu } from '../device.ts';
import { CancelledError, GpuError } from '../errors.ts';
import type { Binding, Dispatch, Program } from '../kernels/program.ts';

export interface Compiled {
  layout: GPUBindGroupLayout;
  pipeline: Promise<GPUComputePipeline>;
  /** Its first run. */
  warmed?: Promise<void>;
}

/** What a first run needs of a dispatch. */
export type Warmed = Pick<Dispatch, 'program' | 'params'>;

export interface WarmOptions {
  signal?: AbortSignal;
  /** Called with the number of programs that are ready, from 0 to all. */
  onProgress?: (done: number, total: number) => void;
}

/** Bytes of each buffer of a first run. */
const WARM_BYTES = 1 << 16;

function compileError(label: string, cause: unknown): GpuError {
  return new GpuError(
    `compiling ${label}: ${String((cause as Error)?.message ?? cause)
      .trim()
      .replace(/\s+/g, ' ')}`,
    {
      cause,
    },
  );
}

export class Pipelines {
  readonly #gpu: Gpu;
  /** By source. */
  readonly #compiled = new Map<string, Compiled>();

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** A program's pipeline; the first call starts compiling it. */
  get(program: Program): Compiled {
    const { source } = program;
    const compiled = this.#compiled.get(source) ?? this.#compile(program);
    this.#compiled.set(source, compiled);
    // One that failed is tried again: the GPU may have been short of memory.
    compiled.pipeline.catch(() => this.#compiled.get(source) === compiled && this.#compiled.delete(source));
    return compiled;
  }

  #compile(program: Program): Compiled {
    const { device } = this.#gpu;
    const { label, source: code } = program;
    try {
      const layout = device.createBindGroupLayout({ label, entries: program.layoutEntries(GPUShaderStage.COMPUTE) });
      const compute = { module: device.createShaderModule({ label, code }), entryPoint: 'main' };
      const bound = device.createPipelineLayout({ label, bindGroupLayouts: [layout] });
      const pipeline = device.createComputePipelineAsync({ label, layout: bound, compute }).catch((cause: unknown) => {
        throw compileError(label, cause);
      });
      pipeline.catch(() => undefined);
      return { layout, pipeline };
    } catch (cause) {
      throw compileError(label, cause);
    }
  }

  /** The pipelines of dispatches, compiled all at once. @throws GpuError; DeviceLostError. */
  all(dispatches: readonly Dispatch[]): Promise<GPUComputePipeline[]> {
    return this.#gpu.wait(Promise.all(dispatches.map(({ program }) => this.get(program).pipeline)));
  }

  /**
   * Compiles the programs of dispatches, all at once, and runs each once, one after another, so that a caller who
   * cancels waits for one compilation at most.
   * @throws CancelledError; GpuError; DeviceLostError
   */
  async warm(dispatches: readonly Warmed[], { signal, onProgress }: WarmOptions = {}): Promise<void> {
    const distinct = [...new Map(dispatches.map((dispatch) => [this.get(dispatch.program), dispatch]))];
    for (const [i, [compiled, dispatch]] of distinct.entries()) {
      onProgress?.(i, distinct.length);
      const first = (compiled.warmed ??= this.#runOnce(compiled, dispatch));
      first.catch(() => (compiled.warmed = undefined));
      await first;
      if (signal?.aborted) throw new CancelledError();
    }
    onProgress?.(distinct.length, distinct.length);
  }

  async #runOnce({ layout, pipeline }: Compiled, { program, params }: Warmed): Promise<void> {
    const { device } = this.#gpu;
    const compiled = await this.#gpu.wait(pipeline);
    if (this.#gpu.check) return;
    await this.#gpu.guard(`running ${program.label} for the first time`, (own) => {
      const values = program.pack(params);
      const uniform = own(
        device.createBuffer({
          label: 'first run',
          size: values.byteLength,
          usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
        }),
      );
      device.queue.writeBuffer(uniform, 0, values);
      const make = ({ format }: Binding): GPUBuffer | GPUTexture =>
        own<GPUBuffer | GPUTexture>(
          format
            ? device.createTexture({ label: 'first run', size: [1, 1], format, usage: GPUTextureUsage.STORAGE_BINDING })
            : device.createBuffer({ label: 'first run', size: WARM_BYTES, usage: GPUBufferUsage.STORAGE }),
        );
      const storage = Object.values(program.bindings).map(make);
      const entries = [uniform, ...storage].map(
        (bound, binding): GPUBindGroupEntry => ({
          binding,
          resource: 'size' in bound ? { buffer: bound } : bound.createView(),
        }),
      );
      const encoder = device.createCommandEncoder({ label: 'first run' });
      const pass = encoder.beginComputePass({ label: program.label });
      pass.setPipeline(compiled);
      pass.setBindGroup(0, device.createBindGroup({ label: 'first run', layout, entries }));
      pass.dispatchWorkgroups(1);
      pass.end();
      device.queue.submit([encoder.finish()]);
      // They are freed when the GPU is done with them.
      [uniform, ...storage].forEach((bound) => bound.destroy());
    });
    await this.#gpu.wait(device.queue.onSubmittedWorkDone());
  }

  clear(): void {
    this.#compiled.clear();
  }
}
