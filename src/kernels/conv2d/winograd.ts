/**
 * Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, 2016, arXiv:1509.09308): a 2x2 tile of a 3x3 convolution with 16 multiplications an input channel instead of 36.
 *
 * The kernel g becomes `U = G g G^T` once, when weights are packed; a tile of 4x4 taps d becomes `V = B^T d B` with additions alone; products are summed over input channels at each of 16 positions;
 * and the sums M give the outputs `A^T M A`. With
 * B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1], G = [1 0 0; .5 .5 .5; .5 -.5 .5; 0 0 1], A^T = [1 1 1 0; 0 1 -1 -1]
 * numbers grow little, and f32 loses about a bit. Taps a dilation apart make it a dilated convolution.
 */

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Positions of a transformed tile: four rows of four. */
export const POSITIONS = 16;

/** Stores G of three values in four steps of `step`. */
function transformThree(a: number, b: number, c: number, to: Float64Array | Float32Array, at: number, step: number): void {
  to[at] = a;
  to[at + step] = (a + b + c) / 2;
  to[at + 2 * step] = (a - b + c) / 2;
  to[at + 3 * step] = c;
}

/** U of every 3x3 kernel, row by row, one after another. Networks have millions of weights, so nothing is allocated for one. */
export function transformKernels(weight: Float32Array): Float32Array {
  const transformed = new Float32Array((weight.length / 9) * POSITIONS);
  const rows = new Float64Array(4 * 3);
  for (let from = 0, to = 0; from < weight.length; from += 9, to += POSITIONS) {
    for (let x = 0; x < 3; x++) transformThree(weight[from + x], weight[from + 3 + x], weight[from + 6 + x], rows, x, 3);
    for (let p = 0; p < 4; p++) transformThree(rows[3 * p], rows[3 * p + 1], rows[3 * p + 2], transformed, to + 4 * p, 1);
  }
  return transformed;
}

/** B^T of four values, as WGSL. */
function forward([a, b, c, d]: readonly string[]): string[] {
  return [`${a} - ${c}`, `${b} + ${c}`, `${c} - ${b}`, `${b} - ${d}`];
}

/** A^T of four values, as WGSL. */
function backward([a, b, c, d]: readonly string[]): string[] {
  return [`${a} + ${b} + ${c}`, `${b} - ${c} - ${d}`];
}

/** Name of a product's sum: of a dilation, a 2x2 tile of those side by side, a position, an output block. */
export function sumName(s: number, tile: number, position: number, out: number): string {
  return `m_${s}_${tile}_${position}_${out}`;
}

/** Name of a transformed tap. */
export function tapName(s: number, tile: number, position: number): string {
  return `v_${s}_${tile}_${position}`;
}

/** WGSL that declares the transformed taps `tapName` of `tiles` 2x2 tiles side by side, from taps `tap(row, column)` of 4 rows. */
export function transformTaps(s: number, tiles: number, tap: (row: number, column: number) => string): string {
  const columns = 2 * tiles + 2;
  const vertical = range(columns).flatMap((j) => forward(range(4).map((r) => tap(r, j))).map((sum, p) => `let u_${s}_${p}_${j} = ${sum};`));
  const horizontal = range(tiles).flatMap((tile) =>
    range(4).flatMap((p) => forward(range(4).map((q) => `u_${s}_${p}_${2 * tile + q}`)).map((sum, q) => `let ${tapName(s, tile, 4 * p + q)} = ${sum};`)),
  );
  return [...vertical, ...horizontal].join(' ');
}

/** WGSL that declares `output(row, column)` of the tiles, from the sums. */
export function transformSums(s: number, tiles: number, out: number, output: (row: number, column: number, out: number) => string): string {
  return range(tiles)
    .flatMap((tile) =>
      range(out).flatMap((o) => {
        const name = (y: number, q: number): string => `n_${s}_${tile}_${o}_${y}_${q}`;
        const vertical = range(4).flatMap((q) => backward(range(4).map((p) => sumName(s, tile, 4 * p + q, o))).map((sum, y) => `let ${name(y, q)} = ${sum};`));
        const horizontal = range(2).flatMap((y) => backward(range(4).map((q) => name(y, q))).map((sum, x) => `let ${output(y, 2 * tile + x, o)} = ${sum};`));
        return [[...vertical, ...horizontal].join(' ')];
      }),
    )
    .map((text) => `  ${text}`)
    .join('\n');
}
