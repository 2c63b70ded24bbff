/** Alignment's steps in f64, from their definitions; nothing here is shared with the kernels. */

/** A level: value and weight of each pixel, interleaved. */
export interface Pixels {
  width: number;
  height: number;
  data: Float64Array;
}

/** Luma and weight of encoded RGB in [0,1]. */
export function lumaOf([r, g, b]: readonly number[], linear = false): [number, number] {
  const encode = (v: number): number => (linear ? Math.max(0, v) ** (1 / 2.2) : v);
  const rgb = [r, g, b].map((v) => encode(Math.min(1, Math.max(0, v))));
  const luma = 0.25 * rgb[0] + 0.5 * rgb[1] + 0.25 * rgb[2];
  const clamp = (v: number): number => Math.min(1, Math.max(0, v));
  return [luma, clamp((253 - 255 * Math.max(...rgb)) / 3) * clamp((255 * luma - 4) / 4)];
}

/** Index mirrored about the first or last pixel. */
function mirrored(i: number, length: number): number {
  if (length === 1) return 0;
  let at = i;
  while (at < 0 || at >= length) at = at < 0 ? -at : 2 * (length - 1) - at;
  return at;
}

/** A separable filter at every pixel, edges mirrored. */
function filtered(
  { width, height, data }: Pixels,
  taps: readonly number[],
  of: (v: number) => number,
  channel: number,
) {
  const radius = (taps.length - 1) / 2;
  const out = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = -radius; j <= radius; j++) {
        for (let i = -radius; i <= radius; i++) {
          const at = mirrored(y + j, height) * width + mirrored(x + i, width);
          sum += taps[i + radius] * taps[j + radius] * of(data[2 * at + channel]);
        }
      }
      out[y * width + x] = sum;
    }
  }
  return out;
}

/** Half the size, by the binomial filter. */
export function halved(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  const planes = [0, 1].map((channel) =>
    filtered(
      pixels,
      [1, 4, 6, 4, 1].map((t) => t / 16),
      (v) => v,
      channel,
    ),
  );
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const data = new Float64Array(2 * w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) for (const c of [0, 1]) data[2 * (y * w + x) + c] = planes[c][2 * y * width + 2 * x];
  return { width: w, height: h, data };
}

/** Luma less its local mean, divided by its local deviation. */
export function normalizedLuma(pixels: Pixels): Pixels {
  const raw = Array.from({ length: 13 }, (_, i) => Math.exp(-((i - 6) ** 2) / 8));
  const total = raw.reduce((a, b) => a + b, 0);
  const taps = raw.map((tap) => tap / total);
  const mean = filtered(pixels, taps, (v) => v, 0);
  const square = filtered(pixels, taps, (v) => v * v, 0);
  const data = pixels.data.slice();
  for (let i = 0; i < mean.length; i++)
    data[2 * i] = (data[2 * i] - mean[i]) / Math.sqrt(Math.max(0, square[i] - mean[i] ** 2) + (2.5 / 255) ** 2);
  return { ...pixels, data };
}

/** Value and weight at a place, bilinear; beyond the edge the value stays and the weight is 0. */
export function sampled({ width, height, data }: Pixels, x: number, y: number): [number, number] {
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const out: [number, number] = [0, 0];
  for (const [dx, wx] of [
    [0, 1 - (x - i)],
    [1, x - i],
  ]) {
    for (const [dy, wy] of [
      [0, 1 - (y - j)],
      [1, y - j],
    ]) {
      const [u, v] = [Math.min(width - 1, Math.max(0, i + dx)), Math.min(height - 1, Math.max(0, j + dy))];
      const at = 2 * (v * width + u);
      const isInside = u === i + dx && v === j + dy;
      out[0] += wx * wy * data[at];
      out[1] += isInside ? wx * wy * data[at + 1] : 0;
    }
  }
  return out;
}

/** A homography in normalised coordinates, applied to a pixel of a level. */
export function warpedPlace(n: readonly number[], x: number, y: number, { width, height }: Pixels): [number, number] {
  const [cx, cy, unit] = [(width - 1) / 2, (height - 1) / 2, Math.max(width, height) / 2];
  const [u, v] = [(x - cx) / unit, (y - cy) / unit];
  const w = n[6] * u + n[7] * v + n[8];
  return [((n[0] * u + n[1] * v + n[2]) / w) * unit + cx, ((n[3] * u + n[4] * v + n[5]) / w) * unit + cy];
}

