/** Resampling by a homography and a mesh in f64, from the definitions (src/align/types.ts); no code of the engine's. */

export interface Sampled {
  /** `[height, width, 3]` in [0,1]. */
  data: ArrayLike<number>;
  width: number;
  height: number;
  coverage?: ArrayLike<number>;
}

export interface Grid {
  columns: number;
  rows: number;
  shifts: ArrayLike<number>;
}

const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v));

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 3 || Number.isInteger(x)) return 0;
  const a = Math.PI * x;
  return (3 * Math.sin(a) * Math.sin(a / 3)) / (a * a);
}

/** A mesh's shift at a pixel: linear between nodes, constant beyond the outer ones. */
export function shiftOf(
  { columns, rows, shifts }: Grid,
  x: number,
  y: number,
  width: number,
  height: number,
): number[] {
  const u = clamp(((x + 0.5) * columns) / width - 0.5, 0, columns - 1);
  const v = clamp(((y + 0.5) * rows) / height - 0.5, 0, rows - 1);
  let [dx, dy] = [0, 0];
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const share = Math.max(0, 1 - Math.abs(u - i)) * Math.max(0, 1 - Math.abs(v - j));
      dx += share * shifts[2 * (j * columns + i)];
      dy += share * shifts[2 * (j * columns + i) + 1];
    }
  }
  return [dx, dy];
}

/** Where a pixel of the reference lies in the frame. */
export function placeOf(matrix: readonly number[], x: number, y: number): [number, number] {
  const w = matrix[6] * x + matrix[7] * y + matrix[8];
  return [(matrix[0] * x + matrix[1] * y + matrix[2]) / w, (matrix[3] * x + matrix[4] * y + matrix[5]) / w];
}

/**
 * A pixel of the reference from a frame, by Lanczos with three lobes: normalised, edges repeated, clamped to [0,1].
 * @returns red, green, blue, whether the frame has data there, and how far the place is from where that changes.
 */
export function resampled(
  { data, width, height, coverage }: Sampled,
  matrix: readonly number[],
  mesh: Grid | undefined,
  x: number,
  y: number,
): { rgb: number[]; hasData: boolean; margin: number } {
  const [dx, dy] = mesh ? shiftOf(mesh, x, y, width, height) : [0, 0];
  const [px, py] = placeOf(matrix, x + dx, y + dy);
  const margin = Math.min(...[px + 0.5, py + 0.5, width - 0.5 - px, height - 0.5 - py].map(Math.abs));
  let hasData = px >= -0.5 && py >= -0.5 && px < width - 0.5 && py < height - 0.5;
  const [qx, qy] = [clamp(px, 0, width - 1), clamp(py, 0, height - 1)];
  const rgb = [0, 0, 0];
  let whole = 0;
  for (let j = Math.floor(qy) - 2; j <= Math.floor(qy) + 3; j++) {
    for (let i = Math.floor(qx) - 2; i <= Math.floor(qx) + 3; i++) {
      const weight = lanczos(qx - i) * lanczos(qy - j);
      const pixel = clamp(j, 0, height - 1) * width + clamp(i, 0, width - 1);
      for (let c = 0; c < 3; c++) rgb[c] += weight * data[3 * pixel + c];
      whole += weight;
      if (coverage && weight !== 0 && Math.abs(qx - i) < 2 && Math.abs(qy - j) < 2 && coverage[pixel] === 0)
        hasData = false;
    }
  }
  return { rgb: rgb.map((value) => clamp(value / whole, 0, 1)), hasData, margin };
}
