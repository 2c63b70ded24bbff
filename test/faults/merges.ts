/** A small merge, in which every GPU call fails once, and what must hold after each. */
import { readFileSync } from 'node:fs';
import { DeghostError } from '../../src/errors.ts';
import { Deghoster } from '../../src/index.ts';
import type { MergeOptions } from '../../src/index.ts';
import { eightBit } from '../reference/frames.ts';
import { FaultyDevice } from './gpu.ts';
import type { GpuFault } from './gpu.ts';

/** Small weights. */
export const WEIGHTS = readFileSync(new URL('../goldens/fixed-merge-r0.weights.safetensors', import.meta.url));
const FRAMES = eightBit(24, 16, [1, 4, 16]);
/** How long anything may take, on a machine that has much else to do. */
const MOST_MS = 60_000;

/** The kinds of merges that are tried. */
export const MERGES = {
  network: { align: 'none', response: 'gamma' },
  plain: { align: 'none', response: 'gamma', method: 'merge' },
  'to a buffer': { align: 'none', response: 'gamma', method: 'merge' },
  aligned: { align: 'homography', response: 'gamma', method: 'merge' },
  profiled: { align: 'none', response: 'gamma', method: 'merge', profile: true },
} as const satisfies Record<string, MergeOptions>;
export type MergeKind = keyof typeof MERGES;

const LARGER = eightBit(96, 64, [1, 4]);

/** A merge's picture, once it is asked for: by then no call fails any more. */
export type Taken = () => Promise<Float32Array>;

/** Merges. @param options beside those of the kind. */
export async function run(deghoster: Deghoster, kind: MergeKind, options: MergeOptions = {}): Promise<Taken> {
  const all = { ...MERGES[kind], ...options };
  if (kind !== 'to a buffer') {
    const { radiance } = await deghoster.merge(kind === 'aligned' ? LARGER : FRAMES, all);
    return async () => radiance;
  }
  const { buffer } = await deghoster.mergeToBuffer(FRAMES, all);
  return async () => {
    try {
      return new Float32Array(await readBack(deghoster.device, buffer));
    } finally {
      buffer.destroy();
    }
  };
}

/** Reads a buffer of the caller's. @throws when the device is lost. */
async function readBack(device: GPUDevice, buffer: GPUBuffer): Promise<ArrayBuffer> {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const to = device.createBuffer({ label: 'the test reads', size: buffer.size, usage });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, to, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await to.mapAsync(GPUMapMode.READ);
    return to.getMappedRange().slice(0);
  } finally {
    to.destroy();
  }
}

export function soon<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${MOST_MS} ms`)), MOST_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

export function isSame(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** Faults in merges on one device. */
export class MergeFaults {
  readonly #faulty: FaultyDevice;
  readonly #right = new Map<MergeKind, Float32Array>();
  /** Rejections that nobody handled. */
  readonly #lost: unknown[] = [];
  readonly #note = (error: unknown): void => void this.#lost.push(error);

  constructor(device: GPUDevice) {
    this.#faulty = new FaultyDevice(device);
    process.on('unhandledRejection', this.#note);
  }

  dispose(): void {
    process.off('unhandledRejection', this.#note);
    this.#faulty.restore();
  }

  #create(): Promise<Deghoster> {
    return Deghoster.create({ device: this.#faulty.device, weights: WEIGHTS });
  }

  /** How many calls that a fault is about an undisturbed merge makes. */
  async count(kind: MergeKind, fault: GpuFault): Promise<number> {
    const deghoster = await this.#create();
    this.#faulty.arm(fault, Infinity);
    const take = await run(deghoster, kind);
    const calls = this.#faulty.arm();
    this.#right.set(kind, await take());
    deghoster.dispose();
    return calls;
  }

  /**
   * Makes the n-th call fail. @returns what is wrong then; nothing if all is as it must be: a typed error or the right
   * picture, a next merge that is right, nothing left on the device, balanced scopes, no rejection unhandled.
   */
  async try(kind: MergeKind, fault: GpuFault, n: number): Promise<string[]> {
    const wrong: string[] = [];
    this.#lost.length = 0;
    const deghoster = await this.#create();
    const right = this.#right.get(kind)!;
    const attempt = async (what: string, mayFail: boolean): Promise<void> => {
      try {
        const take = await soon(run(deghoster, kind));
        this.#faulty.arm();
        if (!isSame(await take(), right)) wrong.push(`${what} gives another picture`);
      } catch (error) {
        if (!(error instanceof DeghostError)) wrong.push(`${what} throws ${String((error as Error)?.stack ?? error)}`);
        else if (!mayFail) wrong.push(`${what} throws ${error.message}`);
      }
    };
    this.#faulty.arm(fault, n);
    await attempt('the merge', true);
    this.#faulty.arm();
    await attempt('the next merge', false);
    deghoster.dispose();
    await new Promise((resolve) => setImmediate(resolve));
    const { live, openScopes } = this.#faulty;
    if (live.length > 0) wrong.push(`left on the device: ${live.join(', ')}`);
    if (openScopes !== 0) wrong.push(`${openScopes} error scopes are open`);
    if (this.#lost.length > 0) wrong.push(`not handled: ${String(this.#lost[0])}`);
    return wrong;
  }
}
