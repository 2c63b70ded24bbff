/**
 * The two pictures of an Ultra HDR file, a JPEG with a gain map: an ordinary picture for ordinary displays, the base,
 * and the whole range for others.
 *
 * The gain map holds the logarithm of (light + 1/64) / (base + 1/64), a channel each, of the base as it was rounded, so
 * that decoders get the light back (Adobe's Gain Map 1.0 specification; ISO 21496-1). The base is a finished picture;
 * or, for light alone, the light under the curve x / (1 + x).
 */
import { decodeSrgb, encodeSrgb } from './srgb.ts';

/** Added to both lights before their ratio is taken, so that black has one too. libultrahdr uses the same value. */
const OFFSET = 1 / 64;
const STEPS = 65535;

/** Code of a base in [0,1], in steps of 1/65535. The gain map compensates for what is lost. */
const TO_CODE = Uint8Array.from({ length: STEPS + 1 }, (_, i) => Math.round(255 * encodeSrgb(i / STEPS)));
/** And back. */
const FROM_CODE = Float64Array.from({ length: 256 }, (_, code) => decodeSrgb(code / 255));

const baseOf = (light: number): number => TO_CODE[Math.round((light / (1 + light)) * STEPS)];

/** What decoders must know, as hdrify's `encodeJPEGMetadata` takes it. */
export interface GainMapMetadata {
  gamma: [number, number, number];
  offsetSdr: [number, number, number];
  offsetHdr: [number, number, number];
  gainMapMin: [number, number, number];
  gainMapMax: [number, number, number];
  hdrCapacityMin: number;
  hdrCapacityMax: number;
}

/** How light becomes a gain map for a given base. */
export interface GainMap {
  /** Code of the gain map, 0 to 255, not rounded. @param code of the base, 0 to 255. */
  gain: (light: number, code: number) => number;
  metadata: GainMapMetadata;
}

/** EV from a base's code to light. */
export function gainOf(light: number, code: number): number {
  return Math.log2((Math.max(0, light) + OFFSET) / (FROM_CODE[code] + OFFSET));
}

/** The gain map for gains from `least` to `most`, in EV. */
export function gainMap(least: number, most: number): GainMap {
  const top = Math.max(most, least + 1e-4);
  return {
    gain: (light, code) => (255 / (top - least)) * (gainOf(light, code) - least),
    metadata: {
      gamma: [1, 1, 1],
      offsetSdr: [OFFSET, OFFSET, OFFSET],
      offsetHdr: [OFFSET, OFFSET, OFFSET],
      gainMapMin: [least, least, least],
      gainMapMax: [top, top, top],
      hdrCapacityMin: 0,
      hdrCapacityMax: Math.max(1e-4, top),
    },
  };
}

/** How samples become codes of both pictures, and what a decoder must know. */
export interface GainMapCoding {
  /** Code of the base, 0 to 255. */
  base: (sample: number) => number;
  /** Code of the gain map, 0 to 255, not rounded. */
  gain: (sample: number) => number;
  metadata: GainMapMetadata;
}

/**
 * The coding of a picture whose base is its light under x / (1 + x).
 * @param largest its largest sample.
 * @param factor from samples to the light that the base's curve takes: decoders show 1 as white.
 */
export function gainMapCoding(largest: number, factor: number): GainMapCoding {
  // The ratio grows with the light. Rounded, a base may be a little lower; that is cut off.
  const light = largest * factor;
  const { gain, metadata } = gainMap(0, Math.log2((light + OFFSET) / (light / (1 + light) + OFFSET)));
  return {
    base: (sample) => baseOf(Math.max(0, sample * factor)),
    gain: (sample) => {
      const x = Math.max(0, sample * factor);
      return gain(x, baseOf(x));
    },
    metadata,
  };
}
