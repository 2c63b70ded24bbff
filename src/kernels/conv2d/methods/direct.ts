/**
 * The direct method: each invocation loads taps and weights from memory when it needs them, and keeps a tile of sums in
 * registers.
 *
 * All invocations of a workgroup load the same weights, and neighbours share taps: GPU caches serve both well. So this
 * method is the first guess on GPUs, and it needs no optional feature. A software adapter loads a value lane by lane
 * even if all lanes need the same one, and is several times faster with `subgroup`. There only one tile is offered,
 * because this method takes just as long to compile.
 */
import { reads } from '../../program.ts';
import { each, range } from '../../text.ts';
import { vectorLanes } from '../method.ts';
import type { Method } from '../method.ts';
import { blockOf, halved, tap, tileImplementations } from './registerTile.ts';
import type { Fetch, Recipe, TileList } from './registerTile.ts';
import { TAPS } from './taps.ts';

/** Invocations of a workgroup. */
export const DIRECT_WORKGROUP = 64;

const TILES: TileList = [
  [2, 2, 16],
  [4, 2, 16],
  [2, 2, 32],
  [4, 2, 8],
];

/** Taps come straight from memory; a tap outside the picture is zero. */
export const FROM_MEMORY: Pick<Fetch, 'side' | 'place' | 'loadRow'> = {
  side: 1,
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
        ${tap(s, r, j)} = select(vec4f(0.0), load_input_${n}(${blockOf(recipe, n, s)}, at_${j}), ok_${j});`;
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

export const DIRECT: Fetch = {
  ...FROM_MEMORY,
  name: 'direct',
  lane: 'local_invocation_index',
  enables: [],
  isTexture: false,
  binding: reads,
  fits: () => true,
  functions: (_: Recipe) => 'fn load_weight(i: u32) -> vec4f { return vec4f(weights[i]); }',
  atBlock: () => '',
  atWeightRow: (_, length, row) => `      let t = w + ${row} * ${length}u;`,
  weight: (_, i) => `load_weight(t + ${i}u)`,
};

export const direct: Method = {
  name: DIRECT.name,
  implementations(layer) {
    const tiles = vectorLanes(layer.target) ? TILES.slice(0, 1) : TILES;
    return tileImplementations(layer, tiles, DIRECT_WORKGROUP, DIRECT, TAPS);
  },
};
