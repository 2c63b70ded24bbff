/**
 * The device's ceilings, by timestamps over many dispatches: multiply-adds in f32 and f16, bytes copied, what a
 * dispatch costs, and the round trip to the GPU. `npm run bench` measures its own peaks by the wall clock, in short
 * dispatches, in which a fast GPU's round trip takes most of the time.
 *
 *     npx tsx bench/gpu/peaks.ts [--adapter gpu] [--tiny]
 */
import { parseArgs } from 'node:util';
import { median } from '../timing.ts';
import { COMMON, main, openGpu, row, say } from './program.ts';

const { values } = parseArgs({ options: COMMON });

/**
 * Independent chains fill the pipes, few enough for registers; many steps a round, because a loop costs something too.
 */
const CHAINS = 4;
const STEPS = 24;
const ROUNDS = 64;
/** Passes of each measurement; the first is not counted. */
const PASSES = 6;
const MOST_WORKGROUPS = 65535;

/** Chains of multiply-adds of a vector type, one invocation a vector. */
function multiplyAdds(type: string): string {
  const chains = Array.from({ length: CHAINS }, (_, i) => i);
  const step = chains.map((i) => `a${i} = fma(a${i}, k, c);`).join(' ');
  return `${type === 'vec4h' ? 'enable f16;' : ''}
@group(0) @binding(0) var<storage, read_write> values: array<${type}>;
@compute @workgroup_size(256)
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
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 256u + id.x;
  if (i < arrayLength(&copy)) { copy[i] = source[i]; }
}`;

const NOTHING = `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(1)
fn main() { values[0] = 1; }`;

/** Measurements on one device. */
class Peaks {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.features.has('timestamp-query')
      ? device.createQuerySet({ type: 'timestamp', count: 2 })
      : undefined;
    if (!this.#queries) say('no timestamps here: times are of the wall clock');
  }

  storage(size: number): GPUBuffer {
    return this.#device.createBuffer({
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
  }

  /** Milliseconds of one dispatch of `workgroups`, of `count` in a pass. */
  async dispatch(code: string, buffers: readonly GPUBuffer[], workgroups: number, count: number): Promise<number> {
    const device = this.#device;
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const [x, y] = [Math.min(workgroups, MOST_WORKGROUPS), Math.ceil(workgroups / MOST_WORKGROUPS)];
    const samples: number[] = [];
    for (let pass = 0; pass < PASSES; pass++) {
      samples.push(
        await this.#pass((encoder) => {
          encoder.setPipeline(pipeline);
          encoder.setBindGroup(0, group);
          for (let i = 0; i < count; i++) encoder.dispatchWorkgroups(x, y);
        }),
      );
    }
    return median(samples.slice(1)) / count;
  }

  async #pass(record: (pass: GPUComputePassEncoder) => void): Promise<number> {
    const device = this.#device;
    const queries = this.#queries;
    const resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const readback = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(
      queries && { timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } },
    );
    record(pass);
    pass.end();
    if (queries) encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readback, 0, 16);
    const begun = performance.now();
    device.queue.submit([encoder.finish()]);
    await readback.mapAsync(GPUMapMode.READ);
    const wall = performance.now() - begun;
    const [from, to] = new BigUint64Array(readback.getMappedRange());
    const ms = queries ? Number(to - from) / 1e6 : wall;
    resolved.destroy();
    readback.destroy();
    return ms;
  }

  /** Milliseconds from submitting almost no work until its result is mapped. */
  async roundTrip(count: number): Promise<number> {
    const buffer = this.#device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const samples: number[] = [];
    for (let i = 0; i < count; i++) {
      const begun = performance.now();
      const encoder = this.#device.createCommandEncoder();
      encoder.clearBuffer(buffer);
      this.#device.queue.submit([encoder.finish()]);
      await buffer.mapAsync(GPUMapMode.READ);
      buffer.unmap();
      samples.push(performance.now() - begun);
    }
    return median(samples);
  }

  /**
   * Transfers from and to the CPU, 1e9 bytes a second: writing mapped memory, copying it up, copying back, reading what
   * is mapped.
   */
  async edge(bytes: number): Promise<Record<'writeMapped' | 'upload' | 'download' | 'readMapped', number>> {
    const device = this.#device;
    const data = new Float32Array(bytes / 4).fill(0.25);
    const buffer = this.storage(bytes);
    const up = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC });
    const down = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const times = {
      writeMapped: [] as number[],
      upload: [] as number[],
      download: [] as number[],
      readMapped: [] as number[],
    };
    const timed = async (samples: number[], work: () => unknown): Promise<void> => {
      const begun = performance.now();
      await work();
      samples.push(performance.now() - begun);
    };
    const copy = (from: GPUBuffer, to: GPUBuffer): GPUQueue => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
      device.queue.submit([encoder.finish()]);
      return device.queue;
    };
    for (let i = 0; i < PASSES; i++) {
      await up.mapAsync(GPUMapMode.WRITE);
      await timed(times.writeMapped, () => new Float32Array(up.getMappedRange()).set(data));
      up.unmap();
      await timed(times.upload, () => copy(up, buffer).onSubmittedWorkDone());
      await timed(times.download, () => {
        copy(buffer, down);
        return down.mapAsync(GPUMapMode.READ);
      });
      await timed(times.readMapped, () => new Float32Array(down.getMappedRange()).slice());
      down.unmap();
    }
    const rate = (samples: readonly number[]): number => bytes / median(samples.slice(1)) / 1e6;
    return {
      writeMapped: rate(times.writeMapped),
      upload: rate(times.upload),
      download: rate(times.download),
      readMapped: rate(times.readMapped),
    };
  }
}

await main('peaks', async () => {
  const { tiny } = values;
  const { device } = await openGpu(values.adapter);
  const peaks = new Peaks(device);

  const invocations = tiny ? 1024 : 2 ** 20;
  for (const type of ['vec4f', ...(device.features.has('shader-f16') ? ['vec4h'] : [])]) {
    const buffer = peaks.storage((invocations + 2) * 16);
    // Two vectors of 0.5: chains neither overflow nor become denormal.
    device.queue.writeBuffer(
      buffer,
      0,
      type === 'vec4h' ? new Uint16Array(8).fill(0x3800) : new Float32Array(8).fill(0.5),
    );
    const ms = await peaks.dispatch(multiplyAdds(type), [buffer], invocations / 256, tiny ? 1 : 10);
    row({ what: `fma ${type}`, tflops: (2 * 4 * CHAINS * STEPS * ROUNDS * invocations) / ms / 1e9, ms });
    buffer.destroy();
  }

  for (const mebibytes of tiny ? [1] : [16, 512]) {
    const bytes = mebibytes * 2 ** 20;
    const buffers = [peaks.storage(bytes), peaks.storage(bytes)];
    const ms = await peaks.dispatch(COPY, buffers, bytes / 16 / 256, tiny ? 1 : 20);
    row({ what: `copy of ${mebibytes} MiB`, gbytes: (2 * bytes) / ms / 1e6, ms });
    buffers.forEach((buffer) => buffer.destroy());
  }

  row({
    what: 'empty dispatch in a pass',
    us: 1000 * (await peaks.dispatch(NOTHING, [peaks.storage(16)], 1, tiny ? 10 : 1000)),
  });
  row({ what: 'submit to mapped', us: 1000 * (await peaks.roundTrip(tiny ? 5 : 100)) });
  row({ what: 'edge, GB/s', ...(await peaks.edge(tiny ? 2 ** 20 : 2 ** 26)) });
});
