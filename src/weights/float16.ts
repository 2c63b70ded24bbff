/**
 * IEEE 754 half precision to and from numbers, exactly: every half is a number, and a number becomes its nearest half
 * (ties to even). Written out because typed arrays have no Float16Array on the oldest runtimes we support.
 *
 * A half is 1 sign bit, 5 exponent bits (bias 15) and 10 fraction bits: magnitudes up to 65504, normal down to
 * 2^-14, subnormal in steps of 2^-24.
 */

/** Largest finite half. */
export const MAX_HALF = 65504;

const word = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

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

/** Many halves at once: by a table of all there are, which is much faster than computing each. */
export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfToFloat(bits));
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = table[halves[i]];
  return out;
}

/**
 * The 16 bits of the half nearest to a number, ties to even; beyond 65520 it is an infinity, NaN becomes 0x7e00.
 * Rounds once, from the double itself: going through f32 first would round twice.
 */
export function floatToHalf(value: number): number {
  word.setFloat64(0, value);
  const sign = (word.getUint32(0) >>> 16) & 0x8000;
  if (Number.isNaN(value)) return 0x7e00;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00; // half way from 65504 to 2^16: ties to even goes up
  // The double's exponent, held at the subnormals' (any smaller one shares their step).
  const exponent = Math.max(((word.getUint32(0) >>> 20) & 0x7ff) - 1023, -14);
  const steps = roundHalfEven(magnitude * 2 ** (10 - exponent)); // exact: a power of two
  // Adding, not or-ing: 2048 steps carry into the exponent, 1024 steps at -14 make the first normal.
  return sign | (steps + ((exponent + 14) << 10));
}

/** Nearest integer to a value in [0, 2^52), ties to even. */
function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest < 0.5 || (rest === 0.5 && low % 2 === 0)) return low;
  return low + 1;
}
