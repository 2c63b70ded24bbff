/**
 * A Deghoster's device with everything created on it, and a new device when this one is lost.
 *
 * Everything between two tiles is on the CPU, so a merge can go on with the tile that failed (src/merge.ts): drivers
 * are reset and laptops switch GPUs, and minutes of work need not be lost. Only a device that the session opened can be
 * opened again.
 */
import { Gpu } from './device.ts';
import { UsageError } from './errors.ts';
import { Executor } from './graph/executor.ts';
import type { TensorSource } from './graph/deviceBuffers.ts';
import { Pipelines } from './graph/pipelines.ts';
import type { Transfer } from './graph/transfer.ts';

/** Opens a device. */
export type OpenDevice = () => Promise<GPUDevice>;

export class Session {
  readonly #open: OpenDevice | undefined;
  readonly #tensor: TensorSource;
  #gpu: Gpu;
  #closed = false;
  #executor: Executor;
  #transfer: Promise<Transfer> | undefined;
  #pipelines: Pipelines;

  private constructor(device: GPUDevice, open: OpenDevice | undefined, tensor: TensorSource) {
    this.#open = open;
    this.#tensor = tensor;
    this.#gpu = Gpu.of(device);
    this.#executor = new Executor(this.#gpu, tensor);
    this.#pipelines = new Pipelines(this.#gpu);
  }

  /**
   * @param device the caller's device, which the session never destroys; or a function that opens one, which the
   * session then owns.
   */
  static async create(device: GPUDevice | OpenDevice, tensor: TensorSource): Promise<Session> {
    return typeof device === 'function'
      ? new Session(await device(), device, tensor)
      : new Session(device, undefined, tensor);
  }

  get gpu(): Gpu {
    return this.#gpu;
  }

  get executor(): Executor {
    return this.#executor;
  }

  /** What moves pixels between the caller's GPU objects and tiles: loaded when something is on the device. */
  transfer(): Promise<Transfer> {
    const gpu = this.#gpu;
    return (this.#transfer ??= import('./graph/transfer.ts').then(({ Transfer }) => new Transfer(gpu)));
  }

  /** The programs of alignment, which is loaded when it is needed. */
  get pipelines(): Pipelines {
    return this.#pipelines;
  }

  /** Whether a lost device can be replaced. */
  get canReopen(): boolean {
    return this.#open !== undefined && !this.#closed;
  }

  /**
   * Opens a new device to replace a lost one; pipelines and weights are created again when they are used. @throws
   * NoAdapterError.
   */
  async reopen(): Promise<void> {
    if (!this.#open) throw new Error('session: a borrowed device cannot be opened again');
    this.#free();
    const device = await this.#open();
    if (this.#closed) {
      device.destroy();
      throw new UsageError('merge: this Deghoster was disposed while it merged: create another');
    }
    this.#gpu = Gpu.of(device);
    this.#executor = new Executor(this.#gpu, this.#tensor);
    this.#pipelines = new Pipelines(this.#gpu);
  }

  /** Stops what runs on a device that the session opened; what runs on another must be stopped by the caller. */
  close(): void {
    this.#closed = true;
    if (this.#open) this.#gpu.device.destroy();
  }

  /** Frees everything on the device, and destroys the device if the session opened it. Nothing may run there. */
  dispose(): void {
    this.#closed = true;
    this.#free();
  }

  #free(): void {
    this.#executor.dispose();
    void this.#transfer?.then((transfer) => transfer.dispose());
    this.#transfer = undefined;
    if (this.#open) this.#gpu.device.destroy();
  }
}
