/**
 * The networks' weights, which lie beside the page. They are the most that the page fetches, so one file is fetched at
 * a time: first what a merge waits for, then what the frames at hand will need, then the rest.
 */
import type { shippedVariant } from '../../../src/weights/shipped.ts';
import { fetchFile } from './fetchFile.ts';
import type { Fetched } from './fetchFile.ts';

export type WeightsName = ReturnType<typeof shippedVariant>;

/** Called with the bytes that are there and the bytes of the file; 0 for a size that is not known. */
export type OnBytes = (done: number, total: number) => void;

/** Who needs a file now. */
interface Waiting {
  resolve(bytes: ArrayBuffer): void;
  reject(error: unknown): void;
  onBytes?: OnBytes;
}

const ALL: readonly WeightsName[] = ['fixed', 'any'];

export class Weights {
  readonly #base: string;
  readonly #loaded = new Map<WeightsName, ArrayBuffer>();
  readonly #waiting = new Map<WeightsName, Waiting[]>();
  /** What is to be fetched, the next first. */
  #queue: WeightsName[] = [];
  #current: { name: WeightsName; abort: AbortController; fetched: Fetched } | undefined;
  #idle: Promise<void> = Promise.resolve();

  /** @param base the page's address. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Resolves when every file is here, or was tried. */
  preload(): Promise<void> {
    for (const name of ALL) this.#add(name, false);
    return this.#idle;
  }

  /** Fetches a file before others that nobody waits for. */
  prefer(name: WeightsName): void {
    this.#add(name, true);
  }

  /**
   * A file's bytes.
   * @param onBytes called while the file is fetched.
   * @throws InputError where it cannot be; another call tries again.
   */
  get(name: WeightsName, onBytes?: OnBytes): Promise<ArrayBuffer> {
    const loaded = this.#loaded.get(name);
    if (loaded) return Promise.resolve(loaded);
    return new Promise((resolve, reject) => {
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), { resolve, reject, onBytes }]);
      this.#add(name, true);
      this.#tell(name);
    });
  }

  #add(name: WeightsName, isFirst: boolean): void {
    if (this.#loaded.has(name)) return;
    const current = this.#current;
    if (current?.name === name && !current.abort.signal.aborted) return;
    this.#queue = this.#queue.filter((other) => other !== name);
    if (!isFirst) this.#queue.push(name);
    else {
      this.#queue.unshift(name);
      // What nobody waits for makes room, and begins again later.
      if (current && current.name !== name && !this.#waiting.has(current.name)) {
        current.abort.abort();
        if (!this.#queue.includes(current.name)) this.#queue.push(current.name);
      }
    }
    if (!current) this.#idle = this.#fetchAll();
  }

  async #fetchAll(): Promise<void> {
    for (let name = this.#queue.shift(); name !== undefined; name = this.#queue.shift()) {
      const abort = new AbortController();
      this.#current = { name, abort, fetched: { done: 0, total: 0 } };
      const bytes = await this.#fetch(name, abort.signal).catch((error: unknown) => ({ error }));
      if (abort.signal.aborted) continue;
      if (bytes instanceof ArrayBuffer) this.#loaded.set(name, bytes);
      const waiting = this.#waiting.get(name) ?? [];
      this.#waiting.delete(name);
      for (const { resolve, reject } of waiting)
        if (bytes instanceof ArrayBuffer) resolve(bytes);
        else reject(bytes.error);
    }
    this.#current = undefined;
  }

  #fetch(name: WeightsName, signal: AbortSignal): Promise<ArrayBuffer> {
    const url = new URL(`weights/${name}.safetensors`, this.#base);
    const onProgress = (fetched: Fetched): void => {
      if (signal.aborted || !this.#current) return;
      this.#current.fetched = fetched;
      this.#tell(name);
    };
    return fetchFile(url, `the weights "${name}"`, { signal, onProgress });
  }

  /** Tells those who wait for the file that is being fetched how far it is. */
  #tell(name: WeightsName): void {
    if (this.#current?.name !== name) return;
    const { done, total } = this.#current.fetched;
    for (const { onBytes } of this.#waiting.get(name) ?? []) onBytes?.(done, total);
  }
}
