/** One merge after another: a merge, the plain merge behind it, a folder's bracket. */

type Work = (signal: AbortSignal) => Promise<void>;

export class Turns {
  #running: { abort: AbortController; done: Promise<void> } | undefined;
  /** Of work that waits for what it has ended. */
  readonly #waiting = new Set<AbortController>();

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Ends what runs, and what waits for its end. */
  cancel(): void {
    for (const abort of this.#waiting) abort.abort();
    this.#running?.abort.abort();
  }

  /**
   * Does something when nothing else runs.
   * @param isPatient whether what runs may come to its end; otherwise it is cancelled.
   */
  async run(work: Work, isPatient = false): Promise<void> {
    const abort = new AbortController();
    if (!isPatient) this.#waiting.add(abort);
    // Others may have waited for the same.
    while (this.#running) {
      if (!isPatient) this.#running.abort.abort();
      await this.#running.done;
    }
    this.#waiting.delete(abort);
    const end = (): void => {
      this.#running = undefined;
    };
    const done = work(abort.signal);
    this.#running = { abort, done: done.then(end, end) };
    await done;
  }
}
