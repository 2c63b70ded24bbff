/**
 * A worker for one task, which ends with it. Decoders in WebAssembly work without a pause: nothing but the end of their
 * worker stops one that takes too long, or whose result nobody waits for any more. It also gives back their memory,
 * which never shrinks.
 *
 * The worker is started from a blob, so it has the page's Content-Security-Policy and can send nothing away.
 */
import { CancelledError, throwIfCancelled } from '../../../../src/errors.ts';

/** The worker's program did not even start: it, or a script that it imports, could not be loaded. */
export class NotLoadedError extends Error {}

export interface WorkerTask<T> {
  /** The worker's program, a module's text. */
  program: string;
  name: string;
  request: unknown;
  /** What a message says. @returns undefined if the answer is still to come. */
  read(message: unknown): T | undefined;
  /** How long it may take, in seconds; asked again after each message. */
  seconds(): number;
  /** Ends the worker. */
  signal?: AbortSignal;
}

const inWords = (seconds: number): string =>
  seconds < 120 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;

/**
 * @returns the worker's answer.
 * @throws CancelledError; NotLoadedError; Error with what kept it from answering: it could not be started, failed, or
 * took too long.
 */
export async function inOwnWorker<T>({ program, name, request, read, seconds, signal }: WorkerTask<T>): Promise<T> {
  throwIfCancelled(signal);
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const begun = Date.now();
  let worker: Worker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let cancel: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const watch = (): void => {
        clearTimeout(timer);
        const most = seconds();
        const left = begun + 1000 * most - Date.now();
        timer = setTimeout(() => reject(new Error(`it took over ${inWords(most)}`)), left);
      };
      cancel = () => reject(new CancelledError());
      signal?.addEventListener('abort', cancel);
      worker = new Worker(url, { type: 'module', name });
      worker.onmessage = ({ data }: MessageEvent<unknown>) => {
        const answer = read(data);
        if (answer !== undefined) resolve(answer);
        else watch();
      };
      // Scripts that are not loaded give no message.
      worker.onerror = ({ message }) =>
        reject(message ? new Error(message) : new NotLoadedError('its program could not be loaded'));
      worker.onmessageerror = () => reject(new Error('its answer could not be handed over'));
      watch();
      worker.postMessage(request);
    });
  } finally {
    clearTimeout(timer);
    if (cancel) signal?.removeEventListener('abort', cancel);
    worker?.terminate();
    URL.revokeObjectURL(url);
  }
}
