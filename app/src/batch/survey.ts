/** Has the worker read how the files of a folder were taken; the last folder counts. */
import type { NamedFile, ToWorker } from '../messages.ts';
import type { Picked } from '../ui/pickFiles.ts';

/** Milliseconds that it may take before the page shows it. */
const PATIENCE = 300;

export class Survey {
  readonly #send: (message: ToWorker) => void;
  #job = 0;
  #picked: Picked | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (message: ToWorker) => void) {
    this.#send = send;
  }

  get isUnderWay(): boolean {
    return this.#picked !== undefined;
  }

  /** @param pictures what is read of them. @param onLong called if that takes long. */
  begin(picked: Picked, pictures: NamedFile[], onLong: () => void): void {
    this.end();
    this.#picked = picked;
    this.#timer = setTimeout(onLong, PATIENCE);
    this.#send({ type: 'survey', job: ++this.#job, files: pictures });
  }

  /** What a message of the worker is about; undefined if that no longer counts. */
  of({ job }: { job: number }): Picked | undefined {
    return job === this.#job ? this.#picked : undefined;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#picked = undefined;
  }
}
