/** Resampling in f64, from its definition; nothing here is shared with the kernels. */

function lanczos3(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 3) return 0;
  return (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2;
}

/** A picture `[height, width, 3]` of values in [0,1]. */
export interface Picture {
  data: ArrayLike<number>;
  width: number;
  height: number;
}

/** Its colour at a place, taps beyond the edge repeating the edge, clamped to [0,1]. */
export function resampled({ data, width, height }: Picture, x: number, y: number): number[] {
  const inside = (v: number, length: number): number => Math.min(length - 1, Math.max(0, v));
  const [u, v] = [inside(x, width), inside(y, height)];
  const sums = [0, 0, 0];
  let whole = 0;
  for (let j = Math.ceil(v - 3); j <= v + 3; j++)
    for (let i = Math.ceil(u - 3); i <= u + 3; i++) {
      const weight = lanczos3(u - i) * lanczos3(v - j);
      const at = 3 * (inside(j, height) * width + inside(i, width));
      whole += weight;
      for (let c = 0; c < 3; c++) sums[c] += weight * data[at + c];
    }
  return sums.map((sum) => Math.min(1, Math.max(0, sum / whole)));
}

/** Whether a place lies in a picture. */
export function isInside({ width, height }: Picture, x: number, y: number): boolean {
  return x >= -0.5 && y >= -0.5 && x < width - 0.5 && y < height - 0.5;
}
