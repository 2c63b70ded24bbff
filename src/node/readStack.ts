/** Reads a bracketed stack from picture files. */
import { basename } from 'node:path';
import { ANY, FUNCTION, SIGNAL, readOptions, whole, wrongText } from '../checks.ts';
import { InputError } from '../errors.ts';
import type { ColorSpace } from '../image/colorSpace.ts';
import { stackCamera } from '../image/decode/raw.ts';
import { readResponse } from '../image/chooseResponse.ts';
import type { ResponseOption } from '../image/chooseResponse.ts';
import { stackExposures } from '../image/stackExposures.ts';
import { stackResponse } from '../image/stackResponse.ts';
import { checkFrameCount, checkSameSize } from '../image/frame.ts';
import type { Frame } from '../image/frame.ts';
import { agreeingOrientations } from '../image/orientation.ts';
import type { CameraColor, DecodedImage } from '../image/picture.ts';
import { COLOR_SPACE, readPaths } from './arguments.ts';
import { readFrameFiles } from './readImage.ts';

/** How the files of a stack are read. */
export interface StackFilesOptions {
  /**
   * One positive number per path; without this the pictures' EXIF is used, and where none says anything, their pixels
   * (estimateExposures.ts).
   */
  exposures?: readonly number[];
  /** The working space that the pictures' colours are converted to; sRGB by default. */
  colorSpace?: ColorSpace;
  /** In exposure order, from 0, the middle by default: RAW files are developed with the white balance of this one. */
  reference?: number;
  /** For estimated exposures: whether samples are linear light though the files do not say so. */
  linear?: boolean;
  /** Called when another picture was read. */
  onRead?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Reads a stack's pictures, in the order given.
 * @returns frames named by their file names, or by their whole paths where file names repeat; the pictures they come
 * from; the camera's colours, if they are RAW; and what to tell of them.
 * @throws InputError naming the file; MissingPackageError without sharp or exifr; CancelledError.
 */
export async function readStackFiles(
  paths: readonly string[],
  { exposures: given, linear = false, ...options }: StackFilesOptions = {},
): Promise<{ frames: Frame[]; images: DecodedImage[]; camera?: CameraColor; notes: string[] }> {
  if (given && given.length !== paths.length)
    throw new InputError(
      `${given.length} exposures given for ${paths.length} files: give one per file, in the same order`,
    );
  const read: DecodedImage[] = [];
  for await (const image of readFrameFiles(paths, { exposures: given, ...options })) read.push(image);
  const short = paths.map((path) => basename(path));
  const names = new Set(short).size === short.length ? short : [...paths];
  const { images, notes } = agreeingOrientations(read.map((image, i) => ({ ...image, name: names[i] })));
  for (const [i, image] of images.entries()) checkSameSize(image, names[i], images[0], names[0]);
  const camera = stackCamera(images);
  const named = images.map((image, i) => ({ ...image, name: names[i] }));
  const known: { exposures: readonly number[]; note?: string } = given
    ? { exposures: given }
    : stackExposures(named, linear);
  if (known.note !== undefined) notes.push(known.note);
  return {
    frames: images.map(({ data, width, height, coverage }, i) => ({
      data,
      width,
      height,
      ...(coverage && { coverage }),
      name: names[i],
      exposure: known.exposures[i],
    })),
    images,
    ...(camera && { camera }),
    notes,
  };
}

/** What `readStack` takes. Every field has a default. */
export interface ReadStackOptions extends Omit<StackFilesOptions, 'linear'> {
  /** The camera's response, if you know it. Files that say that they are linear are taken so in any case. */
  response?: ResponseOption;
}

/** A stack that was read from files: what to merge, and how. */
export interface PictureStack {
  /** In the order of the files; the merge sorts them. Named by file names, or by whole paths where these repeat. */
  frames: Frame[];
  /** For `MergeOptions.response`: what the files say, or what was chosen. */
  response: ResponseOption;
  /** Of RAW files: for `writeImage`, which makes colours of what the camera saw. */
  camera?: CameraColor;
  /** EXIF blocks in the order of the frames, for `writeImage`: that of the reference belongs to the result. */
  exif: (Uint8Array | undefined)[];
  /** What a person should know of the pictures, a sentence each: that exposures are estimated, for example. */
  notes: string[];
}

/** @throws UsageError; InputError for exposures that are none. */
function readOptionsOf(given: ReadStackOptions, count: number): ReadStackOptions {
  const read = readOptions('readStack', given, {
    exposures: ['an array of positive numbers', Array.isArray],
    colorSpace: COLOR_SPACE,
    reference: whole(0, count - 1),
    onRead: FUNCTION,
    signal: SIGNAL,
    response: ANY,
  });
  const exposures = read.exposures && Array.from(read.exposures);
  for (const [i, exposure] of (exposures ?? []).entries())
    if (!Number.isFinite(exposure) || exposure <= 0)
      throw new InputError(wrongText(`exposure ${i + 1}`, exposure, 'positive and finite'));
  return { ...read, ...(exposures && { exposures }), response: readResponse(read.response) };
}

/**
 * Reads a bracketed stack of 2 to 16 picture files, RAW included.
 * @throws InputError naming the file, if it cannot be read or does not fit the others; MissingPackageError without a
 * package that the files need; CancelledError; UsageError. What `onRead` throws ends the reading.
 */
export async function readStack(
  givenPaths: readonly string[],
  givenOptions: ReadStackOptions = {},
): Promise<PictureStack> {
  const paths = readPaths(givenPaths);
  checkFrameCount(paths.length);
  const { response: chosen, ...options } = readOptionsOf(givenOptions, paths.length);
  const { frames, images, camera, notes } = await readStackFiles(paths, { ...options, linear: chosen === 'linear' });
  const named = images.map((image, i) => ({ ...image, name: frames[i].name! }));
  const taken = stackResponse(named, chosen);
  if (taken.note !== undefined) notes.push(taken.note);
  return {
    ...{ frames, response: taken.response },
    ...(camera && { camera }),
    exif: images.map(({ exifBlock }) => exifBlock),
    notes,
  };
}
