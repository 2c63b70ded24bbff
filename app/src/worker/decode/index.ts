/**
 * Files to frames: the same formats, limits and refusals as the command line's (src/node/readImage.ts), with the
 * browser's means.
 */
import { InputError } from '../../../../src/errors.ts';
import type { ColorSpace } from '../../../../src/image/colorSpace.ts';
import { inWorkingSpace } from '../../../../src/image/decode/channels.ts';
import type { StoredPicture } from '../../../../src/image/decode/channels.ts';
import { embeddedExif } from '../../../../src/image/decode/embeddedExif.ts';
import { decodeRadiance } from '../../../../src/image/decode/floats.ts';
import { pngColor } from '../../../../src/image/decode/pngColor.ts';
import { SRGB, iccColor } from '../../../../src/image/decode/sourceColor.ts';
import type { WhiteBalance } from '../../../../src/image/decode/raw.ts';
import { decodeTiff } from '../../../../src/image/decode/tiff.ts';
import { readExposureInfo } from '../../../../src/image/exif.ts';
import { readNpyFrame } from '../../../../src/image/picture.ts';
import { extractExif } from '../../../../src/image/exifBlock.ts';
import type { DecodedImage } from '../../../../src/image/picture.ts';
import { MAX_FILE_BYTES, profileNotRead } from '../../../../src/image/refusals.ts';
import { sniffFormat } from '../../../../src/image/sniff.ts';
import type { PictureFormat } from '../../../../src/image/sniff.ts';
import { decodeInBands } from './bands.ts';
import { jpegHeader, pngHeader, webpHeader } from './header.ts';
import { exifReader } from './exifReader.ts';
import { decodeInWasm } from './inWasm.ts';
import { fastPng, fzstd, tiff } from './packages.ts';
import { decodePng16 } from './png16.ts';
import { decodeRaw } from './raw.ts';
import { decodeTiffJpeg } from './tiffJpeg.ts';

/** How a file is decoded. */
export interface DecodeOptions {
  /** The working space that its colours are converted to, sRGB by default; RAW stays in the camera's colours. */
  colorSpace?: ColorSpace;
  /** Of RAW files; the file's own if absent. */
  whiteBalance?: WhiteBalance;
  /** Ends the worker of the file's decoder, of formats that have one. */
  signal?: AbortSignal;
}

/**
 * Decodes one file.
 * @throws InputError naming the file and what is wrong with it; RangeError without the memory for it; CancelledError.
 */
export async function decodeFile(
  file: Blob,
  name: string,
  { colorSpace = 'srgb', whiteBalance, signal }: DecodeOptions = {},
): Promise<DecodedImage> {
  if (file.size > MAX_FILE_BYTES)
    throw new InputError(`${name} is ${file.size} bytes, at most ${MAX_FILE_BYTES} are read`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new InputError(`${name} cannot be read: it was moved, changed or deleted, or it is a folder`, { cause });
  }
  const format = sniffFormat(bytes, name, name);
  if (format === 'npy') return readNpyFrame(bytes, name);
  if (format === 'raw') return decodeRaw(bytes, name, whiteBalance, signal);
  const { exif, ...stored } = await decode(bytes, format, name, signal);
  const picture = { ...inWorkingSpace(stored, colorSpace, name), format };
  const withExif = embeddedExif(bytes, format);
  // The size is the result's when a file is written.
  const exifBlock = withExif && extractExif(withExif, { width: 0, height: 0, isSrgb: true });
  if (exif) return { ...picture, exif, exifBlock };
  return { ...picture, exif: withExif ? await readExposureInfo(exifReader, withExif) : {}, exifBlock };
}

/** A picture in its own colours, and the exposure where it is not in EXIF. */
async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  format: PictureFormat,
  name: string,
  signal: AbortSignal | undefined,
): Promise<StoredPicture & { exif?: DecodedImage['exif'] }> {
  switch (format) {
    case 'radiance':
      return { ...decodeRadiance(bytes, name), exif: {} };
    case 'exr':
    case 'heic':
    case 'avif':
    case 'jxl': {
      const decoded = await decodeInWasm(format, bytes, name, signal);
      return 'png' in decoded ? decodeByBrowser(decoded.png, 'png', name) : decoded;
    }
    case 'tiff':
      return decodeTiff(bytes, name, { tiff, fzstd, jpeg: decodeTiffJpeg });
    default:
      return decodeByBrowser(bytes, format, name);
  }
}

/** JPEG, PNG and WebP. 16-bit PNG has a decoder of its own. */
async function decodeByBrowser(
  bytes: Uint8Array<ArrayBuffer>,
  format: PictureFormat,
  name: string,
): Promise<StoredPicture> {
  const read = { png: pngHeader, webp: webpHeader }[format as string] ?? jpegHeader;
  const { bits, icc, isCmyk, isGrey } = await read(bytes, name);
  const named = format === 'png' ? pngColor(bytes, name) : undefined;
  const color = isGrey ? SRGB : (named ?? (icc ? iccColor(icc) : SRGB));
  if (bits === 16) {
    if (!color) throw profileNotRead(name);
    return decodePng16(bytes, name, color, { exifr: async () => exifReader, fastPng });
  }
  // The browser applies profiles with tables, and those of CMYK.
  const decoded = await decodeInBands(new Blob([bytes]), name, !color || isCmyk === true);
  return { ...decoded, bits, color: isCmyk ? SRGB : (color ?? SRGB) };
}
