/** EXIF of files, read with the optional package exifr. */
import { EXPOSURE_TAGS, exposureInfo } from '../image/exif.ts';
import type { ExposureInfo } from '../image/exif.ts';
import { optional } from './problems.ts';

/** Reads the exposure fields of a JPEG, PNG or TIFF file; an empty object where there is no EXIF, or none that can be read. */
export async function readExposureInfo(bytes: Uint8Array): Promise<ExposureInfo> {
  const { default: exifr } = await optional(() => import('exifr'), 'exifr', 'reading exposures from EXIF');
  let tags: Record<string, unknown> | undefined;
  try {
    tags = await exifr.parse(bytes, { pick: EXPOSURE_TAGS, translateValues: false, reviveValues: false });
  } catch {
    // Damaged EXIF is the same as none: the picture itself may be fine.
  }
  return tags ? exposureInfo(tags) : {};
}
