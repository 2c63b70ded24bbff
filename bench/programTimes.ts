/**
 * GPU time by program, of any code that records compute passes, seen from outside: while `programTimes` runs its work,
 * every dispatch of the device is recorded in a pass of its own, between two timestamps.
 */
import type { Gpu } from '../src/device.ts';
import { GpuClock, MAX_SPANS, hasTimestamps } from '../src/graph/timestamps.ts';

/**
 * Milliseconds of each program's dispatches, by the label of its pipeline.
 * @returns undefined if the device has no timestamps.
 */
export async function programTimes(gpu: Gpu, work: () => Promise<unknown>): Promise<Map<string, number> | undefined> {
  const { device } = gpu;
  if (!hasTimestamps(device)) return undefined;
  const times = new Map<string, number>();
  const reading: Promise<void>[] = [];
  const free: GpuClock[] = [];
  const create = device.createCommandEncoder;
  device.createCommandEncoder = (descriptor) => {
    const encoder = create.call(device, descriptor);
    const [begin, finish] = [encoder.beginComputePass, encoder.finish];
    const clock = free.pop() ?? new GpuClock(gpu);
    const labels: string[] = [];
    encoder.beginComputePass = () => {
      let pipeline: GPUComputePipeline;
      let group: GPUBindGroup;
      const pass: Pick<GPUComputePassEncoder, 'setPipeline' | 'setBindGroup' | 'dispatchWorkgroups' | 'end'> = {
        setPipeline: (set) => void (pipeline = set),
        setBindGroup: (_: number, set: GPUBindGroup | null | undefined) => void (group = set!),
        dispatchWorkgroups: (...counts) => {
          if (labels.push(pipeline.label) > MAX_SPANS) throw new Error(`more than ${MAX_SPANS} dispatches at once`);
          const timed = begin.call(encoder, { label: pipeline.label, timestampWrites: clock.pass() });
          timed.setPipeline(pipeline);
          timed.setBindGroup(0, group);
          timed.dispatchWorkgroups(...counts);
          timed.end();
        },
        end: () => undefined,
      };
      return pass as GPUComputePassEncoder;
    };
    encoder.finish = (options) => {
      if (labels.length === 0) {
        free.push(clock);
        return finish.call(encoder, options);
      }
      clock.resolve(encoder);
      // It is submitted before anything else runs.
      const read = Promise.resolve()
        .then(() => clock.read())
        .then((ms) => {
          labels.forEach((label, i) => times.set(label, (times.get(label) ?? 0) + ms[i]));
          free.push(clock);
        });
      reading.push(read);
      return finish.call(encoder, options);
    };
    return encoder;
  };
  try {
    await work();
    await Promise.all(reading);
  } finally {
    device.createCommandEncoder = create;
    free.forEach((clock) => clock.destroy());
  }
  return times;
}
