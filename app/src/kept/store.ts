/**
 * Where sessions are kept: what describes them in IndexedDB, which replaces a record whole or not at all; photos and
 * pixels in the origin's private files, each session with a folder. A file gets a new name whenever it is written, and
 * the record names it only when it is complete.
 *
 * A tab holds its session's lock as long as it is open. Others leave such a session alone.
 */
import type { Session } from './session.ts';

/** Other pages at this address have names of their own. */
const PLACE = `deghost ${new URL('.', document.baseURI).pathname}`;
const TABLE = 'sessions';

/** The folder of a session's files, from the origin's root. */
export function folderOf(id: string): string[] {
  return [encodeURIComponent(PLACE), id];
}

async function folderAt(path: readonly string[]): Promise<FileSystemDirectoryHandle> {
  let folder = await navigator.storage.getDirectory();
  for (const name of path) folder = await folder.getDirectoryHandle(name, { create: true });
  return folder;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Store {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** @throws where the browser keeps nothing: some private windows. */
  static async open(): Promise<Store> {
    const request = indexedDB.open(PLACE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: 'id' });
    const database = await done(request);
    // A newer page may change the table.
    database.onversionchange = () => database.close();
    await folderAt(folderOf('').slice(0, 1));
    return new Store(database);
  }

  /** The latest first. */
  async sessions(): Promise<Session[]> {
    const all: Session[] = await done(this.#table('readonly').getAll());
    return all.sort((a, b) => b.changed - a.changed);
  }

  /** Replaces a session's record. @throws without the room for it. */
  async put(session: Session): Promise<void> {
    const table = this.#table('readwrite');
    table.put(session);
    await new Promise<void>((resolve, reject) => {
      table.transaction.oncomplete = () => resolve();
      table.transaction.onerror = table.transaction.onabort = () => reject(table.transaction.error);
    });
  }

  /** A file of a session. @throws if it is gone. */
  async file(id: string, name: string): Promise<File> {
    return (await (await folderAt(folderOf(id))).getFileHandle(name)).getFile();
  }

  /** Removes a session's files other than these. */
  async keepOnly(id: string, names: readonly string[]): Promise<void> {
    const folder = await folderAt(folderOf(id));
    for await (const name of folder.keys())
      if (!names.includes(name)) await folder.removeEntry(name).catch(() => undefined);
  }

  async remove(id: string): Promise<void> {
    await done(this.#table('readwrite').delete(id));
    await this.#removeFolder(id);
  }

  /** Removes folders that no record names: of a tab that was closed while it wrote. */
  async sweep(): Promise<void> {
    const known = (await this.sessions()).map(({ id }) => id);
    for await (const name of (await folderAt(folderOf('').slice(0, 1))).keys())
      if (!known.includes(name)) await ifFree(name, () => this.#removeFolder(name));
  }

  async #removeFolder(id: string): Promise<void> {
    const parent = await folderAt(folderOf(id).slice(0, 1));
    // What is just being written is swept later.
    await parent.removeEntry(id, { recursive: true }).catch(() => undefined);
  }

  #table(mode: IDBTransactionMode): IDBObjectStore {
    return this.#database.transaction(TABLE, mode).objectStore(TABLE);
  }
}

const lockOf = (id: string): string => `${PLACE} ${id}`;

/** Holds a session's lock. @returns what releases it; undefined if another tab holds it. */
export function hold(id: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lockOf(id), { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

/** Does something with a session that no tab has open. @returns whether it was free. */
export function ifFree(id: string, work: () => Promise<void>): Promise<boolean> {
  return navigator.locks.request(lockOf(id), { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    return lock !== null;
  });
}
