/**
 * GPU time by timestamp queries, if the device has them ('timestamp-query').
 *
 * WebGPU takes timestamps at the beginning and the end of a compute pass only, so each timed step gets its own pass. A
 * copy is timed from the end of an empty pass before it to the beginning of an empty pass after it. Implementations
 * round times (Dawn to 65 us), so single short steps are coarse; sums are not, because a step ends where the next
 * begins.
 */
import type { Gpu } from '../device.ts';

/** Sums of GPU milliseconds. */
export interface GpuTimes {
  /** By step of the plan. */
  stepMs: Float64Array;
}

/** Spans one clock can time between two reads: a query set holds at most 4096 timestamps, and a span takes two. */
export const MAX_SPANS = 1024;

const BYTES = MAX_SPANS * 2 * 8;

/** Whether spans can be timed on a device. */
export function hasTimestamps(device: GPUDevice): boolean {
  return device.features.has('timestamp-query');
}

/** Times up to MAX_SPANS spans of one command buffer. */
export class GpuClock {
  readonly #gpu: Gpu;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readback: GPUBuffer;
  #spans = 0;

  constructor(gpu: Gpu) {
    const { device } = gpu;
    this.#gpu = gpu;
    const made: { destroy(): void }[] = [];
    const keep = <T extends { destroy(): void }>(one: T): T => {
      made.push(one);
      return one;
    };
    try {
      this.#queries = keep(device.createQuerySet({ label: 'clock', type: 'timestamp', count: 2 * MAX_SPANS }));
      this.#resolved = keep(
        device.createBuffer({
          label: 'clock',
          size: BYTES,
          usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
        }),
      );
      this.#readback = keep(
        device.createBuffer({
          label: 'clock readback',
          size: BYTES,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        }),
      );
    } catch (error) {
      for (const one of made) one.destroy();
      throw error;
    }
  }

  /** Timestamp writes for the next pass, which becomes one span. */
  pass(): GPUComputePassTimestampWrites {
    const at = 2 * this.#spans++;
    return { querySet: this.#queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Times the commands that `record` encodes outside of passes, as one span. */
  copies(encoder: GPUCommandEncoder, record: () => void): void {
    const at = 2 * this.#spans++;
    encoder
      .beginComputePass({
        label: 'before copies',
        timestampWrites: { querySet: this.#queries, endOfPassWriteIndex: at },
      })
      .end();
    record();
    encoder
      .beginComputePass({
        label: 'after copies',
        timestampWrites: { querySet: this.#queries, beginningOfPassWriteIndex: at + 1 },
      })
      .end();
  }

  /** Ends the command buffer: makes its times readable. */
  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#queries, 0, 2 * this.#spans, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#readback, 0, 16 * this.#spans);
  }

  /** Milliseconds of each span since the last read, once the command buffer has run. @throws DeviceLostError. */
  async read(): Promise<number[]> {
    const count = this.#spans;
    this.#spans = 0;
    const spansOf = (range: ArrayBuffer): number[] => {
      const times = new BigUint64Array(range);
      // The GPU's clock may be reset between two timestamps: such a span counts as 0.
      return Array.from({ length: count }, (_, i) => Math.max(0, Number(times[2 * i + 1] - times[2 * i]) / 1e6));
    };
    return this.#gpu.read(this.#readback, spansOf, 16 * count);
  }

  destroy(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#readback.destroy();
  }
}
