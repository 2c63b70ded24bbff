/**
 * A GPU device that fails when it is told to: the n-th call of a kind throws, is rejected, or is reported to the error
 * scope. It also counts what lives on it and whether its error scopes are balanced.
 *
 * Pipelines of one source are compiled once, whatever the engine asks for: a driver takes seconds for each.
 */

/** Kinds of calls, and how they fail. */
export const GPU_FAULTS = [
  'createBuffer throws',
  'createBuffer throws RangeError',
  'createTexture throws',
  'createQuerySet throws',
  'createBindGroup throws',
  'createBindGroupLayout throws',
  'createPipelineLayout throws',
  'createShaderModule throws',
  'createCommandEncoder throws',
  'createComputePipelineAsync throws',
  'createComputePipelineAsync rejects',
  'submit throws',
  'writeBuffer throws',
  'writeTexture throws',
  'onSubmittedWorkDone rejects',
  'mapAsync rejects',
  'getMappedRange throws',
  'popErrorScope rejects',
  'popErrorScope gives a validation error',
  'popErrorScope gives an out-of-memory error',
  'popErrorScope gives an internal error',
] as const;
export type GpuFault = (typeof GPU_FAULTS)[number];

type Anything = Record<string, (...args: unknown[]) => unknown>;

/** What a fault throws. */
const thrown = (): Error => new DOMException('made to fail', 'OperationError');

export class FaultyDevice {
  readonly device: GPUDevice;
  #fault: GpuFault | undefined;
  #at = 0;
  #calls = 0;
  #scopes = 0;
  readonly #live = new Map<object, string>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #sources = new WeakMap<object, string>();

  /** @param device whose methods are replaced, until `restore`. */
  constructor(device: GPUDevice) {
    this.device = device;
    const own = device as unknown as Anything;
    const queue = device.queue as unknown as Anything;
    for (const method of ['createBuffer', 'createTexture', 'createQuerySet'])
      this.#replace(own, method, (call, descriptor) =>
        this.#created(call(descriptor), descriptor as { label?: string }),
      );
    for (const method of ['createBindGroup', 'createBindGroupLayout', 'createPipelineLayout', 'createCommandEncoder'])
      this.#replace(own, method, (call, ...args) => call(...args));
    this.#replace(own, 'createShaderModule', (call, descriptor) => {
      const made = call(descriptor) as object;
      this.#sources.set(made, (descriptor as { code: string }).code);
      return made;
    });
    this.#replace(own, 'createComputePipelineAsync', (call, descriptor) => {
      const source = this.#sources.get((descriptor as GPUComputePipelineDescriptor).compute.module)!;
      const known = this.#pipelines.get(source) ?? (call(descriptor) as Promise<GPUComputePipeline>);
      this.#pipelines.set(source, known);
      return known;
    });
    for (const method of ['submit', 'writeBuffer', 'writeTexture', 'onSubmittedWorkDone'])
      this.#replace(queue, method, (call, ...args) => call(...args));
    this.#replace(own, 'pushErrorScope', (call, filter) => {
      this.#scopes++;
      return call(filter);
    });
    this.#replace(own, 'popErrorScope', async (call) => {
      this.#scopes--;
      return call();
    });
  }

  /** Fails the n-th call from now on; without a fault none. @returns how often the last kind was called. */
  arm(fault?: GpuFault, at = 0): number {
    const calls = this.#calls;
    [this.#fault, this.#at, this.#calls] = [fault, at, 0];
    return calls;
  }

  /** What lives, by label. */
  get live(): string[] {
    return [...this.#live.values()].sort();
  }

  /** Error scopes that were pushed and not popped. */
  get openScopes(): number {
    return this.#scopes;
  }

  restore(): void {
    for (const object of [this.device, this.device.queue] as unknown as Record<string, unknown>[])
      for (const method of Object.getOwnPropertyNames(object))
        if (typeof object[method] === 'function') delete object[method];
  }

  #replace(
    object: Anything,
    method: string,
    work: (call: (...args: unknown[]) => unknown, ...args: unknown[]) => unknown,
  ): void {
    const call = object[method].bind(object);
    object[method] = (...args) => {
      // A scope is popped in any case: only what comes of it is another.
      const fails = this.#fails(method);
      if (fails && method === 'popErrorScope') {
        const popped = work(call, ...args) as Promise<unknown>;
        return popped.then(() => this.#result());
      }
      if (fails?.endsWith('rejects')) return Promise.reject(thrown());
      if (fails?.endsWith('RangeError')) throw new RangeError('made to fail');
      if (fails) throw thrown();
      return work(call, ...args);
    };
  }

  /** The fault of a call, if it is to fail. */
  #fails(method: string): GpuFault | undefined {
    if (this.#fault?.split(' ')[0] !== method) return undefined;
    return ++this.#calls === this.#at ? this.#fault : undefined;
  }

  #result(): GPUError {
    switch (this.#fault) {
      case 'popErrorScope gives a validation error':
        return new GPUValidationError('made to fail');
      case 'popErrorScope gives an out-of-memory error':
        return new GPUOutOfMemoryError('made to fail');
      case 'popErrorScope gives an internal error':
        return new GPUInternalError('made to fail');
      default:
        throw thrown();
    }
  }

  #created(made: unknown, { label }: { label?: string }): unknown {
    const object = made as Anything & { destroy(): void };
    this.#live.set(object, label ?? 'without a label');
    const destroy = object.destroy.bind(object);
    object.destroy = () => {
      this.#live.delete(object);
      return destroy();
    };
    for (const method of ['mapAsync', 'getMappedRange'])
      if (typeof object[method] === 'function') this.#replace(object, method, (call, ...args) => call(...args));
    return object;
  }
}
