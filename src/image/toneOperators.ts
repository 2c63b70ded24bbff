/**
 * The tone-mapping operators that are applied before HDR merges are compared: Reinhard, Krawczyk and Durand.
 *
 * They are only for measuring (previews use toneMap.ts). All numbers that an operator takes from a picture (its key,
 * white, contrast) come from the **truth**, and the same operator is then applied to every candidate. If they came from
 * the candidate, one white pixel would change the brightness of the whole picture and hide what is being measured. Each
 * works on luminance (Rec. 709), scales the channels by it, clips to [0,1] and encodes with gamma 2.2, so PSNR and SSIM
 * see display values.
 *
 * - `reinhard`: Reinhard et al., "Photographic Tone Reproduction for Digital Images" (SIGGRAPH 2002), the global
 *   operator: key 0.18, white = the largest luminance.
 * - `krawczyk`: Krawczyk, Myszkowski and Seidel, "Perceptual Effects in Real-time Tone Mapping" (SCCG 2005): the same
 *   curve without a white, with a key from the scene's absolute brightness Y (cd/m^2): 1.03 - 2 / (2 + log10(Y + 1)).
 *   Acuity, glare and night vision are left out.
 * - `durand`: Durand and Dorsey, "Fast Bilateral Filtering for the Display of High-Dynamic-Range Images" (SIGGRAPH
 *   2002): log luminance is split by a bilateral filter (2 % of the larger side, 0.4 in log10) into base and detail,
 *   and the base compressed to a contrast of 5.
 */
import { bilateral } from './bilateral.ts';
import { LUMA } from './srgb.ts';

/** One operator: linear RGB in [0,1] to display RGB in [0,1]. */
export type ToneOperator = (picture: Float32Array) => Float32Array<ArrayBuffer>;

export interface ToneOperators {
  reinhard: ToneOperator;
  krawczyk: ToneOperator;
  durand: ToneOperator;
}

const DISPLAY_GAMMA = 2.2;
const KEY = 0.18;
/** Lower bound of luminance in averages and logarithms, relative to the picture's 1. */
const DARKEST = 1e-6;
/** Durand: contrast of the base layer, and the filter's extent. */
const CONTRAST = 5;
const SIGMA_SPACE = 0.02;
const SIGMA_RANGE = 0.4;
/** Durand: share of the base at either end that does not set the contrast, so that a single black pixel cannot. */
const OUTLIERS = 0.01;

function luminances(picture: Float32Array): Float32Array {
  const out = new Float32Array(picture.length / 3);
  for (let p = 0; p < out.length; p++)
    out[p] = LUMA[0] * picture[3 * p] + LUMA[1] * picture[3 * p + 1] + LUMA[2] * picture[3 * p + 2];
  return out;
}

/** Scales each pixel so that its luminance becomes `target(p, l)`, clips and encodes for a display. */
function display(
  picture: Float32Array,
  luminance: Float32Array,
  target: (pixel: number, luminance: number) => number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(picture.length);
  for (let p = 0; p < luminance.length; p++) {
    const l = luminance[p];
    if (!(l > 0)) continue;
    const factor = target(p, l) / l;
    for (let i = 3 * p; i < 3 * p + 3; i++)
      out[i] = Math.min(1, Math.max(0, picture[i] * factor)) ** (1 / DISPLAY_GAMMA);
  }
  return out;
}

function logLuminance(luminance: Float32Array): Float32Array {
  return luminance.map((l) => Math.log10(Math.max(DARKEST, l)));
}

/**
 * The operators for one scene.
 * @param truth the picture that all are compared with, linear RGB in [0,1].
 * @param peak cd/m^2 that 1 is shown as; only Krawczyk's key depends on it.
 */
export function toneOperators(truth: Float32Array, width: number, height: number, peak: number): ToneOperators {
  const luminance = luminances(truth);
  let white = DARKEST;
  let logs = 0;
  for (const l of luminance) {
    white = Math.max(white, l);
    logs += Math.log(Math.max(DARKEST, l));
  }
  const average = Math.exp(logs / luminance.length);
  const whiteScaled = (KEY / average) * white;
  const key = 1.03 - 2 / (2 + Math.log10(average * peak + 1));

  const sigma = SIGMA_SPACE * Math.max(width, height);
  const base = (log: Float32Array): Float32Array => bilateral(log, width, height, sigma, SIGMA_RANGE);
  const sorted = base(logLuminance(luminance)).sort();
  const low = sorted[Math.round(OUTLIERS * (sorted.length - 1))];
  const high = sorted[Math.round((1 - OUTLIERS) * (sorted.length - 1))];
  const compression = Math.min(1, Math.log10(CONTRAST) / Math.max(1e-6, high - low));

  return {
    reinhard: (picture) =>
      display(picture, luminances(picture), (_, l) => {
        const scaled = (KEY / average) * l;
        return (scaled * (1 + scaled / whiteScaled ** 2)) / (1 + scaled);
      }),
    krawczyk: (picture) =>
      display(picture, luminances(picture), (_, l) => {
        const scaled = (key / average) * l;
        return scaled / (1 + scaled);
      }),
    durand: (picture) => {
      const l = luminances(picture);
      const log = logLuminance(l);
      const smooth = base(log);
      return display(picture, l, (p) => 10 ** (compression * (smooth[p] - high) + log[p] - smooth[p]));
    },
  };
}
