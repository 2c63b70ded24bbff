/**
 * How close a picture is to the ground truth: PSNR and SSIM, both after the encodings that HDR papers use, and how well
 * motion was found.
 *
 * Pictures are linear RGB, interleaved `[height, width, 3]`, where 1 is the largest radiance that counts (the
 * saturation of the shortest frame), already clipped to [0,1]. Sums are in f64. Sources:
 * - mu-law: Kalantari and Ramamoorthi, "Deep High Dynamic Range Imaging of Dynamic Scenes" (SIGGRAPH 2017), mu = 5000.
 * - SSIM: Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
 *   Similarity" (TIP 2004).
 * - PU21: Mantiuk and Azimi, "PU21: A novel perceptually uniform encoding for adapting existing quality metrics for
 *   HDR" (PCS 2021); the parameters are those of its recommended variant, banding_glare
 *   (https://github.com/gfxdisp/pu21).
 */
import { InputError } from '../errors.ts';
import { expectAlike } from './picture.ts';

const MU = 5000;

/** T(y) = log(1 + 5000 y) / log(5001): the domain of the network's training loss. */
export function muLaw(picture: Float32Array): Float32Array<ArrayBuffer> {
  const scale = 1 / Math.log1p(MU);
  return picture.map((y) => Math.log1p(MU * y) * scale);
}

/** PU21 (banding_glare): V = p6 (((p0 + p1 Y^p3) / (1 + p2 Y^p3))^p4 - p5). */
const PU21 = [
  0.353487901, 0.3734658629, 8.277049286e-5, 0.9062562627, 0.09150303166, 0.9099517204, 596.3148142,
] as const;
/** Luminances that PU21 is defined for, cd/m^2. */
const PU21_RANGE = [0.005, 10_000] as const;
/** PU21's value at 100 cd/m^2, the white of an ordinary display: the peak of PU21-PSNR, as its authors define it. */
export const PU21_PEAK = 256;

/**
 * Luminance in cd/m^2 to perceptually uniform units: 0 at 0.005, about 256 at 100, 595.4 at 10 000; clamped to that
 * range.
 */
export function pu21(luminance: number): number {
  const power = Math.min(PU21_RANGE[1], Math.max(PU21_RANGE[0], luminance)) ** PU21[3];
  return PU21[6] * (((PU21[0] + PU21[1] * power) / (1 + PU21[2] * power)) ** PU21[4] - PU21[5]);
}

/** Every channel through PU21, as on a display that shows 1 as `peak` cd/m^2. */
export function pu21Encode(picture: Float32Array, peak: number): Float32Array<ArrayBuffer> {
  return picture.map((y) => pu21(y * peak));
}

/**
 * Peak signal-to-noise ratio in dB over all channels: 10 log10(peak^2 / mean squared error). Infinite for equal
 * pictures.
 * @param where counts only pixels (not samples) whose value here is not 0. Without any such pixel, the result is NaN.
 */
export function psnr(
  a: Float32Array,
  b: Float32Array,
  { peak = 1, where }: { peak?: number; where?: Uint8Array } = {},
): number {
  expectAlike('PSNR', a, b);
  if (where && 3 * where.length !== a.length)
    throw new InputError(
      `PSNR: a mask of ${where.length} pixels for pictures of ${a.length / 3}: they must have one size`,
    );
  let sum = 0;
  let count = 0;
  for (let p = 0; p < a.length; p += 3) {
    if (where && where[p / 3] === 0) continue;
    for (let i = p; i < p + 3; i++) sum += (a[i] - b[i]) ** 2;
    count += 3;
  }
  return count === 0 ? NaN : 10 * Math.log10((peak * peak * count) / sum);
}

/** SSIM's window: 11 x 11, gaussian, sigma 1.5. */
const WINDOW = 11;
const HALF = (WINDOW - 1) / 2;
const SIGMA = 1.5;
const GAUSSIAN = Float64Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - HALF) ** 2) / (2 * SIGMA * SIGMA)));
const TAPS = GAUSSIAN.map((tap) => tap / GAUSSIAN.reduce((sum, t) => sum + t, 0));
/** Moments that SSIM needs: x, y, x^2, y^2, xy. */
const MOMENTS = 5;

/**
 * Structural similarity of the whole picture, and of the windows whose centre is inside and outside a region (NaN if
 * there are none).
 */
export interface Similarity {
  all: number;
  inside: number;
  outside: number;
}

/**
 * Structural similarity, the mean over windows that lie wholly within the picture and over the channels. K1 = 0.01, K2
 * = 0.03.
 * @param peak the range of values, L in the paper.
 * @param region pixels whose value is not 0 are inside; by default no pixel is.
 * @throws InputError for a picture smaller than the window.
 */
