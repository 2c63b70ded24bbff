/**
 * Tone operators by name.
 *
 * - photographic: toneMap.ts, which explains its steps.
 * - reinhard: the simple global curve L / (1 + L) on luminance, from the same exposure.
 * - filmic: the ACES curve as fitted by Narkowicz ("ACES Filmic Tone Mapping Curve", 2016), a channel at a time: bright
 *   colours turn white.
 * - linear: the reference frame's exposure, clipped at its white.
 */
import type { ColorSpace } from './colorSpace.ts';
import { encodeSrgb } from './srgb.ts';
import { chooseTone, toneMap } from './toneMap.ts';
import type { ToneParameters } from './toneMap.ts';

/** Names of the operators, the default first. */
export const TONE_NAMES = ['photographic', 'reinhard', 'filmic', 'linear'] as const;
/** An operator's name. */
export type ToneName = (typeof TONE_NAMES)[number];

/** Middle grey, 0.18, comes out of the filmic curve about as bright as out of the others. */
const FILMIC_EXPOSURE = 0.6;

/**
 * Exposures and curve for one picture. Radiance here is relative to the reference frame's white (radiance times scale).
 */
export interface Tones {
  parameters: ToneParameters;
  scale: number;
  /** Of the radiance. */
  space: ColorSpace;
}

/** Computes what depends on the picture. */
export function chooseTones(radiance: Float32Array, scale: number, space: ColorSpace): Tones {
  return { parameters: chooseTone(radiance, space), scale, space };
}

/** Factor from light relative to the reference frame's white to the curve's input. */
function exposureFactor({ parameters, scale }: Tones, mapping: ToneName): number {
  if (mapping === 'linear') return 1;
  return (parameters.exposure / scale) * (mapping === 'filmic' ? FILMIC_EXPOSURE : 1);
}

function filmic(x: number): number {
  return Math.min(1, (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14));
}

/**
 * Tone-maps rows for saving.
 * @param radiance Y as merged, RGB interleaved.
 * @returns 8-bit codes under sRGB's curve, same layout.
 */
export function toneMapRows(radiance: Float32Array, tones: Tones, mapping: ToneName): Uint8Array<ArrayBuffer> {
  const factor = exposureFactor(tones, mapping) * tones.scale;
  // 1 / (1 + L) is the photographic curve without a white and without a knee.
  if (mapping === 'reinhard') return toneMap(radiance, { exposure: factor, white: Infinity }, tones.space);
  if (mapping === 'photographic') return toneMap(radiance, { ...tones.parameters, exposure: factor }, tones.space);
  return Uint8Array.from(radiance, (y) => {
    const x = Math.max(0, y * factor);
    return Math.round(255 * encodeSrgb(mapping === 'filmic' ? filmic(x) : Math.min(1, x)));
  });
}
