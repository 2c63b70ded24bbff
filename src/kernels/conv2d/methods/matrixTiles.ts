/**
 * Tiles of the convolution on matrix units (matrix.ts): which tiles a layer can use, the workgroup memory they need,
 * and the order of their weights.
 *
 * A tile is `columns x rows` pixels x output channels, computed by one workgroup of a few subgroups. Each subgroup has
 * 16 columns and some of the rows. The more rows it has, the less it loads per product, and the more registers its sums
 * take: 8 rows of 16 pixels by 32 channels are 16 sums of 16x16.
 */
import type { MatrixSize, Target } from '../../target.ts';
import type { Shape } from '../../tensor.ts';
import { dilationsOf, inputChannels, rolesOf } from '../attrs.ts';
import type { ConvAttrs } from '../attrs.ts';
import type { Packing } from '../weights.ts';
import { tileName } from './registerTile.ts';
import type { Tile } from './registerTile.ts';

/** A workgroup computes `columns x rows` pixels and `out` blocks, in whole matrices. */
export interface MatrixTile extends Tile {
  size: MatrixSize;
  /** Subgroups of a workgroup, and how many of them are side by side. */
  subgroups: number;
  across: number;
}

/** Columns of a subgroup: whole matrices of 8 or 16 pixels. */
export const SUBGROUP_COLUMNS = 16;
/** Workgroup memory that every device has; invocations that a workgroup may have on every device. */
const MOST_BYTES = 16384;
const MOST_INVOCATIONS = 256;
/**
 * With fewer input channels the matrices would be mostly zeros. The layers that read frames have 6, and halves could
 * not hold their radiances.
 */
const LEAST_INPUTS = 8;
/**
 * Sums leave through workgroup memory in columns this much longer than their pixels. With a stride of 20 floats neither
 * the matrix's store nor the invocations' loads meet in a memory bank.
 */
const DRAIN_PADDING = 4;

/**
 * Most promising first. On an NVIDIA H100 the first wins in tiles of 256x256, 8 rows a subgroup (the last but one) in
 * pictures of two megapixels, and 2 rows (the last) for 1x1 kernels and few pixels.
 */
const TILES: readonly [columns: number, rows: number, channels: number, subgroups: number][] = [
  [16, 8, 32, 2],
  [16, 16, 32, 4],
  [16, 8, 32, 1],
  [16, 8, 32, 4],
];

/** Rows of a subgroup whose size the program fixes: with more, AMD's compiler spills registers. */
const MOST_ROWS_OF_LANES = 4;

/** The name of a tile's implementation. */
export function matrixName(tile: MatrixTile): string {
  return `${tileName('matrix', tile)} by ${tile.subgroups}`;
}

/** Rows of a subgroup. */
export function subgroupRows({ rows, subgroups, across }: MatrixTile): number {
  return (rows * across) / subgroups;
}

/** What a workgroup keeps in workgroup memory. */
export interface MatrixMemory {
  /** The number of halves of a block of channels, of the tile and its halo at the widest dilation. */
  staged: number;
  /**
   * Rows of a subgroup that are stored at once (two if they are pooled), the distance in floats between the channels of
   * their sums, and the number of floats of all subgroups.
   */
  rowsAtOnce: number;
  drainStride: number;
  drained: number;
  bytes: number;
}

/** Pixels of a tile with its halo: rows of a tile are one dilation apart, columns are neighbours. */
export function haloSize(
  kernel: number,
  dilation: number,
  { columns, rows }: MatrixTile,
): { width: number; height: number } {
  return { width: columns + (kernel - 1) * dilation, height: rows + kernel - 1 };
}

export function matrixMemory(
  kernel: number,
  dilations: readonly number[],
  isPooled: boolean,
  tile: MatrixTile,
): MatrixMemory {
  const { n, k } = tile.size;
  const { width, height } = haloSize(kernel, Math.max(...dilations), tile);
  const rowsAtOnce = isPooled ? 2 : 1;
  const staged = width * height * k;
  const drainStride = SUBGROUP_COLUMNS + DRAIN_PADDING;
  const drained = tile.subgroups * rowsAtOnce * n * drainStride;
  return { staged, rowsAtOnce, drainStride, drained, bytes: 2 * staged + 4 * drained };
}

/**
 * The tiles for a layer, most promising first; none if the plan stores no halves or the device has no matrix units. On
 * a CPU, which only emulates them, the one with the fewest sums a subgroup: drivers compile the others for minutes.
 */
