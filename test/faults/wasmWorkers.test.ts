/**
 * The workers of the page's decoders in WebAssembly never end, or fail in other ways: an error that names the file, no
 * worker left, and the next file is read.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ToWorker } from '../../app/src/messages.ts';
import { Brackets } from '../../app/src/worker/brackets.ts';
import { decodeInWasm, decoderSeconds, preloadDecoders } from '../../app/src/worker/decode/inWasm.ts';
import type { WasmAnswer } from '../../app/src/worker/decode/wasmMessages.ts';
import { Frames } from '../../app/src/worker/frames.ts';
import { InputError } from '../../src/errors.ts';
import { StandIn, state } from './workers.ts';

vi.setConfig({ testTimeout: 5000 });

type Request = Extract<ToWorker, { type: 'mergeBracket' }>;
const SETTINGS = { response: 'auto', colorSpace: 'srgb' } as Request['settings'];
const NONE: Request = { type: 'mergeBracket', bracket: 0, files: [], stem: 'a', settings: SETTINGS };
const CANCELLED = AbortSignal.abort();

const PNG = Uint8Array.of(1, 2, 3);

vi.mock('../../app/src/worker/decode/packages.ts', async () => (await import('./workers.ts')).PACKAGES);

beforeEach(() => {
  state.usual = (worker) => worker.answer({ result: { png: PNG } } satisfies WasmAnswer);
  vi.stubGlobal('Worker', StandIn);
  vi.stubGlobal('self', { location: { href: 'https://example.org/' } });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  state.script = undefined;
  state.beginsToFail = '';
});

const read = (signal?: AbortSignal) => decodeInWasm('jxl', new Uint8Array(16), 'a.jxl', signal);
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

async function expectNextIsRead(): Promise<void> {
  expect(state.live).toBe(0);
  state.script = undefined;
  state.beginsToFail = '';
  expect(await read()).toEqual({ png: PNG });
  expect(state.live).toBe(0);
}

describe('a decoder that never ends', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));

  /** Waits until the worker was asked. */
  const asked = (): Promise<void> => new Promise((resolve) => (state.script = () => resolve()));

  it('is ended after a minute, while its header is not read', async () => {
    const begun = asked();
    const error = thrown(read());
    await begun;
    vi.advanceTimersByTime(59_000);
    expect(state.live).toBe(1);
    vi.advanceTimersByTime(1001);
    expect(await error).toBeInstanceOf(InputError);
    expect(((await error) as Error).message).toBe('a.jxl cannot be decoded: it took over 60 seconds');
    await expectNextIsRead();
  });

  it('has longer for a large picture, from its beginning on', async () => {
    let worker: StandIn | undefined;
    const begun = new Promise<void>((resolve) => {
      state.script = (one) => {
        worker = one;
        resolve();
      };
    });
    const error = thrown(read());
    await begun;
    vi.advanceTimersByTime(30_000);
    worker!.answer({ pixels: 24e6 });
    expect(decoderSeconds(24e6)).toBe(300);
    vi.advanceTimersByTime(269_000);
    expect(state.live).toBe(1);
    vi.advanceTimersByTime(1001);
    expect(((await error) as Error).message).toBe('a.jxl cannot be decoded: it took over 5 minutes');
    await expectNextIsRead();
  });

  it('is ended when nobody waits for it any more', async () => {
    const abort = new AbortController();
    const begun = asked();
    const error = thrown(read(abort.signal));
    await begun;
    abort.abort();
    expect(await error).toMatchObject({ code: 'cancelled' });
    expect(await thrown(read(AbortSignal.abort()))).toMatchObject({ code: 'cancelled' });
    await expectNextIsRead();
  });

  it('does not keep the page waiting for its scripts for ever', async () => {
    const begun = asked();
    const error = thrown(preloadDecoders());
    await begun;
    vi.advanceTimersByTime(899_000);
    expect(state.live).toBe(1);
    vi.advanceTimersByTime(1001);
    expect(await error).toBeInstanceOf(InputError);
    expect(state.live).toBe(0);
  });

  it('is ended with its frame, and the next frame is decoded', async () => {
    const frames = new Frames();
    const added: Promise<unknown>[] = [];
    for (const id of [1, 2]) {
      const begun = asked();
      added.push(frames.add(id, `${id}.jxl`, jxl()));
      await begun;
      expect(state.live).toBe(1);
      frames.remove(id);
      expect(await added.at(-1)).toBeUndefined();
      expect(state.live).toBe(0);
    }
    await frames.settled();
    // What was said of one frame is not taken for another.
    const begun = asked();
    const third = frames.add(3, '3.jxl', jxl());
    await begun;
    frames.remove(1);
    expect(state.live).toBe(1);
    vi.advanceTimersByTime(60_001);
    await expect(third).rejects.toThrow('3.jxl cannot be decoded: it took over 60 seconds');
  });
});

