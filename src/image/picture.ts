/**
 * Shared by all platforms that read and write pictures: the pictures that go into a merge, their checks, and the
 * picture that comes out.
 */
import { InputError } from '../errors.ts';
import type { ColorSpace, Matrix3 } from './colorSpace.ts';
import type { ExposureInfo } from './exif.ts';
import { decodeNpy } from './npy.ts';
import type { PictureFormat } from './sniff.ts';

/** Most pixels a frame may have: 64 x 2^20, a little above what 61-megapixel cameras make. */
export const MAX_PIXELS = 64 * 2 ** 20;

/** How a camera's own RGB becomes a standard colour space: known for pictures that were developed from RAW. */
export interface CameraColor {
  make: string;
  model: string;
  /** What red, green and blue were multiplied by, relative to green: neutral light is equal in all three after it. */
  whiteBalance: readonly [red: number, green: number, blue: number];
  /** White-balanced camera RGB to linear sRGB; each row sums to 1. */
  toSrgb: Matrix3;
  /** XYZ (D65) to camera RGB without white balance: DNG's ColorMatrix. */
  colorMatrix: Matrix3;
}

/** A picture ready for merging. */
export interface DecodedImage {
  /** RGB, interleaved `[height, width, 3]`: 0..255, 0..65535, or [0,1]. */
  data: Uint8Array | Uint16Array | Float32Array;
  width: number;
  height: number;
  bits: 8 | 16 | 32;
  format: PictureFormat;
  /** Exposure fields from EXIF; empty if there are none. */
  exif: ExposureInfo;
  /** Where the picture has data, `[height, width]`: 0 where its alpha is 0. Absent if it has data everywhere. */
  coverage?: Uint8Array;
  /** Whether samples are linear light, because the file says so: by its profile, or by its kind (RAW, float). */
  linear?: boolean;
  /** Working space of the samples; `srgb` if absent. Without meaning if `camera` is given. */
  colorSpace?: ColorSpace;
  /** Given if samples are white-balanced camera RGB, linear. */
  camera?: CameraColor;
  /** Pixels whose colours the working space does not hold, and which were clipped; none if absent. */
  clippedColors?: number;
  /** The file's EXIF, TIFF-structured and written anew (exifBlock.ts), for the merged picture's files. */
  exifBlock?: Uint8Array;
}

/** A merged picture: the part of `Deghoster.merge`'s result that files need. */
export interface MergedImage {
  /** The network's Y: linear RGB, interleaved `[height, width, 3]`, where 1 is the saturation of the shortest frame. */
  radiance: Float32Array;
  width: number;
  height: number;
  /** Y times this is 1 at the reference frame's white. */
  scale: number;
  /** Working space of the radiance; `srgb` if absent. */
  colorSpace?: ColorSpace;
  /** Given if the radiance is white-balanced camera RGB. */
  camera?: CameraColor;
  /** EXIF of the reference frame: a TIFF-structured block, without "Exif\0\0" before it. */
  exif?: Uint8Array;
}

/** Checks a size from a header. */
export function checkSize(width: number, height: number, name: string): void {
  if (!(width >= 1) || !(height >= 1))
    throw new InputError(`${name} is ${width}x${height}: a picture has at least one pixel`);
  if (width * height > MAX_PIXELS) {
    throw new InputError(
      `${name} is ${width}x${height} (${Math.round((width * height) / 1e6)} megapixels), at most ` +
        `${Math.floor(MAX_PIXELS / 1e6)} megapixels are merged: scale the frames down`,
    );
  }
}

/** Checks that two pictures or maps can be compared value by value. @throws InputError naming both counts. */
export function expectAlike(what: string, a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length || a.length === 0)
    throw new InputError(`${what}: ${a.length} and ${b.length} values cannot be compared: they must be of one size`);
}

/**
 * Index of the first value outside [0,1] (NaN counts as outside); -1 if there is none. (A plain loop: findIndex is ten
 * times slower.)
 */
export function firstOutside(data: Float32Array): number {
  for (let i = 0; i < data.length; i++) if (!(data[i] >= 0 && data[i] <= 1)) return i;
  return -1;
}

/** A `[height, width, 3]` array: float32 in [0,1], uint8 or uint16. */
export function readNpyFrame(bytes: Uint8Array, name: string): DecodedImage {
  const { data, shape } = decodeNpy(bytes, name);
  if (shape.length !== 3 || shape[2] !== 3)
    throw new InputError(`${name}: the shape is (${shape.join(', ')}), a frame is (height, width, 3)`);
  const [height, width] = shape;
  checkSize(width, height, name);
  if (data instanceof Float32Array) {
    const bad = firstOutside(data);
    if (bad >= 0)
      throw new InputError(
        `${name}: row ${Math.floor(bad / 3 / width)}, column ${Math.floor(bad / 3) % width}, channel ${bad % 3} is ` +
          `${data[bad]}, values must be in [0,1]`,
      );
  }
  const bits = data instanceof Float32Array ? 32 : data instanceof Uint16Array ? 16 : 8;
  return { data, width, height, bits, format: 'npy', exif: {} };
}
