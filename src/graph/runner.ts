/** A plan run whole, from tensors to tensors: what the tuner, benchmarks and tests do. Merges go tile by tile (stage.ts), and do not load this. */
import { InputError } from '../errors.ts';
import { tensorBytes } from '../kernels/kernel.ts';
import { Executor } from './executor.ts';
import type { Prepared, SubmitOptions, Tensors } from './executor.ts';

export interface RunOptions extends Pick<SubmitOptions, 'signal' | 'onStep'> {
  /** Milliseconds on the GPU are added here by step, where the device has timestamps (`canTime`). */
  stepMs?: Float64Array;
}

export class Runner extends Executor {
  /** Uploads a prepared plan's inputs. @throws InputError; GpuError; DeviceLostError */
  async upload(prepared: Prepared, inputs: Tensors): Promise<void> {
    await this.stage(prepared, (memory) => {
      for (const [name, to] of Object.entries(memory)) {
        const data = inputs[name];
        if (data?.byteLength !== to.byteLength) throw new InputError(`input ${name}: ${data?.byteLength ?? 0} bytes, the plan needs ${to.byteLength}`);
        to.set(data);
      }
    });
    await this.send(prepared);
  }

  /** Runs a prepared plan on the inputs it was given, to its end. @throws as `submit`. */
  async run(prepared: Prepared, { stepMs, ...options }: RunOptions = {}): Promise<void> {
    await this.submit(prepared, { ...options, times: stepMs && { stepMs, uploadMs: 0, readbackMs: 0 } });
    await this.submissions.idle();
    await this.timed();
  }

  /** The tensor of an output node after a run, NC4HW4. */
  async read(prepared: Prepared, node: number): Promise<Float32Array<ArrayBuffer>> {
    await this.gpu.guard('reading back', () => {
      const encoder = this.gpu.device.createCommandEncoder({ label: 'readback' });
      this.recordReadback(encoder, prepared, { node, slot: 0 });
      this.gpu.device.queue.submit([encoder.finish()]);
    });
    const bytes = tensorBytes(prepared.plan.views[node].shape);
    return this.take(prepared, 0, (values) => values.slice(0, bytes / 4));
  }
}
