/**
 * When `deghost merge` tunes by itself, and what it does with it: a tuner of the test's own, on the test adapter's
 * device.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { CancelledError, GpuError, InputError } from '../../src/errors.ts';
import type { AdapterInfo } from '../../src/node/adapter.ts';
import { tuningForMerge } from '../../src/node/cli/tuning.ts';
import { Gpu } from '../../src/device.ts';
import type { TuneCache } from '../../src/tune/cache.ts';
import { stepClasses } from '../../src/tune/classes.ts';
import type { StepClass } from '../../src/tune/classes.ts';
import { tuneKey } from '../../src/tune/key.ts';
import type { TuneOptions } from '../../src/tune/tune.ts';
import type { TuneResult } from '../../src/tune/result.ts';
import type { NetworkConfig } from '../../src/weights/config.ts';
import { testDevice } from '../gpu.ts';
import { tuneResult, tunedClass } from '../tune/samples.ts';

const CONFIG: NetworkConfig = {
  variant: 'fixed',
  width: 8,
  segWidths: [4, 8, 12, 16],
  slope: 0.2,
  gamma: 2.2,
  maskMode: 'soft',
  base: 'merge',
  hat: 'channel',
  extra: {},
};
const GPU: AdapterInfo = { name: 'a GPU', vendor: '', architecture: '', software: false, source: 'system' };

interface Tried {
  result: Promise<TuneResult | undefined>;
  asked: TuneOptions[];
  said: string[];
}

/** One merge's asking for a tuning. @param found what the tuner gives, or throws */
async function ask(
  cache: TuneCache,
  found: (key: string) => TuneResult | Error,
  info = GPU,
  config = CONFIG,
): Promise<Tried> {
  const device = await testDevice();
  const { capabilities } = new Gpu(device);
  const asked: TuneOptions[] = [];
  const said: string[] = [];
  const tuner = async (options: TuneOptions): Promise<TuneResult> => {
    asked.push(options);
    const tuning = found(tuneKey(device.adapterInfo, { capabilities, precision: 'f32' }));
    if (tuning instanceof Error) throw tuning;
    return tuning;
  };
  const result = tuningForMerge({
    device,
    capabilities,
    info,
    config,
    frames: 3,
    precision: 'f32',
    cache,
    message: (text) => said.push(text),
    signal: new AbortController().signal,
    tuner,
  });
  await result.catch(() => undefined);
  return { result, asked, said };
}

function memory(): TuneCache & { held: Map<string, TuneResult> } {
  const held = new Map<string, TuneResult>();
  return { held, read: async (key) => held.get(key), write: async (key, value) => void held.set(key, value) };
}

describe('the tuning of a merge', () => {
  let kinds: StepClass[];
  let found: (key: string) => TuneResult;

  beforeAll(async () => {
    const { capabilities } = new Gpu(await testDevice());
    kinds = stepClasses(CONFIG, 3, { width: 32, height: 32 }, { capabilities });
    // All but the last, which is no large part of the work.
    const [first, ...others] = kinds.slice(0, -1).map(({ name }) => name);
    found = (key) =>
      tuneResult([tunedClass(first, { a: 2, b: 1 }, 'b'), ...others.map((name) => tunedClass(name, { a: 2 }))], {
        key,
        unreached: [kinds.at(-1)!.name],
        stopped: 'limit',
      });
  });

  it('is made on the first one on a GPU, within five seconds, and kept for the next', async () => {
    const cache = memory();
    const first = await ask(cache, found);
    expect(first.asked).toMatchObject([{ config: CONFIG, frames: 3, precision: 'f32', limitMs: 5000 }]);
    expect(first.said).toEqual([
      'first merge on a GPU: finding its fastest kernels, for at most 5 seconds (--no-tune skips this)',
      `${kinds.length - 1} kinds of steps timed, 1 of them with another implementation than the default; 1 not ` +
        'reached keep their defaults; `deghost tune` does the rest',
    ]);
    const made = await first.result;
    expect(made?.classes[0].chosen).toBe('b');
    const second = await ask(cache, found);
    expect([second.asked, second.said]).toEqual([[], []]);
    expect(await second.result).toEqual(made);
  });

  it('is added to by weights whose steps are of other kinds', async () => {
    const cache = memory();
    await ask(cache, found);
    const { capabilities } = new Gpu(await testDevice());
    const wide = { ...CONFIG, width: 24 };
    const others = stepClasses(wide, 3, { width: 32, height: 32 }, { capabilities }).filter(
      ({ name, implementations }) => implementations.length > 1 && !kinds.some((kind) => kind.name === name),
    );
    expect(others.length).toBeGreaterThan(3);
    const more = await ask(
      cache,
      (key) =>
        tuneResult(
          others.map(({ name }) => tunedClass(name, { a: 2, c: 1 }, 'c')),
          { key },
        ),
      GPU,
      wide,
    );
    expect(more.said[0]).toBe(
      'first merge on a GPU with such weights: finding its fastest kernels, for at most 5 seconds (--no-tune skips ' +
        'this)',
    );
    const { filter } = more.asked[0];
    expect(others.every(({ name }) => filter!(name))).toBe(true);
    expect(kinds.some(({ name }) => filter!(name))).toBe(false);
    expect((await more.result)?.classes).toHaveLength(others.length + kinds.length - 1);
    // Now both are known.
    for (const config of [wide, CONFIG]) expect((await ask(cache, found, GPU, config)).asked).toEqual([]);
  });

  it('is never made on a software adapter, but read', async () => {
    const cache = memory();
    const none = await ask(cache, found, { ...GPU, software: true });
    expect([await none.result, none.asked, none.said, cache.held.size]).toEqual([undefined, [], [], 0]);
    await ask(cache, found);
    expect((await (await ask(cache, found, { ...GPU, software: true })).result)?.classes).toHaveLength(
      kinds.length - 1,
    );
  });

  it('is not kept when it was cancelled', async () => {
    const cache = memory();
    const { result } = await ask(cache, (key) => ({ ...found(key), stopped: 'cancelled' }));
    await expect(result).rejects.toThrow(CancelledError);
    expect(cache.held.size).toBe(0);
  });

  it('does without where the GPU fails at it, and says so', async () => {
    const { result, said } = await ask(memory(), () => new GpuError('allocating buffers: out of GPU memory'));
    expect(await result).toBeUndefined();
    expect(said[1]).toBe('not tuned: allocating buffers: out of GPU memory');
    await expect((await ask(memory(), () => new Error('a fault'))).result).rejects.toThrow('a fault');
  });

  it('counts where it cannot be kept, and says so', async () => {
    const full: TuneCache = {
      read: async () => undefined,
      write: () => Promise.reject(new InputError('cannot write tuning.json: no space left')),
    };
    const { result, said } = await ask(full, found);
    expect((await result)?.classes).toHaveLength(kinds.length - 1);
    expect(said.at(-1)).toBe('the tuning is not saved: cannot write tuning.json: no space left');
  });

  it('is not kept when it found nothing', async () => {
    const cache = memory();
    const { result } = await ask(cache, (key) => ({ ...found(key), classes: [] }));
    expect(await result).toBeUndefined();
    expect(cache.held.size).toBe(0);
  });
});
