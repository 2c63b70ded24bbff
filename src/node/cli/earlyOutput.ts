/** A picture that is written while it is being merged: .exr, whose rows are encoded as they arrive. */
import type { RowProgress } from '../../result.ts';
import type { MergedImage } from '../../image/picture.ts';
import { outputFormat, writeImage } from '../writeImage.ts';
import type { WriteImageOptions } from '../writeImage.ts';
import type { FileGroup } from '../writeFile.ts';
import type { MergeOptions } from './mergeOptions.ts';

/** What waits for rows. */
interface Waiting {
  end: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

export class EarlyOutput {
  readonly #path: string;
  readonly #image: Pick<MergedImage, 'colorSpace'>;
  readonly #options: WriteImageOptions;
  readonly #group: FileGroup | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #stop = new AbortController();
  #rows = 0;
  #stopped: { reason: unknown } | undefined;
  #failure: { error: unknown } | undefined;
  #writing: Promise<void> | undefined;

  /**
   * @param group the files that it appears with.
   * @returns undefined if the picture changes after its merge, or its format needs all of it.
   */
  static of(options: MergeOptions, isCamera: boolean, group?: FileGroup): EarlyOutput | undefined {
    const { output, crop, skipMisfits } = options;
    const isWhole = outputFormat(output) === 'exr' && !crop && !skipMisfits && !isCamera;
    return isWhole ? new EarlyOutput(options, group) : undefined;
  }

  private constructor({ output, exrType, color }: MergeOptions, group: FileGroup | undefined) {
    this.#path = output;
    this.#image = { colorSpace: color };
    this.#options = { exr: exrType };
    this.#group = group;
  }

  /** Notes rows that are final; the first ones begin the file. @throws what the file failed with. */
  add(progress: RowProgress): void {
    if (this.#failure) throw this.#failure.error;
    // The last row is kept back: until the whole merge has succeeded, there must be no file.
    this.#grow(Math.min(progress.rows, progress.height - 1));
    this.#writing ??= this.#write(progress);
  }

  #grow(rows: number): void {
    this.#rows = rows;
    for (const waiting of this.#waiting.splice(0)) this.#settle(waiting);
  }

  #write({ rows: _, ...picture }: RowProgress): Promise<void> {
    const rows = (end: number): Promise<void> =>
      new Promise((resolve, reject) => this.#settle({ end, resolve, reject }));
    const write = (): Promise<void> =>
      writeImage(this.#path, { ...picture, ...this.#image }, { ...this.#options, rows, signal: this.#stop.signal });
    const writing = this.#group ? this.#group.with(write) : write();
    writing.catch((error: unknown) => (this.#failure = { error }));
    return writing;
  }

  #settle(waiting: Waiting): void {
    if (this.#stopped) waiting.reject(this.#stopped.reason);
    else if (this.#rows >= waiting.end) waiting.resolve();
    else this.#waiting.push(waiting);
  }

  /** Waits for the file of a merge that has succeeded; undefined if it was never begun. */
  finish(signal: AbortSignal): Promise<void> | undefined {
    if (signal.aborted) this.#stop.abort();
    signal.addEventListener('abort', () => this.#stop.abort(), { once: true });
    this.#grow(Infinity);
    return this.#writing;
  }

  /** Stops writing, and leaves no file: the merge failed. */
  async cancel(reason: unknown): Promise<void> {
    this.#stopped = { reason };
    this.#stop.abort();
    for (const waiting of this.#waiting.splice(0)) this.#settle(waiting);
    await this.#writing?.catch(() => undefined);
  }
}
