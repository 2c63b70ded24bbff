/**
 * The subgroup method, for software adapters, whose subgroups are the CPU's vectors.
 *
 * Software adapters load a value lane by lane even if all lanes need the same one, and check each address of a buffer.
 * So each lane loads a part of a row of weights from a texture into its registers, and `subgroupBroadcast` shares them,
 * which is cheap. Offered on CPUs only: a GPU's caches do the same job (direct.ts). The code grows with the tile, and
 * lavapipe takes seconds to compile it: 2x2x16 is the quickest.
 */
import { readsTexture } from '../../program.ts';
import { each, laneOf } from '../../text.ts';
import { layerBlocks, layersOf } from '../attrs.ts';
import { vectorLanes } from '../method.ts';
import type { Method } from '../method.ts';
import { FROM_MEMORY } from './direct.ts';
import { tileImplementations } from './tileImplementations.ts';
import type { Fetch } from './registerTile.ts';
import type { TileList } from './tileImplementations.ts';
import { TAPS } from './taps.ts';

/** WebGPU's limit of a texture's height (`maxTextureDimension2D`) on every device. */
const MOST_ROWS = 8192;

const TILES: TileList = [
  [2, 2, 16],
  [4, 2, 16],
];
/** For 1x1 kernels: neighbours share nothing. */
const POINTWISE: TileList = [
  [2, 1, 32],
  [4, 1, 32],
  [2, 2, 16],
];

export const SUBGROUP: Fetch = {
  ...FROM_MEMORY,
  name: 'subgroup',
  lane: 'subgroup_invocation_id',
  enables: ['subgroups'],
  isTexture: true,
  binding: readsTexture,
  step: () => 1,
  // One row for each input block and group of outputs.
  fits: (attrs, { out }, _, inBlocks) => layersOf(attrs).length * (layerBlocks(attrs) / out) * inBlocks <= MOST_ROWS,
  functions: () => 'fn load_weights(x: u32, row: u32) -> vec4f { return textureLoad(weights, vec2u(x, row)); }',
  atWeightRow: ({ workgroup }, length, row) => `      let t = ${row} * ${length}u;
${each(
  Math.ceil(length / workgroup),
  (j) => `      let w_${j} = load_weights(t + ${laneOf(length, workgroup, j)}, w);`,
)}`,
  weight: ({ workgroup }, i) => `subgroupBroadcast(w_${Math.floor(i / workgroup)}, ${i % workgroup}u)`,
};

export const subgroup: Method = {
  name: SUBGROUP.name,
  implementations(layer) {
    const lanes = vectorLanes(layer.target);
    return lanes ? tileImplementations(layer, layer.attrs.kernel === 1 ? POINTWISE : TILES, lanes, SUBGROUP, TAPS) : [];
  },
};
