/**
 * The direct method in packed halves, for plans that store halves: many GPUs do two products of halves in one
 * instruction, and taps take half the registers.
 *
 * Halves lose bits with every term of a sum. So an output block's products with one input block, 36 for a 3x3 kernel,
 * are summed as halves and then added to the sums, which are f32: beside the rounding of what is stored that costs
 * little (docs/accuracy.md). Output blocks follow one another, so that only one has halves in registers, and its
 * weights lie together, so that AMD's GPUs load them to few scalar registers.
 */
import { each, lines, range } from '../../text.ts';
import { inputChannels } from '../attrs.ts';
import type { Method } from '../method.ts';
import { DIRECT_ROWS, DIRECT_WORKGROUP } from './direct.ts';
import { accumulator, multiplyBy, tap } from './registerTile.ts';
import { tileImplementations } from './tileImplementations.ts';
import type { Arithmetic, Fetch } from './registerTile.ts';
import { TAPS } from './taps.ts';
import { halfTiles } from './tiles.ts';

/** The layers that read frames have 6 channels, and halves could not hold their radiances. */
const LEAST_INPUTS = 8;

/** WGSL that is `value`, a vec4h, where `condition` holds and 0 elsewhere: chosen as the two u32 that it is. */
export function halvesIf(condition: string, value: string): string {
  return `bitcast<vec4h>(select(vec2u(), bitcast<vec2u>(${value}), ${condition}))`;
}

const HALF_ROWS: Fetch = {
  ...DIRECT_ROWS,
  weight: (_, i) => `weights[t][${i}]`,
  loadTap: (load, ok) => halvesIf(ok, `vec4h(${load})`),
};

const HALVES: Arithmetic = {
  ...TAPS,
  name: 'halves',
  isBlockFirst: true,
  // Of a 1x1 kernel only four halves would be added.
  suits: (kernel) => kernel > 1,
  weightRows: (_, { out }) => out,
  block(recipe, n, fetch) {
    const { tile, kernel, dilations } = recipe;
    const { columns, rows, out } = tile;
    const tapRows = range(rows + kernel - 1);
    const pixels = range(dilations).flatMap((s) =>
      range(rows).flatMap((ty) => range(columns).map((tx) => ({ s, ty, tx }))),
    );
    const load = (s: number): string =>
      each(tapRows.length, (r) =>
        lines([
          `    ${range(columns + kernel - 1)
            .map((j) => `var ${tap(s, r, j)} = vec4h();`)
            .join(' ')}`,
          fetch.loadRow(recipe, n, s, r, `${r - (kernel - 1) / 2}`),
        ]),
      );
    const products = (position: number, lane: number): string[] =>
      pixels.map(
        ({ s, ty, tx }, i) =>
          `h_${i} += a * ${tap(s, ty + Math.floor(position / kernel), tx + (position % kernel))}.${'xyzw'[lane]};`,
      );
    const block = (o: number): string => `    {
${fetch.atWeightRow(tile, kernel ** 2 * 4, `${o}u`)}
      ${pixels.map((_, i) => `var h_${i} = vec4h();`).join(' ')}
${lines(
  range(kernel ** 2).flatMap((position) =>
    range(4).map((lane) => multiplyBy(fetch, tile, position * 4 + lane, products(position, lane))),
  ),
)}
      ${pixels.map(({ s, ty, tx }, i) => `${accumulator(s, ty, tx, o)} += vec4f(h_${i});`).join(' ')}
    }`;
    return lines([each(dilations, load), each(out, block)]);
  },
};

export const halves: Method = {
  name: HALVES.name,
  implementations(layer) {
    const { attrs, inputs } = layer;
    return inputChannels(attrs, inputs) >= LEAST_INPUTS && attrs.store?.kind !== 'picture'
      ? tileImplementations(layer, halfTiles(layer), DIRECT_WORKGROUP, HALF_ROWS, HALVES, true)
      : [];
  },
};
