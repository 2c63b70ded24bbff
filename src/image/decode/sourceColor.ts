/**
 * What a file says about its colours, in one form: how encoded RGB becomes linear sRGB. Three sources: an ICC matrix
 * profile, CICP code points (ITU-T H.273: `nclx` in AVIF and HEIC, cICP in PNG), and chromaticities (OpenEXR).
 */
import { InputError } from '../../errors.ts';
import { D65, PRIMARIES, invert3, multiply3, rgbToXyz } from '../colorSpace.ts';
import type { Matrix3 } from '../colorSpace.ts';
import { isSrgbProfile, parseMatrixProfile } from '../iccProfile.ts';
import type { ProfileCurve } from '../iccProfile.ts';
import { decodeSrgb } from '../srgb.ts';

/** The colours of a picture as its file stores them. */
export interface SourceColor {
  /** Linear RGB of the picture to linear sRGB, which may come out outside [0,1]. */
  toSrgb: Matrix3;
  /** Encoded [0,1] to linear, for red, green and blue. */
  curves: readonly [ProfileCurve, ProfileCurve, ProfileCurve];
  /** Whether all curves are straight lines. */
  linear: boolean;
}

/**
 * XYZ under D50 (ICC's connection space) to linear sRGB: the inverse of sRGB's colorants, Bradford-adapted (Lindbloom).
 */
const D50_TO_SRGB = [
  3.1338561, -1.6168667, -0.4906146, -0.9787684, 1.9161415, 0.033454, 0.0719453, -0.2289914, 1.4052427,
];
/** The Bradford cone responses, in which white points are scaled (Lindbloom). */
const BRADFORD = [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296];
const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
/** How far a curve may be from a straight line: half a step of 8 bits. */
const LINEAR_TOLERANCE = 0.002;

type Chromaticity = readonly [x: number, y: number];

const same = (curve: ProfileCurve) => [curve, curve, curve] as const;
const straight: ProfileCurve = (v) => v;

/** sRGB, which pictures without a profile are taken for. */
export const SRGB: SourceColor = { toSrgb: IDENTITY, curves: same(decodeSrgb), linear: false };

/** Linear light in sRGB's primaries: float pictures that do not say otherwise. */
export const LINEAR_SRGB: SourceColor = { toSrgb: IDENTITY, curves: same(straight), linear: true };

/** The colours of an ICC profile. @returns undefined unless it is an RGB matrix profile. */
export function iccColor(profile: Uint8Array): SourceColor | undefined {
  if (isSrgbProfile(profile)) return SRGB;
  const matrix = parseMatrixProfile(profile);
  if (!matrix) return undefined;
  const { colorants, curves } = matrix;
  const toXyz = [0, 1, 2].flatMap((row) => colorants.map((column) => column[row]));
  return {
    toSrgb: multiply3(D50_TO_SRGB, toXyz),
    curves: [curves[0], curves[1], curves[2]],
    linear: curves.every(isStraight),
  };
}

function isStraight(curve: ProfileCurve): boolean {
  return Array.from({ length: 33 }, (_, i) => i / 32).every((v) => Math.abs(curve(v) - v) < LINEAR_TOLERANCE);
}

/** ColourPrimaries of H.273 that still pictures use, with their white points. */
const CICP_PRIMARIES: Readonly<
  Record<number, { rgb: readonly [Chromaticity, Chromaticity, Chromaticity]; white: Chromaticity }>
> = {
  1: { rgb: PRIMARIES.srgb, white: D65 },
  2: { rgb: PRIMARIES.srgb, white: D65 }, // unspecified
  5: {
    rgb: [
      [0.64, 0.33],
      [0.29, 0.6],
      [0.15, 0.06],
    ],
    white: D65,
  },
  6: {
    rgb: [
      [0.63, 0.34],
      [0.31, 0.595],
      [0.155, 0.07],
    ],
    white: D65,
  },
  9: { rgb: PRIMARIES.rec2020, white: D65 },
  11: { rgb: PRIMARIES.p3, white: [0.314, 0.351] },
  12: { rgb: PRIMARIES.p3, white: D65 },
};

/** The inverse of BT.709's curve, which BT.601 and BT.2020 share. */
const decodeBt709: ProfileCurve = (v) =>
  v < 0.0812428583 ? v / 4.5 : ((v + 0.0992968268) / 1.0992968268) ** (1 / 0.45);

/** TransferCharacteristics of H.273. */
const CICP_CURVES: Readonly<Record<number, ProfileCurve>> = {
  1: decodeBt709,
  2: decodeSrgb, // unspecified
  4: (v) => v ** 2.2,
  5: (v) => v ** 2.8,
  6: decodeBt709,
  8: straight,
  13: decodeSrgb,
  14: decodeBt709,
  15: decodeBt709,
};
const HDR_CURVES: Readonly<Record<number, string>> = { 16: 'PQ', 18: 'HLG' };

/** The colours of CICP code points. @throws InputError naming the file, for HDR curves and those that are not known. */
export function cicpColor(primaries: number, transfer: number, name: string): SourceColor {
  if (HDR_CURVES[transfer])
    throw new InputError(
      `${name} is an HDR picture (${HDR_CURVES[transfer]}), which is not read: brackets are single exposures`,
    );
  const { rgb, white } = CICP_PRIMARIES[primaries] ?? {};
  const curve = CICP_CURVES[transfer];
  if (!rgb || !white || !curve)
    throw new InputError(
      `${name} has colour primaries ${primaries} and transfer characteristics ${transfer} (H.273), which are not ` +
        'read: convert it to sRGB',
    );
  if (rgb === PRIMARIES.srgb && curve === decodeSrgb) return SRGB;
  return { toSrgb: fromPrimaries(rgb, white), curves: same(curve), linear: curve === straight };
}

/**
 * Linear light in primaries of any kind.
 * @param chromaticities x and y of red, green, blue and white.
 * @throws InputError naming the file, if they span no colour space.
 */
export function chromaticColor(chromaticities: readonly number[], name: string): SourceColor {
  const [r, g, b, white] = [0, 2, 4, 6].map((i): Chromaticity => [chromaticities[i], chromaticities[i + 1]]);
  const toSrgb = fromPrimaries([r, g, b], white);
  if (!toSrgb.every(Number.isFinite))
    throw new InputError(`${name} has chromaticities ${chromaticities.join(', ')}, which span no colour space`);
  return { ...LINEAR_SRGB, toSrgb };
}

/** Linear RGB of primaries to linear sRGB, with the white points adapted (Bradford). */
function fromPrimaries(rgb: readonly [Chromaticity, Chromaticity, Chromaticity], white: Chromaticity): number[] {
  const own = multiply3(adaptation(white), rgbToXyz(rgb, white));
  return multiply3(invert3(rgbToXyz(PRIMARIES.srgb)), own);
}

/** XYZ under a white point to XYZ under D65. */
function adaptation(white: Chromaticity): Matrix3 {
  const cones = ([x, y]: Chromaticity): number[] =>
    [0, 1, 2].map((i) => (BRADFORD[3 * i] * x + BRADFORD[3 * i + 1] * y + BRADFORD[3 * i + 2] * (1 - x - y)) / y);
  const [from, to] = [cones(white), cones(D65)];
  const scale = [0, 1, 2].flatMap((i) => [0, 1, 2].map((k) => (i === k ? to[i] / from[i] : 0)));
  return multiply3(invert3(BRADFORD), multiply3(scale, BRADFORD));
}