/** A JPEG XL by its first bytes. */
const jxl = (): Blob => new Blob([Uint8Array.of(0xff, 0x0a, ...new Uint8Array(30))]);

describe('a worker that', () => {
  it.each<[string, (worker: StandIn) => void, RegExp]>([
    ['fails', (worker) => worker.fail('it failed'), /^a\.jxl cannot be decoded: it failed$/],
    ['is not loaded', (worker) => worker.fail(undefined), /^the decoder of a\.jxl could not be loaded: load the page/],
    ['answers what cannot be read', (worker) => worker.unreadable(), /^a\.jxl .* could not be handed over$/],
    ['answers nothing', (worker) => worker.answer(undefined), /no answer that can be read/],
    ['answers text', (worker) => worker.answer('done'), /no answer that can be read/],
    ['gives no picture', (worker) => worker.answer({ result: undefined }), /gave no picture/],
    [
      'finds a problem',
      (worker) => worker.answer({ problem: 'a.jxl is damaged', kind: 'input' }),
      /^a\.jxl is damaged$/,
    ],
  ])('%s', async (_, script, message) => {
    state.script = script;
    expect(((await thrown(read())) as Error).message).toMatch(message);
    await expectNextIsRead();
  });

  it('has too little memory says so as the page expects it', async () => {
    state.script = (worker) => worker.answer({ problem: 'Array buffer allocation failed', kind: 'memory' });
    expect(await thrown(read())).toBeInstanceOf(RangeError);
    state.script = (worker) => worker.fail('Uncaught RangeError: Array buffer allocation failed: out of memory');
    expect(await thrown(read())).toBeInstanceOf(RangeError);
    await expectNextIsRead();
  });

  it('works for a bracket of a folder is ended when that is cancelled; the page is told at once', async () => {
    const told: string[] = [];
    const brackets = new Brackets(({ type }) => void told.push(type));
    const begun = new Promise<void>((resolve) => (state.script = () => resolve()));
    const files = ['1.jxl', '2.jxl'].map((name) => ({ name, file: jxl() }));
    const abort = new AbortController();
    const merged = brackets.merge({ ...NONE, files }, undefined as never, abort.signal);
    await begun;
    expect(state.live).toBe(1);
    abort.abort();
    await merged;
    expect(state.live).toBe(0);
    expect(told.at(-1)).toBe('bracketCancelled');
    await expectNextIsRead();
  });

  it('works for a thumbnail is ended when a bracket is merged, or the person cancels', async () => {
    const told: string[] = [];
    const brackets = new Brackets(({ type }) => void told.push(type));
    for (const end of [() => brackets.cancel(), () => void brackets.merge(NONE, undefined as never, CANCELLED)]) {
      const begun = new Promise<void>((resolve) => (state.script = () => resolve()));
      brackets.thumbnail({ type: 'thumbnail', id: '1', name: '1.jxl', file: jxl() }, () => true);
      await begun;
      expect(state.live).toBe(1);
      end();
      await vi.waitFor(() => expect(told).toContain('thumbnail'));
      expect(state.live).toBe(0);
      told.length = 0;
    }
    await expectNextIsRead();
  });

  it.each(['start', 'post'] as const)('throws at the %s', async (step) => {
    state.beginsToFail = step;
    expect(await thrown(read())).toBeInstanceOf(InputError);
    await expectNextIsRead();
  });
});
