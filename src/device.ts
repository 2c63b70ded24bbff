/**
 * The adapter and the device: limits, errors, loss.
 *
 * WebGPU does not throw: a validation error is reported to the innermost error scope, and after a device is lost most
 * calls do nothing at all. Every await on the GPU goes through `Gpu`, which turns both into typed errors.
 */
import { expect } from './checks.ts';
import type { Rule } from './checks.ts';
import { DeghostError, DeviceLostError, GpuError, NoAdapterError, reasonOf } from './errors.ts';
import { VENDORS } from './kernels/target.ts';
import type { Dispatch } from './kernels/program.ts';
import type { Capabilities, MatrixSize, Vendor } from './kernels/target.ts';
import { waitWithPauses } from './pollingPauses.ts';

const ADAPTER: Rule = [
  'a GPUAdapter',
  (value) => {
    const { requestDevice, limits, features } = Object(value) as GPUAdapter;
    return typeof requestDevice === 'function' && typeof features?.has === 'function' && Boolean(limits);
  },
];

/** Limits that deghost raises above those of a default device. */
const WANTED_LIMITS = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const;

/** Features that deghost uses if the adapter has them. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];

/** A GPU's matrix units. Only Dawn offers them so far, as an experiment. */
export const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

/** Whether programs can choose the size of their subgroups. */
export const SIZE_FEATURE = 'subgroup-size-control' as GPUFeatureName;

/**
 * Throws unless every access of a dispatch was proved to lie inside what it binds. @param bound in the order of the
 * program's bindings.
 */
export type DispatchCheck = (
  dispatch: Pick<Dispatch, 'program' | 'params' | 'workgroups'>,
  bound: readonly (GPUBuffer | GPUTexture | GPUBindingResource)[],
) => void;

/**
 * A device with the size of its matrices, and the check of a device that does not check accesses itself
 * (node/robustness.ts). Dawn reports the size only on adapters, so the code that opens a device stores both here.
 */
type OpenedDevice = GPUDevice & { subgroupMatrices?: MatrixSize; checkDispatch?: DispatchCheck };

/**
 * Asks an adapter for a device with the adapter's buffer limits and the features deghost uses. An adapter gives only
 * one device.
 * @param matrices the size of the adapter's matrices (node/matrices.ts); without it the device gets no matrix units.
 * @throws NoAdapterError when the adapter refuses; UsageError.
 */