/** Solves A x = b by Gaussian elimination with pivots. */
function solved(a: number[][], b: number[]): number[] {
  const m = a.map((row, i) => [...row, b[i]]);
  const n = b.length;
  for (let i = 0; i < n; i++) {
    const pivot = m.slice(i).reduce((best, row, k) => (Math.abs(row[i]) > Math.abs(m[best][i]) ? i + k : best), i);
    [m[i], m[pivot]] = [m[pivot], m[i]];
    for (let k = i + 1; k < n; k++) {
      const factor = m[k][i] / m[i][i];
      for (let l = i; l <= n; l++) m[k][l] -= factor * m[i][l];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--)
    x[i] = (m[i][n] - x.reduce((sum, v, k) => (k > i ? sum + m[i][k] * v : sum), 0)) / m[i][i];
  return x;
}

/** One robust Gauss-Newton update of a homography in normalised coordinates. */
export function updated(
  reference: Pixels,
  frame: Pixels,
  n: readonly number[],
  { model, c }: { model: 'translation' | 'similarity' | 'homography'; c: number },
): { next: number[]; inliers: number; overlap: number; correlation: number } {
  const { width, height } = reference;
  const unit = Math.max(width, height) / 2;
  const warped = new Float64Array((width + 2) * (height + 2));
  const weights = new Float64Array(warped.length);
  for (let y = -1; y <= height; y++)
    for (let x = -1; x <= width; x++) {
      const at = (y + 1) * (width + 2) + x + 1;
      [warped[at], weights[at]] = sampled(frame, ...warpedPlace(n, x, y, reference));
    }
  const value = (x: number, y: number): number => {
    const [u, v] = [Math.min(width - 1, Math.max(0, x)), Math.min(height - 1, Math.max(0, y))];
    return reference.data[2 * (v * width + u)];
  };
  const size = { translation: 2, similarity: 4, homography: 8 }[model];
  const a = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  const b = new Array<number>(size).fill(0);
  let [sum, usable, ff, gg, fg] = [0, 0, 0, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = (y + 1) * (width + 2) + x + 1;
      const here = reference.data[2 * (y * width + x)];
      const both = reference.data[2 * (y * width + x) + 1] * weights[at];
      const e = warped[at] - here;
      const gx = (((value(x + 1, y) - value(x - 1, y)) / 2 + (warped[at + 1] - warped[at - 1]) / 2) / 2) * unit;
      const gy =
        (((value(x, y + 1) - value(x, y - 1)) / 2 + (warped[at + width + 2] - warped[at - width - 2]) / 2) / 2) * unit;
      const weight = both / (1 + (e * e) / (c * c)) ** 2;
      const [u, v] = [(x - (width - 1) / 2) / unit, (y - (height - 1) / 2) / unit];
      const q = gx * u + gy * v;
      const j = {
        translation: [gx, gy],
        similarity: [q, gy * u - gx * v, gx, gy],
        homography: [gx * u, gx * v, gx, gy * u, gy * v, gy, -q * u, -q * v],
      }[model];
      for (let i = 0; i < size; i++) {
        for (let k = 0; k < size; k++) a[i][k] += weight * j[i] * j[k];
        b[i] += weight * j[i] * e;
      }
      sum += weight;
      usable += both;
      ff += both * here * here;
      gg += both * warped[at] ** 2;
      fg += both * here * warped[at];
    }
  for (let i = 0; i < size; i++) a[i][i] = a[i][i] * 1.0001 + 1e-9;
  const s = solved(a, b);
  const d = {
    translation: [1, 0, s[0], 0, 1, s[1], 0, 0, 1],
    similarity: [1 + s[0], -s[1], s[2], s[1], 1 + s[0], s[3], 0, 0, 1],
    homography: [1 + s[0], s[1], s[2], s[3], 1 + s[4], s[5], s[6], s[7], 1],
  }[model];
  // next * d = n, row by row: d^T next_row = n_row.
  const transposed = [0, 1, 2].map((i) => [0, 1, 2].map((k) => d[3 * k + i]));
  const next = [0, 1, 2].flatMap((i) => solved(transposed, [...n.slice(3 * i, 3 * i + 3)]));
  return {
    next: next.map((v) => v / next[8]),
    inliers: sum / usable,
    overlap: usable / (width * height),
    correlation: fg / Math.sqrt(ff * gg),
  };
}

/** Weighted correlation over the overlap after a rotation about the middle and a shift before it; -9 if it is small. */
export function correlationAt(reference: Pixels, frame: Pixels, degrees: number, dx: number, dy: number): number {
  const { width, height } = reference;
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  let [fg, ff, gg, w] = [0, 0, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x + dx - (width - 1) / 2, y + dy - (height - 1) / 2];
      const [g, weight] = sampled(frame, c * u - s * v + (width - 1) / 2, s * u + c * v + (height - 1) / 2);
      const at = 2 * (y * width + x);
      const both = weight * reference.data[at + 1];
      fg += both * reference.data[at] * g;
      ff += both * reference.data[at] ** 2;
      gg += both * g * g;
      w += both;
    }
  return w > 0.04 * width * height ? fg / Math.sqrt(Math.max(1e-6, ff * gg)) : -9;
}
