/**
 * Working spaces: the RGB colour spaces that a stack can be merged and saved in. All have the white point D65, and
 * pictures in them are encoded with sRGB's curve, so only the primaries differ.
 */

/** Rec. 709 (sRGB), Display P3 or Rec. 2020 primaries, white D65. */
export type ColorSpace = 'srgb' | 'p3' | 'rec2020';

/** All working spaces, the default first. */
export const COLOR_SPACES: readonly ColorSpace[] = ['srgb', 'p3', 'rec2020'];

/** Chromaticities x, y. */
type Chromaticity = readonly [x: number, y: number];

/** White point D65 (CIE 15; the rounded values of IEC 61966-2-1). */
export const D65: Chromaticity = [0.3127, 0.329];

/**
 * Chromaticities of red, green and blue: IEC 61966-2-1, SMPTE EG 432-1 (with D65), ITU-R BT.2020.
 */
export const PRIMARIES: Readonly<Record<ColorSpace, readonly [Chromaticity, Chromaticity, Chromaticity]>> = {
  srgb: [
    [0.64, 0.33],
    [0.3, 0.6],
    [0.15, 0.06],
  ],
  p3: [
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
  rec2020: [
    [0.708, 0.292],
    [0.17, 0.797],
    [0.131, 0.046],
  ],
};

/** A 3x3 matrix, rows first: `out[i] = sum over k of m[3 * i + k] * in[k]`. */
export type Matrix3 = readonly number[];

/** a times b. */
export function multiply3(a: Matrix3, b: Matrix3): number[] {
  return Array.from({ length: 9 }, (_, i) =>
    [0, 1, 2].reduce((sum, k) => sum + a[3 * Math.floor(i / 3) + k] * b[3 * k + (i % 3)], 0),
  );
}

/** The inverse, by cofactors. The matrix must not be singular. */
export function invert3(m: Matrix3): number[] {
  const cofactor = (i: number): number => {
    const [row, column] = [i % 3, Math.floor(i / 3)];
    const at = (r: number, c: number): number => m[3 * ((row + r) % 3) + ((column + c) % 3)];
    return at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1);
  };
  const determinant = m[0] * cofactor(0) + m[1] * cofactor(3) + m[2] * cofactor(6);
  return m.map((_, i) => cofactor(i) / determinant);
}

const XYZ = ([x, y]: Chromaticity): number[] => [x / y, 1, (1 - x - y) / y];

/**
 * Linear RGB to XYZ, where Y of white is 1 (SMPTE RP 177).
 * @param primaries chromaticities of red, green and blue.
 */
export function rgbToXyz(
  primaries: readonly [Chromaticity, Chromaticity, Chromaticity],
  white: Chromaticity = D65,
): number[] {
  const columns = primaries.map(XYZ);
  const unscaled = [0, 1, 2].flatMap((row) => columns.map((column) => column[row]));
  const w = XYZ(white);
  const inverse = invert3(unscaled);
  const scale = [0, 1, 2].map((i) => inverse[3 * i] * w[0] + inverse[3 * i + 1] * w[1] + inverse[3 * i + 2] * w[2]);
  return unscaled.map((value, i) => value * scale[i % 3]);
}

/** Linear RGB of one working space to linear RGB of another. Out-of-gamut colours come out outside [0,1]. */
export function convertMatrix(from: ColorSpace, to: ColorSpace): number[] {
  return multiply3(invert3(rgbToXyz(PRIMARIES[to])), rgbToXyz(PRIMARIES[from]));
}

/**
 * x and y of red, green, blue and white, for files that name them; undefined for sRGB, which .exr and .hdr mean when
 * they name none.
 */
export function namedPrimaries(space: ColorSpace): number[] | undefined {
  return space === 'srgb' ? undefined : [...PRIMARIES[space].flat(), ...D65];
}
