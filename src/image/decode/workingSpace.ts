/**
 * Samples of any colour space to a working space, at the picture's own depth. Pictures that are linear light stay
 * linear, all others get sRGB's curve. Colours that the working space does not hold are clipped, and counted.
 */
import { COLOR_SPACES, convertMatrix, multiply3 } from '../colorSpace.ts';
import type { ColorSpace } from '../colorSpace.ts';
import { isSrgbCurve } from '../iccProfile.ts';
import { encodeSrgb } from '../srgb.ts';
import type { SourceColor } from './sourceColor.ts';

export type Samples = Uint8Array | Uint16Array | Float32Array;

/** Entries of a table of sRGB's curve. */
const TABLE = 65536;
/** How far outside [0,1] a linear value is a colour that was clipped, and not a rounding: half a step of 8 bits. */
const OUTSIDE = 0.002;

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
/** Profiles round their numbers to 16 bits, and adapt white in ways that differ by a little. */
const SAME_MATRIX = 0.002;

/** A picture in a working space. */
export interface Converted<T extends Samples> {
  data: T;
  colorSpace: ColorSpace;
  /** Whether samples are linear light. */
  linear: boolean;
  /** Pixels whose colours the working space does not hold, and which were clipped. */
  clippedColors: number;
}

/**
 * Converts samples to a working space, in place. Values are clipped to [0,1].
 * @param data RGB, `[height, width, 3]`.
 * @param coverage where the picture has data, `[height, width]`: elsewhere nothing is counted.
 */
export function toWorkingSpace<T extends Samples>(
  data: T,
  color: SourceColor,
  colorSpace: ColorSpace,
  coverage?: Uint8Array,
): Converted<T> {
  const { linear, curves } = color;
  const exact = multiply3(convertMatrix('srgb', colorSpace), color.toSrgb);
  // Samples that are in the working space already stay as they are, not rounded once more.
  const isThere =
    exact.every((value, i) => Math.abs(value - IDENTITY[i]) < SAME_MATRIX) && (linear || isSrgbCurve(curves));
  if (isThere && !(data instanceof Float32Array)) return { data, colorSpace, linear, clippedColors: 0 };
  const m = isThere ? IDENTITY : exact;
  const top = data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 65535 : 255;
  const decode = curves.map((curve) => {
    if (data instanceof Float32Array) return linear ? curve : (v: number) => curve(Math.min(1, Math.max(0, v)));
    const table = Float32Array.from({ length: top + 1 }, (_, v) => curve(v / top));
    return (v: number) => table[v];
  });
  const encode = linear ? (v: number) => v : encodingTable();
  let clippedColors = 0;
  for (let i = 0; i < data.length; i += 3) {
    const r = decode[0](data[i]);
    const g = decode[1](data[i + 1]);
    const b = decode[2](data[i + 2]);
    // Light above white is the end of the exposure, not a colour that is missing.
    const most = Math.max(1, r, g, b) + OUTSIDE;
    let isOutside = false;
    for (let c = 0; c < 3; c++) {
      const value = m[3 * c] * r + m[3 * c + 1] * g + m[3 * c + 2] * b;
      // A damaged profile's curve or matrix may give NaN: no colour.
      isOutside ||= !(value >= -OUTSIDE && value <= most);
      const converted = encode(value > 0 ? Math.min(1, value) : 0);
      data[i + c] = top === 1 ? converted : Math.round(converted * top);
    }
    if (isOutside && coverage?.[i / 3] !== 0) clippedColors++;
  }
  return { data, colorSpace, linear, clippedColors };
}

/** sRGB's curve from a table, interpolated: within 1e-7. */
function encodingTable(): (v: number) => number {
  const table = Float64Array.from({ length: TABLE + 1 }, (_, i) => encodeSrgb(i / (TABLE - 1)));
  return (v) => {
    const at = v * (TABLE - 1);
    const low = Math.floor(at);
    return table[low] + (table[low + 1] - table[low]) * (at - low);
  };
}

const NAMES: Readonly<Record<ColorSpace, string>> = { srgb: 'sRGB', p3: 'Display P3', rec2020: 'Rec. 2020' };

/**
 * What the conversion of a stack clipped, in one line; undefined if nothing worth a word (0.1 % of a picture).
 * @param remedy how to choose a wider space, for example `--color p3`.
 */
export function clippedColorsNote(
  pictures: readonly { width: number; height: number; colorSpace?: ColorSpace; clippedColors?: number }[],
  remedy: (wider: ColorSpace) => string,
): string | undefined {
  const shares = pictures.map(({ width, height, clippedColors = 0 }) => clippedColors / (width * height));
  const worst = Math.max(0, ...shares);
  if (worst < 0.001) return undefined;
  const space = pictures[shares.indexOf(worst)].colorSpace ?? 'srgb';
  const wider = COLOR_SPACES[COLOR_SPACES.indexOf(space) + 1];
  const found = `up to ${(100 * worst).toFixed(1)} % of a frame's pixels have colours outside ${NAMES[space]}`;
  return wider ? `${found}, which are clipped: ${remedy(wider)}` : `${found}, which are clipped`;
}
