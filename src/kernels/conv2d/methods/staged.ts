/**
 * The staged methods: an implicit GEMM. For each input block, the invocations of a workgroup together copy the taps of
 * their tiles to workgroup memory, and read them from there; `staged` copies the weights too, `staged taps` reads them
 * from memory like `direct`, which suits GPUs that load what all invocations share once for all.
 *
 * Which pixels an invocation copies does not change from block to block: their places are found once. Places outside
 * the picture are zeroed once and then never written. So a tap costs no arithmetic where it is used, while `direct`
 * checks bounds for each. The tiles of a workgroup are SIDE x SIDE neighbours at the layer's dilation, so that a
 * dilated convolution stages no more than any other.
 */
import { reads } from '../../program.ts';
import { each, lines } from '../../text.ts';
import type { Method } from '../method.ts';
import type { TileSize } from '../stores.ts';
import { WEIGHT_ROWS } from './direct.ts';
import { blockOf, halved, tap } from './registerTile.ts';
import { tileImplementations } from './tileImplementations.ts';
import type { Fetch, Recipe } from './registerTile.ts';
import { TAPS } from './taps.ts';
import { tunedTiles } from './tunedTiles.ts';

/** A workgroup is a square with this many tiles per side. */
const SIDE = 8;
export const STAGED_WORKGROUP = SIDE ** 2;
/** Bytes of workgroup memory that every device has (WebGPU's default limit). */
const MOST_BYTES = 16384;

/**
 * The area of an input block that a workgroup's tiles read at one dilation, in vec4s: per row (`pitch`), and in all.
 */
export function stagedArea({ columns, rows }: TileSize, kernel: number): { pitch: number; area: number } {
  const pitch = SIDE * columns + kernel - 1;
  return { pitch, area: pitch * (SIDE * rows + kernel - 1) };
}

/** WGSL for each of `count` values that the invocations copy: its index, and `&& ...` if there may be no such value. */
function copies(count: number, wgsl: (t: number, index: string, guard: string) => string): string {
  return each(Math.ceil(count / STAGED_WORKGROUP), (t) => {
    const index = t === 0 ? 'lane' : `lane + ${t * STAGED_WORKGROUP}u`;
    return wgsl(t, index, (t + 1) * STAGED_WORKGROUP <= count ? '' : ` && ${index} < ${count}u`);
  });
}

/** WGSL that copies the taps of an input block of source n. */
export function copyTaps(recipe: Recipe, n: number): string {
  const { tile, kernel, sources } = recipe;
  const width = sources[n].half ? '(width >> 1u)' : 'width';
  return copies(stagedArea(tile, kernel).area, (t, index) => {
    const from = `${halved(recipe, n, `copy_y_${t}`)} * ${width} + ${halved(recipe, n, `copy_x_${t}`)}`;
    return `    if (inside_${t}) { staged[${index}] = load_input_${n}(${blockOf(recipe, n, 0)}, u32(${from})); }`;
  });
}

/** Taps in workgroup memory, weights from memory. */
export const STAGED_TAPS: Fetch = {
  ...WEIGHT_ROWS,
  name: 'staged taps',
  lane: 'local_invocation_index',
  enables: [],
  side: SIDE,
  fits: (attrs, tile) => 16 * stagedArea(tile, attrs.kernel).area <= MOST_BYTES,
  functions: ({ tile, kernel }) => `var<workgroup> staged: array<vec4f, ${stagedArea(tile, kernel).area}>;`,
  place({ tile: { columns, rows }, tile, kernel }, s) {
    const { pitch, area } = stagedArea(tile, kernel);
    const radius = (kernel - 1) / 2;
    const copy = (t: number, index: string, guard: string): string => `
  let copy_x_${t} = first_x_${s} + (i32((${index}) % ${pitch}u) - ${radius}) * d_${s};
  let copy_y_${t} = first_y_${s} + (i32((${index}) / ${pitch}u) - ${radius}) * d_${s};
  let inside_${t} = u32(copy_x_${t}) < params.width && u32(copy_y_${t}) < params.height${guard};
  if (!inside_${t}${guard}) { staged[${index}] = vec4f(0.0); }`;
    return `  let x_${s} = first_x_${s} + i32(lane % ${SIDE}u) * ${columns} * d_${s};
  let y_${s} = first_y_${s} + i32(lane / ${SIDE}u) * ${rows} * d_${s};
  let at = lane / ${SIDE}u * ${rows * pitch}u + lane % ${SIDE}u * ${columns}u;${copies(area, copy)}`;
  },
  atBlock: (recipe, n) => lines(['    workgroupBarrier();', copyTaps(recipe, n), '    workgroupBarrier();']),
  loadRow({ tile, kernel }, _, s, r, line) {
    const row = `at + u32((${line}) + ${(kernel - 1) / 2}) * ${stagedArea(tile, kernel).pitch}u`;
    return `      {
        let row = ${row};
${each(tile.columns + kernel - 1, (j) => `        ${tap(s, r, j)} = staged[row + ${j}u];`)}
      }`;
  },
};

/** vec4s of a kernel row's weights. */
function rowLength({ tile, kernel }: Recipe): number {
  return 4 * tile.out * kernel;
}

/** Taps and weights in workgroup memory. */
const STAGED: Fetch = {
  ...STAGED_TAPS,
  name: 'staged',
  rows: undefined,
  binding: reads,
  step: (vectors) => vectors,
  fits: (attrs, tile, vectors) => 16 * (stagedArea(tile, attrs.kernel).area + vectors) <= MOST_BYTES,
  functions: (recipe, vectors) => `${STAGED_TAPS.functions(recipe, vectors)}
var<workgroup> kernels: array<array<vec4f, ${rowLength(recipe)}>, ${recipe.kernel}>;`,
  atBlock(recipe, n) {
    const length = rowLength(recipe);
    const copy = (_: number, index: string, guard: string): string => {
      const store = `kernels[(${index}) / ${length}u][(${index}) % ${length}u] = vec4f(weights[w + ${index}]);`;
      return guard ? `    if (${guard.replace(' && ', '')}) { ${store} }` : `    ${store}`;
    };
    const barrier = '    workgroupBarrier();';
    return lines([barrier, copyTaps(recipe, n), copies(recipe.kernel * length, copy), barrier]);
  },
  atWeightRow: (_, __, row) => `      let t = ${row};`,
  weight: (_, i) => `kernels[t][${i}]`,
};

export const staged: Method = {
  name: STAGED.name,
  implementations(layer) {
    const tiles = tunedTiles(layer);
    if (!tiles) return [];
    return [
      ...tileImplementations(layer, tiles.stagedTaps, STAGED_WORKGROUP, STAGED_TAPS, TAPS, true),
      ...tileImplementations(layer, tiles.staged, STAGED_WORKGROUP, STAGED, TAPS, true),
    ];
  },
};
