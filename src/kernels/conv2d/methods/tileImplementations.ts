/** What the methods with register tiles (registerTile.ts) offer for a layer, and how it is dispatched. */
import type { Implementation, PackedWeights, Tensors } from '../../kernel.ts';
import { rowsOf, weights as weightsResource } from '../../program.ts';
import type { Dispatch } from '../../program.ts';
import { activationCode, negativeSlope } from '../activate.ts';
import { dilationsOf, groupsOf, inputChannels, layerBlocks, layersOf } from '../attrs.ts';
import type { ConvAttrs } from '../attrs.ts';
import type { Layer } from '../method.ts';
import { sourceRecipes, sourceValues } from '../sources.ts';
import { storeRecipe, storeValues } from '../stores.ts';
import { packTiles, packedWeights } from '../weights.ts';
import { tileName } from './registerTile.ts';
import type { Arithmetic, Fetch, Recipe, Tile } from './registerTile.ts';
import { programOf, vectorsOf } from './tileProgram.ts';

/** A kernel row is unrolled, so code grows with the kernel; the network has 1x1 and 3x3. */
const UNROLLED_KERNEL = 3;

function dispatch(
  attrs: ConvAttrs,
  tile: Tile,
  fetch: Fetch,
  arithmetic: Arithmetic,
  isApart: boolean,
  [weights, bias]: readonly PackedWeights[],
  { inputs, output, results }: Tensors,
): Dispatch {
  const { width, height } = output.shape;
  const dilations = dilationsOf(attrs);
  const groupsOfLayer = layerBlocks(attrs) / tile.out;
  const sources = sourceValues(attrs, inputs, groupsOfLayer);
  const store = storeValues(attrs, inputs, output, results);
  const across = dilations.map((d) => Math.ceil(width / (fetch.side * tile.columns * d)) * d);
  const tiles = Math.max(...dilations.map((d, s) => across[s] * Math.ceil(height / (fetch.side * tile.rows * d)) * d));
  const [x, z] = rowsOf(fetch.side > 1 ? tiles : Math.ceil(tiles / tile.workgroup));
  const recipe: Recipe = {
    method: methodName(fetch, arithmetic, isApart),
    tile,
    kernel: attrs.kernel,
    dilations: isApart ? 1 : dilations.length,
    ...(isApart && { parts: dilations.length }),
    split: attrs.split ?? false,
    activation: activationCode(attrs),
    weights: weights.dtype ?? 'f32',
    ...(fetch.rows && { rows: true }),
    sources: sourceRecipes(attrs, inputs, output),
    store: storeRecipe(attrs, output, results),
  };
  return {
    program: programOf(recipe, fetch, arithmetic),
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
      in_blocks: sources.reduce((sum, source) => sum + source.blocks, 0),
      layer_blocks: layerBlocks(attrs),
      slope: negativeSlope(attrs),
      ...(isApart && { groups: groupsOfLayer }),
      ...Object.fromEntries(
        dilations.flatMap((d, s) => [
          [`dilation_${s}`, d],
          [`across_${s}`, across[s]],
        ]),
      ),
      ...Object.assign({}, ...sources.map((source, n) => ({ [`blocks_${n}`]: source.blocks, ...source.params }))),
      ...store.params,
    },
    workgroups: [x, groupsOfLayer * layersOf(attrs).length * (isApart ? dilations.length : 1), z],
  };
}

function methodName(fetch: Fetch, arithmetic: Arithmetic, isApart: boolean): string {
  return [fetch.name, arithmetic.name, isApart ? 'apart' : ''].filter(Boolean).join(' ');
}

/** A tile as methods list it: pixels, and output channels of all dilations that an invocation computes. */
export type TileList = readonly (readonly [columns: number, rows: number, channels: number])[];

/**
 * The implementations for a layer with these tiles: those that fit, each once.
 * @param isApart whether the dilations of a layer that has several run apart.
 */
export function tileImplementations(
  { attrs, inputs, target }: Layer,
  tiles: TileList,
  workgroup: number,
  fetch: Fetch,
  arithmetic: Arithmetic,
  isApart = false,
): Implementation[] {
  const { kernel, store, channels } = attrs;
  if (groupsOf(attrs) !== 1 || kernel > UNROLLED_KERNEL) return [];
  const dilations = dilationsOf(attrs).length;
  const apart = isApart && dilations > 1;
  const found = new Map<string, Implementation>();
  const inChannels = inputChannels(attrs, inputs);
  for (const [columns, rows, tileChannels] of tiles) {
    if (store?.kind === 'pool' && (columns % 2 || rows % 2)) continue;
    // Each dilation has its own tile.
    const most = Math.max(1, Math.floor(tileChannels / 4 / (apart ? 1 : dilations)));
    const out = [8, 4, 2, 1].find((size) => size <= most && layerBlocks(attrs) % size === 0)!;
    const tile: Tile = { columns, rows, out, workgroup };
    const vectors = vectorsOf(arithmetic, kernel, tile);
    if (!arithmetic.suits(kernel, tile) || !fetch.fits(attrs, tile, vectors, Math.ceil(inChannels / 4))) continue;
    const weights = packedWeights(attrs, {
      order: `${arithmetic.name || 'tiled'}${out}${fetch.isTexture ? ' texture' : ''}`,
      dtype: target.precision,
      row: fetch.isTexture ? vectors : undefined,
      pack: (layers) =>
        packTiles(
          layers.map(arithmetic.transform),
          channels,
          inChannels,
          arithmetic.positions(kernel),
          out,
          arithmetic.isBlockFirst,
        ),
    });
    const name = tileName(methodName(fetch, arithmetic, apart), tile);
    if (!found.has(name))
      found.set(name, {
        name,
        weights,
        dispatch: (tensors) => dispatch(attrs, tile, fetch, arithmetic, apart, weights, tensors),
      });
  }
  return [...found.values()];
}
