/**
 * The executor runs plans on a device: it uploads each packed weight once, allocates a plan's buffers, and records and
 * submits commands. What a plan reads comes from frameStore.ts and transfer.ts, and results.ts takes what it makes.
 */
import type { Gpu } from '../device.ts';
import { GpuError, InputError, throwIfCancelled } from '../errors.ts';
import type { Program } from '../kernels/program.ts';
import { EDGE_PROGRAMS } from '../kernels/stack.ts';
import { start } from '../kernels/tensor.ts';
import { DeviceBuffers } from './deviceBuffers.ts';
import type { TensorSource } from './deviceBuffers.ts';
import { Pipelines } from './pipelines.ts';
import type { WarmOptions, Warmed } from './pipelines.ts';
import type { Plan } from './plan.ts';
import { Submissions } from './submissions.ts';
import { GpuClock, MAX_SPANS, hasTimestamps } from './timestamps.ts';
import type { GpuTimes } from './timestamps.ts';

/** Tensors on the CPU, by node name, NC4HW4. */
export type Tensors = Record<string, Float32Array<ArrayBuffer>>;

/** A plan with its pipelines, buffers and bind groups, ready to run. */
export interface Prepared {
  plan: Plan;
  buffers: readonly GPUBuffer[];
  params: GPUBuffer;
  pipelines: readonly GPUComputePipeline[];
  groups: readonly GPUBindGroup[];
  /** Whether all buffers but the params belong to another prepared plan. */
  shared?: boolean;
}

export interface SubmitOptions {
  signal?: AbortSignal;
  /** The first step, and the one after the last; all by default. */
  from?: number;
  to?: number;
  /** Called with the number of finished steps, whenever the GPU has finished some. */
  onStep?: (done: number) => void;
  /** GPU milliseconds are added here if the device has timestamps (`canTime`). Every step then runs in its own pass. */
  times?: GpuTimes;
}

export class Executor {
  readonly gpu: Gpu;
  readonly pipelines: Pipelines;
  readonly submissions: Submissions;
  readonly memory: DeviceBuffers;
  readonly #clocks: GpuClock[] = [];
  readonly #reading = new Set<Promise<void>>();

  constructor(gpu: Gpu, tensor: TensorSource = missingTensor) {
    this.gpu = gpu;
    this.pipelines = new Pipelines(gpu);
    this.submissions = new Submissions(gpu);
    this.memory = new DeviceBuffers(gpu, tensor);
  }

  /** Whether `SubmitOptions.times` is filled. */
  get canTime(): boolean {
    return hasTimestamps(this.gpu.device);
  }

  /**
   * Compiles the programs of plans and of their tiles' edges, all at once, and runs each once, without allocating any
   * plan's buffers. @param more programs that run beside plans. @throws as `Pipelines.warm`.
   */
  warm(plans: readonly Plan[], options?: WarmOptions, more: readonly Program[] = []): Promise<void> {
    return this.pipelines.warm(
      [...plans.flatMap((plan) => plan.steps.map((step) => step.dispatch)), ...[...EDGE_PROGRAMS, ...more].map(unused)],
      options,
    );
  }

  /**
   * Makes a plan ready to run. Release the prepared plan when done.
   * @param beside a prepared plan of the same graph, whose buffers and inputs the new one shares; release `beside`
   * last.
   */
  async prepare(plan: Plan, beside?: Prepared): Promise<Prepared> {
    const largest = plan.bytes.largest;
    if (largest > this.gpu.maxBinding)
      throw new GpuError(
        `plan: a buffer of ${largest} bytes exceeds the device's limit of ${this.gpu.maxBinding}: use smaller tiles`,
      );
    const pipelines = await this.pipelines.all(plan.steps.map((step) => step.dispatch));
    const { memory } = this;
    return memory.attempt('allocating buffers', () => {
      memory.uploadWeights(plan);
      const buffers =
        beside?.buffers ??
        plan.buffers.map((bytes, i) =>
          memory.create(
            `arena ${i}`,
            bytes,
            GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
          ),
        );
      const { params, offsets } = memory.uploadParams(plan.steps);
      const groups = plan.steps.map((step, i) =>
        memory.bind(step, this.pipelines.get(step.dispatch.program).layout, buffers, { buffer: params, ...offsets[i] }),
      );
      return { plan, buffers, params, pipelines, groups, ...(beside && { shared: true }) };
    });
  }

  /** Frees a prepared plan's buffers; its pipelines and weights stay for the next. */
  release({ buffers, params, shared }: Prepared): void {
    [params, ...(shared ? [] : buffers)].forEach((buffer) => this.memory.destroy(buffer));
  }

