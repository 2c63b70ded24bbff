/**
 * ICC profiles of pictures that the browser does not decode itself: RGB matrix profiles to sRGB, at the picture's own depth.
 *
 * Matrix profiles (three colorants and three curves) are what cameras and raw developers embed: Adobe RGB, Display P3, ProPhoto,
 * linear ones. Profiles of tables are refused by name. Format: ICC.1:2022, https://www.color.org/icc_specs2.xalter.
 */
import { InputError } from '../../../../src/errors.ts';
import { encodeSrgb } from '../../../../src/image/toneMap.ts';
import { isSrgbProfile } from '../../../../src/node/iccProfile.ts';

/** XYZ under D50 (ICC's connection space) to linear sRGB: the inverse of sRGB's colorants, Bradford-adapted (Lindbloom). */
const FROM_XYZ = [3.1338561, -1.6168667, -0.4906146, -0.9787684, 1.9161415, 0.033454, 0.0719453, -0.2289914, 1.4052427];
const TABLE = 65536;

/**
 * Converts samples to sRGB, in place where that is possible.
 * @param data RGB, `[height, width, 3]`.
 * @throws InputError for profiles that are not RGB matrix profiles.
 */
export function toSrgb<T extends Uint8Array | Uint16Array>(data: T, profile: Uint8Array | undefined, name: string): T {
  if (!profile || isSrgbProfile(profile)) return data;
  const matrix = parseMatrixProfile(profile);
  if (!matrix) throw new InputError(`${name} has a colour profile that is not read here: convert it to sRGB, and save it again`);
  const { colorants, curves } = matrix;
  const top = data instanceof Uint16Array ? 65535 : 255;
  const linear = curves.map((curve) => Float32Array.from({ length: top + 1 }, (_, v) => curve(v / top)));
  const encoded = Float32Array.from({ length: TABLE }, (_, i) => top * encodeSrgb(i / (TABLE - 1)));
  // One matrix from the profile's RGB to sRGB: rows of FROM_XYZ times columns of colorants.
  const m = Array.from({ length: 9 }, (_, i) => [0, 1, 2].reduce((sum, k) => sum + FROM_XYZ[3 * Math.floor(i / 3) + k] * colorants[i % 3][k], 0));
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = [linear[0][data[i]], linear[1][data[i + 1]], linear[2][data[i + 2]]];
    for (let c = 0; c < 3; c++) {
      const value = m[3 * c] * r + m[3 * c + 1] * g + m[3 * c + 2] * b;
      data[i + c] = Math.round(encoded[Math.round(Math.min(1, Math.max(0, value)) * (TABLE - 1))]);
    }
  }
  return data;
}

type Curve = (v: number) => number;

function parseMatrixProfile(profile: Uint8Array): { colorants: number[][]; curves: Curve[] } | undefined {
  try {
    const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
    if (view.getUint32(16) !== 0x52474220) return undefined; // "RGB "
    const tags = new Map<string, DataView>();
    const count = Math.min(view.getUint32(128), 100);
    for (let i = 0; i < count; i++) {
      const entry = 132 + 12 * i;
      const tagName = String.fromCharCode(...profile.subarray(entry, entry + 4));
      tags.set(tagName, new DataView(profile.buffer, profile.byteOffset + view.getUint32(entry + 4), view.getUint32(entry + 8)));
    }
    if (tags.has('A2B0')) return undefined;
    const colorants = ['rXYZ', 'gXYZ', 'bXYZ'].map((tag) => [8, 12, 16].map((at) => (tags.get(tag) as DataView).getInt32(at) / 65536));
    const curves = ['rTRC', 'gTRC', 'bTRC'].map((tag) => parseCurve(tags.get(tag) as DataView));
    return { colorants, curves };
  } catch {
    return undefined; // a tag is missing or cut off
  }
}

/** A `curv` or `para` tag. @throws where it is neither. */
function parseCurve(tag: DataView): Curve {
  const type = tag.getUint32(0);
  if (type === 0x63757276) {
    const count = tag.getUint32(8);
    if (count === 0) return (v) => v;
    if (count === 1) return (v) => v ** (tag.getUint16(12) / 256);
    const entry = (i: number) => tag.getUint16(12 + 2 * i) / 65535;
    return (v) => {
      const low = Math.min(Math.floor(v * (count - 1)), count - 2);
      return entry(low) + (entry(low + 1) - entry(low)) * (v * (count - 1) - low);
    };
  }
  if (type !== 0x70617261) throw new RangeError('unknown curve');
  const kind = tag.getUint16(8);
  const [g, a, b, c, d, e, f] = Array.from({ length: [1, 3, 4, 5, 7][kind] }, (_, i) => tag.getInt32(12 + 4 * i) / 65536);
  if (kind === 0) return (v) => v ** g;
  if (kind === 1) return (v) => (v >= -b / a ? (a * v + b) ** g : 0);
  if (kind === 2) return (v) => (v >= -b / a ? (a * v + b) ** g + c : c);
  if (kind === 3) return (v) => (v >= d ? (a * v + b) ** g : c * v);
  return (v) => (v >= d ? (a * v + b) ** g + e : c * v + f);
}
