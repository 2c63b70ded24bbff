/**
 * Starts a page's worker, and says when it fails.
 *
 * It is started through a blob, because a worker from a blob inherits the page's Content-Security-Policy: so the worker
 * too, which holds the photographs, can connect to nothing but the page's own files. One started from its file would
 * have no policy at all.
 *
 * A worker that the browser ends, for lack of memory say, sends no event. But then it loses what it has locked: it
 * locks a name as soon as it runs, and the page waits for the same name.
 */

export interface PageWorker<ToWorker> {
  send(message: ToWorker, transfer?: Transferable[]): void;
}

/**
 * What has failed: its program, which could not be loaded or threw an error; a message that could not be read; or the
 * browser has ended it. Only in the last case nothing will come of it any more.
 */
export type WorkerFailure = 'program' | 'message' | 'ended';

/**
 * @param workerUrl where the bundler puts the worker's program.
 * @param onFailure called with the error's message, if it has one; never before this returns.
 */
export function startWorker<ToWorker, FromWorker>(
  workerUrl: string,
  onMessage: (message: FromWorker) => void,
  onFailure: (failure: WorkerFailure, message: string) => void,
): PageWorker<ToWorker> {
  const program = new URL(workerUrl, location.href).href;
  const alive = `deghost ${Math.random()}`;
  const source = `import ${JSON.stringify(program)};
const alive = ${JSON.stringify(alive)};
navigator.locks?.request(alive, () => (postMessage(alive), new Promise(() => {})));`;
  const blob = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  let worker: Worker;
  try {
    worker = new Worker(blob, { type: 'module', name: 'deghost' });
  } catch (error) {
    queueMicrotask(() => onFailure('program', String((error as Error).message)));
    return { send: () => undefined };
  }
  worker.onmessage = ({ data }: MessageEvent<FromWorker | string>) => {
    if (data === alive) void navigator.locks.request(alive, () => onFailure('ended', ''));
    else onMessage(data as FromWorker);
  };
  worker.onerror = ({ message }) => onFailure('program', message ?? '');
  worker.onmessageerror = () => onFailure('message', '');
  return { send: (message, transfer = []) => worker.postMessage(message, transfer) };
}
