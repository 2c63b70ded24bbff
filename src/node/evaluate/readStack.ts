/**
 * Reads stacks from folders. With ground truth: the layouts of Kalantari and Ramamoorthi (2017: pictures, exposure.txt,
 * HDRImg.hdr) and of Prabhakar et al. and Hu et al. (input_K_aligned.tif, input_exp.txt, ref_hdr_aligned.hdr, with the
 * static ref_K.tif beside them), and ours, which adds motion-K.png to either. Without: pictures, their exposures in a
 * file or in EXIF, and still.json if something is known to stand still.
 */
import { readdir, stat } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { InputError, reasonOf } from '../../errors.ts';
import { MAX_FRAMES, MIN_FRAMES, middleFrame, sortFrames } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import { withUnion } from '../../image/motion.ts';
import { decodeRgbe } from '../../image/rgbe.ts';
import { readMotionMaps } from '../motionMaps.ts';
import { shown, systemProblem } from '../problems.ts';
import { readExif } from '../exif.ts';
import { readFileBytes } from '../plainFile.ts';
import { readFrameFiles } from '../readImage.ts';
import type { DecodedImage } from '../../image/picture.ts';
import { EXPOSURE_FILES, readExposures } from './exposures.ts';
import { STILL_FILE, readStill } from './still.ts';
import type { Box } from './still.ts';

/** The files of a stack. Only their names are known yet. */
export interface StackFolder {
  /** The folder's name, for tables and files. */
  name: string;
  path: string;
  /** In the order of their names. */
  pictures: string[];
  /** A file of stops; undefined if EXIF is used. */
  exposures: string | undefined;
  /** Undefined if the stack has none. */
  truth: string | undefined;
  /** Boxes that stand still. */
  still: string | undefined;
  /** The camera's response, as `deghost merge --save-response` writes it. */
  response: string | undefined;
  /** Maps of true motion. */
  motion: string[];
}

export interface EvaluationStack {
  name: string;
  path: string;
  /** Darkest first. */
  frames: Frame[];
  width: number;
  height: number;
  images: DecodedImage[];
  /** From 0. */
  reference: number;
  /** Linear RGB `[height, width, 3]` in the file's own scale; absent without a ground truth. */
  truth: Float32Array | undefined;
  /** True motion of each frame; the reference's is the union. Absent if there are no maps or no truth. */
  motion: Float32Array[] | undefined;
  /** Boxes that stand still; absent if none are known. */
  still: Box[] | undefined;
}

const PICTURE = /\.(tiff?|png|jpe?g|webp|avif|hei[cf]|jxl)$/i;
const NOT_INPUT = /^(motion-\d+\.|ref_)/i;
const MOTION = /^motion-\d+\.(png|npy)$/;
const TRUTH = /\.hdr$/i;
const RESPONSE_FILE = 'response.json';
/** Known names of the truth, best first: if inputs are aligned, the truth must be too. */
const TRUTH_NAMES = ['hdrimg.hdr', 'ground-truth.hdr', 'ref_hdr.hdr', 'gt.hdr'];
const ALIGNED_TRUTH_NAMES = ['ref_hdr_aligned_linear.hdr', 'ref_hdr_aligned.hdr'];

const byName = new Intl.Collator('en', { numeric: true });

async function list(path: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const isFolder = async (entry: Dirent): Promise<boolean> =>
      entry.isDirectory() ||
      (entry.isSymbolicLink() && !!(await stat(join(path, entry.name)).catch(() => undefined))?.isDirectory());
    return (
      await Promise.all(entries.map(async (entry) => ({ name: entry.name, isFolder: await isFolder(entry) })))
    ).sort((a, b) => byName.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw systemProblem(error, 'read the stack in', path);
  }
}

/**
 * Whether a subfolder is a stack: it has a file that only stacks have, or its first picture's EXIF has an exposure
 * time.
 */
async function isStack(path: string, names: readonly string[]): Promise<boolean> {
  if (names.some((name) => TRUTH.test(name) || EXPOSURE_FILES.includes(name) || name === STILL_FILE)) return true;
  const first = names.find((name) => PICTURE.test(name) && !NOT_INPUT.test(name));
  return first !== undefined && (await readExif(await readFileBytes(join(path, first)))).time !== undefined;
}

/**
 * The stacks that a folder is or holds.
 * @param leftOut called for subfolders that hold pictures but are not stacks.
 * @throws InputError naming the folder and what it lacks.
 */
export async function findStacks(path: string, leftOut: (message: string) => void = () => {}): Promise<StackFolder[]> {
  const entries = await list(path);
  const names = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => name);
  if (names.some((name) => PICTURE.test(name) || TRUTH.test(name))) return [describe(path, names)];
  const found: StackFolder[] = [];
  for (const { name, isFolder } of entries) {
    if (!isFolder || name.startsWith('.')) continue;
    const folder = join(path, name);
    const inner = (await list(folder)).filter((entry) => !entry.isFolder).map((entry) => entry.name);
    if (!inner.some((file) => PICTURE.test(file) || TRUTH.test(file))) continue;
    if (await isStack(folder, inner)) found.push(describe(folder, inner));
    else leftOut(`${shown(folder)} is left out: it has neither exposure.txt nor EXIF exposure times`);
  }
  if (found.length === 0)
    throw new InputError(
      `${shown(path)} holds no stack: a stack is a folder with pictures and exposure.txt, or with EXIF in its pictures`,
    );
  return found;
}

