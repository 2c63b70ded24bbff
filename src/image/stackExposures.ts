/**
 * The exposures of a stack that was read from files: what EXIF says, or what the pixels say where EXIF says nothing.
 */
import { InputError } from '../errors.ts';
import { estimateExposures } from './estimateExposures.ts';
import { exposureBiases, exposures } from './exif.ts';
import type { DecodedImage } from './picture.ts';

type Picture = Pick<DecodedImage, 'data' | 'width' | 'height' | 'exif' | 'linear'> & { name: string };

/**
 * Relative exposures in the order of the pictures.
 * @param linear whether samples are linear light though the files do not say so.
 * @returns with a note if they were estimated.
 * @throws as `exposures`; InputError naming two pictures with too little in common for an estimate.
 */
export function stackExposures(pictures: readonly Picture[], linear: boolean): { exposures: number[]; note?: string } {
  const saysAnything = pictures.some(({ exif }) => exif.time !== undefined) || exposureBiases(pictures) !== undefined;
  if (saysAnything) return { exposures: exposures(pictures) };
  const found = estimateExposures(pictures, linear || pictures[0].linear === true);
  if (found.incomparable) {
    const [darker, brighter] = found.incomparable.map((i) => pictures[i].name);
    throw new InputError(
      `no picture has an exposure time in its EXIF data, and ${darker} and ${brighter} have too little brightness in ` +
        'common to estimate it from their pixels',
      { problem: 'exposure', remedy: 'give the exposures yourself' },
    );
  }
  const stops = found.exposures.map((exposure, i) => `${pictures[i].name} ${stopsText(Math.log2(exposure))}`);
  return {
    exposures: found.exposures,
    note:
      `no picture has an exposure time in its EXIF data. Estimated from their pixels, in EV: ${stops.join(', ')}; ` +
      `each step may be off by ${found.uncertainty.toFixed(1)}. Give the exposures if you know them`,
  };
}

function stopsText(stops: number): string {
  return `${stops > 0 ? '+' : ''}${stops.toFixed(1)}`;
}
