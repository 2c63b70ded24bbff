/**
 * GPU devices that are lost when they are told to: as drivers are reset and laptops switch GPUs, at any call.
 *
 * All of them stand in front of one real device, so that pipelines are compiled once: a driver takes seconds for each.
 * After its loss a stand-in does what a real device does then (lossy.test.ts compares the two): objects are still made,
 * nothing is computed, error scopes are empty, mappings are refused. What belongs to one stand-in must not be used with
 * another; `wrong` tells where it is.
 */

type Anything = Record<string, (...args: unknown[]) => unknown>;

const CREATE = ['createBuffer', 'createTexture', 'createQuerySet'];
const DEVICE = [
  ...CREATE,
  'createBindGroup',
  'createBindGroupLayout',
  'createPipelineLayout',
  'createShaderModule',
  'createCommandEncoder',
  'createComputePipelineAsync',
  'pushErrorScope',
  'popErrorScope',
];
const QUEUE = ['submit', 'writeBuffer', 'writeTexture', 'onSubmittedWorkDone'];
const ENCODER = [
  'beginComputePass',
  'copyBufferToBuffer',
  'copyBufferToTexture',
  'copyTextureToBuffer',
  'clearBuffer',
  'resolveQuerySet',
];
const PASS = ['setPipeline', 'setBindGroup'];
/** Nothing is written on a lost device. */
const IDLE_WHEN_LOST = new Set(['submit', 'writeBuffer', 'writeTexture']);

/** How deep objects lie in arguments: an entry's resource's buffer. */
const DEPTH = 6;

/** What the devices of one merge have in common. */
export class LossyGpu {
  readonly real: GPUDevice;
  readonly opened: LossyDevice[] = [];
  /** Uses of one device's objects with another. */
  readonly wrong: string[] = [];
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #owners = new WeakMap<object, Set<LossyDevice>>();
  #at = Infinity;
  #calls: string[] = [];
  #isLate = false;
  #refusal: Error | undefined;

  constructor(real: GPUDevice) {
    this.real = real;
  }

  /** Opens a device, as `Deghoster.create` takes it. */
  readonly open = async (): Promise<GPUDevice> => {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal) throw refusal;
    const one = new LossyDevice(this);
    this.opened.push(one);
    return one.device;
  };

  /**
   * Loses the device that the n-th call from now on is made on; without a number none.
   * @param isLate whether the loss is reported only some time after what it makes fail.
   * @returns the calls since the last time.
   */
  arm(n = Infinity, isLate = false): string[] {
    const calls = this.#calls;
    [this.#at, this.#isLate, this.#calls] = [n, isLate, []];
    return calls;
  }

  /** Makes the next opening fail. */
  refuse(error: Error): void {
    this.#refusal = error;
  }

  /** Notes a call: a method, and what it makes. */
  called(by: LossyDevice, method: string): void {
    this.#calls.push(method);
    if (this.#calls.length === this.#at) by.lose(this.#isLate);
  }

  own<T>(made: T, owner: LossyDevice): T {
    const owners = this.#owners.get(made as object) ?? new Set();
    this.#owners.set(made as object, owners.add(owner));
    return made;
  }

  /** Notes objects of other devices among the arguments of a call. */
  expectOwn(method: string, value: unknown, user: LossyDevice, depth = 0): void {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || depth > DEPTH) return;
    const owners = this.#owners.get(value);
    if (!owners) for (const part of Object.values(value)) this.expectOwn(method, part, user, depth + 1);
    else if (!owners.has(user)) this.wrong.push(`${method} with a ${value.constructor.name} of another device`);
  }

  /** Compiles a source once for all devices. */
  pipeline(descriptor: GPUComputePipelineDescriptor, code: string): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(code) ?? this.real.createComputePipelineAsync(descriptor);
    this.#pipelines.set(code, known);
    return known;
  }
}

/** One device. */
export class LossyDevice {
  readonly device: GPUDevice;
  isDestroyed = false;
  #isLost = false;
  readonly #gpu: LossyGpu;
  readonly #live = new Map<{ destroy(): void }, string>();
  readonly #codes = new WeakMap<object, string>();
  #tell!: (info: GPUDeviceLostInfo) => void;
  readonly #lost = new Promise<GPUDeviceLostInfo>((resolve) => (this.#tell = resolve));
  /** Rejects with the loss, but not before what the loss makes fail. */
  #refuse!: (error: Error) => void;
  readonly #refused = new Promise<never>((_, reject) => (this.#refuse = reject));

