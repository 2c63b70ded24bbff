/** What a file's first bytes show: how it was taken, and the picture that the camera put beside the file's own. */
import { HEAD_BYTES } from '../../../src/brackets/pictureFiles.ts';
import { embeddedPreviews, jpegSize } from '../../../src/image/decode/embeddedPreviews.ts';
import { readExposureInfo } from '../../../src/image/exif.ts';
import type { ExposureInfo } from '../../../src/image/exif.ts';
import { exifReader } from './decode/exifReader.ts';
import { thumbnailOf } from './preview.ts';

/** A long side that serves; among larger ones the smallest is taken. */
const ENOUGH = 512;
/** Most pixels of one that is decoded. */
const MOST_PIXELS = 24e6;
/** A JPEG's size lies within so many bytes of it, behind metadata of its own. */
const JPEG_HEAD = 1 << 18;

/** A file's first bytes, and what they say of how it was taken. @throws DOMException if it cannot be read. */
export async function headOf(file: Blob): Promise<{ head: Uint8Array; exif: ExposureInfo }> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  return { head, exif: await readExposureInfo(exifReader, head).catch(() => ({})) };
}

/**
 * The camera's small picture as a JPEG, turned upright.
 * @param longSide most pixels of it.
 * @returns undefined if there is none, or none that can be decoded.
 */
export async function embeddedPreview(
  file: Blob,
  { head, exif }: { head: Uint8Array; exif: ExposureInfo },
  longSide?: number,
): Promise<Blob | undefined> {
  const known: { jpeg: Blob; width: number; height: number }[] = [];
  for (const { from, length } of embeddedPreviews(head, file.size)) {
    const jpeg = file.slice(from, from + length);
    const size = jpegSize(new Uint8Array(await jpeg.slice(0, JPEG_HEAD).arrayBuffer()));
    if (size && size.width * size.height > 0 && size.width * size.height <= MOST_PIXELS) known.push({ jpeg, ...size });
  }
  const sideOf = ({ width, height }: { width: number; height: number }): number => Math.max(width, height);
  known.sort((a, b) => sideOf(b) - sideOf(a));
  const large = known.filter((one) => sideOf(one) >= ENOUGH);
  for (const one of [...large.reverse(), ...known.filter((one) => sideOf(one) < ENOUGH)]) {
    const preview = await thumbnailOf(one.jpeg, one, exif, longSide);
    if (preview) return preview;
  }
  return undefined;
}
