/**
 * Opens and reads files: plain ones alone. A pipe, a device or a socket could wait for ever, or never end, and nothing
 * stops a read that has begun.
 */
import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { InputError, throwIfCancelled } from '../errors.ts';
import { MAX_FILE_BYTES } from '../image/refusals.ts';
import { currentFiles } from './files.ts';
import { shown, systemProblem } from './problems.ts';

/** Not all systems have these: opening a pipe does not wait, and a terminal does not become this process's own. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
/** Most bytes per read: between two reads, a cancellation takes effect. */
const READ_BYTES = 64 << 20;
/** Milliseconds after which a read has got stuck: a network drive that is gone. */
const STUCK_MS = 2000;

const pending = new Set<number>();

/** Whether a read waits for a drive that does not answer. The end of the process would wait for it too. */
export function isReadingStuck(now = performance.now()): boolean {
  return [...pending].some((begun) => now - begun > STUCK_MS);
}

async function timed<T>(work: () => Promise<T>): Promise<T> {
  let begun = performance.now();
  while (pending.has(begun)) begun += 1e-4;
  pending.add(begun);
  try {
    return await work();
  } finally {
    pending.delete(begun);
  }
}

/** What is no plain file, in a word. */
export function otherKind(stats: Pick<BigIntStats, 'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket'>) {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return 'a folder';
  return stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device';
}

function refuseOthers(path: string, stats: BigIntStats): void {
  const kind = otherKind(stats);
  if (kind)
    throw new InputError(
      `${shown(path)} is ${kind}, not a file: ${kind === 'a pipe' ? 'save what it gives to a file' : 'name a file'}`,
    );
}

/**
 * Opens a plain file to read it. What is something else is refused before it is opened, and again afterwards, because
 * it may have been exchanged meanwhile.
 * @throws InputError naming the file.
 */
export async function openPlain(path: string): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle | undefined;
  try {
    refuseOthers(path, await timed(() => stat(path, { bigint: true })));
    handle = await timed(() => open(path, FLAGS));
    const stats = await handle.stat({ bigint: true });
    refuseOthers(path, stats);
    currentFiles()?.opened(path, stats);
    return { handle, size: Number(stats.size) };
  } catch (error) {
    await handle?.close();
    throw systemProblem(error, 'read', path);
  }
}

/** Fills a buffer from a place in a file. @returns the number of bytes, fewer at the file's end. */
async function fill(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    throwIfCancelled(currentFiles()?.signal);
    const length = Math.min(READ_BYTES, bytes.length - done);
    const { bytesRead } = await timed(() => handle.read(bytes, done, length, position + done));
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/**
 * Reads a whole plain file.
 * @param limit most bytes that are read.
 * @throws InputError naming the file; CancelledError in a command that is to stop.
 */
export async function readFileBytes(path: string, limit = MAX_FILE_BYTES): Promise<Buffer> {
  const { handle, size } = await openPlain(path);
  try {
    if (size > limit) throw new InputError(`${shown(path)} is ${size} bytes, at most ${limit} are read`);
    const bytes = Buffer.allocUnsafeSlow(size);
    if ((await fill(handle, bytes, 0)) < size || (await fill(handle, new Uint8Array(1), size)) > 0)
      throw new InputError(`${shown(path)} changed its size while it was read: wait until it is complete`);
    return bytes;
  } catch (error) {
    throw systemProblem(error, 'read', path);
  } finally {
    await handle.close();
  }
}

/** Reads the first bytes of a plain file. @throws as `readFileBytes`. */
export async function readFileHead(path: string, length: number): Promise<Uint8Array> {
  const { handle } = await openPlain(path);
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await fill(handle, bytes, 0));
  } catch (error) {
    throw systemProblem(error, 'read', path);
  } finally {
    await handle.close();
  }
}
