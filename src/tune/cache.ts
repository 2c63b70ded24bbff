/**
 * Where tunings are kept from one session to the next: a file in Node (deghost/node), IndexedDB in a browser
 * (indexedDb.ts), or anything with two functions.
 */
import { isTuneResult, joinResults } from './result.ts';
import type { TuneResult } from './result.ts';

/** Keeps tunings by key. */
export interface TuneCache {
  /** What was written under a key, or undefined. */
  read(key: string): Promise<unknown>;
  /** Replaces what was kept under a key. */
  write(key: string, value: TuneResult): Promise<void>;
}

/**
 * The tuning that a cache has for a key; undefined where it has none, or something else. @param key `deviceTuneKey`'s
 */
export async function readTuning(cache: TuneCache, key: string): Promise<TuneResult | undefined> {
  const value = await cache.read(key);
  return isTuneResult(value) && value.key === key ? value : undefined;
}

/** Keeps a tuning, over what the cache had of the same key. @returns what it has now. */
export async function writeTuning(cache: TuneCache, result: TuneResult): Promise<TuneResult> {
  const joined = joinResults(await readTuning(cache, result.key), result);
  await cache.write(result.key, joined);
  return joined;
}
