/**
 * The workers of LibRaw, in Node and on the page, fail at each step in turn: an error that names the file, no worker
 * left, and the next file is read.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeRaw } from '../../app/src/worker/decode/raw.ts';
import { DeghostError } from '../../src/errors.ts';
import { RAW_MINUTES } from '../../src/image/decode/rawWorker.ts';
import { readRawHead } from '../../src/node/readRaw.ts';
import { StandIn, state } from './workers.ts';

vi.setConfig({ testTimeout: 5000 });

/** What a stand-in for a worker does once it was asked; `throws` are steps before. */
type Step = (worker: StandIn) => void;

const METADATA = {
  width: 4,
  height: 2,
  raw_width: 4,
  raw_height: 2,
  flip: 0,
  camera_make: 'a',
  camera_model: 'b',
  iso_speed: 100,
  shutter: 0.1,
  aperture: 8,
  colors: 3,
  color_data: {
    cam_mul: [1, 1, 1, 1],
    pre_mul: [1, 1, 1, 1],
    cam_xyz: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    dng_color: [],
    dng_levels: { analogbalance: [1, 1, 1] },
  },
};
const PICTURE = { width: 4, height: 2, colors: 3, bits: 16, data: new Uint16Array(24) };

// Modules are shared between test files: a built-in one is changed in place.
const OWN = workerThreads.Worker;
function setWorker(worker: unknown): void {
  Object.assign(workerThreads, { Worker: worker });
  syncBuiltinESMExports();
}

vi.mock('../../app/src/worker/decode/packages.ts', async () => (await import('./workers.ts')).PACKAGES);

beforeEach(() => {
  state.usual = (worker, request) => {
    const { settings } = request as { settings?: unknown };
    worker.answer({ metadata: METADATA, ...(settings !== undefined && { picture: PICTURE }) });
  };
  setWorker(StandIn);
  vi.stubGlobal('Worker', StandIn);
});

afterEach(() => {
  setWorker(OWN);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const BYTES = new Uint8Array(16);
const READS = {
  Node: () => readRawHead(BYTES, 'a.dng'),
  'the page': () => decodeRaw(BYTES, 'a.dng'),
};

const STEPS: Record<string, Step> = {
  'an error': (worker) => worker.fail('LibRaw failed'),
  'an error without a word': (worker) => worker.fail(undefined),
  'a message that cannot be read': (worker) => worker.unreadable(),
  'nothing as a message': (worker) => worker.answer(undefined),
  'null as a message': (worker) => worker.answer(null),
  'a text as a message': (worker) => worker.answer('done'),
  'a message without metadata': (worker) => worker.answer({}),
  'metadata that are none': (worker) => worker.answer({ metadata: { width: 4 } }),
  'metadata with half of the colours': (worker) =>
    worker.answer({ metadata: { ...METADATA, color_data: { cam_mul: [1] } } }),
  'a picture without samples': (worker) => worker.answer({ metadata: METADATA, picture: { width: 4, height: 2 } }),
  'a problem': (worker) => worker.answer({ problem: 'unknown file: data corrupted' }),
};

describe.each(Object.entries(READS))('in %s', (where, read) => {
  async function expectFailure(named = /a\.dng/): Promise<void> {
    const error: unknown = await read().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DeghostError);
    expect((error as Error).message).toMatch(named);
    expect(state.live).toBe(0);
    state.script = undefined;
    state.beginsToFail = '';
    expect(await read()).toMatchObject({ width: 4, height: 2 });
    expect(state.live).toBe(0);
  }

  it.each(Object.entries(STEPS))('%s', async (_, step) => {
    state.script = step;
    await expectFailure();
  });

  it.each(['start', 'post'] as const)('what throws at the %s', async (step) => {
    state.beginsToFail = step;
    await expectFailure();
  });

  it('a message that never comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    state.script = () => void vi.advanceTimersByTime(RAW_MINUTES * 60_000 + 1);
    await expectFailure(/a\.dng.*took over/);
  });

  it.runIf(where === 'Node')('a thread that ends', async () => {
    state.script = (worker) => void worker.emit('exit', 134);
    await expectFailure(/a\.dng.*ended with code 134/);
  });

  it.runIf(where === 'Node')('an error after the answer', async () => {
    state.script = (worker) => {
      worker.answer({ problem: 'first' });
      worker.fail('second');
    };
    await expectFailure(/first/);
  });
});

it('a cancelled read leaves no worker', async () => {
  const abort = new AbortController();
  state.script = () => abort.abort();
  await expect(readRawHead(BYTES, 'a.dng', abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  expect(state.live).toBe(0);
  state.script = undefined;
});
