/**
 * How work goes to the GPU: in submissions of about SUBMIT_MS each, at most two of them in flight.
 *
 * They are short, so that a merge stops about a tenth of a second after it is cancelled, and so that no operating
 * system's watchdog fires on a slow adapter. There are two, so that the next is ready when one ends. A tile that takes
 * less time than SUBMIT_MS is one submission.
 *
 * Waiting for a submission means waiting for the mapping of a few bytes (a fence) that it writes at its end.
 * `onSubmittedWorkDone`, called late, would also wait for everything submitted since.
 */
import type { Gpu } from '../device.ts';
import type { Step } from './plan.ts';

/** Target duration of a submission. */
const SUBMIT_MS = 50;
const MAX_IN_FLIGHT = 2;
/** Multiply-adds of the first submission: a few milliseconds on a GPU, a second on a slow software adapter. */
const FIRST_WORK = 1e9;
const LEAST_WORK = 1e7;
/** Fixed cost of a dispatch, in multiply-adds: keeps a graph of tiny steps from becoming one submission. */
const STEP_WORK = 1e6;

/** Bytes of a fence: the smallest size that can be filled and mapped. */
const FENCE_BYTES = 16;

/** The work that a step counts as. */
function workOf(step: Step): number {
  return step.multiplyAdds + STEP_WORK;
}

export class Submissions {
  readonly #gpu: Gpu;
  /** Promises of the submissions in flight. None rejects. */
  readonly #inFlight: Promise<void>[] = [];
  /** The first failure that was not thrown yet. */
  #failure: { error: unknown } | undefined;
  /** Work that should take about SUBMIT_MS. */
  #work = FIRST_WORK;
  #lastEnd = 0;
  readonly #fences: GPUBuffer[] = [];
  #busyMs = 0;
  #count = 0;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Submissions that have ended so far, and the wall time with at least one in flight. */
  get totals(): { count: number; busyMs: number } {
    return { count: this.#count, busyMs: this.#busyMs };
  }

  /** The end of a submission that begins with step `first` and has at least one and at most `most` steps. */
  end(steps: readonly Step[], first: number, most: number): number {
    let next = first;
    let work = 0;
    do work += workOf(steps[next++]);
    while (next < steps.length && next - first < most && work + steps[next].multiplyAdds <= this.#work);
    return next;
  }

  /** Waits until there is room for another. @throws what `onDone` of an earlier one threw; DeviceLostError */
  async room(): Promise<void> {
    while (this.#inFlight.length >= MAX_IN_FLIGHT) await this.#inFlight[0];
    this.#tell();
  }

  /** Waits until none is in flight. @throws as `room`. */
  async idle(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#inFlight[0];
    this.#tell();
  }

  /** Waits until none is in flight, and throws nothing: the caller already knows of the failure. */
  async settled(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#inFlight[0];
    this.#failure = undefined;
  }

  #tell(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }

  /** Ends a command buffer with the fence that `track` takes. */
  fence(encoder: GPUCommandEncoder): GPUBuffer {
    const fence =
      this.#fences.pop() ??
      this.#gpu.device.createBuffer({
        label: 'fence',
        size: FENCE_BYTES,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
    try {
      encoder.clearBuffer(fence);
    } catch (error) {
      fence.destroy();
      throw error;
    }
    return fence;
  }

  /** Notes what has just been submitted. @param onDone called when the GPU has finished it. */
  track(fence: GPUBuffer, steps: readonly Step[], first: number, end: number, onDone?: () => void): void {
    const begun = performance.now();
    const work = steps.slice(first, end).reduce((sum, step) => sum + workOf(step), 0);
    const passed = this.#passed(fence).then(() => {
      this.#adapt(work, this.count(begun));
      onDone?.();
    });
    const done: Promise<void> = passed
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#inFlight.splice(this.#inFlight.indexOf(done), 1));
    this.#inFlight.push(done);
  }

  /** Counts a submission that the GPU has just finished. @returns the milliseconds it took. */
  count(begun: number): number {
    const now = performance.now();
    const ms = now - Math.max(begun, this.#lastEnd);
    this.#lastEnd = now;
    this.#busyMs += ms;
    this.#count++;
    return ms;
  }

  /** Waits until the GPU reaches a fence. */
  async #passed(fence: GPUBuffer): Promise<void> {
    try {
      await this.#gpu.wait(fence.mapAsync(GPUMapMode.READ));
    } catch (error) {
      fence.destroy();
      throw error;
    }
    fence.unmap();
    this.#fences.push(fence);
  }

  /** Frees the fences. */
  dispose(): void {
    this.#fences.splice(0).forEach((fence) => fence.destroy());
  }

  /**
   * Adjusts the size of submissions towards SUBMIT_MS, by at most a factor of four each time. A first compilation looks
   * like one slow step.
   */
  #adapt(work: number, ms: number): void {
    const factor = Math.min(4, Math.max(0.25, SUBMIT_MS / Math.max(ms, 0.1)));
    if (factor < 1 || work > this.#work / 2) this.#work = Math.max(LEAST_WORK, work * factor);
  }
}
