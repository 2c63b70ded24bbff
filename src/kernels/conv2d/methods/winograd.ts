/**
 * Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, 2016, https://arxiv.org/abs/1509.09308): computes a 2x2
 * tile of a 3x3 convolution with 16 multiplications per input channel instead of 36.
 *
 * The kernel g becomes `U = G g G^T` once, when weights are packed. A tile of 4x4 taps d becomes `V = B^T d B` with
 * additions only. Products U V are summed over input channels at each of 16 **positions**, and the sums M give the
 * outputs `A^T M A`. With
 *
 *     B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]
 *     G = [1 0 0; .5 .5 .5; .5 -.5 .5; 0 0 1]
 *     A^T = [1 1 1 0; 0 1 -1 -1]
 *
 * numbers grow little, and f32 loses about one bit. With taps one dilation apart the same computes a dilated
 * convolution.
 *
 * When it is used: for 3x3 kernels on software adapters, if a tuner finds it the fastest; no device's first guess. It
 * keeps 16 sums where the plain arithmetic (taps.ts) keeps 4, so it pays if multiplications are the bottleneck and
 * there are enough registers. On lavapipe, its 4x2x32 is 1.5 times as fast as the plain 2x2x16 and takes fifteen times
 * as long to compile. GPUs spill registers on it: there positions are spread over invocations (winogradSpread.ts).
 */
import { each, lines, range } from '../../text.ts';
import { vectorLanes } from '../method.ts';
import type { Method } from '../method.ts';
import { accumulator, multiplyBy, tap, weightIndex } from './registerTile.ts';
import { tileImplementations } from './tileImplementations.ts';
import type { Arithmetic, Fetch, Recipe } from './registerTile.ts';
import type { TileList } from './tileImplementations.ts';
import { SUBGROUP } from './subgroup.ts';

/** Positions of a transformed tile: four rows of four. */
export const POSITIONS = 16;
const LANES = 'xyzw';

/** Stores G times three values as four values, `step` apart. */
function transformThree(
  a: number,
  b: number,
  c: number,
  to: Float64Array | Float32Array,
  at: number,
  step: number,
): void {
  to[at] = a;
  to[at + step] = (a + b + c) / 2;
  to[at + 2 * step] = (a - b + c) / 2;
  to[at + 3 * step] = c;
}

/**
 * U of every 3x3 kernel, row by row, one after another. Networks have millions of weights, so nothing is allocated per
 * kernel.
 */
export function transformKernels(weight: Float32Array): Float32Array {
  const transformed = new Float32Array((weight.length / 9) * POSITIONS);
  const rows = new Float64Array(4 * 3);
  for (let from = 0, to = 0; from < weight.length; from += 9, to += POSITIONS) {
    for (let x = 0; x < 3; x++)
      transformThree(weight[from + x], weight[from + 3 + x], weight[from + 6 + x], rows, x, 3);
    for (let p = 0; p < 4; p++)
      transformThree(rows[3 * p], rows[3 * p + 1], rows[3 * p + 2], transformed, to + 4 * p, 1);
  }
  return transformed;
}

/** B^T times four values, as WGSL. */
function forward([a, b, c, d]: readonly string[]): string[] {
  return [`${a} - ${c}`, `${b} + ${c}`, `${c} - ${b}`, `${b} - ${d}`];
}

/** A^T times four values, as WGSL. */
function backward([a, b, c, d]: readonly string[]): string[] {
  return [`${a} + ${b} + ${c}`, `${b} - ${c} - ${d}`];
}

/** Name of a sum M, by dilation, 2x2 tile (of those side by side), position and output block. */
function sumName(s: number, tile: number, position: number, out: number): string {
  return `m_${s}_${tile}_${position}_${out}`;
}

/** Name of a transformed tap. */
function transformed(s: number, tile: number, position: number): string {
  return `v_${s}_${tile}_${position}`;
}

