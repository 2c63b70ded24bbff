/**
 * The tone mappings that the page offers, twice: as WGSL for the canvas and as TypeScript for PNGs, so that a saved
 * picture is the one seen.
 *
 * - photographic: the command line's own operator (src/image/toneMap.ts), which explains its steps.
 * - reinhard: the simple global curve L / (1 + L) on luminance, from the same exposure.
 * - filmic: the ACES curve as fitted by Narkowicz ("ACES Filmic Tone Mapping Curve", 2016), a channel at a time: bright
 *   colours turn white.
 * - linear: the reference frame's exposure, clipped at its white.
 * - extended: the same, not clipped: for displays that show more than white.
 */
import { encodeSrgb } from '../../src/image/srgb.ts';
import { chooseTone, toneMap } from '../../src/image/toneMap.ts';
import type { ToneParameters } from '../../src/image/toneMap.ts';
import type { ToneMapping } from './messages.ts';

/** Their numbers in WGSL. */
export const TONE_INDEX: Record<ToneMapping, number> = {
  photographic: 0,
  reinhard: 1,
  filmic: 2,
  linear: 3,
  extended: 4,
};

/** Middle grey, 0.18, comes out of the filmic curve about as bright as out of the others. */
const FILMIC_EXPOSURE = 0.6;

/**
 * Exposures and curve for one picture. Radiance here is relative to the reference frame's white (radiance times scale).
 */
export interface Tones {
  parameters: ToneParameters;
  scale: number;
}

/** Computes what depends on the picture. */
export function chooseTones(radiance: Float32Array, scale: number): Tones {
  return { parameters: chooseTone(radiance), scale };
}

/** Factor from light relative to the reference frame's white to the curve's input. */
export function exposureFactor({ parameters, scale }: Tones, mapping: ToneMapping, stops: number): number {
  if (mapping === 'linear' || mapping === 'extended') return 2 ** stops;
  return (parameters.exposure / scale) * 2 ** stops * (mapping === 'filmic' ? FILMIC_EXPOSURE : 1);
}

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

function filmic(x: number): number {
  return Math.min(1, (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14));
}

/**
 * Tone-maps rows for saving.
 * @param radiance Y as merged, RGB interleaved.
 * @returns 8-bit sRGB, same layout. `extended` is clipped: 8 bits end at white.
 */
export function toneMapRows(
  radiance: Float32Array,
  tones: Tones,
  mapping: ToneMapping,
  stops: number,
): Uint8Array<ArrayBuffer> {
  const factor = exposureFactor(tones, mapping, stops) * tones.scale;
  // 1 / (1 + L) is the photographic curve without a white and without a knee.
  if (mapping === 'reinhard') return toneMap(radiance, { exposure: factor, white: Infinity });
  if (mapping === 'photographic') return toneMap(radiance, { ...tones.parameters, exposure: factor });
  return Uint8Array.from(radiance, (y) => {
    const x = Math.max(0, y * factor);
    return Math.round(255 * encodeSrgb(mapping === 'filmic' ? filmic(x) : Math.min(1, x)));
  });
}
