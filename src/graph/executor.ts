/**
 * The executor owns the device: it compiles each program once, uploads each packed weight once, allocates a plan's buffers, records, submits
 * and reads back. Nothing else touches the GPU.
 *
 * A run is cut into submissions of about a tenth of a second each, so that a picture stops within one of being cancelled and no
 * operating system's watchdog fires on a slow adapter.
 */
import type { Gpu } from '../device.ts';
import { CancelledError, GpuError, InputError } from '../errors.ts';
import { layoutEntries, packParams, start, tensorBytes, wgsl } from '../kernels/kernel.ts';
import type { Program, Resource, View } from '../kernels/kernel.ts';
import type { Plan, Step } from './plan.ts';
import { GpuClock, MAX_SPANS, hasTimestamps } from './timestamps.ts';

/** A tensor of the weights file by name, OIHW. @throws when there is none. */
export type TensorSource = (name: string) => Float32Array;

interface Compiled {
  layout: GPUBindGroupLayout;
  pipeline: Promise<GPUComputePipeline>;
}

/** A plan with its pipelines, buffers and bind groups, ready to run. */
export interface Prepared {
  plan: Plan;
  buffers: readonly GPUBuffer[];
  params: GPUBuffer;
  pipelines: readonly GPUComputePipeline[];
  groups: readonly GPUBindGroup[];
  readback: GPUBuffer;
}

export interface RunOptions {
  signal?: AbortSignal;
  /** Called before a step runs with its index, and once at the end with their number. Benchmarks and progress use it. */
  onStep?: (done: number) => void;
  /** Milliseconds on the GPU are added here, one element a step, where the device has timestamps (`canTime`). Every step gets a pass of its own then. */
  stepMs?: Float64Array;
}

/** Submissions aim at this long. */
const SUBMIT_MS = 100;
/** Multiply-adds of the first submission: a few milliseconds on a GPU, a second on a slow software adapter. */
const FIRST_SUBMIT_WORK = 1e9;
/** What a dispatch costs besides, in multiply-adds: keeps graphs of tiny steps from going up in one submission. */
const STEP_WORK = 1e6;

export class Executor {
  readonly gpu: Gpu;
  readonly #tensor: TensorSource;
  readonly #compiled = new Map<string, Compiled>();
  readonly #weights = new Map<string, GPUBuffer>();
  #bytes = 0;
  #peak = 0;
  #submitWork = FIRST_SUBMIT_WORK;

  constructor(gpu: Gpu, tensor: TensorSource = missingTensor) {
    this.gpu = gpu;
    this.#tensor = tensor;
  }

  /** Most bytes of GPU buffers held at once since `resetPeak`. */
  get peakBytes(): number {
    return this.#peak;
  }

  /** Whether `RunOptions.stepMs` is filled. */
  get canTime(): boolean {
    return hasTimestamps(this.gpu.device);
  }

  resetPeak(): void {
    this.#peak = this.#bytes;
  }

