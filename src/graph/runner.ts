/**
 * Runs a whole plan, from tensors to tensors, for the tuner, benchmarks and tests. Merges run tile by tile (stage.ts)
 * and do not load this file.
 */
import { InputError } from '../errors.ts';
import { start, tensorBytes } from '../kernels/tensor.ts';
import { inputsOf } from './edges.ts';
import { Executor } from './executor.ts';
import type { Prepared, SubmitOptions, Tensors } from './executor.ts';
import { readBytes } from './readBytes.ts';
import { GpuClock } from './timestamps.ts';

export interface RunOptions extends Pick<SubmitOptions, 'signal' | 'onStep'> {
  /** GPU milliseconds are added here by step if the device has timestamps (`canTime`). */
  stepMs?: Float64Array;
}

export class Runner extends Executor {
  #stepClock: GpuClock | undefined;

  /** Uploads a prepared plan's inputs. @throws InputError; GpuError; DeviceLostError. */
  async upload({ plan, buffers }: Prepared, inputs: Tensors): Promise<void> {
    await this.gpu.guard('uploading', () => {
      for (const { name, view, bytes } of inputsOf(plan)) {
        const data = inputs[name];
        if (data?.byteLength !== bytes)
          throw new InputError(`input ${name}: ${data?.byteLength ?? 0} bytes, the plan needs ${bytes}`);
        this.gpu.device.queue.writeBuffer(buffers[view.buffer], 16 * start(view), data);
      }
    });
  }

  /** Fills a prepared plan's buffers with those of the same plan for a smaller tile, again and again. */
  async repeat(from: Prepared, to: Prepared): Promise<void> {
    const { device } = this.gpu;
    await this.gpu.guard('filling', () => {
      const encoder = device.createCommandEncoder({ label: 'repeat' });
      to.buffers.forEach((buffer, i) => {
        const source = from.buffers[i];
        for (let at = 0; at < buffer.size; at += source.size)
          encoder.copyBufferToBuffer(source, 0, buffer, at, Math.min(source.size, buffer.size - at));
      });
      device.queue.submit([encoder.finish()]);
    });
  }

  /** Runs a prepared plan to its end on the uploaded inputs. @throws as `submit`. */
  async run(prepared: Prepared, { stepMs, ...options }: RunOptions = {}): Promise<void> {
    await this.submit(prepared, { ...options, times: stepMs && { stepMs } });
    await this.submissions.idle();
    await this.timed();
  }

  /**
   * Runs one step of a prepared plan `count` times in one pass: WebGPU implementations round timestamps, which would
   * hide short steps.
   * @returns milliseconds of all runs together: GPU time if the device has timestamps (`canTime`), else wall time until
   * they were done.
   */
  async time(prepared: Prepared, step: number, count: number): Promise<number> {
    const { device } = this.gpu;
    const clock = this.canTime ? (this.#stepClock ??= new GpuClock(this.gpu)) : undefined;
    const { name, dispatch } = prepared.plan.steps[step];
    const begun = performance.now();
    await this.gpu.guard(`timing ${name}`, () => {
      const encoder = device.createCommandEncoder({ label: name });
      const pass = encoder.beginComputePass({ label: name, timestampWrites: clock?.pass() });
      pass.setPipeline(prepared.pipelines[step]);
      pass.setBindGroup(0, prepared.groups[step]);
      for (let i = 0; i < count; i++) pass.dispatchWorkgroups(...dispatch.workgroups);
      pass.end();
      clock?.resolve(encoder);
      device.queue.submit([encoder.finish()]);
    });
    if (clock) return (await clock.read())[0];
    await this.gpu.wait(device.queue.onSubmittedWorkDone());
    return performance.now() - begun;
  }

  override dispose(): void {
    super.dispose();
    this.#stepClock?.destroy();
    this.#stepClock = undefined;
  }

  /** The tensor of an output node after a run, NC4HW4. */
  async read({ plan, buffers }: Prepared, node: number): Promise<Float32Array<ArrayBuffer>> {
    const view = plan.views[node];
    return new Float32Array(await readBytes(this.gpu, buffers[view.buffer], 16 * start(view), tensorBytes(view.shape)));
  }
}
