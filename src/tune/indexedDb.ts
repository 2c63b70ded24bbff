/**
 * Tunings in a browser's IndexedDB, by key. If the browser stores nothing (private windows may not), nothing is found
 * and nothing is kept.
 */
import { TEXT, expect } from '../checks.ts';
import type { TuneCache } from './cache.ts';

const STORE = 'tunings';

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });
}

/** Runs one transaction on the store in its own connection, so that no open connection ever blocks another tab. */
async function inStore<T>(
  name: string,
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await done(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    const complete = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error!);
    });
    const [result] = await Promise.all([done(use(transaction.objectStore(STORE))), complete]);
    return result;
  } finally {
    database.close();
  }
}

/** A cache in IndexedDB. @param name of the database. @throws UsageError */
export function indexedDbCache(name = 'deghost'): TuneCache {
  expect('name', name, TEXT);
  return {
    async read(key) {
      try {
        return await inStore(name, 'readonly', (store) => store.get(key) as IDBRequest<unknown>);
      } catch {
        return undefined;
      }
    },
    async write(key, value) {
      await inStore(name, 'readwrite', (store) => store.put(value, key)).catch(() => undefined);
    },
  };
}
