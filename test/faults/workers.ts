/** What stands in for the workers of decoders, and for the packages that they are given. */
import { EventEmitter } from 'node:events';

/** What the stand-ins do. */
export const state = {
  /** Once they are asked, in place of what is usual. */
  script: undefined as ((worker: StandIn) => void) | undefined,
  usual: ((): void => undefined) as (worker: StandIn, request: unknown) => void,
  /** Steps before, which throw. */
  beginsToFail: '' as '' | 'start' | 'post',
  /** How many have not ended. */
  live: 0,
};

/** A worker, of Node's kind and of the web's. */
export class StandIn extends EventEmitter {
  onmessage?: (event: { data: unknown }) => void;
  onerror?: (event: { message?: string }) => void;
  onmessageerror?: () => void;
  #isLive = true;

  constructor() {
    super();
    if (state.beginsToFail === 'start') throw new Error('there are too many threads');
    state.live++;
  }

  postMessage(request: unknown): void {
    if (state.beginsToFail === 'post') throw new DOMException('it could not be cloned', 'DataCloneError');
    const { script } = state;
    setImmediate(() => (script ? script(this) : state.usual(this, request)));
  }

  answer(data: unknown): void {
    this.emit('message', data);
    this.onmessage?.({ data });
  }

  fail(message: string | undefined): void {
    if (this.listenerCount('error') > 0) this.emit('error', message === undefined ? undefined : new Error(message));
    this.onerror?.({ message });
  }

  unreadable(): void {
    this.emit('messageerror', new Error('unreadable'));
    this.onmessageerror?.();
  }

  async terminate(): Promise<number> {
    if (this.#isLive) state.live--;
    this.#isLive = false;
    return 0;
  }
}

/**
 * In place of the page's packages. Modules are shared between test files, and so is what stands in for them: it has
 * what all of them need.
 */
export const PACKAGES = {
  libRaw: async () => ({ script: 'x', module: undefined }),
  decoderScript: 'decoder.js',
  programs: { jxl: async () => undefined },
};
