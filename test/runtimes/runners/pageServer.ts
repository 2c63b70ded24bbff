/**
 * Serves the suite to a browser from localhost (WebGPU needs a secure context) and takes its events back. The page is
 * one script that esbuild bundles for browsers: an import of Node's in the core or the suite would stop it here.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { errorText } from '../events.ts';
import type { Report, RunnerEvent } from '../events.ts';
import { goldenFolder } from './files.ts';

const HTML =
  '<!doctype html><meta charset="utf-8"><title>deghost</title><link rel="icon" href="data:,"><script type="module" ' +
  'src="/suite.js"></script>';

async function bundle(): Promise<string> {
  const entryPoints = [fileURLToPath(new URL('page.ts', import.meta.url))];
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/**
 * Opens a page that runs the suite and reports its events until the last.
 * @param open makes a browser load an address; returns what closes the browser. It may call `fail` while the page runs.
 */
export async function runInPage(
  open: (url: string, fail: (message: string) => void) => Promise<() => Promise<void>>,
  report: Report,
): Promise<void> {
  const script = await bundle();
  const goldens = goldenFolder();
  let finish!: (failure?: string) => void;
  const finished = new Promise<string | undefined>((resolve) => (finish = resolve));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (type: string, body: string | Uint8Array): void =>
      void response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = pathname.replace(/^\/goldens\//, '');
    if (request.method === 'POST' && pathname === '/events') {
      const event = JSON.parse(await text(request)) as RunnerEvent;
      send('text/plain', '');
      if (event.type === 'error') return finish(event.message);
      await report(event);
      if (event.type === 'end') finish();
    } else if (pathname === '/') send('text/html', HTML);
    else if (pathname === '/suite.js') send('text/javascript', script);
    else if (pathname === '/goldens/') send('application/json', JSON.stringify(goldens.files));
    else if (goldens.files.includes(file)) send('application/octet-stream', await goldens.read(file));
    else response.writeHead(404).end();
  }

  const server = createServer(
    (request, response) => void answer(request, response).catch((error: unknown) => finish(errorText(error))),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let close: (() => Promise<void>) | undefined;
  try {
    close = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, finish);
    const failure = await finished;
    if (failure !== undefined) throw new Error(failure);
  } finally {
    await close?.();
    server.closeAllConnections();
    server.close();
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
