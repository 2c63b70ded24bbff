/** A small merge whose device is lost at one call, and what must hold then. */
import { DeghostError, DeviceLostError, NoAdapterError } from '../../src/errors.ts';
import { Deghoster } from '../../src/index.ts';
import { LossyGpu } from './lossy.ts';
import { WEIGHTS, isSame, run, soon } from './merges.ts';
import type { MergeKind } from './merges.ts';

/** Losses in merges on stand-ins for one device. */
export class Losses {
  readonly #gpu: LossyGpu;
  readonly #right = new Map<MergeKind, Float32Array>();
  /** Rejections that nobody handled. */
  readonly #lost: unknown[] = [];
  readonly #note = (error: unknown): void => void this.#lost.push(error);

  constructor(device: GPUDevice) {
    this.#gpu = new LossyGpu(device);
    process.on('unhandledRejection', this.#note);
  }

  dispose(): void {
    process.off('unhandledRejection', this.#note);
  }

  #create(isOpened: boolean): Promise<Deghoster> {
    return isOpened
      ? Deghoster.create({ device: this.#gpu.open, weights: WEIGHTS })
      : this.#gpu.open().then((device) => Deghoster.create({ device, weights: WEIGHTS }));
  }

  /** The calls of an undisturbed merge, in their order. */
  async calls(kind: MergeKind): Promise<string[]> {
    const deghoster = await this.#create(true);
    this.#gpu.arm();
    const take = await run(deghoster, kind);
    const calls = this.#gpu.arm();
    this.#right.set(kind, await take());
    deghoster.dispose();
    this.#gpu.opened.length = 0;
    return calls;
  }

  /** A merge that loses its device and then gets none, and one that loses two. @returns what is wrong. */
  async tryTwice(kind: MergeKind, n: number): Promise<string[]> {
    const wrong: string[] = [];
    let deghoster = await this.#create(true);
    const refusal = new NoAdapterError('made to fail');
    const isRefused = async (work: Promise<unknown>, what: (error: unknown) => boolean): Promise<void> =>
      soon(work).then(
        () => void wrong.push('the merge succeeds'),
        (error: unknown) => void (what(error) || wrong.push(`the merge throws ${String(error)}`)),
      );
    const rightAgain = async (): Promise<void> => {
      this.#gpu.arm();
      const take = await soon(run(deghoster, kind));
      if (!isSame(await take(), this.#right.get(kind)!)) wrong.push('the next merge gives another picture');
    };
    this.#gpu.arm(n);
    this.#gpu.refuse(refusal);
    await isRefused(run(deghoster, kind), (error) => error === refusal);
    await rightAgain();
    deghoster.dispose();
    // A first merge again: later ones make fewer calls.
    deghoster = await this.#create(true);
    this.#gpu.arm(n);
    const onDeviceLost = (): void => void this.#gpu.arm(Math.min(n, 5));
    await isRefused(run(deghoster, kind, { onDeviceLost }), (error) => error instanceof DeviceLostError);
    await rightAgain();
    deghoster.dispose();
    for (const [i, { isDestroyed }] of this.#gpu.opened.entries())
      if (!isDestroyed) wrong.push(`device ${i + 1} is not destroyed`);
    return wrong;
  }

  /**
   * Loses the device at the n-th call, and reports that late if n is even. @returns what is wrong then; nothing if all
   * is as it must be. A device that a function opened is opened again: the merge gives the right picture, unless a part
   * of it was on the device; so does the next merge. On a borrowed device both end with a DeviceLostError.
   */
  async try(kind: MergeKind, n: number, isOpened: boolean): Promise<string[]> {
    const wrong: string[] = [];
    this.#lost.length = 0;
    const { opened, wrong: mixed } = this.#gpu;
    [opened.length, mixed.length] = [0, 0];
    const deghoster = await this.#create(isOpened);
    let reports = 0;
    const attempt = async (what: string, mustSucceed: boolean): Promise<void> => {
      const before = opened.length;
      try {
        const take = await soon(run(deghoster, kind, { onDeviceLost: () => reports++ }));
        this.#gpu.arm();
        const picture = await take().catch((error: unknown) => {
          // It went with the device, after the merge.
          if (kind !== 'to a buffer' || opened.length > before) throw error;
        });
        if (picture && !isSame(picture, this.#right.get(kind)!)) wrong.push(`${what} gives another picture`);
      } catch (error) {
        if (!(error instanceof DeghostError)) wrong.push(`${what} throws ${String((error as Error)?.stack ?? error)}`);
        else if (mustSucceed || !(error instanceof DeviceLostError)) wrong.push(`${what} throws ${error.message}`);
      }
    };
    this.#gpu.arm(n, n % 2 === 0);
    await attempt('the merge', isOpened && kind !== 'to a buffer');
    this.#gpu.arm();
    await attempt('the next merge', isOpened);
    if (opened.length > 2) wrong.push(`${opened.length} devices were opened`);
    if (reports > opened.length - 1) wrong.push(`the loss was reported ${reports} times`);
    deghoster.dispose();
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const [i, device] of opened.entries()) {
      if (isOpened && !device.isDestroyed) wrong.push(`device ${i + 1} is not destroyed`);
      if (device.live.length > 0) wrong.push(`left on device ${i + 1}: ${device.live.join(', ')}`);
    }
    if (mixed.length > 0) wrong.push(mixed[0]);
    if (this.#lost.length > 0) wrong.push(`not handled: ${String(this.#lost[0])}`);
    return wrong;
  }
}
