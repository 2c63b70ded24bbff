/**
 * White balance: the chromatic adaptation between D65 and another white, in linear RGB of a working space.
 *
 * The other white lies as far from D65, in CIE 1960 uv, as two black bodies lie from each other: one of D65's colour
 * temperature and one that many mireds warmer (Krystek, "An algorithm to calculate correlated colour temperature",
 * Color Research and Application 1985; good from 1000 to 15000 K). Tint moves it across that line. The adaptation is
 * Bradford's (Lam, 1985; as in ICC.1:2010, annex E). Opposite settings are inverse matrices.
 */
import { D65, PRIMARIES, invert3, multiply3, rgbToXyz } from '../image/colorSpace.ts';
import type { ColorSpace, Matrix3 } from '../image/colorSpace.ts';

/** Bradford's cone responses from XYZ. */
const BRADFORD: Matrix3 = [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296];
/** D65's correlated colour temperature in mireds. */
const D65_MIREDS = 1e6 / 6504;
/** Distance in uv that a tint of 100 stands for. */
const TINT_UV = 0.03;

type Pair = readonly [number, number];

/** u and v of a black body. */
function blackBody(mireds: number): Pair {
  const t = 1e6 / mireds;
  return [
    (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t * t) / (1 + 8.42420235e-4 * t + 7.08145163e-7 * t * t),
    (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t * t) / (1 - 2.89741816e-5 * t + 1.61456053e-7 * t * t),
  ];
}

/** XYZ with Y = 1 of u and v. */
function xyzOf([u, v]: Pair): number[] {
  const [x, y] = [(3 * u) / (2 * u - 8 * v + 4), (2 * v) / (2 * u - 8 * v + 4)];
  return [x / y, 1, (1 - x - y) / y];
}

const coneResponses = (xyz: readonly number[]): number[] =>
  [0, 3, 6].map((row) => BRADFORD[row] * xyz[0] + BRADFORD[row + 1] * xyz[1] + BRADFORD[row + 2] * xyz[2]);

/**
 * The matrix that warms (and tints) light.
 * @param temperature in mireds, positive is warmer.
 * @param tint -100 to 100, positive is magenta.
 */
export function whiteBalance(temperature: number, tint: number, space: ColorSpace): Matrix3 {
  if (temperature === 0 && tint === 0) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  // Only warmer whites are needed: a colder one is the way back from a warmer one.
  if (temperature < 0) return invert3(whiteBalance(-temperature, -tint, space));
  const [from, to] = [D65_MIREDS, D65_MIREDS + temperature].map(blackBody);
  const [near, far] = [-1, 1].map((mireds) => blackBody(D65_MIREDS + temperature + mireds));
  const length = Math.hypot(far[0] - near[0], far[1] - near[1]);
  // Across the line, towards smaller v: magenta.
  const step = (tint / 100) * (TINT_UV / length);
  const d65: Pair = [(4 * D65[0]) / (-2 * D65[0] + 12 * D65[1] + 3), (6 * D65[1]) / (-2 * D65[0] + 12 * D65[1] + 3)];
  const white: Pair = [
    d65[0] + to[0] - from[0] + step * (far[1] - near[1]),
    d65[1] + to[1] - from[1] - step * (far[0] - near[0]),
  ];
  const [source, target] = [d65, white].map((uv) => coneResponses(xyzOf(uv)));
  const scaled = BRADFORD.map((value, i) => (value * target[Math.floor(i / 3)]) / source[Math.floor(i / 3)]);
  const adapt = multiply3(invert3(BRADFORD), scaled);
  const toXyz = rgbToXyz(PRIMARIES[space]);
  return multiply3(invert3(toXyz), multiply3(adapt, toXyz));
}
