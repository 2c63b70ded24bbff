/**
 * OpenEXR with the package exrs (Rust's exr in WebAssembly), and Radiance: linear light, in which 1 is white. A
 * bracket's values above 1 are the
 * end of its exposure, and clipped.
 */
import { InputError, reasonOf } from '../../errors.ts';
import type { ExposureInfo } from '../exif.ts';
import { checkSize } from '../picture.ts';
import { checkDeflated, damaged } from '../refusals.ts';
import { decodeRgbe, rgbeSize } from '../rgbe.ts';
import { toRgb } from './channels.ts';
import type { StoredPicture } from './channels.ts';
import { exrHeader } from './exrHeader.ts';
import type { ExrHeader } from './exrHeader.ts';
import { LINEAR_SRGB, chromaticColor } from './sourceColor.ts';
import type { SourceColor } from './sourceColor.ts';

/** A part of exrs, once its WebAssembly is there. */
export interface Exrs {
  decodeExr(bytes: Uint8Array): {
    layers: { getInterleavedPixels(channels: readonly string[]): Float32Array | null }[];
  };
}

/**
 * Decodes an OpenEXR file: RGB or luminance, with or without alpha, in scan lines.
 * @throws InputError naming the file.
 */
export function decodeExr(
  { decodeExr }: Exrs,
  bytes: Uint8Array,
  name: string,
): StoredPicture & { exif: ExposureInfo } {
  const header = exrHeader(bytes, name);
  const { width, height, channels, exif } = header;
  const has = (list: readonly string[]) => list.every((channel) => channels.includes(channel));
  if (!has(['R', 'G', 'B']) && !has(['Y']))
    throw new InputError(
      `${name} has the channels ${channels.slice(0, 8).join(', ')}, only R, G, B or Y are read: save it as RGB`,
    );
  const wanted = [...(has(['R', 'G', 'B']) ? ['R', 'G', 'B'] : ['Y']), ...(has(['A']) ? ['A'] : [])];
  checkDeflated(name, width, height, 16 * wanted.length, bytes.length);
  let data: Float32Array | null | undefined;
  try {
    data = decodeExr(bytes).layers[0]?.getInterleavedPixels(wanted);
  } catch (error) {
    throw damaged(name, error);
  }
  if (data?.length !== width * height * wanted.length) throw damaged(name, 'its pixels are not what its header says');
  // OpenEXR's alpha is associated (https://openexr.com/en/latest/TechnicalIntroduction.html).
  return { ...toRgb(data, wanted.length, name, true), width, height, bits: 32, color: exrColor(header, name), exif };
}

/** The colours of an OpenEXR file. @throws InputError naming the file. */
export function exrColor({ chromaticities }: ExrHeader, name: string): SourceColor {
  return chromaticities ? chromaticColor(chromaticities, name) : LINEAR_SRGB;
}

/** Decodes a Radiance picture, in sRGB's primaries. @throws InputError naming the file. */
export function decodeRadiance(bytes: Uint8Array, name: string): StoredPicture {
  try {
    const { width, height } = rgbeSize(bytes);
    checkSize(width, height, name);
    return { ...decodeRgbe(bytes), bits: 32, color: LINEAR_SRGB };
  } catch (error) {
    throw new InputError(`${name} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
