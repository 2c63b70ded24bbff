/** The files that `deghost merge` writes: checked beforehand, written last, all or none. */
import { existsSync } from 'node:fs';
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError, throwIfCancelled } from '../../errors.ts';
import { isLook } from '../../finish/looks.ts';
import type { MergeResult } from '../../result.ts';
import type { MergedImage } from '../../image/picture.ts';
import { formatResponse } from '../../image/response.ts';
import { currentFiles } from '../files.ts';
import { finishWith } from '../finishWith.ts';
import { writeMotionMaps } from '../motionMaps.ts';
import { shown, systemProblem } from '../problems.ts';
import { tuningFile } from '../tuneCache.ts';
import { checkWritable, writeFileAtomic } from '../writeFile.ts';
import type { FileGroup } from '../writeFile.ts';
import { checkOutputPath, writeImage } from '../writeImage.ts';
import type { WriteImageOptions } from '../writeImage.ts';
import type { EarlyOutput } from './earlyOutput.ts';
import type { MergeOptions } from './mergeOptions.ts';

/** How messages name the file of tunings. */
export const TUNING_ROLE = 'the tuning file (DEGHOST_TUNING)';

/**
 * Checks every path that will be written, and the folder of maps to read.
 * @throws InputError naming the path and the remedy.
 */
export async function checkOutputs(options: MergeOptions): Promise<void> {
  declareFiles(options);
  await checkOutputPath(options.output);
  if (options.preview !== undefined) await checkOutputPath(options.preview);
  if (options.saveResponse !== undefined) await checkWritable(options.saveResponse);
  if (options.keepResponse !== undefined && isToBeKept(options)) await checkWritable(options.keepResponse);
  if (options.motion !== undefined) await checkMotionFolder(options.motion, options.inputs.length);
}

/** Whether this call estimates the response of `--response auto:FILE` instead of reading it. */
function isToBeKept({ response }: MergeOptions): boolean {
  return response === undefined || 'name' in response;
}

/** The folder itself is created when there is something to write; its parent must exist. */
async function checkMotionFolder(folder: string, count: number): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found) return checkWritable(resolve(folder));
  if (!found.isDirectory()) throw new InputError(`--motion: ${shown(folder)} is a file, name a folder`);
  for (const file of motionFiles(folder, count)) await checkWritable(file);
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
 * Writes all files at the same time: some are encoded on this thread, some on others. They appear together: if one
 * cannot be written, or the signal fires, the others are stopped, and all paths are as they were.
 * @param early the picture, if it is being written already.
 * @param group of `early`.
 * @param device finishes pictures.
 * @returns the paths, the picture first.
 */
export async function writeOutputs(
  options: MergeOptions,
  result: MergeResult & MergedImage,
  early: EarlyOutput | undefined,
  group: FileGroup,
  device: () => Promise<GPUDevice>,
  signal: AbortSignal,
): Promise<Written> {
  let createdFolder: string | undefined;
  let failure: { error: unknown } | undefined;
  const stop = new AbortController();
  const forward = (): void => stop.abort();
  if (signal.aborted) forward();
  signal.addEventListener('abort', forward);
  const times: Written['times'] = [];
  const write = async (file: string, work: () => Promise<void>): Promise<void> => {
    const begun = performance.now();
    try {
      await group.with(work);
      times.push({ file, ms: performance.now() - begun });
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  };
  const { motion: folder, preview, saveResponse, output } = options;
  const how = { signal: stop.signal };
  const look = { exr: options.exrType, tiff: options.tiffType, ...shownAs(options, device), ...how };
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
    const writing = [write(output, () => early?.finish(stop.signal) ?? writeImage(output, result, look))];
    if (preview !== undefined) writing.push(write(preview, () => writeImage(preview, result, look)));
    for (const path of [saveResponse, keptResponse]) {
      if (path !== undefined)
        writing.push(
          write(path, () => writeFileAtomic(path, Buffer.from(formatResponse(result.response.response)), how)),
        );
    }
    if (folder !== undefined) {
      motion.push(...motionFiles(folder, result.motion.length));
      writing.push(write(folder, () => writeMotionMaps(folder, result.motion, result.width, result.height, how)));
    }
    await Promise.all(writing);
    if (failure) throw failure.error;
    throwIfCancelled(signal);
    group.commit();
  } catch (error) {
    group.discard();
    if (createdFolder !== undefined) await rmdir(createdFolder).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', forward);
  }
  return { output, preview, response: saveResponse, keptResponse, motion, times };
}

/** The files of `--motion`. */
function motionFiles(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, k) =>
    ['png', 'npy'].map((type) => join(folder, `motion-${k + 1}.${type}`)),
  ).flat();
}

/**
 * Declares all files of a merge.
 * @throws UsageError where an input would be overwritten, or two outputs are one file.
 */
export function declareFiles(options: MergeOptions): void {
  const files = currentFiles();
  if (!files) return;
  const { inputs, weights, response, motionIn, momentIn, keepResponse, motion, method, tune } = options;
  for (const input of inputs) files.reads('the picture', input);
  if (weights !== undefined) files.reads('the weights', weights);
  if (response && 'file' in response && keepResponse === undefined) files.reads('the response', response.file);
  if (motionIn !== undefined)
    for (const file of motionFiles(motionIn, inputs.length)) if (existsSync(file)) files.reads('the motion map', file);
  if (momentIn !== undefined) files.reads('the map of moments', momentIn);
  files.writes('--output', options.output);
  if (options.preview !== undefined) files.writes('--preview', options.preview);
  if (options.saveResponse !== undefined) files.writes('--save-response', options.saveResponse);
  // The first stack of a batch writes it, the others read it.
  if (keepResponse !== undefined) files.writes('--response', keepResponse, true);
  if (motion !== undefined) for (const file of motionFiles(motion, inputs.length)) files.writes('--motion', file);
  if (tune && method === 'network') files.writes(TUNING_ROLE, tuningFile(), true);
}
