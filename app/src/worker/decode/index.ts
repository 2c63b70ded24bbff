/**
 * Files to frames: the same formats, limits and refusals as the command line's (src/node/readImage.ts), with the
 * browser's means.
 */
import { InputError } from '../../../../src/errors.ts';
import { readExposureInfo } from '../../../../src/image/exif.ts';
import { readNpyFrame } from '../../../../src/image/picture.ts';
import { extractExif } from '../../../../src/image/exifBlock.ts';
import type { DecodedImage } from '../../../../src/image/picture.ts';
import { MAX_FILE_BYTES } from '../../../../src/image/refusals.ts';
import { sniffFormat } from '../../../../src/image/sniff.ts';
import { isSrgbProfile } from '../../../../src/image/iccProfile.ts';
import { decodeInBands } from './bands.ts';
import { jpegHeader, pngHeader } from './header.ts';
import { exifr } from './packages.ts';
import { decodePng16 } from './png16.ts';
import { decodeTiff } from './tiff.ts';

/**
 * Decodes one file.
 * @throws InputError naming the file and what is wrong with it; RangeError without the memory for it.
 */
export async function decodeFile(file: Blob, name: string): Promise<DecodedImage> {
  if (file.size > MAX_FILE_BYTES)
    throw new InputError(`${name} is ${file.size} bytes, at most ${MAX_FILE_BYTES} are read`);
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new InputError(`${name} cannot be read: it was moved, changed or deleted, or it is a folder`, { cause });
  }
  const format = sniffFormat(bytes, name, name);
  if (format === 'npy') return readNpyFrame(bytes, name);
  const exif = await readExposureInfo(await exifr(), bytes);
  // The size is the result's when a file is written.
  const exifBlock = extractExif(bytes, { width: 0, height: 0, isSrgb: true });
  if (format === 'tiff') return { ...(await decodeTiff(bytes, name)), format, exif, exifBlock };
  const { bits, icc } = format === 'png' ? await pngHeader(bytes, name) : jpegHeader(bytes, name);
  if (bits === 16) return { ...(await decodePng16(bytes, name, icc)), bits, format, exif, exifBlock };
  return {
    ...(await decodeInBands(file, name, icc !== undefined && !isSrgbProfile(icc))),
    bits,
    format,
    exif,
    exifBlock,
  };
}
