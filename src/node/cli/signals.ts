/** How the command line is stopped: Ctrl-C, and the signals that end a program. */
import { isReadingStuck } from '../plainFile.ts';
import { removeTemporaryFiles } from '../writeFile.ts';

type Name = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** The exit code of a program that a signal ended: 130 after Ctrl-C, 143 after SIGTERM. */
const CODES: Record<Name, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 };

/** Windows has no SIGQUIT. */
function names(): Name[] {
  return (Object.keys(CODES) as Name[]).filter((name) => name !== 'SIGQUIT' || process.platform !== 'win32');
}

/**
 * Watches for signals. The first stops the work and lets it clean up. The second ends the process at once; so does any
 * when the work is done. In all cases no temporary file stays.
 */
export class SignalWatch {
  readonly #stop = new AbortController();
  readonly #handlers = new Map<Name, () => void>();
  #isDone = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The exit code that the first signal asks for. */
  code: number | undefined;

  constructor() {
    for (const name of names()) {
      const handler = (): void => this.#received(name);
      process.on(name, handler);
      this.#handlers.set(name, handler);
    }
  }

  /** Fires at the first signal. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The work is done, but its text may still be on its way. */
  done(): void {
    this.#isDone = true;
    clearInterval(this.#timer);
  }

  /** Leaves signals to the system again. */
  close(): void {
    this.done();
    for (const [name, handler] of this.#handlers) process.off(name, handler);
  }

  #received(name: Name): void {
    if (this.#isDone || this.signal.aborted) return this.#end(name);
    this.code = CODES[name];
    this.#stop.abort();
    this.#timer = setInterval(() => isReadingStuck() && this.#end(name), 500);
    this.#timer.unref();
  }

  #end(name: Name): void {
    removeTemporaryFiles();
    if (!isReadingStuck()) process.exit(CODES[name]);
    // The exit would wait for the read.
    this.close();
    process.kill(process.pid, name);
  }
}
