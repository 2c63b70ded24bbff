/** The files that `deghost merge` writes: checked beforehand, written last, removed again if one of them fails. */
import { existsSync } from 'node:fs';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../../errors.ts';
import { isLook } from '../../finish/looks.ts';
import type { MergeResult } from '../../deghoster.ts';
import type { MergedImage } from '../../image/picture.ts';
import { formatResponse } from '../../image/response.ts';
import { finishWith } from '../finishWith.ts';
import { writeMotionMaps } from '../motionMaps.ts';
import { shown, systemProblem } from '../problems.ts';
import { checkWritable, writeFileAtomic } from '../writeFile.ts';
import { checkOutputPath, writeImage } from '../writeImage.ts';
import type { WriteImageOptions } from '../writeImage.ts';
import type { EarlyOutput } from './earlyOutput.ts';
import type { MergeOptions } from './mergeOptions.ts';

/**
 * Checks every path that will be written, and the folder of maps to read.
 * @throws InputError naming the path and the remedy.
 */
export async function checkOutputs(options: MergeOptions): Promise<void> {
  await checkOutputPath(options.output);
  if (options.preview !== undefined) await checkOutputPath(options.preview);
  if (options.saveResponse !== undefined) await checkWritable(options.saveResponse);
  if (options.keepResponse !== undefined && isToBeKept(options)) await checkWritable(options.keepResponse);
  if (options.motion !== undefined) await checkMotionFolder(options.motion);
}

/** Whether this call estimates the response of `--response auto:FILE` instead of reading it. */
function isToBeKept({ response }: MergeOptions): boolean {
  return response === undefined || 'name' in response;
}

/** The folder itself is created when there is something to write; its parent must exist. */
async function checkMotionFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found && !found.isDirectory()) throw new InputError(`--motion: ${shown(folder)} is a file, name a folder`);
  if (found) return checkWritable(join(folder, 'motion-1.png'));
  await checkWritable(resolve(folder));
}

/** What was written. */
export interface Written {
  output: string;
  preview?: string;
  response?: string;
  /** The file of `--response auto:FILE`, where this call wrote it. */
  keptResponse?: string;
  motion: string[];
  /** Time for each file; they are written at the same time. */
  times: { file: string; ms: number }[];
}

/** How `--tone` has pictures shown: by a look, or by a tone operator. */
function shownAs({ tone }: MergeOptions, device: () => Promise<GPUDevice>): Pick<WriteImageOptions, 'finish' | 'tone'> {
  return isLook(tone) ? { finish: finishWith(device, tone) } : { tone };
}

/**
 * Writes all files at the same time: some are encoded on this thread, some on others. If one cannot be written, or the
 * signal fires, the others are stopped and new files are removed again.
 * @param early the picture, if it is being written already.
 * @param device finishes pictures.
 * @returns the paths, the picture first.
 */
export async function writeOutputs(
  options: MergeOptions,
  result: MergeResult & MergedImage,
  early: EarlyOutput | undefined,
  device: () => Promise<GPUDevice>,
  signal: AbortSignal,
): Promise<Written> {
  const created: string[] = [];
  let createdFolder: string | undefined;
  let failure: { error: unknown } | undefined;
  const stop = new AbortController();
  const forward = (): void => stop.abort();
  if (signal.aborted) forward();
  signal.addEventListener('abort', forward);
  const times: Written['times'] = [];
  const write = async (file: string, paths: string[], work: () => Promise<void>): Promise<void> => {
    created.push(...paths.filter((path) => !existsSync(path)));
    const begun = performance.now();
    try {
      await work();
      times.push({ file, ms: performance.now() - begun });
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  };
  const { motion: folder, preview, saveResponse, output } = options;
  const look = { exr: options.exrType, tiff: options.tiffType, ...shownAs(options, device), signal: stop.signal };
  // A response that this stack did not determine must not be used for others.
  const keptResponse =
    isToBeKept(options) && result.response.report.kind === 'estimated' ? options.keepResponse : undefined;
  const motion: string[] = [];
  try {
    if (folder !== undefined && !existsSync(folder)) {
      await mkdir(folder).catch((error) => {
        throw systemProblem(error, 'create', folder);
      });
      createdFolder = folder;
    }
    const writing = [write(output, [output], () => early?.finish(stop.signal) ?? writeImage(output, result, look))];
    if (early?.isNew) created.push(output);
    if (preview !== undefined) writing.push(write(preview, [preview], () => writeImage(preview, result, look)));
    for (const path of [saveResponse, keptResponse]) {
      if (path !== undefined)
        writing.push(
          write(path, [path], () =>
            writeFileAtomic(path, Buffer.from(formatResponse(result.response.response)), { signal: stop.signal }),
          ),
        );
    }
    if (folder !== undefined) {
      for (let k = 1; k <= result.motion.length; k++)
        motion.push(join(folder, `motion-${k}.png`), join(folder, `motion-${k}.npy`));
      writing.push(
        write(folder, motion, () =>
          writeMotionMaps(folder, result.motion, result.width, result.height, { signal: stop.signal }),
        ),
      );
    }
    await Promise.all(writing);
    if (failure) throw failure.error;
  } catch (error) {
    await Promise.allSettled(created.map((path) => rm(path, { force: true })));
    if (createdFolder !== undefined) await rmdir(createdFolder).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', forward);
  }
  return { output, preview, response: saveResponse, keptResponse, motion, times };
}
