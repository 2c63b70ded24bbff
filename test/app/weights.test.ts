/** In which order the page's worker fetches weights, and what becomes of those who wait for them. */
import { afterEach, expect, it, vi } from 'vitest';
import { Weights } from '../../app/src/worker/weights.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Stands in for the server: answers end when the test says so. */
function serve(): { asked: string[]; send(bytes?: number): void; end(): void; fail(): void } {
  const asked: string[] = [];
  let stream: ReadableStreamDefaultController<Uint8Array>;
  vi.stubGlobal('fetch', async (url: URL, { signal }: { signal: AbortSignal }) => {
    asked.push(url.pathname.replace(/.*\/(.*)\..*/, '$1'));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        stream = controller;
        signal.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body, { headers: { 'content-length': '10' } });
  });
  return {
    asked,
    send: (bytes = 5) => stream.enqueue(new Uint8Array(bytes)),
    end: () => stream.close(),
    fail: () => stream.error(new TypeError('network')),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

it('fetches one file after the other, and tells those who wait how far theirs is', async () => {
  const server = serve();
  const weights = new Weights('http://localhost/page/');
  const all = weights.preload();
  await turn();
  expect(server.asked).toEqual(['fixed']);
  server.send();
  await turn();
  const told: number[][] = [];
  const got = weights.get('fixed', (...bytes) => told.push(bytes));
  server.send();
  await turn();
  server.end();
  expect((await got).byteLength).toBe(10);
  expect(told).toEqual([
    [5, 10],
    [10, 10],
  ]);
  await turn();
  expect(server.asked).toEqual(['fixed', 'any']);
  server.end();
  await all;
  expect((await weights.get('any')).byteLength).toBe(0);
  expect(server.asked).toEqual(['fixed', 'any']);
});

it('lets a file that nobody waits for make room, and fetches it later', async () => {
  const server = serve();
  const weights = new Weights('http://localhost/');
  const all = weights.preload();
  await turn();
  weights.prefer('any');
  await turn();
  expect(server.asked).toEqual(['fixed', 'any']);
  const got = weights.get('any');
  // Somebody waits for this one now.
  weights.prefer('fixed');
  await turn();
  expect(server.asked).toEqual(['fixed', 'any']);
  server.end();
  await got;
  await turn();
  expect(server.asked).toEqual(['fixed', 'any', 'fixed']);
  server.end();
  await all;
});

it('says what could not be loaded, and tries again when it is asked again', async () => {
  const server = serve();
  const weights = new Weights('http://localhost/');
  const failed = weights.get('any');
  await turn();
  server.fail();
  await expect(failed).rejects.toThrow(
    'the weights "any" could not be loaded from /weights/any.safetensors: check the connection and try again',
  );
  const got = weights.get('any');
  await turn();
  server.end();
  await got;
  expect(server.asked).toEqual(['any', 'any']);
});
