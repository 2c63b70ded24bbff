/** Reads EXIF of files with the optional package exifr. */
import { readExposureInfo } from '../image/exif.ts';
import type { ExposureInfo } from '../image/exif.ts';
import { optional } from './problems.ts';

/** Reads a file's exposure fields, like `readExposureInfo`. @throws MissingPackageError without exifr. */
export async function readExif(bytes: Uint8Array): Promise<ExposureInfo> {
  const { default: exifr } = await optional(() => import('exifr'), 'exifr', 'reading exposures from EXIF');
  return readExposureInfo(exifr, bytes);
}
