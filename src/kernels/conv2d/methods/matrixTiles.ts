/**
 * Tiles of the convolution on matrix units (matrix.ts): which tiles a layer can use, the workgroup memory they need,
 * and the order of their weights.
 *
 * A tile is `columns x rows` pixels x output channels. One workgroup of four subgroups computes it; each subgroup takes
 * some of the rows. 128 pixels by 32 channels are 4 sums of 16x16 a subgroup; larger tiles read less per product and
 * need more memory.
 */
import type { MatrixSize, Target } from '../../target.ts';
import type { Shape } from '../../tensor.ts';
import { dilationsOf, inputChannels, rolesOf } from '../attrs.ts';
import type { ConvAttrs } from '../attrs.ts';
import type { Packing } from '../weights.ts';
import type { Tile } from './registerTile.ts';

/** A workgroup computes `columns x rows` pixels and `out` blocks, in whole matrices. */
export interface MatrixTile extends Tile {
  size: MatrixSize;
}

export const SUBGROUPS = 4;
/** Workgroup memory that every device has; invocations that a workgroup may have on every device. */
const MOST_BYTES = 16384;
const MOST_INVOCATIONS = 256;
/**
 * With fewer input channels the matrices would be mostly zeros. The layers that read frames have 6, and halves could
 * not hold their radiances.
 */
const LEAST_INPUTS = 8;

const TILES: readonly [columns: number, rows: number, channels: number][] = [
  [16, 8, 32],
  [16, 16, 32],
  [16, 8, 64],
];

/** What a workgroup keeps in workgroup memory. */
export interface MatrixMemory {
  /** Pixels of a tile with its halo at the widest dilation, and the number of halves in a block of their channels. */
  haloWidth: number;
  haloHeight: number;
  staged: number;
  /** Rows of a subgroup that are stored at once (two if they are pooled), and the number of floats in them. */
  rowsAtOnce: number;
  drained: number;
  bytes: number;
}

export function matrixMemory(
  kernel: number,
  dilations: readonly number[],
  isPooled: boolean,
  { columns, rows, size: { n, k } }: MatrixTile,
): MatrixMemory {
  const reach = (kernel - 1) * Math.max(...dilations);
  const [haloWidth, haloHeight] = [columns + reach, rows + reach];
  const rowsAtOnce = isPooled ? 2 : 1;
  const staged = haloWidth * haloHeight * k;
  const drained = SUBGROUPS * rowsAtOnce * columns * n;
  return { haloWidth, haloHeight, staged, rowsAtOnce, drained, bytes: 2 * staged + 4 * drained };
}

/**
 * The tiles for a layer, most promising first; none if the plan stores no halves or the device has no matrix units. One
 * on a CPU, which only emulates them.
 */
export function matrixTiles(
  attrs: ConvAttrs,
  inputs: readonly Shape[],
  { capabilities = {}, precision }: Target,
): MatrixTile[] {
  const { matrices: size, subgroupSize, cpu } = capabilities;
  if (precision !== 'f16' || !size || !subgroupSize || SUBGROUPS * subgroupSize > MOST_INVOCATIONS) return [];
  if (inputChannels(attrs, inputs) < LEAST_INPUTS) return [];
  const needed = Math.ceil(attrs.channels / size.n);
  const tiles = TILES.map(([columns, rows, channels]): MatrixTile => {
    // Channels are divided evenly: 48 become two groups of 24, not 32 and 16 padded with 16 zeros.
    const groups = Math.ceil((needed * size.n) / channels);
    return { columns, rows, out: (Math.ceil(needed / groups) * size.n) / 4, workgroup: SUBGROUPS * subgroupSize, size };
  });
  const distinct = tiles.filter(
    (tile, i) =>
      tiles.findIndex(
        ({ columns, rows, out }) => columns === tile.columns && rows === tile.rows && out === tile.out,
      ) === i,
  );
  return distinct
    .filter(
      (tile) => matrixMemory(attrs.kernel, dilationsOf(attrs), attrs.store?.kind === 'pool', tile).bytes <= MOST_BYTES,
    )
    .slice(0, cpu ? 1 : undefined);
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
