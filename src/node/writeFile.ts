/**
 * Writes files completely or not at all.
 *
 * The bytes go to a temporary file in the same folder, which is flushed to the disk and then renamed over the target. A
 * failure, an abort or the end of the process removes it; the target is then as it was before. A SIGINT handler that
 * calls `process.exit` needs nothing more; one that ends the process in another way must call `removeTemporaryFiles`.
 */
import { randomBytes } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import { access, chmod, open, realpath, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, throwIfCancelled } from '../errors.ts';
import { checkContent, checkPath, checkPiece, signalOf } from './arguments.ts';
import { shown, systemProblem } from './problems.ts';

/**
 * Bytes that follow those written before, or that replace bytes at a given position: some formats begin with values
 * that are known last.
 */
export type FilePiece = Uint8Array | { at: number; bytes: Uint8Array };
/** The forms of content that a file can be written from. */
export type FileContent = Uint8Array | Iterable<FilePiece> | AsyncIterable<FilePiece>;

/** Most bytes per write: between two writes, a cancellation takes effect. */
const WRITE_BYTES = 8 << 20;

const temporaryFiles = new Set<string>();
let isExitWatched = false;

/** Removes the temporary files of writes in progress; synchronous, for signal and exit handlers. */
export function removeTemporaryFiles(): void {
  for (const path of temporaryFiles) rmSync(path, { force: true });
  temporaryFiles.clear();
}

/** Whether the path is an existing folder; false when there is nothing there. */
async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw systemProblem(error, 'write', path);
  }
}

/**
 * Checks that a file can be created or replaced at `path`: the folder exists and is writable, and the path is not a
 * folder itself.
 * @throws InputError naming the path and the remedy.
 */
export async function checkWritable(path: string): Promise<void> {
  const folder = dirname(path);
  const parent = await statOf(folder);
  if (!parent)
    throw new InputError(`cannot write ${shown(path)}: the folder ${shown(folder)} does not exist, create it first`);
  if (!parent.isDirectory()) throw new InputError(`cannot write ${shown(path)}: ${shown(folder)} is not a folder`);
  const target = await statOf(path);
  if (target?.isDirectory()) throw new InputError(`cannot write ${shown(path)}: it is a folder, name a file in it`);
  if (target && !target.isFile()) throw new InputError(`cannot write ${shown(path)}: it is not a regular file`);
  try {
    await access(folder, constants.W_OK);
    // Renaming would also replace a write-protected file, which its owner does not want.
    if (target) await access(path, constants.W_OK);
  } catch (error) {
    throw systemProblem(error, 'write', path);
  }
}

/**
 * Writes a file atomically. An existing file keeps its permissions; a symbolic link keeps pointing where it does.
 * @param content bytes, or pieces created while writing.
 * @throws InputError naming the path (missing folder, full disk, no permission, a folder in the way); CancelledError.
 */
export async function writeFileAtomic(
  path: string,
  content: FileContent,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  checkPath(path);
  checkContent(content);
  const signal = signalOf('writeFileAtomic', options);
  throwIfCancelled(signal);
  await checkWritable(path);
  const previous = await statOf(path);
  const target = previous ? await realpath(path) : path;
  // The name is shortened: some file systems allow no more than 255 bytes.
  const temporary = join(
    dirname(target),
    `.${Buffer.from(basename(target))
      .subarray(0, 180)
      .toString('latin1')
      .replace(/[^\w.-]/g, '_')}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`,
  );
  if (!isExitWatched) {
    isExitWatched = true;
    process.on('exit', removeTemporaryFiles);
  }
  temporaryFiles.add(temporary);
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, 'wx');
    let end = 0;
    for await (const piece of content instanceof Uint8Array ? [content] : content) {
      checkPiece(piece);
      const { at, bytes } = piece instanceof Uint8Array ? { at: end, bytes: piece } : piece;
      for (let done = 0; done < bytes.length; ) {
        throwIfCancelled(signal);
        done += (await handle.write(bytes, done, Math.min(WRITE_BYTES, bytes.length - done), at + done)).bytesWritten;
      }
      end = Math.max(end, at + bytes.length);
    }
    throwIfCancelled(signal);
    await handle.sync();
    await handle.close();
    handle = undefined;
    if (previous) await chmod(temporary, previous.mode & 0o777);
    throwIfCancelled(signal);
    await rename(temporary, target);
  } catch (error) {
    await handle?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw systemProblem(error, 'write', path);
  } finally {
    temporaryFiles.delete(temporary);
  }
}
