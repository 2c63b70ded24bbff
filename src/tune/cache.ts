/**
 * Storage for tunings between sessions: a file in Node (deghost/node), IndexedDB in a browser (indexedDb.ts), or any
 * object with these two functions.
 */
import { isTuneResult, joinResults } from './result.ts';
import type { TuneResult } from './result.ts';

/** Stores tunings by key. */
export interface TuneCache {
  /** The value stored under a key, or undefined. */
  read(key: string): Promise<unknown>;
  /** Replaces the value stored under a key. */
  write(key: string, value: TuneResult): Promise<void>;
}

/**
 * The tuning that a cache has for a key; undefined if it has none, or if the value is not a tuning. @param key from
 * `deviceTuneKey`.
 */
export async function readTuning(cache: TuneCache, key: string): Promise<TuneResult | undefined> {
  const value = await cache.read(key);
  return isTuneResult(value) && value.key === key ? value : undefined;
}

/** Stores a tuning, merged over the cache's tuning for the same key. @returns the merged tuning. */
export async function writeTuning(cache: TuneCache, result: TuneResult): Promise<TuneResult> {
  const joined = joinResults(await readTuning(cache, result.key), result);
  await cache.write(result.key, joined);
  return joined;
}
