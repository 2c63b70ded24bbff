/** Reads a bracketed stack from picture files, for `readFrames` and `deghost merge`. */
import { basename } from 'node:path';
import { InputError } from '../errors.ts';
import type { ColorSpace } from '../image/colorSpace.ts';
import { stackCamera } from '../image/decode/raw.ts';
import { stackExposures } from '../image/stackExposures.ts';
import { checkSameSize } from '../image/frame.ts';
import type { Frame } from '../image/frame.ts';
import { agreeingOrientations } from '../image/orientation.ts';
import type { CameraColor, DecodedImage } from '../image/picture.ts';
import { shown } from './problems.ts';
import { readFrameFiles } from './readImage.ts';

export interface StackOptions {
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
  onRead?(done: number, total: number): void;
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
  { exposures: given, linear = false, ...options }: StackOptions = {},
): Promise<{ frames: Frame[]; images: DecodedImage[]; camera?: CameraColor; notes: string[] }> {
  if (given && given.length !== paths.length)
    throw new InputError(
      `${given.length} exposures given for ${paths.length} files: give one per file, in the same order`,
    );
  const read: DecodedImage[] = [];
  for await (const image of readFrameFiles(paths, { exposures: given, ...options })) read.push(image);
  const short = paths.map((path) => basename(path));
  const names = (new Set(short).size === short.length ? short : paths).map(shown);
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
