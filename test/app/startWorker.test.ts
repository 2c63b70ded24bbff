/** What the page hears of a worker that fails, with a stand-in for the browser's workers. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startWorker } from '../../app/src/startWorker.ts';

class StandIn {
  static latest: StandIn;
  static refuses = false;
  onmessage?: (event: { data: unknown }) => void;
  onerror?: (event: { message?: string }) => void;
  onmessageerror?: () => void;
  readonly sent: unknown[] = [];

  constructor(readonly url: string) {
    if (StandIn.refuses) throw new Error('workers are forbidden here');
    StandIn.latest = this;
  }

  postMessage(message: unknown): void {
    this.sent.push(message);
  }
}

/** Locks by name: whoever waits for them. */
const waiting = new Map<string, () => void>();

beforeEach(() => {
  StandIn.refuses = false;
  vi.stubGlobal('Worker', StandIn);
  vi.stubGlobal('location', { href: 'http://localhost/' });
  vi.stubGlobal('navigator', {
    locks: { request: async (name: string, work: () => void) => void waiting.set(name, work) },
  });
});

afterEach(() => vi.unstubAllGlobals());

function started(): { heard: unknown[]; failures: unknown[]; send: (message: unknown) => void } {
  const [heard, failures]: unknown[][] = [[], []];
  const { send } = startWorker(
    'worker.js',
    (message) => heard.push(message),
    (...failure) => failures.push(failure),
  );
  return { heard, failures, send };
}

/** The name that the worker's program locks. */
async function nameOf(url: string): Promise<string> {
  return JSON.parse(/alive = (".*?");/.exec(await (await fetch(url)).text())![1]);
}

it('a worker that cannot be started', async () => {
  StandIn.refuses = true;
  const { failures, send } = started();
  send({ type: 'start' });
  expect(failures).toEqual([]);
  await Promise.resolve();
  expect(failures).toEqual([['program', 'workers are forbidden here']]);
});

it('a program that cannot be loaded, or throws', () => {
  const { failures } = started();
  StandIn.latest.onerror!({});
  StandIn.latest.onerror!({ message: 'Uncaught Error: x' });
  expect(failures).toEqual([
    ['program', ''],
    ['program', 'Uncaught Error: x'],
  ]);
});

it('a message that cannot be read', () => {
  const { failures, heard } = started();
  StandIn.latest.onmessageerror!();
  expect([failures, heard]).toEqual([[['message', '']], []]);
});

it('a worker that the browser ends loses its lock', async () => {
  const { failures, heard } = started();
  const name = await nameOf(StandIn.latest.url);
  expect(waiting.has(name)).toBe(false);
  StandIn.latest.onmessage!({ data: name });
  StandIn.latest.onmessage!({ data: { type: 'ready' } });
  expect([heard, failures]).toEqual([[{ type: 'ready' }], []]);
  waiting.get(name)!();
  expect(failures).toEqual([['ended', '']]);
});
