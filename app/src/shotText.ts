/** How a picture was taken, in the words of cameras. */
import type { ExposureInfo } from '../../src/image/exif.ts';
import { number } from './words/index.ts';

/** An exposure time as cameras write it; empty if unknown. */
export function shutterText(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  return seconds < 0.3 ? `1/${Math.round(1 / seconds)} s` : `${number(Number(seconds.toPrecision(2)), 2, 0)} s`;
}

/** Shutter, aperture and ISO, as far as they are known: 1/320 s, f/8, ISO 100. */
export function shotText({ time, fNumber, iso }: ExposureInfo): string {
  return [
    shutterText(time !== undefined && time > 0 ? time : undefined),
    fNumber === undefined ? '' : `f/${number(Number(fNumber.toPrecision(2)), 1, 0)}`,
    iso === undefined ? '' : `ISO ${Math.round(iso)}`,
  ]
    .filter((text) => text !== '')
    .join(', ');
}
