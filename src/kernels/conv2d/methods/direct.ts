/**
 * The direct method: each invocation loads taps and weights from memory when it needs them, and keeps a tile of sums in
 * registers.
 *
 * All invocations of a workgroup load the same weights, and neighbours share taps: GPU caches serve both well. So this
 * method is the first guess on GPUs, and it needs no optional feature. A software adapter loads a value lane by lane
 * even if all lanes need the same one, and is several times faster with `subgroup`. There only one tile is offered,
 * because this method takes just as long to compile.
 */
import { reads, readsRows } from '../../program.ts';
import { each, range } from '../../text.ts';
import type { Method } from '../method.ts';
import { blockOf, halved, tap } from './registerTile.ts';
import { tileImplementations } from './tileImplementations.ts';
import type { Fetch, Recipe } from './registerTile.ts';
import { TAPS } from './taps.ts';
import { directTiles } from './tiles.ts';

/** Invocations of a workgroup. */
export const DIRECT_WORKGROUP = 64;

/** Taps come straight from memory; a tap outside the picture is zero. */
export const FROM_MEMORY: Pick<Fetch, 'side' | 'place' | 'loadRow' | 'loadTap'> = {
  side: 1,
  loadTap: (load, ok) => `select(vec4f(0.0), ${load}, ${ok})`,
  place({ tile, kernel }, s) {
    const column = (j: number): string =>
      `  let c_${s}_${j} = x_${s} + ${j - (kernel - 1) / 2} * d_${s}; let in_${s}_${j} = u32(c_${s}_${j}) < ` +
      'params.width;';
    return `  let x_${s} = first_x_${s};\n  let y_${s} = first_y_${s};\n${each(tile.columns + kernel - 1, column)}`;
  },
  loadRow(recipe, n, s, r, line) {
    const { tile, kernel, sources } = recipe;
    const load = (j: number): string => `
        let ok_${j} = inside && in_${s}_${j};
        let at_${j} = u32(select(0, line_start + ${halved(recipe, n, `c_${s}_${j}`)}, ok_${j}));
        ${tap(s, r, j)} = ${this.loadTap!(`load_input_${n}(${blockOf(recipe, n, s)}, at_${j})`, `ok_${j}`)};`;
    return `      {
        let y = y_${s} + (${line}) * d_${s};
        let inside = u32(y) < params.height;
        let line_start = ${halved(recipe, n, 'y')} * ${sources[n].half ? '(width >> 1u)' : 'width'};${range(
          tile.columns + kernel - 1,
        )
          .map(load)
          .join('')}
      }`;
  },
};

/** Weights one by one, for software adapters. */
const DIRECT: Fetch = {
  ...FROM_MEMORY,
  name: 'direct',
  lane: 'local_invocation_index',
  enables: [],
  isTexture: false,
  binding: reads,
  step: (vectors) => vectors,
  fits: () => true,
  functions: (_: Recipe) => 'fn load_weight(i: u32) -> vec4f { return vec4f(weights[i]); }',
  atWeightRow: (_, length, row) => `      let t = w + ${row} * ${length}u;`,
  weight: (_, i) => `load_weight(t + ${i}u)`,
};

/**
 * Weights as rows of known length: one bounds check and one address for all weights of a row, and then loads at
 * constant distances. Weight by weight, NVIDIA's GPUs spend more instructions on addresses than on products.
 */
export const WEIGHT_ROWS: Pick<Fetch, 'isTexture' | 'rows' | 'binding' | 'step' | 'atWeightRow' | 'weight'> = {
  isTexture: false,
  rows: true,
  binding: ({ dtype }, length) => readsRows(dtype, length),
  step: (vectors, length) => vectors / length,
  atWeightRow: (_, __, row) => `      let t = w + ${row};`,
  weight: (_, i) => `vec4f(weights[t][${i}])`,
};

export const DIRECT_ROWS: Fetch = { ...DIRECT, ...WEIGHT_ROWS, functions: () => '' };

export const direct: Method = {
  name: DIRECT.name,
  implementations(layer) {
    const tiles = directTiles(layer);
    return layer.target.capabilities?.cpu
      ? tileImplementations(layer, tiles, DIRECT_WORKGROUP, DIRECT, TAPS)
      : tileImplementations(layer, tiles, DIRECT_WORKGROUP, DIRECT_ROWS, TAPS, true);
  },
};