  constructor(gpu: LossyGpu) {
    this.#gpu = gpu;
    this.#refused.catch(() => undefined);
    const { real } = gpu;
    const queue = standIn(real.queue, this.#methods(real.queue, QUEUE));
    const others = { queue, lost: this.#lost, destroy: () => this.#destroy() };
    this.device = standIn(real, { ...this.#methods(real, DEVICE), ...others });
  }

  /** What lives on it, by label. */
  get live(): string[] {
    return [...this.#live.values()].sort();
  }

  /** Loses the device. @param isLate whether that is reported only later. */
  lose(isLate = false, reason: GPUDeviceLostReason = 'unknown'): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const tell = (): void => this.#tell({ reason, message: 'made to be lost' } as GPUDeviceLostInfo);
    setImmediate(() => {
      if (!isLate) tell();
      this.#refuse(new DOMException('the device is lost', 'AbortError'));
      if (isLate) setTimeout(tell, 15);
    });
  }

  #destroy(): void {
    this.isDestroyed = true;
    this.lose(false, 'destroyed');
    for (const made of [...this.#live.keys()]) made.destroy();
  }

  /** The methods of an object, with what happens to them before and after a loss. */
  #methods(object: object, names: readonly string[]): Record<string, unknown> {
    const all = object as Anything;
    const method = (name: string) => {
      const call = (...args: unknown[]): unknown => this.#perform(name, all[name].bind(all), args);
      return (...args: unknown[]) => {
        const { label } = CREATE.includes(name) ? (args[0] as GPUObjectDescriptorBase) : {};
        this.#gpu.called(this, label ? `${name} ${label}` : name);
        this.#gpu.expectOwn(name, args, this);
        return call(...args);
      };
    };
    return Object.fromEntries(names.map((name) => [name, method(name)]));
  }

  #perform(name: string, call: (...args: unknown[]) => unknown, args: unknown[]): unknown {
    if (this.#isLost && IDLE_WHEN_LOST.has(name)) return undefined;
    if (name === 'popErrorScope')
      return (call() as Promise<GPUError | null>).then((error) => (this.#isLost ? null : error));
    if (name === 'createComputePipelineAsync') {
      const [descriptor] = args as [GPUComputePipelineDescriptor];
      return this.#gpu
        .pipeline(descriptor, this.#codes.get(descriptor.compute.module)!)
        .then((pipeline) => this.#gpu.own(pipeline, this));
    }
    const made = call(...args);
    if (name.startsWith('create')) this.#made(name, made as object, args[0]);
    return made;
  }

  #made(name: string, made: object, descriptor: unknown): void {
    this.#gpu.own(made, this);
    if (name === 'createShaderModule') this.#codes.set(made, (descriptor as { code: string }).code);
    if (name === 'createCommandEncoder') this.#watchEncoder(made as Anything);
    if (!CREATE.includes(name)) return;
    const one = made as Anything & { destroy(): void };
    this.#live.set(one, (descriptor as { label?: string }).label ?? 'without a label');
    const destroy = one.destroy.bind(one);
    one.destroy = () => {
      this.#live.delete(one);
      return destroy();
    };
    if (name !== 'createBuffer') return;
    const [mapAsync, getMappedRange] = [one.mapAsync.bind(one), one.getMappedRange.bind(one)];
    one.mapAsync = (...args) => {
      this.#gpu.called(this, 'mapAsync');
      if (this.#isLost) return this.#refused;
      const mapped = (mapAsync(...args) as Promise<void>).then(() => (this.#isLost ? this.#refused : undefined));
      return Promise.race([mapped, this.#refused]);
    };
    const isMade = (descriptor as GPUBufferDescriptor).mappedAtCreation === true;
    one.getMappedRange = (...args) => {
      this.#gpu.called(this, 'getMappedRange');
      // What was mapped for reading is gone with the device.
      if (this.#isLost && !isMade) throw new DOMException('the device is lost', 'OperationError');
      return getMappedRange(...args);
    };
  }

  #watchEncoder(encoder: Anything): void {
    const watch = (object: Anything, names: readonly string[], then?: (made: Anything) => void): void => {
      for (const name of names) {
        const call = object[name]?.bind(object);
        if (!call) continue;
        object[name] = (...args) => {
          this.#gpu.expectOwn(name, args, this);
          const made = call(...args);
          if (name === 'beginComputePass') then?.(made as Anything);
          return made;
        };
      }
    };
    watch(encoder, ENCODER, (pass) => watch(pass, PASS));
  }
}

/** An object with other methods; the rest is the real one's. */
function standIn<T extends object>(real: T, others: Record<string, unknown>): T {
  return new Proxy(real, {
    get(target, key) {
      if (typeof key === 'string' && Object.hasOwn(others, key)) return others[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
