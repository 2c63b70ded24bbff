/**
 * Whether an ICC profile says sRGB.
 *
 * Most cameras and editors embed some variant of the sRGB profile. Converting such pictures to sRGB would change nothing
 * but the last bits, so they are recognised and left exactly as they are; only other profiles are converted. Names are no
 * help (a linear profile is called "sRGB linear", a compact sRGB one "c2"), so the colorants and the curves are compared.
 * Format: ICC.1:2022, https://www.color.org/icc_specs2.xalter.
 */

/** D50-adapted colorants of sRGB (XYZ). */
const SRGB_COLORANTS: Record<string, readonly number[]> = {
  rXYZ: [0.4361, 0.2225, 0.0139],
  gXYZ: [0.3851, 0.7169, 0.0971],
  bXYZ: [0.1431, 0.0606, 0.7142],
};
const COLORANT_TOLERANCE = 0.002;
const CURVE_TOLERANCE = 0.002;

function decodeSrgb(v: number): number {
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

/** Evaluates a `curv` or `para` tag at v in [0,1]; undefined when it is not understood. */
function curve(tag: DataView, v: number): number | undefined {
  const type = tag.getUint32(0);
  if (type === 0x63757276) {
    const count = tag.getUint32(8);
    if (count === 0) return v;
    if (count === 1) return v ** (tag.getUint16(12) / 256);
    const at = v * (count - 1);
    const low = Math.min(Math.floor(at), count - 2);
    const entry = (i: number) => tag.getUint16(12 + 2 * i) / 65535;
    return entry(low) + (entry(low + 1) - entry(low)) * (at - low);
  }
  if (type === 0x70617261) {
    const kind = tag.getUint16(8);
    const parameter = (i: number) => tag.getInt32(12 + 4 * i) / 65536;
    const gamma = parameter(0);
    if (kind === 0) return v ** gamma;
    if (kind === 3) return v >= parameter(4) ? (parameter(1) * v + parameter(2)) ** gamma : parameter(3) * v;
  }
  return undefined;
}

/** Whether the profile is a matrix profile with the colorants and curves of sRGB. False for anything not understood. */
export function isSrgbProfile(profile: Uint8Array): boolean {
  try {
    const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
    if (view.getUint32(16) !== 0x52474220) return false; // data colour space "RGB "
    const tags = new Map<string, DataView>();
    const count = Math.min(view.getUint32(128), 100);
    for (let i = 0; i < count; i++) {
      const entry = 132 + 12 * i;
      const name = String.fromCharCode(...profile.subarray(entry, entry + 4));
      const at = view.getUint32(entry + 4);
      const size = view.getUint32(entry + 8);
      tags.set(name, new DataView(profile.buffer, profile.byteOffset + at, Math.min(size, profile.length - at)));
    }
    if (tags.has('A2B0')) return false; // a table, which may do anything
    for (const [name, expected] of Object.entries(SRGB_COLORANTS)) {
      const tag = tags.get(name);
      if (!tag || expected.some((value, i) => !(Math.abs(tag.getInt32(8 + 4 * i) / 65536 - value) < COLORANT_TOLERANCE))) return false;
    }
    for (const name of ['rTRC', 'gTRC', 'bTRC']) {
      const tag = tags.get(name);
      if (!tag) return false;
      for (let i = 0; i <= 32; i++) {
        const value = curve(tag, i / 32);
        if (value === undefined || !(Math.abs(value - decodeSrgb(i / 32)) < CURVE_TOLERANCE)) return false;
      }
    }
    return true;
  } catch {
    return false; // cut off or nonsense: the converter decides
  }
}
