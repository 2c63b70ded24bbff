/** Turns problems with files and optional packages into one-line errors that name the file. */
import { InputError, MissingPackageError } from '../errors.ts';
import { shown } from '../shown.ts';

export { shown };

const SYSTEM_REASONS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'no space left on the disk: free some, or write elsewhere',
  EDQUOT: 'the disk quota is used up: free some space, or write elsewhere',
  EFBIG: 'larger than the file system or the limit of this process allows',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  EIO: 'the disk reported an input/output error',
  EBUSY: 'in use by another program',
};

/**
 * Turns a system error into an InputError: `cannot write out.hdr: no space left on the disk: ...`. Others pass through.
 */
export function systemProblem(error: unknown, action: string, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== 'string' || !Object.hasOwn(SYSTEM_REASONS, code)) return error;
  return new InputError(`cannot ${action} ${shown(path) || '""'}: ${SYSTEM_REASONS[code]}`, { cause: error });
}

/**
 * Loads an optional package on demand: `await optional(() => import('sharp'), 'sharp', 'reading JPEG')`.
 * @throws MissingPackageError if it is absent or cannot be loaded (for example, a native library for another platform).
 */
export async function optional<T>(load: () => Promise<T>, name: string, purpose: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new MissingPackageError(name, purpose, { cause: error });
  }
}