/** WGSL that declares V of the `tiles` 2x2 tiles of dilation s, side by side, from four rows of taps. */
function transformTaps(s: number, tiles: number): string {
  const down = (j: number): string[] =>
    forward(range(4).map((r) => tap(s, r, j))).map((sum, p) => `let u_${s}_${p}_${j} = ${sum};`);
  const across = (tile: number, p: number): string[] =>
    forward(range(4).map((q) => `u_${s}_${p}_${2 * tile + q}`)).map(
      (sum, q) => `let ${transformed(s, tile, 4 * p + q)} = ${sum};`,
    );
  const columns = range(2 * tiles + 2).flatMap(down);
  const rows = range(tiles).flatMap((tile) => range(4).flatMap((p) => across(tile, p)));
  return `    ${[...columns, ...rows].join(' ')}`;
}

/** WGSL that declares the outputs of a 2x2 tile, from its sums. */
function transformSums(s: number, tile: number, o: number): string {
  const name = (y: number, q: number): string => `n_${s}_${tile}_${o}_${y}_${q}`;
  const down = (q: number): string[] =>
    backward(range(4).map((p) => sumName(s, tile, 4 * p + q, o))).map((sum, y) => `let ${name(y, q)} = ${sum};`);
  const across = (y: number): string[] =>
    backward(range(4).map((q) => name(y, q))).map((sum, x) => `let ${accumulator(s, y, 2 * tile + x, o)} = ${sum};`);
  return `  ${[...range(4).flatMap(down), ...range(2).flatMap(across)].join(' ')}`;
}

/** WGSL that multiplies the weights of an input block with V. */
function multiplyAll({ tile, dilations }: Recipe, fetch: Fetch): string {
  const products = (position: number, o: number, lane: number): string[] =>
    range(dilations).flatMap((s) =>
      range(tile.columns / 2).map(
        (t) => `${sumName(s, t, position, o)} += a * ${transformed(s, t, position)}.${LANES[lane]};`,
      ),
    );
  return lines(
    range(POSITIONS).flatMap((position) =>
      range(tile.out).flatMap((o) =>
        range(4).map((lane) =>
          multiplyBy(fetch, tile, weightIndex(tile, position, lane, o), products(position, o, lane)),
        ),
      ),
    ),
  );
}

export const WINOGRAD: Arithmetic = {
  name: 'winograd',
  positions: () => POSITIONS,
  weightRows: () => 1,
  suits: (kernel, { columns, rows }) => kernel === 3 && columns % 2 === 0 && rows === 2,
  transform: transformKernels,
  sums: ({ tile: { columns, out } }, s) =>
    range(columns / 2).flatMap((t) =>
      range(POSITIONS).flatMap((position) => range(out).map((o) => sumName(s, t, position, o))),
    ),
  finish: ({ tile: { columns, out } }, s) =>
    lines(range(columns / 2).flatMap((t) => range(out).map((o) => transformSums(s, t, o)))),
  block(recipe, n, fetch) {
    const { tile, dilations } = recipe;
    const taps = range(tile.columns + 2);
    return `
${fetch.atWeightRow(tile, POSITIONS * 4 * tile.out, '0u')}
${each(
  dilations,
  (s) =>
    `    ${range(4)
      .flatMap((r) => taps.map((j) => `var ${tap(s, r, j)} = vec4f(0.0);`))
      .join(' ')}`,
)}
${each(dilations, (s) => each(4, (r) => fetch.loadRow(recipe, n, s, r, `${r - 1}`)))}
${each(dilations, (s) => transformTaps(s, tile.columns / 2))}
${multiplyAll(recipe, fetch)}`;
  },
};

const TILES: TileList = [
  [4, 2, 32],
  [4, 2, 16],
];

export const winograd: Method = {
  name: WINOGRAD.name,
  implementations(layer) {
    const lanes = vectorLanes(layer.target);
    return lanes ? tileImplementations(layer, TILES, lanes, SUBGROUP, WINOGRAD) : [];
  },
};
