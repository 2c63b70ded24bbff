/**
 * The executor runs plans on a device: it uploads each packed weight once, allocates a plan's buffers, records and
 * submits commands, and reads results back. Besides it only transfer.ts touches the GPU.
 *
 * A plan has one set of buffers for its tensors. Only the edge to the CPU has more buffers, so that two tiles can be in
 * flight: inputs are written to a staging buffer while the previous tile computes, and results are read from one of two
 * readback buffers while the next tile computes.
 */
import type { Gpu } from '../device.ts';
import { GpuError, InputError, throwIfCancelled } from '../errors.ts';
import { start, tensorBytes } from '../kernels/tensor.ts';
import type { View } from '../kernels/tensor.ts';
import { READBACKS, inputsOf, readbackBytes, stagingBytes } from './edges.ts';
import { DeviceBuffers } from './deviceBuffers.ts';
import type { TensorSource } from './deviceBuffers.ts';
import { Pipelines } from './pipelines.ts';
import type { WarmOptions } from './pipelines.ts';
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
  /** The staging buffer for inputs, one after another, and its memory while it is mapped. */
  staging: { buffer: GPUBuffer; memory: ArrayBuffer | undefined };
  readbacks: readonly GPUBuffer[];
  /** Whether all buffers but the params belong to another prepared plan. */
  shared?: boolean;
}

export interface SubmitOptions {
  signal?: AbortSignal;
  /** Called with the number of finished steps, whenever the GPU has finished some. */
  onStep?: (done: number) => void;
  /** GPU milliseconds are added here if the device has timestamps (`canTime`). Every step then runs in its own pass. */
  times?: GpuTimes;
  /** An output to copy to a readback buffer at the end of the run. */
  output?: { node: number; slot: number };
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
   * Compiles the programs of plans, all at once, and runs each once, without allocating any plan's buffers. @throws as
   * `Pipelines.warm`.
   */
  warm(plans: readonly Plan[], options?: WarmOptions): Promise<void> {
    return this.pipelines.warm(
      plans.flatMap((plan) => plan.steps.map((step) => step.dispatch)),
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
      if (beside) return { ...beside, plan, params, pipelines, groups, shared: true };
      const staging = {
        buffer: memory.create('staging', stagingBytes(plan), GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC),
        memory: undefined,
      };
      const readbacks = Array.from({ length: READBACKS }, (_, i) =>
        memory.create(`readback ${i}`, readbackBytes(plan), GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
      );
      return { plan, buffers, params, pipelines, groups, staging, readbacks };
    });
  }

  /** Frees a prepared plan's buffers; its pipelines and weights stay for the next. */
  release({ buffers, params, staging, readbacks, shared }: Prepared): void {
    [params, ...(shared ? [] : [...buffers, staging.buffer, ...readbacks])].forEach((buffer) =>
      this.memory.destroy(buffer),
    );
  }

  /** Frees everything. */
  dispose(): void {
    this.memory.dispose();
    this.#clocks.splice(0).forEach((clock) => clock.destroy());
    this.submissions.dispose();
    this.pipelines.clear();
  }

  /**
   * Calls `write` to fill a prepared plan's inputs, once the inputs sent before have been copied. Old contents are
   * lost.
   * @param write must not use the memory after it returns.
   * @throws what `write` throws; DeviceLostError
   */
  async stage({ plan, staging }: Prepared, write: (inputs: Tensors) => void): Promise<void> {
    const { buffer } = staging;
    const mapped = staging.memory
      ? Promise.resolve(staging.memory)
      : buffer.mapAsync(GPUMapMode.WRITE).then(() => (staging.memory = buffer.getMappedRange()));
    // Within `wait`: a lost device takes the memory away, and then the loss is what must be thrown.
    return this.gpu.wait(
      mapped.then((memory) =>
        write(
          Object.fromEntries(
            inputsOf(plan).map(({ name, offset, bytes }) => [name, new Float32Array(memory, offset, bytes / 4)]),
          ),
        ),
      ),
    );
  }