  /** Compiles a plan's programs, all at once, without allocating anything. */
  async compile(plan: Plan): Promise<void> {
    await Promise.all(plan.steps.map((step) => this.#pipeline(step.dispatch.program).pipeline));
  }

  /** Makes a plan ready to run. Release it when done. */
  async prepare(plan: Plan): Promise<Prepared> {
    const largest = plan.bytes.largest;
    if (largest > this.gpu.maxBinding) throw new GpuError(`plan: a buffer of ${largest} bytes exceeds the device's limit of ${this.gpu.maxBinding}: use smaller tiles`);
    const pipelines = await this.gpu.wait(Promise.all(plan.steps.map((step) => this.#pipeline(step.dispatch.program).pipeline)));
    return this.gpu.guard('allocating buffers', () => {
      this.#uploadWeights(plan);
      const buffers = plan.buffers.map((bytes, i) => this.#create(`arena ${i}`, bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC));
      const { params, offsets } = this.#uploadParams(plan.steps);
      const groups = plan.steps.map((step, i) => this.#bind(step, buffers, { buffer: params, ...offsets[i] }));
      const outputBytes = Math.max(...plan.graph.outputs.map((id) => tensorBytes(plan.graph.nodes[id].shape)));
      const readback = this.#create('readback', outputBytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
      return { plan, buffers, params, pipelines, groups, readback };
    });
  }

  /** Frees a prepared plan's buffers; its pipelines and weights stay for the next. */
  release(prepared: Prepared): void {
    [...prepared.buffers, prepared.params, prepared.readback].forEach((buffer) => this.#destroy(buffer));
  }

  /** Frees everything. */
  dispose(): void {
    this.#weights.forEach((buffer) => this.#destroy(buffer));
    this.#weights.clear();
    this.#compiled.clear();
  }

  /** Uploads a prepared plan's inputs, by node name, NC4HW4. @throws InputError; GpuError; DeviceLostError */
  async upload({ plan, buffers }: Prepared, inputs: Record<string, Float32Array<ArrayBuffer>>): Promise<void> {
    await this.gpu.guard('uploading', () => {
      for (const node of plan.graph.nodes) {
        if (node.op !== 'input') continue;
        const data = inputs[node.name];
        const bytes = tensorBytes(node.shape);
        if (data?.byteLength !== bytes) throw new InputError(`input ${node.name}: ${data?.byteLength ?? 0} bytes, the plan needs ${bytes}`);
        const view = plan.views[node.id];
        this.gpu.device.queue.writeBuffer(buffers[view.buffer], viewOffset(view), data);
      }
    });
  }

  /** Where a node's tensor lies on the device, in vec4f. */
  locate({ plan, buffers }: Prepared, node: number): { buffer: GPUBuffer; first: number } {
    const view = plan.views[node];
    return { buffer: buffers[view.buffer], first: start(view) };
  }

  /**
   * Runs a prepared plan on the inputs that were uploaded. Read results with `read`.
   * @throws CancelledError within one submission of the signal; GpuError; DeviceLostError.
   */
  async run(prepared: Prepared, options: RunOptions = {}): Promise<void> {
    const { plan } = prepared;
    const { stepMs } = options;
    const clock = stepMs && this.canTime ? new GpuClock(this.gpu) : undefined;
    try {
      for (let next = 0; next < plan.steps.length; ) {
        if (options.signal?.aborted) throw new CancelledError();
        const first = next;
        let work = 0;
        do work += plan.steps[next++].multiplyAdds + STEP_WORK;
        while (next < plan.steps.length && next - first < MAX_SPANS && work + plan.steps[next].multiplyAdds <= this.#submitWork);
        options.onStep?.(first);
        const begun = performance.now();
        await this.gpu.guard(`running ${plan.steps[first].name}`, () => this.#submit(prepared, first, next, clock));
        await this.gpu.wait(this.gpu.device.queue.onSubmittedWorkDone());
        this.#adapt(work, performance.now() - begun);
        (await clock?.read())?.forEach((ms, i) => (stepMs![first + i] += ms));
      }
    } finally {
      clock?.destroy();
    }
    options.onStep?.(plan.steps.length);
  }

  /** Runs a prepared plan again on the inputs it has, in one submission: what benchmarks time. */
  async repeat(prepared: Prepared): Promise<void> {
    await this.gpu.guard('running', () => this.#submit(prepared, 0, prepared.plan.steps.length));
    await this.gpu.wait(this.gpu.device.queue.onSubmittedWorkDone());
  }

  /** The tensor of an output node after a run, NC4HW4. */
  async read(prepared: Prepared, node: number): Promise<Float32Array<ArrayBuffer>> {
    const view = prepared.plan.views[node];
    const bytes = tensorBytes(view.shape);
    await this.gpu.guard('reading back', () => {
      const encoder = this.gpu.device.createCommandEncoder({ label: 'readback' });
      encoder.copyBufferToBuffer(prepared.buffers[view.buffer], viewOffset(view), prepared.readback, 0, bytes);
      this.gpu.device.queue.submit([encoder.finish()]);
    });
    await this.gpu.wait(prepared.readback.mapAsync(GPUMapMode.READ, 0, bytes));
    const result = new Float32Array(prepared.readback.getMappedRange(0, bytes).slice(0));
    prepared.readback.unmap();
    return result;
  }

  #submit(prepared: Prepared, first: number, end: number, clock?: GpuClock): void {
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
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  /** Moves the size of submissions towards SUBMIT_MS, by at most a factor of four a time; a first compilation counts as one slow step. */
  #adapt(work: number, ms: number): void {
    const factor = Math.min(4, Math.max(0.25, SUBMIT_MS / Math.max(ms, 0.1)));
    if (factor < 1 || work > this.#submitWork / 2) this.#submitWork = Math.max(1e7, work * factor);
  }

  #pipeline(program: Program): Compiled {
    const code = wgsl(program);
    const known = this.#compiled.get(code);
    if (known) return known;
    const { device } = this.gpu;
    const layout = device.createBindGroupLayout({ label: program.label, entries: layoutEntries(program, GPUShaderStage.COMPUTE) });
    const module = device.createShaderModule({ label: program.label, code });
    const pipeline = device
      .createComputePipelineAsync({
        label: program.label,
        layout: device.createPipelineLayout({ label: program.label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      })
      .catch((cause: unknown) => {
        throw new GpuError(`compiling ${program.label}: ${(cause as Error).message.trim()}`, { cause });
      });
    const compiled = { layout, pipeline };
    this.#compiled.set(code, compiled);
    return compiled;
  }

  #uploadWeights(plan: Plan): void {
    for (const [key, packed] of plan.weights) {
      if (this.#weights.has(key)) continue;
      const data = packed.pack(this.#tensor);
      const buffer = this.#create(key, data.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
      this.gpu.device.queue.writeBuffer(buffer, 0, data);
      this.#weights.set(key, buffer);
    }
  }

  /** All steps' params in one buffer, each at an offset the device can bind. */
  #uploadParams(steps: readonly Step[]): { params: GPUBuffer; offsets: { offset: number; size: number }[] } {
    const align = this.gpu.device.limits.minUniformBufferOffsetAlignment;
    const packed = steps.map((step) => packParams(step.dispatch.program, step.dispatch.params));
    let end = 0;
    const offsets = packed.map((bytes) => {
      const offset = end;
      end += Math.ceil(bytes.byteLength / align) * align;
      return { offset, size: bytes.byteLength };
    });
    const all = new Uint8Array(end);
    packed.forEach((bytes, i) => all.set(new Uint8Array(bytes), offsets[i].offset));
    const params = this.#create('params', end, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    this.gpu.device.queue.writeBuffer(params, 0, all);
    return { params, offsets };
  }

  #bind(step: Step, buffers: readonly GPUBuffer[], params: GPUBufferBinding): GPUBindGroup {
    const { program, resources } = step.dispatch;
    const find = (resource: Resource): GPUBuffer => (resource.kind === 'buffer' ? buffers[resource.buffer] : this.#weights.get(resource.key)!);
    const storage = Object.keys(program.bindings).map((name, i): GPUBindGroupEntry => ({ binding: i + 1, resource: { buffer: find(resources[name]) } }));
    return this.gpu.device.createBindGroup({ label: step.name, layout: this.#pipeline(program).layout, entries: [{ binding: 0, resource: params }, ...storage] });
  }

  #create(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.gpu.device.createBuffer({ label, size, usage });
    this.#bytes += size;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return buffer;
  }

  #destroy(buffer: GPUBuffer): void {
    this.#bytes -= buffer.size;
    buffer.destroy();
  }
}

function missingTensor(name: string): never {
  throw new InputError(`this graph reads the tensor ${name}, and no weights were given`);
}

function viewOffset(view: View): number {
  return start(view) * 16;
}
