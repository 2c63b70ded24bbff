/**
 * Perceptual colour: sRGB to CIELAB, and the colour difference CIEDE2000.
 *
 * Sources: IEC 61966-2-1 (sRGB) with its matrix to XYZ for a white of D65 (2 degrees); CIE 15 (CIELAB); Sharma, Wu and
 * Dalal, "The CIEDE2000 Color-Difference Formula: Implementation Notes, Supplementary Test Data, and Mathematical
 * Observations" (Color Research and Application 2005).
 */
import { expectAlike } from './picture.ts';
import { decodeSrgb } from './srgb.ts';

/** Rows of linear sRGB to XYZ, each divided by D65's value: white is 1, 1, 1. */
const [X, Y, Z] = [
  [0.412453, 0.35758, 0.180423],
  [0.212671, 0.71516, 0.072169],
  [0.019334, 0.119193, 0.950227],
].map((row, i) => row.map((value) => value / [0.95047, 1, 1.08883][i]));

/** CIELAB's cube root, linear near black. */
function root(t: number): number {
  return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
}

/**
 * sRGB to CIELAB.
 * @param picture sRGB-encoded, interleaved `[pixels, 3]` in [0,1].
 * @returns L in [0,100], a and b, interleaved.
 */
export function srgbToLab(picture: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const lab = new Float64Array(picture.length);
  for (let p = 0; p < picture.length; p += 3) {
    const [r, g, b] = [decodeSrgb(picture[p]), decodeSrgb(picture[p + 1]), decodeSrgb(picture[p + 2])];
    const x = root(X[0] * r + X[1] * g + X[2] * b);
    const y = root(Y[0] * r + Y[1] * g + Y[2] * b);
    const z = root(Z[0] * r + Z[1] * g + Z[2] * b);
    lab[p] = 116 * y - 16;
    lab[p + 1] = 500 * (x - y);
    lab[p + 2] = 200 * (y - z);
  }
  return lab;
}

const RADIANS = Math.PI / 180;
const TWENTY_FIVE_7 = 25 ** 7;

/** Hue angle in degrees, [0,360); 0 for grey. */
function hue(a: number, b: number): number {
  if (a === 0 && b === 0) return 0;
  const angle = Math.atan2(b, a) / RADIANS;
  return angle < 0 ? angle + 360 : angle;
}

/** CIEDE2000 between two colours of CIELAB, with kL = kC = kH = 1. About 1 is just noticeable side by side. */
export function ciede2000(l1: number, a1: number, b1: number, l2: number, a2: number, b2: number): number {
  const chroma7 = ((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7;
  const stretch = 1 + 0.5 * (1 - Math.sqrt(chroma7 / (chroma7 + TWENTY_FIVE_7)));
  const [c1, c2] = [Math.hypot(stretch * a1, b1), Math.hypot(stretch * a2, b2)];
  const [h1, h2] = [hue(stretch * a1, b1), hue(stretch * a2, b2)];
  const isGrey = c1 * c2 === 0;
  let turn = isGrey ? 0 : h2 - h1;
  if (turn > 180) turn -= 360;
  else if (turn < -180) turn += 360;
  let middle = h1 + h2; // of a grey and a colour, the colour's
  if (!isGrey) {
    if (Math.abs(h1 - h2) > 180) middle += middle < 360 ? 360 : -360;
    middle /= 2;
  }
  const lightness = (l1 + l2) / 2;
  const chroma = (c1 + c2) / 2;
  const weight =
    1 -
    0.17 * Math.cos((middle - 30) * RADIANS) +
    0.24 * Math.cos(2 * middle * RADIANS) +
    0.32 * Math.cos((3 * middle + 6) * RADIANS) -
    0.2 * Math.cos((4 * middle - 63) * RADIANS);
  const dL = (l2 - l1) / (1 + (0.015 * (lightness - 50) ** 2) / Math.sqrt(20 + (lightness - 50) ** 2));
  const dC = (c2 - c1) / (1 + 0.045 * chroma);
  const dH = (2 * Math.sqrt(c1 * c2) * Math.sin((turn / 2) * RADIANS)) / (1 + 0.015 * chroma * weight);
  const rotation =
    -2 *
    Math.sqrt(chroma ** 7 / (chroma ** 7 + TWENTY_FIVE_7)) *
    Math.sin(60 * RADIANS * Math.exp(-(((middle - 275) / 25) ** 2)));
  return Math.sqrt(dL * dL + dC * dC + dH * dH + rotation * dC * dH);
}

/**
 * CIEDE2000 of each pixel of two pictures in CIELAB.
 * @returns one value per pixel.
 * @throws InputError if their sizes differ.
 */
export function colourDifference(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  expectAlike('colour difference', a, b);
  const out = new Float64Array(a.length / 3);
  for (let p = 0; p < a.length; p += 3) out[p / 3] = ciede2000(a[p], a[p + 1], a[p + 2], b[p], b[p + 1], b[p + 2]);
  return out;
}
