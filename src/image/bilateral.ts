/**
 * The bilateral filter, at a cost that does not grow with the filter's extent.
 *
 * After Paris and Durand, "A Fast Approximation of the Bilateral Filter Using a Signal Processing Approach" (ECCV
 * 2006): the picture is a surface in a coarse grid of columns, rows and values; there the filter is a gaussian, and the
 * result is read back along the surface. The grid has three cells to a sigma. Values enter and leave the grid by linear
 * interpolation, which itself blurs, each way with a variance of a sixth of a cell. The gaussian is narrower by just
 * that, so the result is close to the filter's definition: within 0.003 of a decade in the test's cases.
 */

/** Grid cells to one sigma. */
const CELLS = 3;
/** Variance that linear interpolation adds on both ways together, in cells squared. */
const INTERPOLATION = 1 / 3;

/**
 * out(p) = sum_q g(|p - q| / sigmaSpace) g(|I_p - I_q| / sigmaRange) I_q / the sum of these weights; q within the
 * picture.
 * @param picture `[height, width]`, finite values.
 * @param sigmaSpace in pixels. @param sigmaRange in the picture's unit.
 */
export function bilateral(
  picture: Float32Array,
  width: number,
  height: number,
  sigmaSpace: number,
  sigmaRange: number,
): Float32Array<ArrayBuffer> {
  let low = Infinity;
  let high = -Infinity;
  for (const v of picture) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  // Cells smaller than a pixel would leave nothing to interpolate between.
  const step = Math.max(1, sigmaSpace / CELLS);
  // Pixels that are cells need no interpolation.
  const space = taps(Math.sqrt(Math.max(0.05, (sigmaSpace / step) ** 2 - (step > 1 ? INTERPOLATION : 0))));
  const range = taps(Math.sqrt(CELLS ** 2 - INTERPOLATION));
  const cell = sigmaRange / CELLS;
  const columns = Math.floor((width - 1) / step) + 2;
  const rows = Math.floor((height - 1) / step) + 2;
  const values = Math.floor((high - low) / cell) + 2;

  // Two numbers per cell: the sum of weights, and of weight times value.
  let grid = new Float64Array(2 * columns * rows * values);
  forCorners((at, weight, p) => {
    grid[2 * at] += weight;
    grid[2 * at + 1] += weight * picture[p];
  });
  grid = blur(grid, values, 1, range);
  grid = blur(grid, columns, values, space);
  grid = blur(grid, rows, values * columns, space);
  const sums = new Float64Array(2 * picture.length);
  forCorners((at, weight, p) => {
    sums[2 * p] += weight * grid[2 * at];
    sums[2 * p + 1] += weight * grid[2 * at + 1];
  });
  return picture.map((_, p) => sums[2 * p + 1] / sums[2 * p]);

  /** Calls `each` with the eight cells around each pixel and their weights in linear interpolation. */
  function forCorners(each: (at: number, weight: number, pixel: number) => void): void {
    for (let y = 0, p = 0; y < height; y++) {
      const row = Math.floor(y / step);
      const fy = y / step - row;
      for (let x = 0; x < width; x++, p++) {
        const column = Math.floor(x / step);
        const fx = x / step - column;
        const position = (picture[p] - low) / cell;
        const value = Math.floor(position);
        const fz = position - value;
        for (let corner = 0; corner < 8; corner++) {
          const [dx, dy, dz] = [corner & 1, (corner >> 1) & 1, corner >> 2];
          const weight = (dx ? fx : 1 - fx) * (dy ? fy : 1 - fy) * (dz ? fz : 1 - fz);
          if (weight > 0) each(((row + dy) * columns + column + dx) * values + value + dz, weight, p);
        }
      }
    }
  }
}

/** A gaussian's taps to four sigma; they need not sum to 1, because the result is a quotient. */
function taps(sigma: number): Float64Array {
  const radius = Math.ceil(4 * sigma);
  return Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
}

/**
 * Convolves a grid of pairs along one axis of `count` cells, `stride` cells apart; cells beyond the ends count as 0.
 */
function blur(
  grid: Float64Array<ArrayBuffer>,
  count: number,
  stride: number,
  kernel: Float64Array,
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(grid.length);
  const radius = (kernel.length - 1) / 2;
  const cells = grid.length / 2;
  for (let at = 0; at < cells; at++) {
    const index = Math.floor(at / stride) % count;
    let [weights, sum] = [0, 0];
    for (let t = Math.max(-radius, -index); t <= Math.min(radius, count - 1 - index); t++) {
      const from = 2 * (at + t * stride);
      weights += kernel[t + radius] * grid[from];
      sum += kernel[t + radius] * grid[from + 1];
    }
    out[2 * at] = weights;
    out[2 * at + 1] = sum;
  }
  return out;
}
