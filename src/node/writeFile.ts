/**
 * Writes files completely or not at all.
 *
 * The bytes go to a temporary file in the same folder, which is flushed to the disk and then renamed over the target. A
 * failure, an abort or the end of the process removes it; the target is then as it was before. A SIGINT handler that
 * calls `process.exit` needs nothing more; one that ends the process in another way must call `removeTemporaryFiles`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  close,
  closeSync,
  constants,
  fsync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  write,
} from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError, throwIfCancelled } from '../errors.ts';
import { checkContent, checkPath, checkPiece, signalOf } from './arguments.ts';
import { currentFiles, fileKey, placeOf } from './files.ts';
import { otherKind } from './plainFile.ts';
import { shown, systemProblem } from './problems.ts';

/** Writes some of the bytes from `from` on. @returns how many. */
function writeBytes(file: number, bytes: Uint8Array, from: number, length: number, at: number): Promise<number> {
  return new Promise((resolve, reject) =>
    write(file, bytes, from, length, at, (error, written) => (error ? reject(error) : resolve(written))),
  );
}

function flush(file: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(file, (error) => (error ? reject(error) : resolve())));
}

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
  for (const path of temporaryFiles) discard(path);
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw systemProblem(error, 'write', path);
  }
}

/** The folder that a file is written to. Only for links it is not the path's own. */
function folderOf(path: string): string {
  const own = dirname(path);
  try {
    return lstatSync(path).isSymbolicLink() ? dirname(placeOf(path).path) : own;
  } catch {
    return own;
  }
}

/**
 * Checks that a file can be created or replaced at `path`, before the work whose result it will hold: the folder exists
 * and takes a file, which is removed at once, and the path is not a folder itself.
 * @throws InputError naming the path and the remedy.
 */
export async function checkWritable(path: string): Promise<void> {
  await checkPlace(path);
  const { temporary, file } = createTemporary(path, placeOf(path).path);
  try {
    closeSync(file);
    rmSync(temporary);
    temporaryFiles.delete(temporary);
  } catch (error) {
    // Where nothing can be removed, nothing can be renamed either. It is tried again when the process ends.
    throw systemProblem(error, 'write', path);
  }
}

/** The checks that create nothing. @throws as `checkWritable`. */
async function checkPlace(path: string): Promise<void> {
  const folder = folderOf(path);
  const parent = await statOf(folder);
  if (!parent)
    throw new InputError(`cannot write ${shown(path)}: the folder ${shown(folder)} does not exist, create it first`);
  if (!parent.isDirectory()) throw new InputError(`cannot write ${shown(path)}: ${shown(folder)} is not a folder`);
  const target = await statOf(path);
  const kind = target && otherKind(target);
  if (kind)
    throw new InputError(
      `cannot write ${shown(path)}: it is ${kind}, name a ${kind === 'a folder' ? 'file in it' : 'regular file'}`,
    );
  try {
    await access(folder, constants.W_OK);
    // Renaming would also replace a write-protected file, which its owner does not want.
    if (target) await access(path, constants.W_OK);
  } catch (error) {
    throw systemProblem(error, 'write', path);
  }
}

/** A complete file under its temporary name. */
interface Staged {
  /** As it was given. */
  path: string;
  /** Where that leads. */
  target: string;
  temporary: string;
}

/** A file that appeared. */
interface Published {
  target: string;
  key: string;
  /** Whether nothing was there before. */
  isNew: boolean;
}

/** The last file that this process wrote at a path. */
const published = new Map<string, Published>();

