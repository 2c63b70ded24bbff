/** The files of `deghost evaluate`: which stacks there are, what is read and written, and the folder for sheets. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { candidateFiles } from '../evaluate/published.ts';
import type { StackFolder } from '../evaluate/readStack.ts';
import { currentFiles, placeOf } from '../files.ts';
import { shown, systemProblem } from '../problems.ts';
import type { EvaluateOptions } from './evaluateOptions.ts';

/**
 * Declares all files of an evaluation.
 * @throws UsageError where an input would be overwritten, or two outputs are one file.
 */
export function declareFiles(options: EvaluateOptions, folders: readonly StackFolder[]): void {
  const files = currentFiles();
  if (!files) return;
  const { weights, response, json: report, pictures, published } = options;
  if (weights !== undefined) files.reads('the weights', weights);
  if (response && 'file' in response) files.reads('the response', response.file);
  for (const stack of folders) {
    for (const file of stack.pictures) files.reads('the picture', file);
    for (const file of [stack.exposures, stack.truth, stack.still, stack.response, ...stack.motion])
      if (file !== undefined) files.reads("the stack's file", file);
    for (const candidate of published)
      for (const file of candidateFiles(candidate, stack.name))
        if (existsSync(file)) files.reads("the candidate's picture", file);
  }
  if (report !== undefined) files.writes('--json', report);
  if (pictures === undefined) return;
  const own = folders.find((stack) => placeOf(stack.path).key === placeOf(pictures).key);
  if (own)
    throw new UsageError(
      `--pictures is ${pictures}, the folder of the stack ${own.path}, whose pictures are read: name another folder`,
    );
  for (const stack of folders) files.writes('--pictures', sheetOf(pictures, stack));
}

/** Makes names unique, because they become file names. */
export function distinct(folders: readonly StackFolder[]): StackFolder[] {
  const paths = new Set<string>();
  const names = new Set<string>();
  return folders.map((folder) => {
    const path = resolve(folder.path);
    if (paths.has(path)) throw new UsageError(`${shown(folder.path)} is named twice: name it once`);
    paths.add(path);
    let { name } = folder;
    for (let n = 2; names.has(name); n++) name = `${folder.name}-${n}`;
    names.add(name);
    return { ...folder, name };
  });
}

/** Makes the folder for sheets; its parent must exist. @returns whether it is new. */
export async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw systemProblem(error, 'create', path);
    return false;
  }
}

/** The file of a stack's sheet. */
export const sheetOf = (pictures: string, { name }: StackFolder): string => join(pictures, `${name}.png`);
