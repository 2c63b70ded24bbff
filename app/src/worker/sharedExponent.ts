/**
 * Radiance packed for display: `rgb9e5ufloat`, three 9-bit mantissas under one 5-bit exponent (WebGPU takes it from
 * OpenGL's EXT_texture_shared_exponent). A third of float32, and filterable. Its steps, 1/512 of the largest channel,
 * are finer than a display's 8 bits.
 */

const MANTISSA_BITS = 9;
const BIAS = 15;
const LARGEST = (511 / 512) * 2 ** 16;

const value = new Float32Array(1);
const bits = new Uint32Array(value.buffer);
/** Factor from light to mantissa for stored exponent e. */
const TO_MANTISSA = Float64Array.from({ length: 32 }, (_, e) => 2 ** (BIAS + MANTISSA_BITS - e));

/** Packs pixels `from` to `to` of interleaved RGB, times `scale`. Values that are not positive become 0. */
export function packSharedExponent(
  rgb: Float32Array,
  from: number,
  to: number,
  scale: number,
): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(to - from);
  for (let p = from; p < to; p++) {
    const r = clamp(rgb[3 * p] * scale);
    const g = clamp(rgb[3 * p + 1] * scale);
    const b = clamp(rgb[3 * p + 2] * scale);
    const largest = Math.max(r, g, b);
    if (largest === 0) continue;
    value[0] = largest;
    let e = Math.max(0, (bits[0] >>> 23) - 127 + 1 + BIAS);
    if (Math.round(largest * TO_MANTISSA[e]) > 511) e++;
    const f = TO_MANTISSA[e];
    out[p - from] = (e << 27) | (Math.round(b * f) << 18) | (Math.round(g * f) << 9) | Math.round(r * f);
  }
  return out;
}

function clamp(x: number): number {
  return x > 0 ? Math.min(x, LARGEST) : 0;
}

/** The picture at half its size (rounded down, at least 1): means of 2 x 2 pixels. */
export function halve(
  rgb: Float32Array,
  width: number,
  height: number,
): { rgb: Float32Array; width: number; height: number } {
  const w = Math.max(1, width >> 1);
  const h = Math.max(1, height >> 1);
  const out = new Float32Array(w * h * 3);
  for (let y = 0, to = 0; y < h; y++) {
    const top = Math.min(2 * y, height - 1) * width;
    const bottom = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0; x < w; x++, to += 3) {
      const left = Math.min(2 * x, width - 1);
      const right = Math.min(2 * x + 1, width - 1);
      for (let c = 0; c < 3; c++) {
        out[to + c] =
          (rgb[3 * (top + left) + c] +
            rgb[3 * (top + right) + c] +
            rgb[3 * (bottom + left) + c] +
            rgb[3 * (bottom + right) + c]) /
          4;
      }
    }
  }
  return { rgb: out, width: w, height: h };
}
