/**
 * Storage for tunings between sessions: a file in Node (deghost/node), IndexedDB in a browser (indexedDb.ts), or any
 * object with these two functions.
 */
import { TEXT, expect } from '../checks.ts';
import type { Rule } from '../checks.ts';
import { isTuneResult, joinResults } from './result.ts';
import type { TuneResult } from './result.ts';

/** Stores tunings by key. */
export interface TuneCache {
  /** The value stored under a key, or undefined. */
  read(key: string): Promise<unknown>;
  /** Replaces the value stored under a key. */
  write(key: string, value: TuneResult): Promise<void>;
}

const CACHE: Rule = [
  'an object with the functions read and write',
  (value) => {
    const { read, write } = Object(value) as TuneCache;
    return typeof read === 'function' && typeof write === 'function';
  },
];

/**
 * The tuning that a cache has for a key; undefined if it has none, or if the value is not a tuning. @param key from
 * `deviceTuneKey`.
 * @throws UsageError, and what the cache throws.
 */
export async function readTuning(cache: TuneCache, key: string): Promise<TuneResult | undefined> {
  expect('cache', cache, CACHE);
  expect('key', key, TEXT);
  const value = await cache.read(key);
  return isTuneResult(value) && value.key === key ? value : undefined;
}

/** Stores a tuning, merged over the cache's tuning for the same key. @returns the merged tuning. */
export async function writeTuning(cache: TuneCache, result: TuneResult): Promise<TuneResult> {
  expect('cache', cache, CACHE);
  expect('result', result, ['what tune gives', isTuneResult]);
  const joined = joinResults(await readTuning(cache, result.key), result);
  await cache.write(result.key, joined);
  return joined;
}