  /** Submits the copy of staged inputs to the buffers that the plan reads. @throws GpuError; DeviceLostError. */
  async send({ plan, buffers, staging }: Prepared, times?: GpuTimes): Promise<void> {
    const clock = this.#clock(times);
    await this.gpu.guard('uploading', () => {
      staging.buffer.unmap();
      staging.memory = undefined;
      const encoder = this.gpu.device.createCommandEncoder({ label: 'upload' });
      const copy = (): void => {
        for (const { view, offset, bytes } of inputsOf(plan))
          encoder.copyBufferToBuffer(staging.buffer, offset, buffers[view.buffer], viewOffset(view), bytes);
      };
      if (clock) clock.copies(encoder, copy);
      else copy();
      clock?.resolve(encoder);
      this.gpu.device.queue.submit([encoder.finish()]);
      if (clock) this.#readClock(clock, ([ms]) => (times!.uploadMs += ms));
    });
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
  async submit(prepared: Prepared, { signal, onStep, times, output }: SubmitOptions = {}): Promise<void> {
    const { steps } = prepared.plan;
    for (let next = 0; next < steps.length; ) {
      await this.submissions.room();
      throwIfCancelled(signal);
      const first = next;
      const end = (next = this.submissions.end(steps, first, MAX_SPANS - 1));
      const clock = this.#clock(times);
      await this.gpu.guard(`running ${steps[first].name}`, () => {
        const encoder = this.#record(prepared, first, end, end === steps.length ? output : undefined, clock);
        const fence = this.submissions.fence(encoder);
        this.gpu.device.queue.submit([encoder.finish()]);
        this.submissions.track(fence, steps, first, end, () => onStep?.(end));
        if (!clock) return;
        this.#readClock(clock, (ms) => {
          for (let i = first; i < end; i++) times!.stepMs[i] += ms[i - first];
          times!.readbackMs += ms[end - first] ?? 0;
        });
      });
    }
  }

  /** Waits until the GPU times of all submitted work have been added. */
  async timed(): Promise<void> {
    await Promise.all(this.#reading);
  }

  /**
   * Waits for the tensor that was copied to a readback buffer, and passes it to `use` (NC4HW4), which must not keep it
   * after it returns. @throws DeviceLostError.
   */
  async take<T>({ readbacks }: Prepared, slot: number, use: (values: Float32Array<ArrayBuffer>) => T): Promise<T> {
    const buffer = readbacks[slot];
    return this.gpu.wait(
      buffer.mapAsync(GPUMapMode.READ).then(() => {
        try {
          return use(new Float32Array(buffer.getMappedRange()));
        } finally {
          buffer.unmap();
        }
      }),
    );
  }

  #record(
    prepared: Prepared,
    first: number,
    end: number,
    output?: SubmitOptions['output'],
    clock?: GpuClock,
  ): GPUCommandEncoder {
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
    if (output && clock) clock.copies(encoder, () => this.recordReadback(encoder, prepared, output));
    else if (output) this.recordReadback(encoder, prepared, output);
    clock?.resolve(encoder);
    return encoder;
  }

  /** Records the copy of an output to a readback buffer. */
  recordReadback(
    encoder: GPUCommandEncoder,
    { plan, buffers, readbacks }: Prepared,
    { node, slot }: { node: number; slot: number },
  ): void {
    const view = plan.views[node];
    encoder.copyBufferToBuffer(buffers[view.buffer], viewOffset(view), readbacks[slot], 0, tensorBytes(view.shape));
  }

  /** A clock for one command buffer, if times are wanted and the device has timestamps. */
  #clock(times: GpuTimes | undefined): GpuClock | undefined {
    return times && this.canTime ? (this.#clocks.pop() ?? new GpuClock(this.gpu)) : undefined;
  }

  /** Passes on a clock's times as soon as they are there, and frees the clock. */
  #readClock(clock: GpuClock, use: (ms: readonly number[]) => void): void {
    const reading = clock.read().then((ms) => {
      this.#clocks.push(clock);
      use(ms);
    });
    this.#reading.add(reading);
    const leave = (): void => void this.#reading.delete(reading);
    reading.then(leave, leave);
  }
}

function missingTensor(name: string): never {
  throw new InputError(`this graph reads the tensor ${name}, and no weights were given`);
}

function viewOffset(view: View): number {
  return start(view) * 16;
}
