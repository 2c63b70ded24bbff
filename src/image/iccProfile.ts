/**
 * ICC profiles, as far as camera pictures need them: reads RGB matrix profiles (three colorants and three curves) and
 * recognises sRGB.
 *
 * Most cameras and editors embed some variant of the sRGB profile. Converting such pictures to sRGB would change
 * nothing but the last bits, so they are recognised and left exactly as they are; only other profiles are converted.
 * Names do not help (a linear profile is called "sRGB linear", a compact sRGB one "c2"), so the colorants and the
 * curves are compared. Format: ICC.1:2022, https://www.color.org/icc_specs2.xalter.
 */
import { decodeSrgb } from './srgb.ts';

/** D50-adapted colorants of sRGB (XYZ): red, green, blue. */
const SRGB_COLORANTS = [
  [0.4361, 0.2225, 0.0139],
  [0.3851, 0.7169, 0.0971],
  [0.1431, 0.0606, 0.7142],
];
const COLORANT_TOLERANCE = 0.002;
const CURVE_TOLERANCE = 0.002;

/** A channel's curve: encoded [0,1] to linear. */
export type ProfileCurve = (v: number) => number;

export interface MatrixProfile {
  /** XYZ under D50 of red, green and blue. */
  colorants: number[][];
  /** The curves of red, green and blue. */
  curves: ProfileCurve[];
}

/** Parses a `curv` or `para` tag. @throws RangeError if the tag is neither, or is cut off. */
function parseCurve(tag: DataView): ProfileCurve {
  const type = tag.getUint32(0);
  if (type === 0x63757276) {
    const count = tag.getUint32(8);
    if (count === 0) return (v) => v;
    if (12 + 2 * count > tag.byteLength) throw new RangeError('a curve that is cut off');
    if (count === 1) return (v) => v ** (tag.getUint16(12) / 256);
    const entries = Float64Array.from({ length: count }, (_, i) => tag.getUint16(12 + 2 * i) / 65535);
    return (v) => {
      const low = Math.max(0, Math.min(Math.floor(v * (count - 1)), count - 2));
      return entries[low] + (entries[low + 1] - entries[low]) * (v * (count - 1) - low);
    };
  }
  if (type !== 0x70617261) throw new RangeError('unknown curve');
  const kind = tag.getUint16(8);
  const parameters = [1, 3, 4, 5, 7][kind];
  if (parameters === undefined) throw new RangeError('unknown parametric curve');
  const [g, a, b, c, d, e, f] = Array.from({ length: parameters }, (_, i) => tag.getInt32(12 + 4 * i) / 65536);
  if (kind === 0) return (v) => v ** g;
  if (kind === 1) return (v) => (v >= -b / a ? (a * v + b) ** g : 0);
  if (kind === 2) return (v) => (v >= -b / a ? (a * v + b) ** g + c : c);
  if (kind === 3) return (v) => (v >= d ? (a * v + b) ** g : c * v);
  return (v) => (v >= d ? (a * v + b) ** g + e : c * v + f);
}

/**
 * Reads an RGB matrix profile. Returns undefined for tables, other colour spaces, and profiles that are not understood
 * or are cut off.
 */
export function parseMatrixProfile(profile: Uint8Array): MatrixProfile | undefined {
  try {
    const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
    if (view.getUint32(16) !== 0x52474220) return undefined; // data colour space "RGB "
    const tags = new Map<string, DataView>();
    const count = Math.min(view.getUint32(128), 100);
    for (let i = 0; i < count; i++) {
      const entry = 132 + 12 * i;
      const name = String.fromCharCode(...profile.subarray(entry, entry + 4));
      const at = view.getUint32(entry + 4);
      const size = view.getUint32(entry + 8);
      tags.set(name, new DataView(profile.buffer, profile.byteOffset + at, Math.min(size, profile.length - at)));
    }
    if (tags.has('A2B0')) return undefined; // a table, which may do anything
    const tag = (name: string): DataView => {
      const found = tags.get(name);
      if (!found) throw new RangeError(`no ${name}`);
      return found;
    };
    return {
      colorants: ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => [8, 12, 16].map((at) => tag(name).getInt32(at) / 65536)),
      curves: ['rTRC', 'gTRC', 'bTRC'].map((name) => parseCurve(tag(name))),
    };
  } catch {
    return undefined; // cut off or nonsense
  }
}

/** Whether the profile is a matrix profile with the colorants and curves of sRGB. False for anything not understood. */
export function isSrgbProfile(profile: Uint8Array): boolean {
  const matrix = parseMatrixProfile(profile);
  if (!matrix) return false;
  const isNear = (a: number, b: number, tolerance: number) => Math.abs(a - b) < tolerance;
  if (
    !matrix.colorants.every((xyz, i) =>
      xyz.every((value, k) => isNear(value, SRGB_COLORANTS[i][k], COLORANT_TOLERANCE)),
    )
  )
    return false;
  return isSrgbCurve(matrix.curves);
}

/** Whether all curves are sRGB's. */
export function isSrgbCurve(curves: readonly ProfileCurve[]): boolean {
  return curves.every((curve) =>
    Array.from({ length: 33 }, (_, i) => i / 32).every((v) => Math.abs(curve(v) - decodeSrgb(v)) < CURVE_TOLERANCE),
  );
}
