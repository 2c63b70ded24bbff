/**
 * What the adapter can do at best, by timestamps over many dispatches where it has them: multiply-adds in registers, in
 * f32 and f16, bytes copied, what a dispatch costs, and the way to the GPU and back. Fractions in the tables are of
 * these, measured in the same run.
 */
import type { Gpu } from '../src/device.ts';
import { GpuClock, hasTimestamps } from '../src/graph/timestamps.ts';
import { median, timeInTurns, turnsOn } from './timing.ts';

export interface Peaks {
  /** 1e9 floating-point operations a second, a multiply-add being two, in f32. */
  gflops: number;
  /** 1e9 bytes a second, read and written each counted. */
  gbytes: number;
  /** As `gflops`, in f16; absent where the device has no shader-f16. */
  gflopsF16?: number;
  /** Microseconds of a dispatch that does nothing, of many in a pass. */
  dispatchUs?: number;
  /** Microseconds from submitting almost no work until its result is mapped. */
  roundTripUs?: number;
}

/**
 * Enough independent chains to fill the pipes, few enough for registers; many steps a round, because loops cost
 * something on software adapters.
 */
const CHAINS = 4;
const STEPS = 24;
const ROUNDS = 64;
const WORKGROUP = 256;
const MOST_WORKGROUPS = 65535;
/** Round trips in a row, and how often: browsers round the wall clock to 0.1 ms, about as much as one takes. */
const ROUND_TRIPS = 20;
const ROUND_TRIP_SAMPLES = 5;

type Vector = 'vec4f' | 'vec4h';

/** Chains of multiply-adds of a vector type, one invocation a vector: only arithmetic takes time. */
function multiplyAdds(type: Vector): string {
  const chains = Array.from({ length: CHAINS }, (_, i) => i);
  const step = chains.map((i) => `a${i} = fma(a${i}, k, c);`).join(' ');
  return `${type === 'vec4h' ? 'enable f16;' : ''}
@group(0) @binding(0) var<storage, read_write> values: array<${type}>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = values[0];
  let c = values[1];
${chains.map((i) => `  var a${i} = ${type}(${i}.0) + k;`).join('\n')}
  for (var round = 0u; round < ${ROUNDS}u; round++) {
${Array.from({ length: STEPS }, () => `    ${step}`).join('\n')}
  }
  values[2u + id.x] = ${chains.map((i) => `a${i}`).join(' + ')};
}`;
}

const COPY = `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copy: array<vec4f>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * ${WORKGROUP}u + id.x;
  if (i < arrayLength(&copy)) { copy[i] = source[i]; }
}`;

const NOTHING = `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(1)
fn main() { values[0] = 1; }`;

