/** What `deghost/tune` says to calls that no type checker saw. */
import { beforeAll, describe, expect, it } from 'vitest';
import * as entry from '../../src/tune/index.ts';
import { testDevice } from '../gpu.ts';
import {
  NOT_DEVICES,
  NOT_FUNCTIONS,
  NOT_NUMBERS,
  NOT_OBJECTS,
  NOT_SIGNALS,
  NOT_WHOLE,
  NOT_WORDS,
  refuses,
} from '../misuse.ts';
import type { Any, Case } from '../misuse.ts';
import { readGolden } from '../reference/goldens.ts';
import { tuneResult } from './samples.ts';

const { choicesOf, deviceTuneKey, indexedDbCache, isTuneResult, readTuning, tune, writeTuning } = entry as Any;

let device: GPUDevice;

beforeAll(async () => {
  device = await testDevice();
});

describe('tune refuses', () => {
  const good = (): Any => ({ device, config: readGolden('fixed-halo').config, frames: 3 });

  it('options that are none, and names that are none', async () => {
    await refuses('usage', 'options', [...NOT_OBJECTS, [undefined, 'is undefined']], tune);
    await refuses('usage', 'tiles', [[{ ...good(), tiles: 5 }, 'its options are device, config']], tune);
  });

  it.each<[string, Case[]]>([
    ['device', [...NOT_DEVICES, [undefined, 'is undefined']]],
    [
      'config',
      [...NOT_OBJECTS, [{}, 'is an Object'], [undefined, 'is undefined'], [{ variant: 'nope' }, 'is an Object']],
    ],
    ['frames', [...NOT_WHOLE, [1, 'is 1'], [17, 'is 17'], [undefined, 'is undefined']]],
    ['precision', NOT_WORDS],
    [
      'tile',
      [
        ...NOT_OBJECTS,
        [{}, 'is an Object'],
        [{ width: 16, height: 17 }, 'is an Object'],
        [{ width: 2 ** 40, height: 16 }, 'is an Object'],
      ],
    ],
    ['filter', NOT_FUNCTIONS],
    [
      'limitMs',
      [
        ['5', 'is "5"'],
        [NaN, 'is NaN'],
        [null, 'is null'],
        [1n, 'is 1n'],
      ],
    ],
    ['passMs', NOT_NUMBERS.filter(([value]) => value !== Infinity)],
    ['signal', NOT_SIGNALS],
    ['onProgress', NOT_FUNCTIONS],
  ])('%s', async (name, cases) => {
    await refuses('usage', name, cases, (value) => tune({ ...good(), [name]: value }));
  });
});

describe('caches and keys', () => {
  it('refuse what is none', async () => {
    const kept = new Map<string, unknown>();
    const cache = {
      read: async (key: string) => kept.get(key),
      write: async (key: string, value: unknown) => void kept.set(key, value),
    };
    const caches: Case[] = [...NOT_OBJECTS, [{}, 'is an Object'], [{ read: 5, write: 5 }, 'is an Object']];
    await refuses('usage', 'cache', caches, (value) => readTuning(value, 'key'));
    await refuses('usage', 'cache', caches, (value) => writeTuning(value, tuneResult([])));
    await refuses(
      'usage',
      'key',
      [
        [null, 'is null'],
        [5, 'is 5'],
        [{}, 'is an Object'],
      ],
      (key) => readTuning(cache, key),
    );
    await refuses(
      'usage',
      'result',
      [...NOT_OBJECTS, [{}, 'is an Object'], [{ ...tuneResult([]), classes: [null] }, 'is an Object']],
      (value) => writeTuning(cache, value),
    );
    await refuses(
      'usage',
      'tuning',
      [...NOT_OBJECTS, [{}, 'is an Object'], [{ classes: [{}] }, 'is an Object'], [[], 'is an Array']],
      choicesOf,
    );
    await refuses('usage', 'device', NOT_DEVICES, (value) => deviceTuneKey(value));
    await refuses('usage', 'precision', NOT_WORDS, (value) => deviceTuneKey(device, value));
    await refuses(
      'usage',
      'name',
      [
        [null, 'is null'],
        [5, 'is 5'],
      ],
      indexedDbCache,
    );
    for (const value of [null, 5, 'text', {}, [], undefined, Symbol('s'), 1n]) expect(isTuneResult(value)).toBe(false);
    await writeTuning(cache, tuneResult([]));
    expect(await readTuning(cache, tuneResult([]).key)).toEqual(tuneResult([]));
  });
});
