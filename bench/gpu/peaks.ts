/**
 * The device's ceilings (bench/peaks.ts), copies of two sizes, and transfers from and to the CPU.
 *
 *     npx tsx bench/gpu/peaks.ts [--adapter gpu] [--tiny]
 */
import { parseArgs } from 'node:util';
import { Gpu } from '../../src/device.ts';
import { PeakMeter } from '../peaks.ts';
import { median } from '../timing.ts';
import { COMMON, main, openGpu, row } from './program.ts';

const { values } = parseArgs({ options: COMMON });

/** Transfers each way; the first is not counted. */
const PASSES = 6;

/**
 * Transfers from and to the CPU, 1e9 bytes a second: writing mapped memory, copying it up, copying back, reading what
 * is mapped.
 */
async function edge(
  device: GPUDevice,
  bytes: number,
): Promise<Record<'writeMapped' | 'upload' | 'download' | 'readMapped', number>> {
  const data = new Float32Array(bytes / 4).fill(0.25);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: bytes, usage });
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

await main('peaks', async () => {
  const { tiny } = values;
  const { device } = await openGpu(values.adapter);
  const gpu = new Gpu(device);
  const meter = new PeakMeter(gpu);
  const invocations = tiny ? 1024 : undefined;
  row({ what: 'fma vec4f', tflops: (await meter.multiplyAdds('vec4f', invocations)) / 1000 });
  if (gpu.capabilities.f16) row({ what: 'fma vec4h', tflops: (await meter.multiplyAdds('vec4h', invocations)) / 1000 });
  for (const mebibytes of tiny ? [1] : [16, 512])
    row({ what: `copy of ${mebibytes} MiB`, gbytes: await meter.copy(mebibytes * 2 ** 20) });
  row({ what: 'empty dispatch in a pass', us: await meter.emptyDispatch() });
  row({ what: 'submit to mapped', us: await meter.roundTrip() });
  row({ what: 'edge, GB/s', ...(await edge(device, tiny ? 2 ** 20 : 2 ** 26)) });
});
