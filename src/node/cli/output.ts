/**
 * stdout and stderr of the process. A picture is worth more than its messages: a stream that is closed, full, slow or
 * without a reader stops nothing.
 */
import { fstatSync, writeSync } from 'node:fs';
import type { ProgressOutput } from './progress.ts';

/** A stream of the process, whose failure is remembered instead of thrown. */
export class Output implements ProgressOutput {
  readonly #stream: NodeJS.WriteStream & { fd: number };
  /** The descriptor of a plain file: Node's own stream loses what a full disk does not take in one piece. */
  readonly #file: number | undefined;
  readonly #waiting: (() => void)[] = [];
  #pending = 0;
  /** Why not everything was written. */
  failure: NodeJS.ErrnoException | undefined;

  constructor(stream: NodeJS.WriteStream & { fd: number }) {
    this.#stream = stream;
    this.#file = isPlainFile(stream.fd) ? stream.fd : undefined;
    stream.on('error', (error: NodeJS.ErrnoException) => this.#settle(error));
  }

  get isTTY(): boolean {
    return this.#stream.isTTY;
  }

  get columns(): number {
    return this.#stream.columns;
  }

  write(text: string): void {
    if (this.failure) return;
    if (this.#file !== undefined) return this.#writeFile(this.#file, Buffer.from(text));
    this.#pending++;
    this.#stream.write(text, (error) => {
      this.#pending--;
      this.#settle(error ?? undefined);
    });
  }

  #writeFile(file: number, bytes: Buffer): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    } catch (error) {
      this.#settle(error as NodeJS.ErrnoException);
    }
  }

  /** Waits until everything is written, or cannot be. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#settle(undefined);
    });
  }

  #settle(error: NodeJS.ErrnoException | undefined): void {
    this.failure ??= error;
    if (this.failure || this.#pending === 0) this.#waiting.splice(0).forEach((wake) => wake());
  }
}

function isPlainFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}
