/** What `deghost merge` writes: checked beforehand, written last, taken back if one of several fails. */
import { existsSync } from 'node:fs';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import type { MergeResult } from '../../deghoster.ts';
import { formatResponse } from '../../image/response.ts';
import { writeMotionMaps } from '../motionMaps.ts';
import { shown, systemProblem } from '../problems.ts';
import { checkWritable, writeFileAtomic } from '../writeFile.ts';
import { checkOutputPath, writeImage } from '../writeImage.ts';
import type { MergeOptions } from './mergeOptions.ts';

/**
 * Checks every path that will be written, and the folder that is read back.
 * @throws InputError naming the path and the remedy.
 */
export async function checkOutputs(options: MergeOptions): Promise<void> {
  await checkOutputPath(options.output);
  if (options.preview !== undefined) await checkOutputPath(options.preview);
  if (options.saveResponse !== undefined) await checkWritable(options.saveResponse);
  if (options.motion !== undefined) await checkMotionFolder(options.motion);
}

/** The folder itself is made when there is something to put in it; its parent must exist. */
async function checkMotionFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found && !found.isDirectory()) throw new InputError(`--motion: ${shown(folder)} is a file, name a folder`);
  if (found) return checkWritable(join(folder, 'motion-1.png'));
  await checkWritable(resolve(folder));
}

/**
 * Writes all files. When one cannot be written, or the signal fires, those that are new are removed again.
 * @returns the paths, the picture first.
 */
export async function writeOutputs(options: MergeOptions, result: MergeResult, signal: AbortSignal): Promise<{ output: string; preview?: string; response?: string; motion: string[] }> {
  const created: string[] = [];
  let createdFolder: string | undefined;
  const write = async <T>(paths: string[], work: () => Promise<T>): Promise<T> => {
    created.push(...paths.filter((path) => !existsSync(path)));
    return work();
  };
  const { motion: folder, preview, saveResponse, output } = options;
  const motion: string[] = [];
  try {
    if (folder !== undefined) {
      if (!existsSync(folder)) {
        await mkdir(folder).catch((error) => {
          throw systemProblem(error, 'create', folder);
        });
        createdFolder = folder;
      }
      for (let k = 1; k <= result.motion.length; k++) motion.push(join(folder, `motion-${k}.png`), join(folder, `motion-${k}.npy`));
      await write(motion, () => writeMotionMaps(folder, result.motion, result.width, result.height, { signal }));
    }
    if (saveResponse !== undefined) await write([saveResponse], () => writeFileAtomic(saveResponse, Buffer.from(formatResponse(result.response.response)), { signal }));
    if (preview !== undefined) await write([preview], () => writeImage(preview, result, { signal }));
    await write([output], () => writeImage(output, result, { exr: options.exrType, signal }));
  } catch (error) {
    await Promise.allSettled(created.map((path) => rm(path, { force: true })));
    if (createdFolder !== undefined) await rmdir(createdFolder).catch(() => undefined);
    throw error;
  }
  return { output, preview, response: saveResponse, motion };
}
