/**
 * Finishing in f64, from its definition: nothing is shared with the programs but settings.
 *
 * It is written for small pictures: blocks of one pixel, every pixel visited by every column.
 */
import type { FinishSettings } from '../../src/finish/settings.ts';

type Vec = [number, number, number];

/** Luminance's weights by working space, from the standards' matrices. */
const WEIGHTS: Record<string, Vec> = {
  srgb: [0.212639, 0.715169, 0.072192],
  p3: [0.228975, 0.691739, 0.079287],
  rec2020: [0.2627, 0.677998, 0.059302],
};
/** Linear sRGB to LMS of Oklab, and from the roots to Lab: Ottosson's own matrices. */
const SRGB_LMS = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const LMS_SRGB = [
  [4.0767416621, -3.3077115913, 0.2309699292],
  [-1.2684380046, 2.6097574011, -0.3413193965],
  [-0.0041960863, -0.7034186147, 1.707614701],
];

/** Other spaces to linear sRGB and back: the standards' primaries with D65. */
const TO_SRGB: Record<string, number[][]> = {
  p3: [
    [1.2249401763, -0.2249401763, 0],
    [-0.0420569547, 1.0420569547, 0],
    [-0.0196375546, -0.0786360456, 1.0982736001],
  ],
  rec2020: [
    [1.6604910021, -0.5876411388, -0.0728498633],
    [-0.1245504745, 1.1328998971, -0.0083494226],
    [-0.0181507634, -0.100578898, 1.1187296614],
  ],
};
const FROM_SRGB: Record<string, number[][]> = {
  p3: [
    [0.8224619687, 0.1775380313, 0],
    [0.0331941989, 0.9668058011, 0],
    [0.0170826307, 0.0723974407, 0.9105199286],
  ],
  rec2020: [
    [0.6274038959, 0.3292830384, 0.0433130657],
    [0.0690972894, 0.9195403951, 0.0113623156],
    [0.0163914389, 0.0880133079, 0.8955952532],
  ],
};

const times = (m: number[][], v: Vec): Vec => m.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as Vec;
const clamp = (x: number, a: number, b: number): number => Math.min(b, Math.max(a, x));
const smooth = (a: number, b: number, x: number): number => {
  const t = clamp((x - a) / (b - a), 0, 1);
  return 3 * t ** 2 - 2 * t ** 3;
};

/** c(v). */
export function referenceRange(v: number, { shadows, highlights }: FinishSettings): number {
  const lift = 2.4 * (shadows / 100) * smooth(0, 4.5, -v) * smooth(-10.5, -6.5, v);
  const press = v < 0 ? 0 : v < 1.75 ? v ** 2 / 3.5 : v - 0.875;
  return v + lift + 0.78 * (highlights / 100) * press;
}

/** f(u): the curve through its three points, with r found by bisection. */
export function referenceDisplay({ contrast, white, black }: FinishSettings): (u: number) => number {
  const n = 1.4 * Math.exp(contrast / 200);
  const [top, bottom] = [Math.max(white, 2.7 / n), black].map((ev) => 2 ** (n * ev));
  const at = (x: number, r: number): number => ((x - bottom) / (x + r)) * ((top + r) / (top - bottom));
  let [low, high] = [1e-9, 1e12];
  // The more r, the darker grey is.
  for (let i = 0; i < 300; i++) {
    const r = Math.sqrt(low * high);
    if (at(1, r) > 0.18) low = r;
    else high = r;
  }
  return (u) => clamp(at(2 ** (n * u), low), 0, 1);
}

export interface ReferencePicture {
  data: ArrayLike<number>;
  width: number;
  height: number;
  space?: 'srgb' | 'p3' | 'rec2020';
}

