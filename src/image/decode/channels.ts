/**
 * Channels of decoded pictures: grey and alpha become RGB and coverage, and float samples are checked.
 *
 * Alpha 0 means that the picture has no data there: programs that align frames (align_image_stack, Hugin, Photoshop)
 * mark so what a shifted frame does not cover. Half-transparent edges count as data from half on.
 */
import { InputError } from '../../errors.ts';
import type { ColorSpace } from '../colorSpace.ts';
import type { DecodedImage } from '../picture.ts';
import type { SourceColor } from './sourceColor.ts';
import { toWorkingSpace } from './workingSpace.ts';
import type { Samples } from './workingSpace.ts';

/** RGB, and where there is data. */
export interface Rgb<T extends Samples> {
  /** `[height, width, 3]`. */
  data: T;
  /** `[height, width]`: 1 where there is data, 0 elsewhere. Absent if there is data everywhere. */
  coverage?: Uint8Array;
}

/** A decoded picture in the colours of its file. */
export interface StoredPicture extends Rgb<Samples> {
  width: number;
  height: number;
  bits: 8 | 16 | 32;
  color: SourceColor;
}

/** The value that is opaque, or white, for a type of samples. */
function topOf(samples: Samples): number {
  return samples instanceof Float32Array ? 1 : samples instanceof Uint16Array ? 65535 : 255;
}

function likeWith<T extends Samples>(samples: T, length: number): T {
  return new (samples.constructor as new (length: number) => T)(length);
}

/**
 * Expands grey to RGB, and turns alpha into coverage.
 * @param samples `[height, width, channels]`, of a picture or of some rows of it.
 * @param channels 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha).
 * @param premultiplied whether colours are multiplied by alpha (associated alpha): they are divided by it again.
 * @throws InputError naming the file, for other channels.
 */
export function toRgb<T extends Samples>(samples: T, channels: number, name: string, premultiplied = false): Rgb<T> {
  if (channels === 3) return { data: samples };
  if (channels !== 1 && channels !== 2 && channels !== 4)
    throw new InputError(`${name} has ${channels} channels, only RGB and greyscale are read`);
  const pixels = samples.length / channels;
  const opaque = topOf(samples);
  const data = likeWith(samples, pixels * 3);
  const hasAlpha = channels % 2 === 0;
  const isGrey = channels < 3;
  let coverage: Uint8Array | undefined;
  for (let p = 0; p < pixels; p++) {
    const from = p * channels;
    for (let c = 0; c < 3; c++) data[3 * p + c] = samples[isGrey ? from : from + c];
    if (!hasAlpha) continue;
    const alpha = samples[from + channels - 1];
    if (alpha === opaque) continue;
    if (2 * alpha < opaque) {
      coverage ??= new Uint8Array(pixels).fill(1);
      coverage[p] = 0;
    } else if (premultiplied && alpha < opaque) {
      for (let c = 0; c < 3; c++) {
        const value = (data[3 * p + c] * opaque) / alpha;
        data[3 * p + c] = opaque === 1 ? value : Math.min(opaque, Math.round(value));
      }
    }
  }
  return { data, coverage };
}

/**
 * Checks float samples. What the picture does not cover becomes 0, whatever it holds.
 * @throws InputError naming the pixel, for NaN and infinite values.
 */
export function checkFinite({ data, coverage }: Rgb<Float32Array>, width: number, name: string): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    const pixel = Math.floor(i / 3);
    if (coverage?.[pixel] !== 0)
      throw new InputError(
        `${name}: row ${Math.floor(pixel / width)}, column ${pixel % width}, channel ${i % 3} is ${data[i]}, only ` +
          'finite values are read',
      );
    data[i] = 0;
  }
}

/**
 * A decoded picture in a working space: its colours converted, its values in [0,1].
 * @throws InputError naming the file, if it is transparent everywhere, or a float sample is not finite.
 */
export function inWorkingSpace(
  { data, width, height, bits, coverage, color }: StoredPicture,
  colorSpace: ColorSpace,
  name: string,
): Omit<DecodedImage, 'format' | 'exif'> {
  if (coverage && !coverage.includes(1))
    throw new InputError(`${name} is transparent everywhere: it has no data to merge`);
  if (data instanceof Float32Array) checkFinite({ data, coverage }, width, name);
  const { linear, clippedColors, ...converted } = toWorkingSpace(data, color, colorSpace, coverage);
  return {
    ...converted,
    width,
    height,
    bits,
    ...(coverage && { coverage }),
    ...(linear && { linear }),
    ...(clippedColors > 0 && { clippedColors }),
  };
}
