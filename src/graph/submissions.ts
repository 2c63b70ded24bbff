/**
 * How work goes to the GPU: in submissions of about SUBMIT_MS each, at most two of them in flight.
 *
 * Short ones, so that a picture stops within about a tenth of a second of being cancelled and no operating system's
 * watchdog fires on a slow adapter; two, so that the next is there when one ends. Where a whole tile is shorter than
 * that it is one submission.
 *
 * What is awaited of a submission is the mapping of a few bytes that it writes at its end: `onSubmittedWorkDone`,
 * called late, would wait for whatever else has been submitted.
 */
import type { Gpu } from '../device.ts';
import type { Step } from './plan.ts';

/** Submissions aim at this long. */
const SUBMIT_MS = 50;
const MAX_IN_FLIGHT = 2;
/** Multiply-adds of the first submission: a few milliseconds on a GPU, a second on a slow software adapter. */
const FIRST_WORK = 1e9;
const LEAST_WORK = 1e7;
/** What a dispatch costs besides, in multiply-adds: keeps graphs of tiny steps from going up in one submission. */
const STEP_WORK = 1e6;

/** Bytes of a fence; the least there is for what is filled and mapped. */
const FENCE_BYTES = 16;

/** What a step counts in a submission. */
function workOf(step: Step): number {
  return step.multiplyAdds + STEP_WORK;
}

export class Submissions {
  readonly #gpu: Gpu;
  /** None of them rejects. */
  readonly #inFlight: Promise<void>[] = [];
  /** The first failure that nobody has been told of. */
  #failure: { error: unknown } | undefined;
  /** Work that SUBMIT_MS are thought to be enough for. */
  #work = FIRST_WORK;
  #lastEnd = 0;
  readonly #fences: GPUBuffer[] = [];
  #busyMs = 0;
  #count = 0;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Submissions so far, and the wall time in which there was one in flight. */
  get totals(): { count: number; busyMs: number } {
    return { count: this.#count, busyMs: this.#busyMs };
  }

  /** Where a submission ends that begins with step `first` and has at most `most` steps: one at least. */
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

  /** Waits until none is in flight, whatever became of them: whoever calls this knows. */
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
    encoder.clearBuffer(fence);
    return fence;
  }

  /** Notes what has just been submitted. @param onDone called when the GPU has done it. */
  track(fence: GPUBuffer, steps: readonly Step[], first: number, end: number, onDone?: () => void): void {
    const begun = performance.now();
    this.#count++;
    const work = steps.slice(first, end).reduce((sum, step) => sum + workOf(step), 0);
    const passed = this.#passed(fence).then(() => {
      const now = performance.now();
      const ms = now - Math.max(begun, this.#lastEnd);
      this.#lastEnd = now;
      this.#busyMs += ms;
      this.#adapt(work, ms);
      onDone?.();
    });
    const done: Promise<void> = passed
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#inFlight.splice(this.#inFlight.indexOf(done), 1));
    this.#inFlight.push(done);
  }

  /** Waits until the GPU has come to a fence. */
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
   * Moves the size of submissions towards SUBMIT_MS, by at most a factor of four a time; a first compilation counts as
   * one slow step.
   */
  #adapt(work: number, ms: number): void {
    const factor = Math.min(4, Math.max(0.25, SUBMIT_MS / Math.max(ms, 0.1)));
    if (factor < 1 || work > this.#work / 2) this.#work = Math.max(LEAST_WORK, work * factor);
  }
}