/** The local curves of a picture of at most 512 pixels a side: EV out of position and EV in. */
export function referenceCurves(
  evs: Float64Array,
  width: number,
  height: number,
  settings: FinishSettings,
): (x: number, y: number, v: number) => number {
  const cell = Math.max(1, Math.max(width, height) / 32);
  const [columns, rows, nodes] = [Math.ceil(width / cell) + 1, Math.ceil(height / cell) + 1, 45];
  const node = (v: number): number => clamp(2 * (v + 12), 0, nodes - 1);
  const hat = (d: number): number => Math.max(0, 1 - Math.abs(d));
  const at = (x: number, y: number, k: number): number => (y * columns + x) * nodes + k;
  let weight = new Float64Array(columns * rows * nodes);
  let sum = new Float64Array(weight.length);
  for (let gy = 0; gy < rows; gy++)
    for (let gx = 0; gx < columns; gx++)
      for (let y = 0; y < height; y++) {
        const wy = hat((y + 0.5) / cell - gy);
        if (wy === 0) continue;
        for (let x = 0; x < width; x++) {
          const w = wy * hat((x + 0.5) / cell - gx);
          if (w === 0) continue;
          const k = node(evs[y * width + x]);
          for (const j of [Math.floor(k), Math.floor(k) + 1]) {
            if (j >= nodes) continue;
            weight[at(gx, gy, j)] += w * hat(k - j);
            sum[at(gx, gy, j)] += w * hat(k - j) * (k / 2 - 12);
          }
        }
      }
  const taps = (sigma: number): number[] => {
    const values = Array.from({ length: 8 * sigma + 1 }, (_, i) =>
      Math.exp(-((i - 4 * sigma) ** 2) / (2 * sigma ** 2)),
    );
    const total = values.reduce((a, b) => a + b, 0);
    return values.map((value) => value / total);
  };
  /** A Gaussian along one axis: nothing lies outside. */
  const along = (values: Float64Array, sigma: number, count: number, stride: number): Float64Array<ArrayBuffer> => {
    const kernel = taps(sigma);
    return Float64Array.from(values, (_, i) => {
      const place = Math.floor(i / stride) % count;
      return kernel.reduce((total, tap, k) => {
        const d = k - 4 * sigma;
        return place + d >= 0 && place + d < count ? total + tap * values[i + d * stride] : total;
      }, 0);
    });
  };
  const blur = (values: Float64Array): Float64Array<ArrayBuffer> =>
    along(along(values, 1, columns, nodes), 1, rows, columns * nodes);
  [weight, sum] = [blur(weight), blur(sum)];
  // Each node counts once more by its share of a column's pixels; the less, the more clarity.
  const power = 1 - 0.85 * clamp(settings.clarity / 100, 0, 1);
  const share = weight.map((w) => (w / cell ** 2) ** power);
  [weight, sum] = [weight, sum].map((values) =>
    along(
      values.map((value, i) => value * share[i]),
      1.5,
      nodes,
      1,
    ),
  );
  const table = new Float64Array(weight.length);
  const own = 1e-6 * cell ** 2;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const curve = Array.from({ length: nodes }, (_, k) => {
        const v = k / 2 - 12;
        const mean = (sum[at(x, y, k)] + own * v) / (weight[at(x, y, k)] + own);
        const gain = 1 + 0.6 * (settings.clarity / 100) * smooth(-8, -5, mean);
        const near = Math.exp(-((v - mean) ** 2) / 2);
        return (1 - near) * referenceRange(v, settings) + near * (referenceRange(mean, settings) + gain * (v - mean));
      });
      // It rises by a tenth of an EV for each, at least.
      const above = curve.map((value, k) => value - 0.1 * (k / 2 - 12));
      above.forEach((_, k) => {
        const up = Math.max(...above.slice(0, k + 1));
        const down = Math.min(...above.slice(k));
        table[at(x, y, k)] = (up + down) / 2 - 0.9 * (k / 2 - 12);
      });
    }
  return (x, y, v) => {
    const place = [clamp(x / cell, 0, columns - 1), clamp(y / cell, 0, rows - 1), node(v)];
    let d = 0;
    for (let k = Math.floor(place[2]); k <= Math.min(nodes - 1, Math.floor(place[2]) + 1); k++)
      for (let j = Math.floor(place[1]); j <= Math.min(rows - 1, Math.floor(place[1]) + 1); j++)
        for (let i = Math.floor(place[0]); i <= Math.min(columns - 1, Math.floor(place[0]) + 1); i++)
          d += hat(place[0] - i) * hat(place[1] - j) * hat(place[2] - k) * table[at(i, j, k)];
    return v + d;
  };
}

