/**
 * Winograd's F(2x2, 3x3) (winograd.ts) for GPUs, with the 16 positions spread over the invocations of a workgroup: one
 * matrix product for each position, in which no invocation keeps more sums than in the plain method. With all positions
 * in each invocation, registers spill on every GPU.
 *
 * A workgroup computes the 2x2 tiles of 8x8 (or 16x8) pixels. For each input block it stages the taps (staged.ts); then
 * its invocations compute V, each one row of positions of a tile; then each multiplies the weights of its position with
 * the V of a quarter of the tiles. At the end the sums go through workgroup memory, and each invocation computes the
 * outputs of its pixels.
 */
import { each, lines, range } from '../../text.ts';
import type { Method } from '../method.ts';
import { accumulator, multiplyBy, weightIndex } from './registerTile.ts';
import { tileImplementations } from './tileImplementations.ts';
import type { Arithmetic, Fetch, Recipe } from './registerTile.ts';
import { STAGED_TAPS, STAGED_WORKGROUP, copyTaps, stagedArea } from './staged.ts';
import { tunedTiles } from './tunedTiles.ts';
import { POSITIONS, transformKernels } from './winograd.ts';

const LANES = 'xyzw';

/** 2x2 tiles of a workgroup: in all, in a row, and of an invocation, which has a quarter. */
function tileCounts({ columns, rows }: Recipe['tile']): { all: number; across: number; own: number } {
  return { all: 16 * columns * rows, across: 4 * columns, own: 4 * columns * rows };
}

/** Taps are staged without a barrier before: nothing reads them after V is complete. */
const SPREAD: Fetch = {
  ...STAGED_TAPS,
  name: '',
  functions: (recipe, vectors) => `${STAGED_TAPS.functions(recipe, vectors)}
var<workgroup> spread: array<array<vec4f, ${tileCounts(recipe.tile).own}>, WORKGROUP>;`,
  atBlock: (recipe, n) => lines([copyTaps(recipe, n), '    workgroupBarrier();']),
};

/** A sum M of an invocation's position, by tile and output block. */
function sumName(tile: number, o: number): string {
  return `m_${tile}_${o}`;
}

/** WGSL that computes a row of V: row `row` of B^T times the taps, times B. */
function transformRow({ tile, kernel }: Recipe, t: number): string {
  const { across, own } = tileCounts(tile);
  const { pitch } = stagedArea(tile, kernel);
  const tap = (from: string, j: number): string => `staged[${from} + ${j}u]`;
  const u = (j: number): string => `      let u_${j} = ${tap('a', j)} + sign * ${tap('b', j)};`;
  const v = ['u_0 - u_2', 'u_1 + u_2', 'u_2 - u_1', 'u_1 - u_3'];
  return `    {
      let item = lane + ${t * STAGED_WORKGROUP}u;
      let place = item / 4u;
      let row = item % 4u;
      let corner = place / ${across}u * ${2 * pitch}u + place % ${across}u * 2u;
      let a = corner + select(select(1u, 2u, row == 2u), 0u, row == 0u) * ${pitch}u;
      let b = corner + select(select(2u, 1u, row == 2u), 3u, row == 3u) * ${pitch}u;
      let sign = select(-1.0, 1.0, row == 1u);
${each(4, u)}
      let to = row * 16u + place / ${own}u;
${lines(v.map((value, q) => `      spread[to + ${4 * q}u][place % ${own}u] = ${value};`))}
    }`;
}

const SPREAD_WINOGRAD: Arithmetic = {
  name: 'winograd',
  positions: () => POSITIONS,
  weightRows: () => POSITIONS,
  suits: (kernel, { columns, rows }) => kernel === 3 && columns <= 2 && rows === 1,
  transform: transformKernels,
  sums: ({ tile }) => range(tileCounts(tile).own).flatMap((t) => range(tile.out).map((o) => sumName(t, o))),
  block(recipe, _, fetch) {
    const { tile } = recipe;
    const { all, own } = tileCounts(tile);
    const products = (o: number, lane: number): string[] =>
      range(own).map((t) => `${sumName(t, o)} += a * v_${t}.${LANES[lane]};`);
    return lines([
      each((4 * all) / STAGED_WORKGROUP, (t) => transformRow(recipe, t)),
      '    workgroupBarrier();',
      fetch.atWeightRow(tile, 4 * tile.out, 'lane / 4u'),
      each(own, (t) => `      let v_${t} = spread[lane][${t}];`),
      ...range(tile.out).flatMap((o) =>
        range(4).map((lane) => multiplyBy(fetch, tile, weightIndex(tile, 0, lane, o), products(o, lane))),
      ),
    ]);
  },
  finish({ tile }) {
    const { across, own } = tileCounts(tile);
    const { columns, out } = tile;
    // Rows of A^T are [1 1 1 0] and [0 1 -1 -1]: in row y, M[y] + sign (M[y + 1] + M[y + 2]).
    const pixel = (x: number, o: number): string => {
      const odd = columns === 2 ? `${x}u` : 'lane % 2u';
      const sign = columns === 2 ? (x ? '-1.0' : '1.0') : 'select(1.0, -1.0, lane % 2u == 1u)';
      const m = (y: number, q: number): string => `spread[start + ${16 * y + 4 * q}u][place % ${own}u]`;
      return `  var ${accumulator(0, 0, x, o)} = vec4f(0.0);
  {
    let place = lane / 16u * ${across}u + lane % 8u ${columns === 2 ? '' : '/ 2u'};
    let start = lane / 8u % 2u * 16u + ${odd} * 4u + place / ${own}u;
    let down = select(1.0, -1.0, lane / 8u % 2u == 1u);
${each(3, (q) => `    let n_${q} = ${m(0, q)} + down * (${m(1, q)} + ${m(2, q)});`)}
    ${accumulator(0, 0, x, o)} = n_0 + ${sign} * (n_1 + n_2);
  }`;
    };
    return each(out, (o) =>
      lines([
        '  workgroupBarrier();',
        `  ${range(own)
          .map((t) => `spread[lane][${t}] = ${sumName(t, o)};`)
          .join(' ')}`,
        '  workgroupBarrier();',
        each(columns, (x) => pixel(x, o)),
      ]),
    );
  },
};

export const winogradSpread: Method = {
  name: SPREAD_WINOGRAD.name,
  implementations(layer) {
    const tiles = tunedTiles(layer)?.winograd ?? [];
    return tileImplementations(layer, tiles, STAGED_WORKGROUP, SPREAD, SPREAD_WINOGRAD, true);
  },
};
