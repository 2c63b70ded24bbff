/**
 * What a command reads and writes: no input is overwritten, and no file is written twice.
 *
 * Files are told apart by device and inode, so links of all kinds, folders that are links, and names that differ only
 * in case lead to the same file. What does not exist yet is its folder and its name. A command declares its files
 * before it does any work. Files that turn out to be read later (the data beside a checkpoint) are noted as they are
 * opened, and every file is checked again just before it appears.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readlinkSync, realpathSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';

/** Where a path leads. */
export interface Place {
  /** All links followed, also those to files that do not exist. */
  path: string;
  /** Equal for paths that lead to one file. */
  key: string;
  exists: boolean;
}

/** The role of files that nobody declared. */
const FOUND = 'the file';

/** Longest path that is followed: a longer one is too long for the system in any case. */
const LONGEST = 4096;
/** Most links that lead to a file, one after another. */
const MOST_LINKS = 40;

/** The key of a file that exists. @param path without links. */
export function fileKey({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>, path: string): string {
  // Some network drives number no files.
  return ino > 0n ? `${dev}:${ino}` : `${dev}:${path.normalize('NFC').toLowerCase()}`;
}

/** Where a path leads, whether or not something is there. Does not throw: whoever opens the file says what is wrong. */
export function placeOf(path: string, links = 0): Place {
  try {
    const real = realpathSync.native(path);
    return { path: real, key: fileKey(statSync(real, { bigint: true }), real), exists: true };
  } catch {
    // Nothing is there, or it cannot be seen.
  }
  const folder = dirname(path);
  if (folder === path || path.length > LONGEST) return { path, key: path, exists: false };
  const parent = placeOf(folder);
  try {
    const target = readlinkSync(path);
    if (links < MOST_LINKS) return placeOf(resolve(parent.path, target), links + 1);
  } catch {
    // No link.
  }
  const name = basename(path);
  // On some file systems, names that differ only in case or in how accents are coded are one file.
  return {
    path: join(parent.path, name),
    key: `${parent.key}/${name.normalize('NFC').toLowerCase()}`,
    exists: false,
  };
}

/** Checks that no file is given twice, under whatever names. @throws UsageError */
export function expectDistinct(pictures: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const path of pictures) {
    const { key, exists } = placeOf(path);
    const other = seen.get(key);
    if (exists && other !== undefined)
      throw new UsageError(
        other === path
          ? `the picture ${path} is given twice: name each picture once`
          : `the pictures ${other} and ${path} are one file: name each picture once`,
      );
    seen.set(key, path);
  }
}

interface Named {
  /** `the picture`, `--preview`. */
  role: string;
  path: string;
  /** When it was declared, or opened. */
  place: Place;
}

/** The files of one command. */
export class CommandFiles {
  readonly #reads = new Map<string, Named>();
  readonly #readPaths = new Map<string, Named>();
  readonly #writes = new Map<string, Named>();
  /** The role of each path that was declared to be written. */
  readonly #roles = new Map<string, string>();
  /** Paths of caches, which the command reads and writes. */
  readonly #updates = new Set<string>();
  /** Files that have appeared. */
  readonly #done = new Map<string, Named>();
  /** Fires when the command is to stop. */
  readonly signal: AbortSignal | undefined;

  constructor(signal?: AbortSignal) {
    this.signal = signal;
  }

  /** Declares a file that is read. @throws UsageError if it is written too. */
  reads(role: string, path: string): void {
    this.#read({ role, path, place: placeOf(path) });
  }

  /**
   * Declares a file that is written. @throws UsageError if it is read, or written for another reason.
   * @param isUpdated whether it is a cache, which is read too.
   */
  writes(role: string, path: string, isUpdated = false): void {
    const written = { role, path, place: placeOf(path) };
    const read = this.#reads.get(written.place.key);
    if (read) throw overwrites(written, read);
    const other = this.#writes.get(written.place.key);
    if (other && (other.role !== role || resolve(other.path) !== resolve(path))) throw writesTwice(other, written);
    this.#writes.set(written.place.key, written);
    this.#roles.set(resolve(path), role);
    if (isUpdated) this.#updates.add(written.place.path);
  }

  /** Notes a file that was opened. @throws UsageError if it is to be written. */
  opened(path: string, stats: BigIntStats): void {
    const place = placeOf(path);
    const key = fileKey(stats, place.path);
    if (this.#reads.has(key) || this.#done.has(key)) return;
    if (!this.#updates.has(place.path)) this.#read({ role: FOUND, path, place: { ...place, key } });
  }

  #read(read: Named): void {
    const { key, path } = read.place;
    const written = this.#writes.get(key);
    if (written) throw overwrites(written, read);
    const known = this.#reads.get(key);
    if (!known || known.role === FOUND) this.#reads.set(key, read);
    this.#readPaths.set(path, read);
  }

  /** Checks a file that is about to appear. @throws UsageError if it would replace one that is read, or was written. */
  check(path: string): void {
    const place = placeOf(path);
    const written = { role: this.#role(path), path };
    const read = this.#reads.get(place.key) ?? this.#readPaths.get(place.path);
    // A file that is gone by now frees its inode for others.
    if (read && place.exists && placeOf(read.path).key === place.key) throw overwrites(written, read);
    const other = this.#done.get(place.key);
    if (other && resolve(other.path) !== resolve(path) && placeOf(other.path).key === place.key)
      throw writesTwice(other, written);
  }

  /** Notes a file that has appeared. */
  wrote(path: string): void {
    const place = placeOf(path);
    this.#done.set(place.key, { role: this.#role(path), path, place });
  }

  #role(path: string): string {
    return this.#roles.get(resolve(path)) ?? 'the output';
  }
}

function overwrites(written: Pick<Named, 'role' | 'path'>, read: Named): UsageError {
  const via = written.path === read.path ? '' : ` (as ${written.path})`;
  return new UsageError(`${written.role} would overwrite ${read.role} ${read.path}${via}: name another file`);
}

function writesTwice(one: Pick<Named, 'role' | 'path'>, other: Pick<Named, 'role' | 'path'>): UsageError {
  const [first, second] = [other, one].map(({ role, path }) => `${role}${one.path === other.path ? '' : ` "${path}"`}`);
  return new UsageError(
    `${first} and ${second} are both ${one.path === other.path ? `"${one.path}"` : 'one file'}: name two files`,
  );
}

const running = new AsyncLocalStorage<CommandFiles>();

/** Runs a command; until it ends, every file that it opens or writes is checked. */
export function withFiles<T>(files: CommandFiles, command: () => Promise<T>): Promise<T> {
  return running.run(files, command);
}

/** The files of the command that runs; undefined in a program that uses the library. */
export function currentFiles(): CommandFiles | undefined {
  return running.getStore();
}
