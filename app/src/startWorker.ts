/**
 * Starts a page's worker.
 *
 * It is started through a blob of one line, because a worker from a blob inherits the page's Content-Security-Policy:
 * so the worker too, which holds the photographs, can connect to nothing but the page's own files. One started from its
 * file would have no policy at all.
 */

export interface PageWorker<ToWorker> {
  send(message: ToWorker, transfer?: Transferable[]): void;
}

/**
 * @param workerUrl where the bundler puts the worker's program.
 * @param onFailure called when the worker's program cannot be loaded (with an empty message), or fails.
 */
export function startWorker<ToWorker, FromWorker>(
  workerUrl: string,
  onMessage: (message: FromWorker) => void,
  onFailure: (message: string) => void,
): PageWorker<ToWorker> {
  const program = new URL(workerUrl, location.href).href;
  const blob = URL.createObjectURL(new Blob([`import ${JSON.stringify(program)};`], { type: 'text/javascript' }));
  const worker = new Worker(blob, { type: 'module', name: 'deghost' });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => onMessage(data);
  worker.onerror = (event) => onFailure(event.message);
  return { send: (message, transfer = []) => worker.postMessage(message, transfer) };
}