/** A name for a file that is not to stay, beside another. It is shortened: some file systems allow 255 bytes. */
function temporaryName(target: string): string {
  const name = Buffer.from(basename(target))
    .subarray(0, 180)
    .toString('latin1')
    .replace(/[^\w.-]/g, '_');
  return join(dirname(target), `.${name}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
}

/**
 * Creates an empty temporary file beside `target`. It is removed when the process ends, as long as `temporaryFiles`
 * names it.
 * @throws InputError naming the path.
 */
function createTemporary(path: string, target: string): { temporary: string; file: number } {
  const temporary = temporaryName(target);
  if (!isExitWatched) {
    isExitWatched = true;
    process.on('exit', removeTemporaryFiles);
  }
  temporaryFiles.add(temporary);
  try {
    // At once: a file that another thread creates while the process ends would stay.
    return { temporary, file: openSync(temporary, 'wx') };
  } catch (error) {
    discard(temporary);
    // Folders of the system, such as /proc and /dev/fd, say that they are writable, and take no file.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new InputError(
        `cannot write ${shown(path)}: no file can be created in ${shown(dirname(target))}, name another folder`,
        { cause: error },
      );
    throw systemProblem(error, 'write', path);
  }
}

/** Keeps a file that is about to be replaced under another name, if there is one. */
function keepOld(target: string): string | undefined {
  // Nothing else is replaced by renaming.
  if (!lstatSync(target, { throwIfNoEntry: false })?.isFile()) return undefined;
  const kept = temporaryName(target);
  try {
    linkSync(target, kept);
  } catch {
    // Not every file system has hard links.
    renameSync(target, kept);
  }
  return kept;
}

/** Makes a complete file appear, whole. Nothing runs between the checks and the renaming. */
function publish({ path, target, temporary }: Staged): void {
  currentFiles()?.check(path);
  if (placeOf(path).path !== target)
    throw new InputError(`cannot write ${shown(path)}: it leads elsewhere than before: try again`);
  const previous = lstatSync(target, { throwIfNoEntry: false });
  if (previous) chmodSync(temporary, previous.mode & 0o777);
  const key = fileKey(lstatSync(temporary, { bigint: true }), target);
  renameSync(temporary, target);
  temporaryFiles.delete(temporary);
  published.set(resolve(path), { target, key, isNew: !previous });
  currentFiles()?.wrote(path);
}

/**
 * Removes files that this process wrote where nothing was before: the work they belong to failed. What another process
 * has put in their place stays.
 * @returns those that cannot be removed, to tell.
 */
export function removePublished(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    const file = published.get(resolve(path));
    if (!file?.isNew) return false;
    try {
      if (fileKey(lstatSync(file.target, { bigint: true }), file.target) === file.key) unlinkSync(file.target);
      return false;
    } catch (error) {
      // Somebody has removed it already.
      return (error as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  });
}

/** What to say of files that cannot be removed. */
export function notRemoved(paths: readonly string[]): string {
  return `${paths.map(shown).join(', ')} cannot be removed: remove ${paths.length === 1 ? 'it' : 'them'} yourself`;
}

/** Files that appear together, when all are complete, or not at all. */
export class FileGroup {
  #staged: Staged[] = [];

  /** Does work that writes files: they belong to the group. */
  with<T>(work: () => Promise<T>): Promise<T> {
    return grouping.run(this, work);
  }

  /** Called by `writeFileAtomic`. */
  add(file: Staged): void {
    this.#staged.push(file);
  }

  /** Makes all files appear. @throws InputError if one cannot; all are then as they were. */
  commit(): void {
    const files = this.#staged;
    const done: { path: string; target: string; kept: string | undefined }[] = [];
    for (const { path, target, temporary } of files) {
      let kept: string | undefined;
      try {
        // Alone, the renaming is all there is to undo.
        if (files.length > 1) kept = keepOld(target);
        publish({ path, target, temporary });
      } catch (error) {
        const left: string[] = [];
        if (kept !== undefined) left.push(...restore(kept, target));
        for (const before of done.reverse()) {
          if (before.kept !== undefined) left.push(...restore(before.kept, before.target));
          else if (removePublished([before.path]).length > 0) left.push(notRemoved([before.path]));
        }
        this.discard();
        const problem = systemProblem(error, 'write', path);
        if (left.length === 0) throw problem;
        throw new InputError([problem instanceof Error ? problem.message : String(problem), ...left].join('; '), {
          cause: error,
        });
      }
      done.push({ path, target, kept });
    }
    this.#staged = [];
    for (const { kept } of done) if (kept !== undefined) discard(kept);
  }

  /** Removes what is not published. */
  discard(): void {
    for (const { temporary } of this.#staged.splice(0)) discard(temporary);
  }
}

const grouping = new AsyncLocalStorage<FileGroup>();

/** Removes a temporary file. One that cannot be removed now is tried again when the process ends. */
function discard(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
    temporaryFiles.delete(temporary);
  } catch {
    temporaryFiles.add(temporary);
  }
}

/** Puts what was kept back in its place. @returns what to tell if that cannot be. */
function restore(kept: string, target: string): string[] {
  try {
    renameSync(kept, target);
  } catch {
    // It stays under its other name: nothing is lost.
    return [`what ${shown(target)} was is now ${shown(kept)}`];
  }
  // Renaming one link of a file over another does nothing.
  discard(kept);
  return [];
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
  await checkPlace(path);
  currentFiles()?.check(path);
  const target = placeOf(path).path;
  const { temporary, file: created } = createTemporary(path, target);
  let file: number | undefined = created;
  try {
    let end = 0;
    for await (const piece of content instanceof Uint8Array ? [content] : content) {
      checkPiece(piece);
      const { at, bytes } = piece instanceof Uint8Array ? { at: end, bytes: piece } : piece;
      for (let done = 0; done < bytes.length; ) {
        throwIfCancelled(signal);
        const length = Math.min(WRITE_BYTES, bytes.length - done);
        const written = await writeBytes(file, bytes, done, length, at + done);
        if (written === 0) throw new InputError(`cannot write ${shown(path)}: the disk takes no more`);
        done += written;
      }
      end = Math.max(end, at + bytes.length);
    }
    throwIfCancelled(signal);
    await flush(file);
    const complete = file;
    // Closed once, whatever comes of it: the number may be another file's by then.
    file = undefined;
    closeSync(complete);
    throwIfCancelled(signal);
    // The process may be ending.
    if (!temporaryFiles.has(temporary)) throw new InputError(`cannot write ${shown(path)}: the program ends`);
    const staged = { path, target, temporary };
    const group = grouping.getStore();
    if (group) group.add(staged);
    else publish(staged);
  } catch (error) {
    discard(temporary);
    if (file !== undefined) close(file, () => undefined);
    throw systemProblem(error, 'write', path);
  }
}
