/**
 * The staged method: an implicit GEMM. For each input block, the invocations of a workgroup together copy the taps of
 * their tiles and the weights to workgroup memory, and read them from there.
 *
 * Of the methods without special units it reads memory least, at the cost of two barriers per input block. A tuner
 * chooses it if a GPU's caches do not serve `direct` well enough. The tiles of a workgroup are SIDE x SIDE neighbours
 * at the layer's dilation, so that a dilated convolution stages no more than any other.
 */
import { reads } from '../../program.ts';
import { each, lines } from '../../text.ts';
import { dilationsOf } from '../attrs.ts';
import { vectorLanes } from '../method.ts';
import type { Method } from '../method.ts';
import { blockOf, halved, tap, tileImplementations } from './registerTile.ts';
import type { Fetch, Recipe, TileList } from './registerTile.ts';
import { TAPS } from './taps.ts';
import type { TileSize } from '../stores.ts';

/** A workgroup is a square with this many tiles per side. */
const SIDE = 8;
export const STAGED_WORKGROUP = SIDE ** 2;
/** Bytes of workgroup memory that every device has (WebGPU's default limit). */
const MOST_BYTES = 16384;

const TILES: TileList = [
  [2, 2, 16],
  [4, 2, 16],
  [2, 2, 32],
];

/**
 * The area of an input block that a workgroup's tiles read at one dilation, in vec4s: per row (`pitch`), and in all.
 */
function stagedArea({ columns, rows }: TileSize, kernel: number): { pitch: number; area: number } {
  const pitch = SIDE * columns + kernel - 1;
  return { pitch, area: pitch * (SIDE * rows + kernel - 1) };
}

/** WGSL that stages the taps of dilation s. */
function stage(recipe: Recipe, n: number, s: number): string {
  const { tile, kernel, sources } = recipe;
  const radius = (kernel - 1) / 2;
  const { pitch, area } = stagedArea(tile, kernel);
  const width = sources[n].half ? '(width >> 1u)' : 'width';
  return `    for (var i = lane; i < ${area}u; i += WORKGROUP) {
      let x = first_x_${s} + (i32(i % ${pitch}u) - ${radius}) * d_${s};
      let y = first_y_${s} + (i32(i / ${pitch}u) - ${radius}) * d_${s};
      let ok = u32(x) < params.width && u32(y) < params.height;
      let at = u32(select(0, ${halved(recipe, n, 'y')} * ${width} + ${halved(recipe, n, 'x')}, ok));
      staged[${s * area}u + i] = select(vec4f(0.0), load_input_${n}(${blockOf(recipe, n, s)}, at), ok);
    }`;
}

export const STAGED: Fetch = {
  name: 'staged',
  lane: 'local_invocation_index',
  enables: [],
  isTexture: false,
  side: SIDE,
  binding: reads,
  fits: (attrs, tile, vectors) =>
    16 * (dilationsOf(attrs).length * stagedArea(tile, attrs.kernel).area + vectors) <= MOST_BYTES,
  functions: ({ tile, kernel, dilations }, vectors) => `
var<workgroup> staged: array<vec4f, ${dilations * stagedArea(tile, kernel).area}>;
var<workgroup> kernels: array<vec4f, ${vectors}>;
fn load_weight(i: u32) -> vec4f { return kernels[i]; }`,
  place({ tile: { columns, rows }, tile, kernel }, s) {
    const { pitch, area } = stagedArea(tile, kernel);
    return `  let x_${s} = first_x_${s} + i32(lane % ${SIDE}u) * ${columns} * d_${s};
  let y_${s} = first_y_${s} + i32(lane / ${SIDE}u) * ${rows} * d_${s};
  let at_${s} = ${s * area}u + lane / ${SIDE}u * ${rows * pitch}u + lane % ${SIDE}u * ${columns}u;`;
  },
  atBlock: (recipe, n, vectors) =>
    lines([
      '    workgroupBarrier();',
      each(recipe.dilations, (s) => stage(recipe, n, s)),
      `    for (var i = lane; i < ${vectors}u; i += WORKGROUP) { kernels[i] = vec4f(weights[w + i]); }`,
      '    workgroupBarrier();',
    ]),
  loadRow({ tile, kernel }, _, s, r, line) {
    const row = `at_${s} + u32((${line}) + ${(kernel - 1) / 2}) * ${stagedArea(tile, kernel).pitch}u`;
    return `      {
        let row = ${row};
${each(tile.columns + kernel - 1, (j) => `        ${tap(s, r, j)} = staged[row + ${j}u];`)}
      }`;
  },
  atWeightRow: (_, length, row) => `      let t = ${row} * ${length}u;`,
  weight: (_, i) => `load_weight(t + ${i}u)`,
};

export const staged: Method = {
  name: STAGED.name,
  implementations(layer) {
    const tiles = vectorLanes(layer.target) ? TILES.slice(0, 1) : TILES;
    return tileImplementations(layer, tiles, STAGED_WORKGROUP, STAGED, TAPS);
  },
};
