/**
 * What comes in: the frames of one bracket go to the page, more files than that to the code that finds brackets. That
 * code is a chunk of its own.
 */
import { MIN_FRAMES } from '../../src/image/frame.ts';
import type { Batch, BatchHost } from './batch/index.ts';
import type { FromWorker } from './messages.ts';
import type { Picked } from './ui/pickFiles.ts';

export class Intake {
  readonly #host: BatchHost;
  /** Many brackets; undefined until its code is loaded. */
  batch: Batch | undefined;

  constructor(host: BatchHost) {
    this.#host = host;
  }

  /** Loads the code for many brackets. @throws Error where it cannot be fetched. */
  async load(): Promise<Batch> {
    const { Batch } = await import('./batch/index.ts');
    return (this.batch ??= new Batch(this.#host));
  }

  /** Takes files that were picked or dropped. */
  async take(picked: Picked): Promise<void> {
    const isOne = picked.folder === undefined && picked.files.length < 2 * MIN_FRAMES;
    // Without the code for more, they are one stack.
    const batch = isOne ? undefined : await this.load().catch(() => undefined);
    if (batch) batch.take(picked);
    else this.#host.add(picked.files);
  }

  /** @returns whether the message is about brackets, and was taken. */
  receive(message: FromWorker): boolean {
    return this.batch?.receive(message) === true;
  }
}