export function ssim(
  a: Float32Array,
  b: Float32Array,
  width: number,
  height: number,
  { peak = 1, region }: { peak?: number; region?: Uint8Array } = {},
): Similarity {
  expectAlike('SSIM', a, b);
  if (width < WINDOW || height < WINDOW)
    throw new InputError(`SSIM: a picture of ${width}x${height} is smaller than the window of ${WINDOW}x${WINDOW}`);
  if (region && region.length !== width * height)
    throw new InputError(
      `SSIM: a region of ${region.length} pixels for a picture of ${width}x${height}: they must have one size`,
    );
  const sums = { inside: 0, outside: 0 };
  for (let c = 0; c < 3; c++)
    addChannelSsim(sums, a, b, width, height, c, (0.01 * peak) ** 2, (0.03 * peak) ** 2, region);
  const windows = (width - WINDOW + 1) * (height - WINDOW + 1);
  let inner = 0;
  if (region)
    for (let y = HALF; y < height - HALF; y++)
      for (let x = HALF; x < width - HALF; x++) if (region[y * width + x] !== 0) inner++;
  const mean = (sum: number, count: number): number => (count === 0 ? NaN : sum / (3 * count));
  return {
    all: mean(sums.inside + sums.outside, windows),
    inside: mean(sums.inside, inner),
    outside: mean(sums.outside, windows - inner),
  };
}

/**
 * Adds one channel's SSIM to the sums. Lines are filtered one by one and kept in a ring of eleven, so memory use is a
 * few lines.
 */
function addChannelSsim(
  sums: { inside: number; outside: number },
  a: Float32Array,
  b: Float32Array,
  width: number,
  height: number,
  channel: number,
  c1: number,
  c2: number,
  region?: Uint8Array,
): void {
  const inner = width - WINDOW + 1;
  const line = Array.from({ length: MOMENTS }, () => new Float64Array(width));
  const ring = Array.from({ length: WINDOW }, () => Array.from({ length: MOMENTS }, () => new Float64Array(inner)));
  const total = Array.from({ length: MOMENTS }, () => new Float64Array(inner));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = 3 * (y * width + x) + channel;
      line[0][x] = a[i];
      line[1][x] = b[i];
      line[2][x] = a[i] * a[i];
      line[3][x] = b[i] * b[i];
      line[4][x] = a[i] * b[i];
    }
    const rows = ring[y % WINDOW];
    for (let m = 0; m < MOMENTS; m++) filterLine(line[m], rows[m]);
    if (y < WINDOW - 1) continue;
    for (let m = 0; m < MOMENTS; m++) {
      total[m].fill(0);
      for (let t = 0; t < WINDOW; t++) addScaled(total[m], ring[(y + 1 + t) % WINDOW][m], TAPS[t]);
    }
    const [ma, mb, aa, bb, ab] = total;
    for (let x = 0; x < inner; x++) {
      const mean = ma[x] * mb[x];
      const means = ma[x] * ma[x] + mb[x] * mb[x];
      const index = ((2 * mean + c1) * (2 * (ab[x] - mean) + c2)) / ((means + c1) * (aa[x] + bb[x] - means + c2));
      if (region && region[(y - HALF) * width + x + HALF] !== 0) sums.inside += index;
      else sums.outside += index;
    }
  }
}

function filterLine(line: Float64Array, out: Float64Array): void {
  for (let x = 0; x < out.length; x++) {
    let sum = 0;
    for (let t = 0; t < WINDOW; t++) sum += TAPS[t] * line[x + t];
    out[x] = sum;
  }
}

function addScaled(to: Float64Array, from: Float64Array, factor: number): void {
  for (let x = 0; x < to.length; x++) to[x] += factor * from[x];
}

/** Pixels in both maps, and in either; the quotient is the intersection over union. */
export interface Overlap {
  both: number;
  either: number;
}

/**
 * How well two motion maps agree; a pixel counts as moving above 1/2.
 * @param except pixels whose value here is not 0 are left out.
 */
export function overlap(a: ArrayLike<number>, b: ArrayLike<number>, except?: Uint8Array): Overlap {
  expectAlike('motion maps', a, b);
  const sum = { both: 0, either: 0 };
  for (let i = 0; i < a.length; i++) {
    if (except && except[i] !== 0) continue;
    const [inA, inB] = [a[i] > 0.5, b[i] > 0.5];
    if (inA && inB) sum.both++;
    if (inA || inB) sum.either++;
  }
  return sum;
}

/** Intersection over union; NaN where nothing moves in either. */
export function iou({ both, either }: Overlap): number {
  return either === 0 ? NaN : both / either;
}
