/**
 * IEEE 754 half precision to and from numbers, exactly: every half is a number, and a number becomes its nearest half
 * (ties to even). Written out because typed arrays have no Float16Array on the oldest runtimes we support.
 *
 * A half is 1 sign bit, 5 exponent bits (bias 15) and 10 fraction bits: magnitudes up to 65504, normal down to
 * 2^-14, subnormal in steps of 2^-24.
 */

/** Largest finite half. */
export const MAX_HALF = 65504;
/** From here on the nearest half is infinite: half way from 65504 to 2^16, where ties to even round up. */
const OVERFLOW = 65520;

const single = /* @__PURE__ */ new Float32Array(1);
const singleBits = /* @__PURE__ */ new Uint32Array(single.buffer);

/** The number that a half's 16 bits stand for; infinities and NaN included. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

let table: Float32Array | undefined;

/** Many halves at once, by a table of all 65536: much faster than computing each. */
export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfToFloat(bits));
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = table[halves[i]];
  return out;
}

/**
 * The 16 bits of the half nearest to a number, ties to even; beyond 65520 it is an infinity, NaN becomes 0x7e00.
 * Rounds once, from the double itself: going through f32 first would round twice. Pictures of many megapixels
 * go through here, so the power of two is made from its bits: `2 ** n` takes four times as long.
 */
export function floatToHalf(value: number): number {
  single[0] = value;
  const sign = (singleBits[0] >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= OVERFLOW) return sign | 0x7c00;
  // The biased exponent of the f32, at least the subnormals' (113 - 127 = -14), whose step all smaller numbers share.
  // If the f32 rounded up to a power of two, the half does so too.
  const exponent = Math.max((singleBits[0] >>> 23) & 0xff, 113);
  singleBits[0] = (264 - exponent) << 23; // 2^(10 - (exponent - 127)), which makes the half's step 1
  // Doubles from 2^52 on are integers, so adding it rounds, ties to even.
  const steps = magnitude * single[0] + 2 ** 52 - 2 ** 52;
  // Adding, not or-ing: 2048 steps carry into the exponent, 1024 steps at 113 make the first normal.
  return sign | (steps + ((exponent - 113) << 10));
}
