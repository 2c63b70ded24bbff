/** sRGB's curve, both ways (IEC 61966-2-1), and the luminance weights of its primaries. */
import { NUMBER, expect } from '../checks.ts';
import type { ColorSpace } from './colorSpace.ts';

/** Contribution of linear red, green and blue to luminance: Rec. 709 and sRGB. */
export const LUMA = [0.2126, 0.7152, 0.0722] as const;

/** The same of each working space: the second row of its matrix to XYZ, rounded (colorSpace.ts). */
export const LUMAS: Readonly<Record<ColorSpace, readonly [number, number, number]>> = {
  srgb: LUMA,
  p3: [0.229, 0.6917, 0.0793],
  rec2020: [0.2627, 0.678, 0.0593],
};

/** Linear [0,1] to encoded [0,1]. @throws UsageError for what is no number. */
export function encodeSrgb(x: number): number {
  if (typeof x !== 'number') expect('x', x, NUMBER);
  return x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055;
}

/** Encoded [0,1] to linear [0,1]. */
export function decodeSrgb(x: number): number {
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
}
