/**
 * The plain arithmetic of a convolution: each output is the sum of taps times weights.
 *
 * Loops: input blocks, then kernel rows; columns are unrolled. A tile's upper rows of taps are the lower rows of the
 * previous kernel row and stay in registers, so each step loads one row.
 */
import { each, lines, range } from '../../text.ts';
import { accumulator, multiplyBy, tap, weightIndex } from './registerTile.ts';
import type { Arithmetic, Recipe } from './registerTile.ts';

const LANES = 'xyzw';

/** WGSL that multiplies the weights of one kernel row with the loaded taps. */
function multiplyRow(recipe: Recipe, fetch: Parameters<Arithmetic['block']>[2]): string {
  const { tile, kernel, dilations } = recipe;
  const { columns, rows, out } = tile;
  const products = (kx: number, o: number, lane: number): string[] =>
    range(dilations).flatMap((s) =>
      range(rows).flatMap((ty) =>
        range(columns).map((tx) => `${accumulator(s, ty, tx, o)} += a * ${tap(s, ty, tx + kx)}.${LANES[lane]};`),
      ),
    );
  return lines(
    range(kernel).flatMap((kx) =>
      range(out).flatMap((o) =>
        range(4).map((lane) => multiplyBy(fetch, tile, weightIndex(tile, kx, lane, o), products(kx, o, lane))),
      ),
    ),
  );
}

export const TAPS: Arithmetic = {
  name: '',
  positions: (kernel) => kernel ** 2,
  weightRows: (kernel) => kernel,
  suits: () => true,
  transform: (weight) => weight,
  sums: ({ tile: { rows, columns, out } }, s) =>
    range(rows).flatMap((ty) => range(columns).flatMap((tx) => range(out).map((o) => accumulator(s, ty, tx, o)))),
  finish: () => '',
  block(recipe, n, fetch) {
    const { tile, kernel, dilations } = recipe;
    const { columns, rows, out } = tile;
    const radius = (kernel - 1) / 2;
    const taps = range(columns + kernel - 1);
    const declare = (s: number): string =>
      `    ${range(rows)
        .flatMap((r) => taps.map((j) => `var ${tap(s, r, j)} = vec4f(0.0);`))
        .join(' ')}`;
    const loadUpper = (s: number): string => each(rows - 1, (r) => fetch.loadRow(recipe, n, s, r, `${r - radius}`));
    const loadLast = (s: number): string => fetch.loadRow(recipe, n, s, rows - 1, `ky + ${rows - 1 - radius}`);
    const moveUp = (s: number): string =>
      `      ${range(rows - 1)
        .flatMap((r) => taps.map((j) => `${tap(s, r, j)} = ${tap(s, r + 1, j)};`))
        .join(' ')}`;
    return `
${each(dilations, declare)}
${each(dilations, loadUpper)}
    for (var ky = 0; ky < KERNEL; ky++) {
${fetch.atWeightRow(tile, kernel * 4 * out, 'u32(ky)')}
${each(dilations, loadLast)}
${multiplyRow(recipe, fetch)}
${kernel > 1 ? each(dilations, moveUp) : ''}
    }`;
  },
};
