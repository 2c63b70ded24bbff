/** The plan of `deghost batch`: which pictures make which stacks, and where each goes. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { groupBrackets } from '../../brackets/group.ts';
import type { Skipped } from '../../brackets/group.ts';
import { HEAD_BYTES, groupFolders, pictureKind, readShot as shotOfHead } from '../../brackets/pictureFiles.ts';
import type { Shot } from '../../brackets/shots.ts';
import { InputError, UsageError, throwIfCancelled } from '../../errors.ts';
import { otherKind, readFileHead } from '../plainFile.ts';
import { optional, shown, systemProblem } from '../problems.ts';

/** One stack and its file. */
export interface PlannedStack {
  files: string[];
  /** Stops from the first frame. */
  stops: (number | null)[];
  output: string;
}

/** What belongs to no bracket: a picture, or what is only named like one. */
export type LeftOut = Omit<Skipped, 'kind'> & { kind: Skipped['kind'] | 'no-file' };

/** What a batch will do. */
export interface BatchPlan {
  stacks: PlannedStack[];
  skipped: LeftOut[];
}

/**
 * All pictures that were named, and those of the folders that were named, in the order of their names.
 * @returns in `others`, what lies in the folders with a picture's name but is a folder, a pipe or the like.
 */
async function picturesOf(paths: readonly string[]): Promise<{ pictures: string[]; others: LeftOut[] }> {
  const found: string[] = [];
  const others: LeftOut[] = [];
  for (const path of paths) {
    const info = await stat(path).catch((error) => {
      throw systemProblem(error, 'read', path);
    });
    if (info.isDirectory()) {
      const names = await readdir(path).catch((error) => {
        throw systemProblem(error, 'read', path);
      });
      for (const name of names.filter(pictureKind)) {
        const picture = join(path, name);
        // What cannot be looked at is a picture that is missing: its reader says why.
        const kind = await stat(picture).then(otherKind, () => undefined);
        if (kind === undefined) found.push(picture);
        else others.push({ name: picture, reason: `${kind}, not a picture`, kind: 'no-file' });
      }
    } else found.push(path);
  }
  const distinct = new Map(found.map((path) => [resolve(path), path]));
  const left = new Map(others.map((other) => [resolve(other.name), other]));
  return {
    pictures: [...distinct.values()].sort(new Intl.Collator('en', { numeric: true }).compare),
    others: [...left.values()],
  };
}

async function readShot(path: string): Promise<Shot> {
  const { default: exifr } = await optional(() => import('exifr'), 'exifr', 'reading exposures from EXIF');
  return shotOfHead(exifr, path, await readFileHead(path, HEAD_BYTES));
}

/** The brackets among pictures, by their EXIF alone; none if a file cannot be read, which its reader will report. */
export async function bracketsOf(paths: readonly string[], signal: AbortSignal): Promise<string[][]> {
  const shots: Shot[] = [];
  for (const path of paths) {
    throwIfCancelled(signal);
    const shot = pictureKind(path) ? await readShot(path).catch(() => undefined) : undefined;
    if (!shot) return [];
    shots.push(shot);
  }
  return groupBrackets(shots).brackets.map(({ shots: of }) => of.map(({ name }) => name));
}

/** How a batch is planned. */
export interface BatchPlanOptions {
  inputs: readonly string[];
  folder: string;
  /** The outputs' extension, without a dot. */
  format: string;
  /** Frames of every bracket, if they are to be counted. */
  frames: number | undefined;
}

/**
 * Plans a batch. Nothing but the pictures' heads is read.
 * @throws UsageError where two stacks would be written to one file; InputError if there is no bracket, with reasons.
 */
export async function planBatch(options: BatchPlanOptions, signal: AbortSignal): Promise<BatchPlan> {
  const { pictures: paths, others } = await picturesOf(options.inputs);
  if (paths.length === 0)
    throw new InputError(
      `no pictures in ${options.inputs.map(shown).join(', ')}${others.length > 0 ? ` (${reasons(others)})` : ''}: ` +
        'name a folder with brackets',
    );
  const shots: Shot[] = [];
  for (const path of paths) {
    throwIfCancelled(signal);
    shots.push(await readShot(path));
  }
  const { brackets, skipped } = groupFolders(shots, { frames: options.frames });
  if (brackets.length === 0)
    throw new InputError(`no brackets among ${paths.length} pictures: ${reasons([...skipped, ...others])}`);
  const stacks = brackets.map(({ shots: of }): PlannedStack => {
    const [{ name, ev: first }] = of;
    return {
      files: of.map((shot) => shot.name),
      stops: of.map(({ ev }) => (ev === undefined || first === undefined ? null : ev - first)),
      output: join(options.folder, `${basename(name, extname(name))}.${options.format}`),
    };
  });
  checkOutputs(stacks);
  return { stacks, skipped: [...skipped, ...others] };
}

/** Why files are in no bracket: the first of them. */
function reasons(files: readonly LeftOut[]): string {
  const first = files.slice(0, 3).map(({ name, reason }) => `${shown(basename(name))}: ${reason}`);
  return `${first.join('; ')}${files.length > 3 ? '; …' : ''}`;
}

function checkOutputs(stacks: readonly PlannedStack[]): void {
  const written = new Map<string, PlannedStack>();
  for (const stack of stacks) {
    const target = resolve(stack.output);
    const other = written.get(target.toLowerCase());
    if (other)
      throw new UsageError(
        `the stacks of ${shown(other.files[0])} and ${shown(stack.files[0])} would both become ` +
          `${shown(stack.output)}: run them into two folders`,
      );
    written.set(target.toLowerCase(), stack);
  }
}