function describe(path: string, names: readonly string[]): StackFolder {
  const all = names.filter((name) => PICTURE.test(name) && !NOT_INPUT.test(name));
  const inputs = all.filter((name) => /^input_/i.test(name));
  const aligned = inputs.filter((name) => /_aligned\./i.test(name));
  const pictures = aligned.length > 0 ? aligned : inputs.length > 0 ? inputs : all;
  if (pictures.length < MIN_FRAMES || pictures.length > MAX_FRAMES) {
    throw new InputError(
      `${shown(path)} holds ${pictures.length} pictures, a stack has ${MIN_FRAMES} to ${MAX_FRAMES}: name folders ` +
        'that hold one stack each',
    );
  }
  const exposures = EXPOSURE_FILES.find((name) => names.includes(name));
  const own = (name: string): string | undefined => (names.includes(name) ? join(path, name) : undefined);
  const truth = chooseTruth(path, names, aligned.length > 0);
  return {
    name: basename(resolve(path)),
    path,
    pictures: pictures.map((name) => join(path, name)),
    exposures: exposures && join(path, exposures),
    truth: truth && join(path, truth),
    still: own(STILL_FILE),
    response: own(RESPONSE_FILE),
    motion: names.filter((name) => MOTION.test(name)).map((name) => join(path, name)),
  };
}

function chooseTruth(path: string, names: readonly string[], isAligned: boolean): string | undefined {
  const candidates = names.filter((name) => TRUTH.test(name));
  if (candidates.length <= 1) return candidates[0];
  const order = isAligned ? [...ALIGNED_TRUTH_NAMES, ...TRUTH_NAMES] : [...TRUTH_NAMES, ...ALIGNED_TRUTH_NAMES];
  for (const known of order) {
    const match = candidates.find((name) => name.toLowerCase() === known);
    if (match) return match;
  }
  throw new InputError(
    `${shown(path)} has ${candidates.length} .hdr files (${candidates.slice(0, 3).map(shown).join(', ')}): call the ` +
      'ground truth ground-truth.hdr',
  );
}

/**
 * Reads a stack.
 * @param options.picks frames to use, from 0, darkest first; all by default.
 * @param options.reference index among the frames used, from 0; the middle one by default.
 * @param options.isStatic whether everything stands still in a stack without still.json.
 * @throws InputError naming the file and the remedy.
 */
export async function readStack(
  folder: StackFolder,
  options: { picks?: readonly number[]; reference?: number; isStatic?: boolean } = {},
): Promise<EvaluationStack> {
  const { path, pictures, name } = folder;
  const images: DecodedImage[] = [];
  for await (const image of readFrameFiles(pictures)) images.push(image);
  const exposures = await readExposures(path, folder.exposures, pictures, images);
  const { frames, order } = sortFrames(
    images.map(({ data, width, height, coverage }, i) => ({
      data,
      width,
      height,
      ...(coverage && { coverage }),
      exposure: exposures[i],
      name: basename(pictures[i]),
    })),
  );
  const { width, height } = frames[0];
  const { picks = frames.map((_, k) => k) } = options;
  const missing = picks.find((k) => k >= frames.length);
  if (missing !== undefined)
    throw new InputError(`${shown(path)} has ${frames.length} frames, --frames names ${missing + 1}: leave it out`);
  const reference = options.reference ?? middleFrame(picks.length);
  if (reference >= picks.length)
    throw new InputError(
      `${shown(path)} has ${picks.length} frames, --reference is ${reference + 1}: choose one of 1 to ${picks.length}`,
    );

  const truth = folder.truth === undefined ? undefined : await readTruth(folder.truth, width, height);
  const whole: Box[] | undefined = options.isStatic ? [[0, 0, width, height]] : undefined;
  const still = folder.still === undefined ? whole : await readStill(folder.still, width, height);
  const maps =
    truth && folder.motion.length > 0
      ? await readMotionMaps(path, frames.length, width, height, picks[reference])
      : undefined;
  return {
    name,
    path,
    frames: picks.map((k) => frames[k]),
    width,
    height,
    images: picks.map((k) => images[order[k]]),
    reference,
    truth,
    motion:
      maps &&
      withUnion(
        picks.map((k) => maps[k]),
        reference,
      ),
    still,
  };
}

async function readTruth(file: string, width: number, height: number): Promise<Float32Array> {
  const bytes = await readFileBytes(file);
  let truth: ReturnType<typeof decodeRgbe>;
  try {
    truth = decodeRgbe(bytes);
  } catch (error) {
    throw new InputError(`${shown(file)} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  if (truth.width !== width || truth.height !== height) {
    throw new InputError(
      `${shown(file)} is ${truth.width}x${truth.height} but the pictures are ${width}x${height}: the ground truth ` +
        'has the size of its stack',
    );
  }
  return truth.data;
}
