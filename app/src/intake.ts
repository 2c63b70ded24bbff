/**
 * What comes in: the frames of one bracket go to the page, more files than that to the code that finds brackets. That
 * code is a chunk of its own.
 */
import { MIN_FRAMES } from '../../src/image/frame.ts';
import type { BatchHost } from './batch/host.ts';
import type { Batch } from './batch/index.ts';
import type { FromWorker } from './messages.ts';
import { ask } from './ui/ask.ts';
import { dismiss, notify } from './ui/notices.ts';
import type { Picked } from './ui/pickFiles.ts';
import { words } from './words/index.ts';

export class Intake {
  readonly #host: BatchHost;
  /** Many brackets; undefined until its code is loaded. */
  batch: Batch | undefined;

  constructor(host: BatchHost) {
    this.#host = host;
  }

  /** Whether a merge or a survey of a folder is under way: nothing is taken. */
  get isBusy(): boolean {
    return this.#host.stackState() === 'merging' || this.batch?.isBusy === true;
  }

  /** Loads the code for many brackets. @throws Error where it cannot be fetched. */
  async load(): Promise<Batch> {
    const { Batch } = await import('./batch/index.ts');
    return (this.batch ??= new Batch(this.#host));
  }

  /** Takes files that were picked or dropped, where that is possible now. */
  async take(picked: Picked): Promise<void> {
    if (this.isBusy) return notify('busy', () => words.notices.busy, 'info');
    dismiss('busy');
    // An answer is due first.
    if (document.querySelector('dialog')) return;
    // More of one scene, or the next one?
    if (this.#host.stackState() !== 'open' && picked.folder === undefined && picked.files.length >= MIN_FRAMES) {
      const begins = await ask(words.ask.addOrBegin(this.#host.hasUnsaved()), words.ask.begin, words.ask.add);
      if (begins === undefined) return;
      if (begins) this.#host.close();
    }
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