/** The hue in Oklab of linear sRGB, in degrees. */
export function referenceHue(color: readonly number[]): number {
  const [a, b, c] = times(SRGB_LMS, color as Vec).map(Math.cbrt);
  const green = 1.9779984951 * a - 2.428592205 * b + 0.4505937099 * c;
  const blue = 0.0259040371 * a + 0.7827717662 * b - 0.808675766 * c;
  return (Math.atan2(blue, green) * 180) / Math.PI;
}

/** A colour with its chroma in Oklab times k. */
function withChroma(color: Vec, k: number, space: 'srgb' | 'p3' | 'rec2020'): Vec {
  const inSrgb = space === 'srgb' ? color : times(TO_SRGB[space], color);
  const [a, b, c] = times(SRGB_LMS, inSrgb).map((value) => Math.cbrt(Math.max(1e-12, value)));
  const lightness = 0.2104542553 * a + 0.793617785 * b - 0.0040720468 * c;
  const green = k * (1.9779984951 * a - 2.428592205 * b + 0.4505937099 * c);
  const blue = k * (0.0259040371 * a + 0.7827717662 * b - 0.808675766 * c);
  const changed = times(LMS_SRGB, [
    (lightness + 0.3963377774 * green + 0.2158037573 * blue) ** 3,
    (lightness - 0.1055613458 * green - 0.0638541728 * blue) ** 3,
    (lightness - 0.0894841775 * green - 1.291485548 * blue) ** 3,
  ]);
  return space === 'srgb' ? changed : times(FROM_SRGB[space], changed);
}

/** The finished picture, display-linear. White balance is given as a matrix. */
export function referenceFinish(
  { data, width, height, space = 'srgb' }: ReferencePicture,
  settings: FinishSettings,
  balance: number[][] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
): Float64Array {
  const weights = WEIGHTS[space];
  const luminance = (c: Vec): number => c[0] * weights[0] + c[1] * weights[1] + c[2] * weights[2];
  const ev = (l: number): number => Math.log2(Math.max(l, 1e-30) / 0.18);
  const lights = Array.from({ length: width * height }, (_, i) => {
    const seen = [0, 1, 2].map((c) => Math.max(0, data[3 * i + c]) * 2 ** settings.exposure) as Vec;
    return times(balance, seen).map((value) => Math.max(0, value)) as Vec;
  });
  const evs = Float64Array.from(lights, (light) => ev(luminance(light)));
  const local = referenceCurves(evs, width, height, settings);
  const display = referenceDisplay(settings);
  const out = new Float64Array(3 * width * height);
  lights.forEach((light, i) => {
    const l = luminance(light);
    if (l < 1e-20) return;
    const v = ev(l);
    const brighter = local((i % width) + 0.5, Math.floor(i / width) + 0.5, v) - v;
    const peak = Math.max(...light);
    const factor = (0.7 * display(v + brighter)) / l + (0.3 * display(ev(peak) + brighter)) / peak;
    const full = light.map((value) => value * factor) as Vec;
    let color = settings.saturation === 0 ? full : withChroma(full, 1 + settings.saturation / 100, space);
    const isShown = (c: Vec): boolean => c.every((value) => value >= 0 && value <= 1);
    if (!isShown(color)) {
      // The same lightness and hue with less chroma: bisected in Oklab.
      const outside = color;
      let [inside, beyond] = [0, 1];
      if (isShown(withChroma(outside, 0, space)))
        for (let k = 0; k < 40; k++) {
          const middle = (inside + beyond) / 2;
          if (isShown(withChroma(outside, middle, space))) inside = middle;
          else beyond = middle;
        }
      color = withChroma(outside, inside, space);
    }
    color.forEach((value, c) => (out[3 * i + c] = clamp(value, 0, 1)));
  });
  return out;
}
