/**
 * The tone mappings that the page offers, as WGSL for the canvas. src/image/toneMappings.ts has them as TypeScript for
 * files, so that a saved picture is the one seen, and explains them. One more, `extended`, is linear but not clipped,
 * for displays that show more than white.
 */
import type { ToneMapping } from './messages.ts';

/** Their numbers in WGSL. */
export const TONE_INDEX: Record<ToneMapping, number> = {
  photographic: 0,
  reinhard: 1,
  filmic: 2,
  linear: 3,
  extended: 4,
};

/** To be compiled with a `view` that has `exposure`, `white`, `knee`, `slope` (f32) and `mapping` (u32). */
export const TONE_WGSL = /* wgsl */ `
const LUMA = vec3f(0.2126, 0.7152, 0.0722);

fn bend(l: f32, knee: f32, slope: f32) -> f32 {
  if (l <= knee || slope >= 1.0) { return l; }
  let stops = log2(l / knee);
  return knee * exp2(slope * stops + (1.0 - slope) * (1.0 - exp(-stops)));
}

/** Scales a colour to the mapped luminance; what would leave [0,1] moves towards grey. */
fn with_luminance(color: vec3f, l: f32, mapped: f32) -> vec3f {
  let scaled = color * (mapped / max(l, 1e-20));
  let largest = max(scaled.r, max(scaled.g, scaled.b));
  if (largest <= 1.0) { return scaled; }
  return mapped + (scaled - mapped) * ((1.0 - mapped) / (largest - mapped));
}

fn tone_map(light: vec3f) -> vec3f {
  let color = light * view.exposure;
  let l = dot(LUMA, color);
  switch view.mapping {
    case 0u: {
      let bent = bend(l, view.knee, view.slope);
      let white = view.white;
      return with_luminance(color, l, min(1.0, (bent * (1.0 + bent / (white * white))) / (1.0 + bent)));
    }
    case 1u: { return with_luminance(color, l, l / (1.0 + l)); }
    case 2u: {
      let bent = (color * (2.51 * color + 0.03)) / (color * (2.43 * color + 0.59) + 0.14);
      return clamp(bent, vec3f(0.0), vec3f(1.0));
    }
    case 3u: { return clamp(color, vec3f(0.0), vec3f(1.0)); }
    default: { return color; }
  }
}

/** The sRGB transfer function, continued above 1. */
fn encode_srgb(c: vec3f) -> vec3f {
  return select(1.055 * pow(max(c, vec3f(1e-10)), vec3f(1.0 / 2.4)) - 0.055, 12.92 * c, c <= vec3f(0.0031308));
}
`;
