/**
 * Colour profiles of pictures that the browser does not decode itself: RGB matrix profiles to sRGB, at the picture's
 * own depth.
 *
 * Matrix profiles are what cameras and raw developers embed: Adobe RGB, Display P3, ProPhoto, linear ones. Profiles
 * with lookup tables are refused by name.
 */
import { InputError } from '../../../../src/errors.ts';
import { isSrgbProfile, parseMatrixProfile } from '../../../../src/image/iccProfile.ts';
import { encodeSrgb } from '../../../../src/image/srgb.ts';

/**
 * XYZ under D50 (ICC's connection space) to linear sRGB: the inverse of sRGB's colorants, Bradford-adapted (Lindbloom).
 */
const FROM_XYZ = [3.1338561, -1.6168667, -0.4906146, -0.9787684, 1.9161415, 0.033454, 0.0719453, -0.2289914, 1.4052427];
const TABLE = 65536;

/**
 * Converts samples to sRGB, in place.
 * @param data RGB, `[height, width, 3]`.
 * @throws InputError for profiles that are not RGB matrix profiles.
 */
export function toSrgb<T extends Uint8Array | Uint16Array>(data: T, profile: Uint8Array | undefined, name: string): T {
  if (!profile || isSrgbProfile(profile)) return data;
  const matrix = parseMatrixProfile(profile);
  if (!matrix)
    throw new InputError(`${name} has a colour profile that is not read here: convert it to sRGB, and save it again`);
  const { colorants, curves } = matrix;
  const top = data instanceof Uint16Array ? 65535 : 255;
  const linear = curves.map((curve) => Float32Array.from({ length: top + 1 }, (_, v) => curve(v / top)));
  const encoded = Float32Array.from({ length: TABLE }, (_, i) => top * encodeSrgb(i / (TABLE - 1)));
  // One matrix from the profile's RGB to sRGB: rows of FROM_XYZ times columns of colorants.
  const m = Array.from({ length: 9 }, (_, i) =>
    [0, 1, 2].reduce((sum, k) => sum + FROM_XYZ[3 * Math.floor(i / 3) + k] * colorants[i % 3][k], 0),
  );
  for (let i = 0; i < data.length; i += 3) {
    const r = linear[0][data[i]];
    const g = linear[1][data[i + 1]];
    const b = linear[2][data[i + 2]];
    for (let c = 0; c < 3; c++) {
      const value = m[3 * c] * r + m[3 * c + 1] * g + m[3 * c + 2] * b;
      data[i + c] = Math.round(encoded[Math.round(Math.min(1, Math.max(0, value)) * (TABLE - 1))]);
    }
  }
  return data;
}