/** Measures one device's ceilings. @throws GpuError; DeviceLostError. */
export class PeakMeter {
  readonly #gpu: Gpu;
  readonly #clock: GpuClock | undefined;
  readonly #software: boolean;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#clock = hasTimestamps(gpu.device) ? new GpuClock(gpu) : undefined;
    this.#software = gpu.capabilities.cpu === true;
  }

  /** 1e9 operations a second, a multiply-add being two. @param invocations as many as fill a large GPU, by default */
  async multiplyAdds(type: Vector, invocations = this.#software ? 2 ** 15 : 2 ** 20): Promise<number> {
    const buffer = await this.#storage((invocations + 2) * (type === 'vec4h' ? 8 : 16));
    // Two vectors of 0.5: chains neither overflow nor become denormal.
    const half = type === 'vec4h' ? new Uint16Array(8).fill(0x3800) : new Float32Array(8).fill(0.5);
    this.#gpu.device.queue.writeBuffer(buffer, 0, half);
    const ms = await this.#dispatch(multiplyAdds(type), [buffer], invocations / WORKGROUP);
    return (2 * 4 * CHAINS * STEPS * ROUNDS * invocations) / ms / 1e6;
  }

  /** 1e9 bytes a second, read and written each counted. @param bytes of each of the two buffers */
  async copy(bytes = this.#software ? 2 ** 25 : Math.min(2 ** 28, this.#gpu.maxBinding)): Promise<number> {
    const buffers = [await this.#storage(bytes), await this.#storage(bytes)];
    return (2 * bytes) / (await this.#dispatch(COPY, buffers, bytes / 16 / WORKGROUP)) / 1e6;
  }

  /** Microseconds of a dispatch that does nothing. */
  async emptyDispatch(): Promise<number> {
    return 1000 * (await this.#dispatch(NOTHING, [await this.#storage(16)], 1, this.#software ? 100 : 5000));
  }

  /** Microseconds from submitting almost no work until its result is mapped: by the wall clock. */
  async roundTrip(): Promise<number> {
    const { device } = this.#gpu;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const samples: number[] = [];
    for (let sample = 0; sample < ROUND_TRIP_SAMPLES; sample++) {
      const begun = performance.now();
      for (let i = 0; i < ROUND_TRIPS; i++) {
        const encoder = device.createCommandEncoder();
        encoder.clearBuffer(buffer);
        device.queue.submit([encoder.finish()]);
        await this.#gpu.wait(buffer.mapAsync(GPUMapMode.READ));
        buffer.unmap();
      }
      samples.push((performance.now() - begun) / ROUND_TRIPS);
    }
    buffer.destroy();
    return 1000 * median(samples);
  }

  dispose(): void {
    this.#clock?.destroy();
  }

  #storage(size: number): Promise<GPUBuffer> {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    return this.#gpu.guard('peaks', () => this.#gpu.device.createBuffer({ label: 'peaks', size, usage }));
  }

  /** Milliseconds of one dispatch of `workgroups`, of many in a pass. Destroys the buffers. */
  async #dispatch(code: string, buffers: readonly GPUBuffer[], workgroups: number, mostRuns?: number): Promise<number> {
    const gpu = this.#gpu;
    const { device } = gpu;
    const pipeline = await gpu.guard('peaks', () =>
      device.createComputePipelineAsync({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } }),
    );
    const [x, y] = [Math.min(workgroups, MOST_WORKGROUPS), Math.ceil(workgroups / MOST_WORKGROUPS)];
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const time = async (count: number): Promise<number> => {
      const begun = performance.now();
      await gpu.guard('peaks', () => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass({ timestampWrites: this.#clock?.pass() });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        for (let i = 0; i < count; i++) pass.dispatchWorkgroups(x, y);
        pass.end();
        this.#clock?.resolve(encoder);
        device.queue.submit([encoder.finish()]);
      });
      if (this.#clock) return (await this.#clock.read())[0];
      await gpu.wait(device.queue.onSubmittedWorkDone());
      return performance.now() - begun;
    };
    const [samples] = await timeInTurns([time], { ...turnsOn(gpu), mostRuns });
    buffers.forEach((buffer) => buffer.destroy());
    return median(samples);
  }
}

/** The better of two measurements: a peak is what the adapter can do when nothing else runs. */
export function best(a: Peaks, b: Peaks): Peaks {
  return { ...a, ...b, gflops: Math.max(a.gflops, b.gflops), gbytes: Math.max(a.gbytes, b.gbytes) };
}

/** The two peaks of the roofline. */
export async function measurePeaks(gpu: Gpu): Promise<Peaks> {
  const meter = new PeakMeter(gpu);
  const peaks = { gflops: await meter.multiplyAdds('vec4f'), gbytes: await meter.copy() };
  meter.dispose();
  return peaks;
}

/** All peaks. */
export async function measureAllPeaks(gpu: Gpu): Promise<Peaks> {
  const meter = new PeakMeter(gpu);
  const peaks: Peaks = { gflops: await meter.multiplyAdds('vec4f'), gbytes: await meter.copy() };
  if (gpu.capabilities.f16) peaks.gflopsF16 = await meter.multiplyAdds('vec4h');
  peaks.dispatchUs = await meter.emptyDispatch();
  peaks.roundTripUs = await meter.roundTrip();
  meter.dispose();
  return peaks;
}
