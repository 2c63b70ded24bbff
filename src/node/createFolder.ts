/** Creates folders that a command writes to. */
import { existsSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError } from '../errors.ts';
import { shown, systemProblem } from './problems.ts';

/**
 * Creates a folder, and those above it that are missing.
 * @returns the first that was created; undefined if it was there.
 * @throws InputError naming the folder and why it cannot be.
 */
export async function createFolder(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new InputError(`cannot create ${shown(path)}: it is a file, name a folder`, { cause: error });
    throw systemProblem(await realProblem(path, error), 'create', path);
  }
}

/** Removes a folder and those above it that were created with it, as far as they are empty. @param first created. */
export async function removeFolders(path: string, first: string): Promise<void> {
  const last = resolve(first);
  for (let at = resolve(path); at.startsWith(last); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return; // It is not empty, or gone.
    }
  }
}

/** For a read-only file system, `recursive` says that a folder is missing: creating that one folder says why. */
async function realProblem(path: string, error: unknown): Promise<unknown> {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  let first = resolve(path);
  while (!existsSync(dirname(first)) && dirname(first) !== first) first = dirname(first);
  return mkdir(first).then(
    () => error,
    (real: unknown) => real,
  );
}
