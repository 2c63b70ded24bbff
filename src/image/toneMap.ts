/**
 * Tone mapping: linear radiance to 8-bit sRGB, for previews and .png/.jpg output.
 *
 * A global operator after Reinhard et al., "Photographic Tone Reproduction for Digital Images" (SIGGRAPH 2002), with
 * the automatic parameters of Reinhard, "Parameter Estimation for Photographic Tone Reproduction" (JGT 2002):
 * 1. Exposure: the log-average luminance is mapped to a key. The key is 0.18 for an ordinary scene, more if most of the
 *    picture is brighter than the middle of its range (snow), and a little less if it is darker (night). The decrease
 *    is bounded; otherwise a room with bright windows would become dark. Average and range leave out the darkest and
 *    brightest 1 % (noise and lamps).
 * 2. Highlights: the curve below shows about 5 EV above the key. If the picture reaches further (a window in a dark
 *    room: 8 to 12 EV), a smooth knee compresses luminance above the key in the log domain, so that the view outside
 *    keeps its texture. Below the key nothing changes.
 * 3. Curve, on luminance alone: L' = L (1 + L / W^2) / (1 + L). W, the luminance that becomes white, is the 99.9th
 *    percentile.
 * 4. Colour: channels are scaled by L'/L, so hue stays. If a channel would leave [0,1], the colour moves towards the
 *    grey of its own luminance just far enough. (Clipping would turn orange lamps yellow.)
 * 5. The sRGB transfer function (IEC 61966-2-1), rounded to 8 bits.
 */
import { NUMBER, POSITIVE, arrayOf, expect, oneOf } from '../checks.ts';
import { InputError } from '../errors.ts';
import type { ColorSpace } from './colorSpace.ts';
import { LUMAS, encodeSrgb } from './srgb.ts';

/** The operator's parameters, chosen or given. */
export interface ToneParameters {
  /** Factor from radiance to the curve's input. */
  exposure: number;
  /** Curve input, after the knee, that becomes white. */
  white: number;
  /** The knee: curve inputs above this are compressed. Absent: none. */
  knee?: number;
  /** Slope in the log domain far above the knee, in (0,1]. */
  slope?: number;
}

/** Range above the key that the curve shows without compression. */
const HIGHLIGHT_STOPS = 5;
/** Lowest position of the average within the range: bright windows must not darken a room. */
const DARKEST = -0.15;
/** Most pixels for the statistics: larger pictures are sampled regularly. */
const MAX_SAMPLES = 1 << 18;
const TABLE_SIZE = 1 << 16;

/**
 * Chooses exposure and white for a picture.
 * @param data linear RGB, interleaved `[height, width, 3]`; any scale. Values that are not positive and finite are
 * ignored.
 * @param space whose primaries the data have: luminance is theirs.
 */
export function chooseTone(data: Float32Array, space: ColorSpace = 'srgb'): ToneParameters {
  const [wr, wg, wb] = LUMAS[space];
  const pixels = data.length / 3;
  const step = Math.max(1, Math.ceil(pixels / MAX_SAMPLES));
  const logs: number[] = [];
  for (let p = 0; p < pixels; p += step) {
    const l = wr * data[3 * p] + wg * data[3 * p + 1] + wb * data[3 * p + 2];
    if (l > 0 && Number.isFinite(l)) logs.push(Math.log2(l));
  }
  if (logs.length === 0) return { exposure: 1, white: 1, knee: 1, slope: 1 };
  const sorted = Float64Array.from(logs).sort();
  const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))];
  const low = quantile(0.01);
  const high = quantile(0.99);
  let sum = 0;
  let count = 0;
  for (const l of sorted) {
    if (l < low || l > high) continue;
    sum += l;
    count++;
  }
  const average = sum / count;
  const range = high - low;
  // Position of the average within the range, -1 (all dark) to 1 (all bright); Reinhard's key is 0.18 * 4^that.
  const position = range > 0.1 ? Math.max(DARKEST, (2 * average - low - high) / range) : 0;
  const exposure = (0.18 * 4 ** position) / 2 ** average;
  const knee = exposure * 2 ** average;
  const reach = quantile(0.999) - average;
  const slope = Math.min(1, HIGHLIGHT_STOPS / reach);
  return { exposure, white: Math.max(1, bend(knee * 2 ** reach, knee, slope)), knee, slope };
}

/** The knee: from slope 1 in the log domain at `knee` to `slope` far above, within about one stop. */
function bend(l: number, knee: number, slope: number): number {
  if (l <= knee || slope >= 1) return l;
  const stops = Math.log2(l / knee);
  return knee * 2 ** (slope * stops + (1 - slope) * (1 - Math.exp(-stops)));
}

let table: Uint8Array | undefined;

/**
 * 8-bit sRGB of i / 65535: the curve is never steeper than 12.92, so a step of the table is below 0.06 of a code value.
 */
function srgbTable(): Uint8Array {
  table ??= Uint8Array.from({ length: TABLE_SIZE }, (_, i) => Math.round(255 * encodeSrgb(i / (TABLE_SIZE - 1))));
  return table;
}

/**
 * Tone-maps a picture.
 * @param data linear RGB, interleaved `[height, width, 3]`. Negative and NaN values count as 0, infinite ones as white.
 * @param parameters those of `chooseTone` by default.
 * @param space whose primaries the data have, sRGB's by default.
 * @returns 8-bit codes under sRGB's curve, in the same space, same layout.
 * @throws InputError for data that are no RGB pixels; UsageError.
 */
export function toneMap(
  data: Float32Array,
  parameters?: ToneParameters,
  space: ColorSpace = 'srgb',
): Uint8Array<ArrayBuffer> {
  arrayOf('data', data, [Float32Array]);
  expect('space', space, oneOf(...Object.keys(LUMAS)));
  const [wr, wg, wb] = LUMAS[space];
  const given = parameters ?? chooseTone(data, space);
  const { exposure, white, knee = Infinity, slope = 1 } = given;
  expect('exposure', exposure, POSITIVE);
  expect('white', white, POSITIVE);
  for (const [name, value] of Object.entries({ knee, slope })) expect(name, value, NUMBER);
  if (data.length % 3 !== 0) throw new InputError(`tone mapping: ${data.length} values are not RGB pixels`);
  const out = new Uint8Array(data.length);
  const encode = srgbTable();
  const inverseWhite2 = 1 / (white * white);
  for (let i = 0; i < data.length; i += 3) {
    let r = clean(data[i] * exposure);
    let g = clean(data[i + 1] * exposure);
    let b = clean(data[i + 2] * exposure);
    const l = wr * r + wg * g + wb * b;
    if (l === 0) continue;
    const bent = bend(l, knee, slope);
    const mapped = Math.min(1, (bent * (1 + bent * inverseWhite2)) / (1 + bent));
    const factor = mapped / l;
    r *= factor;
    g *= factor;
    b *= factor;
    const largest = Math.max(r, g, b);
    if (largest > 1) {
      const keep = (1 - mapped) / (largest - mapped);
      r = mapped + (r - mapped) * keep;
      g = mapped + (g - mapped) * keep;
      b = mapped + (b - mapped) * keep;
    }
    out[i] = encode[index(r)];
    out[i + 1] = encode[index(g)];
    out[i + 2] = encode[index(b)];
  }
  return out;
}

function clean(x: number): number {
  if (!(x > 0)) return 0;
  return Math.min(x, 1e30);
}

function index(x: number): number {
  return Math.min(TABLE_SIZE - 1, Math.max(0, Math.round(x * (TABLE_SIZE - 1))));
}