export function matrixTiles(
  attrs: ConvAttrs,
  inputs: readonly Shape[],
  { capabilities = {}, precision }: Target,
): MatrixTile[] {
  const { matrices: size, cpu } = capabilities;
  const subgroupSize = size?.lanes ?? capabilities.subgroupSize;
  if (precision !== 'f16' || !size || !subgroupSize) return [];
  if (inputChannels(attrs, inputs) < LEAST_INPUTS) return [];
  const needed = Math.ceil(attrs.channels / size.n);
  const isPooled = attrs.store?.kind === 'pool';
  const tiles = TILES.map(([columns, rows, channels, subgroups]): MatrixTile => {
    // Channels are divided evenly: 48 become two groups of 24, not 32 and 16 padded with 16 zeros.
    const groups = Math.ceil((needed * size.n) / channels);
    const out = (Math.ceil(needed / groups) * size.n) / 4;
    const across = columns / SUBGROUP_COLUMNS;
    return { columns, rows, out, workgroup: subgroups * subgroupSize, size, subgroups, across };
  });
  const names = tiles.map(matrixName);
  return tiles
    .filter(
      (tile, i) =>
        names.indexOf(names[i]) === i &&
        tile.workgroup <= MOST_INVOCATIONS &&
        !(size.lanes && subgroupRows(tile) > MOST_ROWS_OF_LANES) &&
        matrixMemory(attrs.kernel, dilationsOf(attrs), isPooled, tile).bytes <= MOST_BYTES,
    )
    .slice(cpu ? -1 : 0);
}

/** Groups of output channels of one layer. */
export function matrixGroups({ channels }: ConvAttrs, { out }: MatrixTile): number {
  return Math.ceil(channels / (4 * out));
}

/** Steps of k channels that a source with this many channels takes. */
export function matrixSteps(channels: number, { size: { k } }: MatrixTile): number {
  return Math.ceil(channels / k);
}

/** Input channels of one layer at one dilation, source by source: each source starts a new matrix. */
function sourceChannels(attrs: ConvAttrs, inputs: readonly Shape[]): number[] {
  return rolesOf(attrs, inputs).sources.map(({ channels }) =>
    attrs.split ? channels / dilationsOf(attrs).length : channels,
  );
}

/** The order of a layer's weights, and the packing into it. */
export function matrixPacking(attrs: ConvAttrs, inputs: readonly Shape[], tile: MatrixTile): Packing {
  const sources = sourceChannels(attrs, inputs);
  const { n, k } = tile.size;
  return {
    order: `matrix${k}x${n}x${tile.out} of ${sources.join('+')}`,
    dtype: 'f16',
    pack: (layers) => packMatrices(layers, attrs, sources, tile),
  };
}

/**
 * OIHW weights of layers to [layer][group][source][step][tap][matrix of the group][k][n], right matrices one after
 * another in the order they are multiplied, padded with zeros where there are no channels.
 * @param sources input channels of each source.
 */
export function packMatrices(
  layers: readonly Float32Array[],
  attrs: ConvAttrs,
  sources: readonly number[],
  tile: MatrixTile,
): Float32Array<ArrayBuffer> {
  const { k, n } = tile.size;
  const taps = attrs.kernel ** 2;
  const inputs = sources.reduce((sum, channels) => sum + channels, 0);
  const steps = sources.reduce((sum, channels) => sum + matrixSteps(channels, tile), 0);
  const [groups, matricesOfGroup] = [matrixGroups(attrs, tile), (4 * tile.out) / n];
  // The place of each input channel among those of all steps.
  const placed: number[] = [];
  let step = 0;
  for (const channels of sources) {
    for (let i = 0; i < channels; i++) placed.push(step * k + i);
    step += matrixSteps(channels, tile);
  }
  const packed = new Float32Array(layers.length * groups * steps * taps * matricesOfGroup * k * n);
  layers.forEach((weight, layer) => {
    for (let o = 0; o < attrs.channels; o++) {
      const group = layer * groups + Math.floor(o / (4 * tile.out));
      const matrix = Math.floor((o % (4 * tile.out)) / n);
      placed.forEach((at, i) => {
        for (let tap = 0; tap < taps; tap++) {
          const index = (((group * steps + Math.floor(at / k)) * taps + tap) * matricesOfGroup + matrix) * k + (at % k);
          packed[index * n + (o % n)] = weight[(o * inputs + i) * taps + tap];
        }
      });
    }
  });
  return packed;
}