export async function openDevice(adapter: GPUAdapter, matrices?: MatrixSize): Promise<GPUDevice> {
  expect('adapter', adapter, ADAPTER);
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = [
    ...WANTED_FEATURES,
    ...(matrices ? [MATRIX_FEATURE] : []),
    ...(matrices?.lanes ? [SIZE_FEATURE] : []),
  ].filter((name) => adapter.features.has(name));
  try {
    const device: OpenedDevice = await adapter.requestDevice({ label: 'deghost', requiredLimits, requiredFeatures });
    return matrices ? Object.assign(device, { subgroupMatrices: matrices }) : device;
  } catch (cause) {
    throw new NoAdapterError(
      `the adapter "${adapter.info.description || adapter.info.device}" gave no device: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/**
 * Opens the platform's own GPU (`navigator.gpu`: browsers, Deno).
 * @throws NoAdapterError when there is none.
 */
export async function openPlatformDevice(): Promise<GPUDevice> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    throw new NoAdapterError(
      'this platform has no WebGPU (navigator.gpu): pass a device; in Node get one with requestDevice() from ' +
        '"deghost/node"',
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch((cause: unknown) => {
    throw new NoAdapterError(`WebGPU gave no adapter: ${reasonOf(cause)}`, { cause });
  });
  if (!adapter)
    throw new NoAdapterError('WebGPU offers no adapter: update the graphics driver or enable WebGPU in the browser');
  return openDevice(adapter);
}

/** Names of software adapters that neither `isFallbackAdapter` nor the architecture identifies: wgpu's. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|basic render/i;

/** Whether an adapter's work is done by the CPU. */
export function isSoftware({
  isFallbackAdapter,
  architecture,
  device,
  description,
}: Partial<GPUAdapterInfo> = {}): boolean {
  return (
    isFallbackAdapter === true ||
    architecture === 'software' ||
    architecture === 'swiftshader' ||
    SOFTWARE.test(`${device} ${description}`)
  );
}

/** The maker of an adapter's GPU, if one of its names tells it: Mesa's drivers name themselves as the vendor. */
function vendorOf({ vendor, device, description }: Partial<GPUAdapterInfo> = {}): Vendor | undefined {
  return VENDORS.find((name) => new RegExp(`\\b${name}\\b`, 'i').test(`${vendor} ${device} ${description}`));
}

/**
 * What kernels choose their implementations by: for a device, or for an adapter whose device has the features deghost
 * uses.
 * @param info undefined for Firefox's devices, which have none.
 */
export function capabilitiesOf(info: GPUAdapterInfo | undefined, features: GPUSupportedFeatures): Capabilities {
  const { subgroupMinSize, subgroupMaxSize } = info ?? {};
  const vendor = isSoftware(info) ? undefined : vendorOf(info);
  return {
    ...(isSoftware(info) ? { cpu: true } : {}),
    ...(vendor ? { vendor } : {}),
    ...(features.has('subgroups') && subgroupMinSize === subgroupMaxSize ? { subgroupSize: subgroupMaxSize } : {}),
    ...(features.has('shader-f16') ? { f16: true } : {}),
  };
}

/** A device's capabilities, including the matrix units it was opened with. */
export function deviceCapabilities(device: OpenedDevice): Capabilities {
  const { subgroupMatrices: matrices } = device;
  return { ...capabilitiesOf(device.adapterInfo, device.features), ...(matrices ? { matrices } : {}) };
}

const SCOPES: readonly GPUErrorFilter[] = ['validation', 'out-of-memory', 'internal'];

/** How long after a failure the device's loss may still be reported, in milliseconds. */
const LOSS_REPORT_MS = 1000;

/**
 * Notes something that was created, so that it is destroyed if the work fails after all. @param forget called then.
 */
export type Own = <T extends { destroy(): void }>(created: T, forget?: () => void) => T;

/** A device whose failures become exceptions. */
export class Gpu {
  readonly device: GPUDevice;
  readonly #software: boolean;
  #lost: GPUDeviceLostInfo | undefined;
  /**
   * Callbacks of pending waits, called when the device is lost. Racing each wait against one promise that lives as long
   * as the device would keep every wait and its result alive.
   */
  readonly #waiting = new Set<() => void>();

  /** One for each device: `device.lost` keeps what waits for it as long as the device. */
  static readonly #all = new WeakMap<GPUDevice, Gpu>();

  /** The one of a device. */
  static of(device: GPUDevice): Gpu {
    const gpu = Gpu.#all.get(device) ?? new Gpu(device);
    Gpu.#all.set(device, gpu);
    return gpu;
  }

  constructor(device: GPUDevice) {
    this.device = device;
    this.#software = isSoftware(device.adapterInfo);
    void device.lost.then((info) => {
      this.#lost = info;
      for (const tell of this.#waiting) tell();
    });
  }

  /** Size in bytes of the largest buffer that can be bound whole. */
  get maxBinding(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    return Math.min(maxBufferSize, maxStorageBufferBindingSize);
  }

  /** Every dispatch must pass this before it is recorded. */
  get check(): DispatchCheck | undefined {
    return (this.device as OpenedDevice).checkDispatch;
  }

  /** What kernels choose their implementations by. */
  get capabilities(): Capabilities {
    return deviceCapabilities(this.device);
  }

  /** Waits for GPU work, or for the device's loss. @throws DeviceLostError */
  async wait<T>(work: Promise<T>): Promise<T> {
    const { lost, forget } = this.#loss();
    try {
      const race = Promise.race([work.then((value) => ({ value })), lost]);
      const done = await (this.#software ? waitWithPauses(race) : race);
      if (done) return done.value;
    } catch (error) {
      if (!isOwnFinding(error)) await this.#throwIfLost();
      throw gpuError('waiting for the GPU', error);
    } finally {
      forget();
    }
    throw this.#lossError(this.#lost!);
  }

  /**
   * Maps a buffer's first bytes, and passes them to `use`, which must not keep them. @throws GpuError; DeviceLostError;
   * what `use` throws of the engine's own.
   */
  read<T>(buffer: GPUBuffer, use: (bytes: ArrayBuffer) => T, size = buffer.size): Promise<T> {
    const take = (): T => {
      try {
        return use(buffer.getMappedRange(0, size));
      } finally {
        buffer.unmap();
      }
    };
    return this.wait(buffer.mapAsync(GPUMapMode.READ, 0, size).then(take));
  }

  /** A promise of the device's loss, and a way to drop it when nothing waits for it any more. */
  #loss(): { lost: Promise<undefined>; forget: () => void } {
    let tell = (): void => undefined;
    const lost = new Promise<undefined>((resolve) => (tell = () => resolve(undefined)));
    if (this.#lost) tell();
    this.#waiting.add(tell);
    return { lost, forget: () => void this.#waiting.delete(tell) };
  }

  /**
   * After a failure, waits for the device's loss to be reported, which may come some time after the failure that it
   * caused. A loss that is not reported by then was not the cause.
   */
  async #throwIfLost(): Promise<void> {
    const { lost, forget } = this.#loss();
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([lost, new Promise<void>((resolve) => (timer = setTimeout(resolve, LOSS_REPORT_MS)))]);
    clearTimeout(timer);
    forget();
    if (this.#lost) throw this.#lossError(this.#lost);
  }

  /**
   * Calls `work` inside error scopes. `work` must not await: all users of the device share one stack of scopes. What it
   * created and owns is destroyed if it fails.
   * @throws GpuError with WebGPU's first message, prefixed by the operation; DeviceLostError.
   */
  async guard<T>(what: string, work: (own: Own) => T): Promise<T> {
    const undo: (() => void)[] = [];
    try {
      return await this.#scoped(what, () =>
        work((created, forget) => {
          undo.push(() => {
            created.destroy();
            forget?.();
          });
          return created;
        }),
      );
    } catch (error) {
      for (const step of undo) step();
      throw error;
    }
  }

  async #scoped<T>(what: string, work: () => T): Promise<T> {
    if (this.#lost) throw this.#lossError(this.#lost);
    SCOPES.forEach((filter) => this.device.pushErrorScope(filter));
    let done: { result: T } | { error: unknown };
    try {
      done = { result: work() };
    } catch (error) {
      done = { error };
    }
    // All of them, even if one throws.
    const pops = SCOPES.map(async () => this.device.popErrorScope());
    const errors = await this.wait(Promise.all(pops));
    if ('error' in done) {
      if (!isOwnFinding(done.error)) await this.#throwIfLost();
      throw gpuError(what, done.error);
    }
    // Scopes pop in reverse order of SCOPES.
    for (const [i, error] of errors.entries()) {
      if (!error) continue;
      const filter = SCOPES[SCOPES.length - 1 - i];
      // On a lost device Firefox no longer creates objects and first reports them as invalid values.
      if (filter === 'validation') await this.#throwIfLost();
      throw new GpuError(gpuMessage(what, filter, error.message), { isOutOfMemory: filter === 'out-of-memory' });
    }
    return done.result;
  }

  #lossError(info: GPUDeviceLostInfo): DeviceLostError {
    const why = info.message.trim().split('\n')[0] || info.reason;
    return new DeviceLostError(
      `the GPU device was lost (${why}): try again, with a smaller memory budget if it happens again`,
    );
  }
}

/** Whether the engine found an error itself: no device was lost then. */
function isOwnFinding(error: unknown): boolean {
  return error instanceof DeghostError && !(error instanceof GpuError);
}

/** What WebGPU threw, typed; errors of the engine as they are. */
function gpuError(what: string, cause: unknown): unknown {
  if (cause instanceof DeghostError) return cause;
  // A buffer that is mapped when it is created takes memory of the CPU, too.
  const isOutOfMemory = cause instanceof RangeError;
  const remedy = isOutOfMemory ? ': lower the memory budget' : '';
  return new GpuError(`${what}: ${isOutOfMemory ? 'out of memory: ' : ''}${reasonOf(cause)}${remedy}`, {
    cause,
    isOutOfMemory,
  });
}

function gpuMessage(what: string, filter: GPUErrorFilter, message: string): string {
  const text = message.trim().split('\n')[0];
  if (filter === 'out-of-memory') return `${what}: out of GPU memory (${text}): lower the memory budget`;
  return `${what}: WebGPU ${filter} error: ${text}`;
}
