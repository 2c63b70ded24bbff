/** Reads the exposures of a stack's folder: from a text file of stops, or from the pictures' EXIF. */
import { InputError } from '../../errors.ts';
import { exposures as exifExposures } from '../../image/exif.ts';
import type { DecodedImage } from '../../image/picture.ts';
import { readFileBytes } from '../plainFile.ts';
import { shown } from '../problems.ts';

/** Possible names of the file; the first that exists is used. */
export const EXPOSURE_FILES = ['exposure.txt', 'input_exp.txt', 'exposures.txt', 'ev.txt'];
/** Largest exposure in stops, positive or negative: larger numbers cannot be stops. */
const MAX_STOPS = 40;

/** Exposures in stops: a line each, or all on one line with commas or spaces between. */
async function readStops(file: string, count: number): Promise<number[]> {
  const text = (await readFileBytes(file, 1 << 16)).toString('utf8');
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const isOneLine = lines.length === 1;
  const entries = isOneLine ? lines[0].split(/[\s,;]+/).filter((entry) => entry !== '') : lines;
  if (entries.length !== count)
    throw new InputError(
      `${shown(file)} has ${entries.length} exposures for ${count} pictures: write a line for each picture`,
    );
  return entries.map((entry, i) => {
    const stops = Number(entry);
    if (!(Math.abs(stops) <= MAX_STOPS))
      throw new InputError(
        `${shown(file)}: ${isOneLine ? 'exposure' : 'line'} ${i + 1} is "${shown(entry.slice(0, 30))}", an exposure ` +
          `is a number of stops from -${MAX_STOPS} to ${MAX_STOPS}`,
      );
    return stops;
  });
}

/**
 * Exposures of a folder's pictures, in their order; only ratios matter.
 * @param file the file of stops; undefined if there is none, and EXIF is used.
 * @throws InputError naming the file, the entry and the remedy.
 */
export async function readExposures(
  folder: string,
  file: string | undefined,
  pictures: readonly string[],
  images: readonly DecodedImage[],
): Promise<number[]> {
  if (file !== undefined) return (await readStops(file, pictures.length)).map((stops) => 2 ** stops);
  try {
    return exifExposures(images.map(({ exif }, i) => ({ name: pictures[i], exif })));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `${shown(folder)} has no exposure.txt: write one, a line for each picture with its exposure in stops (EXIF ` +
        `does not help: ${error.finding})`,
      { cause: error },
    );
  }
}