  /** Frees everything. */
  dispose(): void {
    this.memory.dispose();
    this.#clocks.splice(0).forEach((clock) => clock.destroy());
    this.submissions.dispose();
    this.pipelines.clear();
  }

  /** The place of a node's tensor on the device, in vec4f. */
  locate({ plan, buffers }: Prepared, node: number): { buffer: GPUBuffer; first: number } {
    const view = plan.views[node];
    return { buffer: buffers[view.buffer], first: start(view) };
  }

  /**
   * Submits a prepared plan on the inputs that were sent, and returns when its last step is submitted. Anything
   * submitted later runs after it.
   * @throws CancelledError, at most one submission after the signal; GpuError; DeviceLostError.
   */
  async submit(prepared: Prepared, { signal, from = 0, to, onStep, times }: SubmitOptions = {}): Promise<void> {
    const steps = prepared.plan.steps.slice(0, to);
    for (let next = from; next < steps.length; ) {
      await this.submissions.room();
      throwIfCancelled(signal);
      const first = next;
      const end = (next = this.submissions.end(steps, first, MAX_SPANS - 1));
      await this.gpu.guard(`running ${steps[first].name}`, () => {
        const clock = this.#clock(times);
        let fence: GPUBuffer | undefined;
        try {
          const encoder = this.#record(prepared, first, end, clock);
          fence = this.submissions.fence(encoder);
          this.gpu.device.queue.submit([encoder.finish()]);
        } catch (error) {
          fence?.destroy();
          clock?.destroy();
          throw error;
        }
        this.submissions.track(fence, steps, first, end, () => onStep?.(end));
        if (!clock) return;
        this.#readClock(clock, (ms) => {
          for (let i = first; i < end; i++) times!.stepMs[i] += ms[i - first];
        });
      });
    }
  }

  /** Waits until the GPU times of all submitted work have been added. */
  async timed(): Promise<void> {
    await Promise.all(this.#reading);
  }

  #record(prepared: Prepared, first: number, end: number, clock?: GpuClock): GPUCommandEncoder {
    const { steps } = prepared.plan;
    const encoder = this.gpu.device.createCommandEncoder({ label: steps[first].name });
    let pass: GPUComputePassEncoder | undefined;
    for (let i = first; i < end; i++) {
      pass ??= encoder.beginComputePass({ label: steps[i].name, timestampWrites: clock?.pass() });
      pass.setPipeline(prepared.pipelines[i]);
      pass.setBindGroup(0, prepared.groups[i]);
      pass.dispatchWorkgroups(...steps[i].dispatch.workgroups);
      if (!clock && i + 1 < end) continue;
      pass.end();
      pass = undefined;
    }
    clock?.resolve(encoder);
    return encoder;
  }

  /**
   * Calls `submit`, which submits commands beside a plan's steps, and passes on their GPU milliseconds if times are
   * wanted and the device has timestamps: of its dispatches, and of what follows them.
   */
  async timing(
    times: GpuTimes | undefined,
    submit: (clock: GpuClock | undefined) => Promise<void>,
    use: (ms: number, rest: number) => void,
  ): Promise<void> {
    const clock =
      times && this.canTime ? await this.gpu.guard('creating a clock', (own) => own(this.#clock(times)!)) : undefined;
    try {
      await submit(clock);
    } catch (error) {
      clock?.destroy();
      throw error;
    }
    if (clock)
      this.#readClock(clock, ([first, ...others]) =>
        use(
          first,
          others.reduce((sum, ms) => sum + ms, 0),
        ),
      );
  }

  /** A clock for one command buffer, if times are wanted and the device has timestamps. */
  #clock(times: GpuTimes | undefined): GpuClock | undefined {
    return times && this.canTime ? (this.#clocks.pop() ?? new GpuClock(this.gpu)) : undefined;
  }

  /** Passes on a clock's times as soon as they are there, and frees the clock. */
  #readClock(clock: GpuClock, use: (ms: readonly number[]) => void): void {
    const reading = clock.read().then(
      (ms) => {
        this.#clocks.push(clock);
        use(ms);
      },
      (error: unknown) => {
        clock.destroy();
        throw error;
      },
    );
    this.#reading.add(reading);
    const leave = (): void => void this.#reading.delete(reading);
    reading.then(leave, leave);
  }
}

/** A program with params for nothing. */
function unused(program: Program): Warmed {
  return { program, params: Object.fromEntries(Object.keys(program.parts.params).map((name) => [name, 0])) };
}

function missingTensor(name: string): never {
  throw new InputError(`this graph reads the tensor ${name}, and no weights were given`);
}
