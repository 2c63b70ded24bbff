/**
 * The convolution on a GPU's matrix units (subgroup matrices), halves in and sums in f32: an implicit GEMM of pixels x
 * input channels by input channels x output channels.
 *
 * A workgroup computes a tile of pixels (matrixTiles.ts): columns side by side, and rows one dilation apart, so that
 * the halo above and below is one row at any dilation. For k input channels at a time, all its invocations stage the
 * tile and its halo in workgroup memory, as halves, with the k channels of a pixel next to each other. Each loads all
 * its values before it stores the first: with one load at a time in flight, staging took longer than the products. The
 * left matrix of m pixels in a row is then read straight from there at any tap, with a stride of k and no copy per tap,
 * and serves all taps of its column. Right matrices come from memory, packed in the order they are multiplied. Each
 * subgroup has its own rows, and a named sum for every pair of a left and a right matrix.
 *
 * Sums leave through workgroup memory a few rows at a time, channel by channel, so that neighbouring invocations store
 * neighbouring pixels. The store code is that of the register-tiled convolution (stores.ts). Further dilations run in
 * further workgroups, each with code of its own.
 *
 * Matrices are Dawn's `chromium_experimental_subgroup_matrix`. Only the functions of `matrixFunctions`
 * (matrixProgram.ts) use them: tests replace these functions and so check the rest on every adapter.
 */
import type { PackedWeights, Tensors } from '../../kernel.ts';
import { weights as weightsResource } from '../../program.ts';
import type { Dispatch } from '../../program.ts';
import { activationCode, negativeSlope } from '../activate.ts';
import { dilationsOf, groupsOf, layerBlocks, layersOf } from '../attrs.ts';
import type { ConvAttrs } from '../attrs.ts';
import type { Method } from '../method.ts';
import { sourceRecipes, sourceValues } from '../sources.ts';
import { storeRecipe, storeValues } from '../stores.ts';
import { packedWeights } from '../weights.ts';
import { programOf } from './matrixProgram.ts';
import { matrixGroups, matrixName, matrixPacking, matrixSteps, matrixTiles } from './matrixTiles.ts';
import type { MatrixTile } from './matrixTiles.ts';

/** The staged halo grows with the kernel; the network has 1x1 and 3x3. */
const MOST_KERNEL = 3;

function dispatch(
  attrs: ConvAttrs,
  tile: MatrixTile,
  [weights, bias]: readonly PackedWeights[],
  { inputs, output, results }: Tensors,
): Dispatch {
  const { width, height } = output.shape;
  const { columns, rows, out, size } = tile;
  const dilations = dilationsOf(attrs);
  const groups = matrixGroups(attrs, tile);
  const sources = sourceValues(attrs, inputs, groups);
  const store = storeValues(attrs, inputs, output, results);
  const steps = sources.map(({ blocks }) => matrixSteps(4 * blocks, tile));
  return {
    program: programOf({
      tile,
      kernel: attrs.kernel,
      dilations,
      split: attrs.split ?? false,
      activation: activationCode(attrs),
      sources: sourceRecipes(attrs, inputs, output),
      store: storeRecipe(attrs, output, results),
    }),
    resources: {
      ...Object.assign({}, ...sources.map(({ resources }) => resources)),
      weights: weightsResource(weights),
      bias: weightsResource(bias),
      ...store.resources,
    },
    params: {
      width,
      height,
      size: width * height,
      layer_blocks: layerBlocks(attrs),
      groups,
      group_weights: steps.reduce((sum, count) => sum + count, 0) * attrs.kernel ** 2 * 4 * out * size.k,
      slope: negativeSlope(attrs),
      ...Object.assign(
        {},
        ...sources.map((source, n) => ({ [`blocks_${n}`]: source.blocks, [`steps_${n}`]: steps[n], ...source.params })),
      ),
      ...store.params,
    },
    workgroups: [
      Math.ceil(width / columns),
      groups * layersOf(attrs).length * dilations.length,
      // Tiles of every dilation fit: those that a dilation does not need end at once.
      Math.max(...dilations.map((dilation) => Math.ceil(height / (rows * dilation)) * dilation)),
    ],
  };
}

export const matrix: Method = {
  name: 'matrix',
  // Where subgroups vary no GPU was tried yet: there a tuner decides.
  isBest: ({ capabilities = {} }) => !capabilities.cpu && !capabilities.matrices?.lanes,
  implementations({ attrs, inputs, target }) {
    if (groupsOf(attrs) !== 1 || attrs.kernel > MOST_KERNEL) return [];
    return matrixTiles(attrs, inputs, target).map((tile) => {
      const weights = packedWeights(attrs, matrixPacking(attrs, inputs, tile));
      return {
        name: matrixName(tile),
        weights,
        dispatch: (tensors) => dispatch(attrs, tile, weights, tensors),
      };
    });
  },
};
