/**
 * Convolutions with register tiles, stride 1 with zero "same" padding: the code that the methods direct, staged,
 * subgroup and winograd share.
 *
 * An invocation keeps a **tile** of `columns` x `rows` pixels x `out` output blocks in registers, so that each vec4 of
 * input is used once per output channel and each vec4 of weights once per pixel. Its pixels are one dilation apart, so
 * that neighbours in the tile share taps: 2x2 pixels and a 3x3 kernel take 16 loads per channel block instead of 36.
 * Tiles are numbered along the picture, row after row, so that small and odd sizes waste little. With several
 * dilations, an invocation has a tile for each, and multiplies every weight it fetches in all of them; or the dilations
 * run **apart**, each in workgroups of its own, so that registers are left for more channels a tile.
 *
 * A method combines a **fetch** (how an invocation gets taps and weights) with an **arithmetic** (how taps and weights
 * become outputs: taps.ts, winograd.ts).
 *
 * Sums are named scalars (`acc_dilation_row_column_block`): compilers would put arrays in memory.
 */
import type { Implementation, PackedWeights, Tensors } from '../../kernel.ts';
import { Program, READ, rowsOf, weights as weightsResource } from '../../program.ts';
import type { Binding, Dispatch, ParamTypes } from '../../program.ts';
import type { DType } from '../../tensor.ts';
import { each, lines, range } from '../../text.ts';
import { programLabel } from '../code.ts';
import { ACTIVATE, activationCode, negativeSlope } from '../activate.ts';
import type { ActivationCode } from '../activate.ts';
import { dilationsOf, groupsOf, inputChannels, layerBlocks, layersOf } from '../attrs.ts';
import type { ConvAttrs } from '../attrs.ts';
import type { Layer } from '../method.ts';
import { sourceCode, sourceRecipes, sourceValues } from '../sources.ts';
import type { SourceRecipe } from '../sources.ts';
import { storeCode, storeRecipe, storeValues } from '../stores.ts';
import type { StoreRecipe, TileSize } from '../stores.ts';
import { packTiles, packedWeights } from '../weights.ts';

/** A kernel row is unrolled, so code grows with the kernel; the network has 1x1 and 3x3. */
const UNROLLED_KERNEL = 3;

export interface Tile extends TileSize {
  /** Invocations of a workgroup. */
  workgroup: number;
}

/** Everything that a program is generated from: plain data, so that its text is a key (`keyOf`). */
export interface Recipe {
  /** Names the fetch and the arithmetic. */
  method: string;
  tile: Tile;
  kernel: number;
  /** Number of dilations that an invocation computes. */
  dilations: number;
  /** Number of dilations that run apart; absent if there are none. */
  parts?: number;
  /** Whether each dilation reads its own channels. */
  split: boolean;
  activation: ActivationCode;
  weights: DType;
  /** Whether weights are bound as rows; absent if not. */
  rows?: true | undefined;
  sources: readonly SourceRecipe[];
  store: StoreRecipe;
}

/**
 * How an invocation gets taps and weights. In the WGSL, `lane` is the invocation, `c` the input block, and `w` the
 * start of the block's weights.
 */
export interface Fetch {
  name: string;
  /** WGSL expression for `lane`. */
  lane: 'local_invocation_index' | 'subgroup_invocation_id';
  enables: readonly string[];
  /**
   * A workgroup's tiles form a square with this many neighbours per side, which share what they fetch; 1 if tiles share
   * nothing.
   */
  side: number;
  /** The binding `weights`. @param length vec4s of the weights that `atWeightRow` prepares. */
  binding(weights: { dtype: DType }, length: number): Binding;
  /** How many steps of `w` an input block is. @param vectors vec4s of its weights. @param length as in `binding`. */
  step(vectors: number, length: number): number;
  /** Whether weights are rows of a texture, one per input block. */
  isTexture: boolean;
  /** Whether weights are bound as rows (`readsRows`). */
  rows?: true | undefined;
  /** Whether a layer's tile fits. @param vectors vec4s of weights per input block. */
  fits(attrs: ConvAttrs, tile: Tile, vectors: number, inBlocks: number): boolean;
  /** Module-scope WGSL: workgroup memory, functions. */
  functions(recipe: Recipe, vectors: number): string;
  /**
   * WGSL that follows `first_x_s`, `first_y_s` and `d_s`, and declares the tile's first pixel, `x_s` and `y_s`, and the
   * variables that `loadRow` uses.
   */
  place(recipe: Recipe, s: number): string;
  /** WGSL at the start of an input block of source n. */
  atBlock?(recipe: Recipe, n: number): string;
  /**
   * WGSL that loads a row of taps of dilation s, `line` rows below the tile's first, into `tap(s, r, 0)` and the
   * following taps.
   */
  loadRow(recipe: Recipe, n: number, s: number, r: number, line: string): string;
  /** WGSL that is the tap `load` where `ok` holds, and zero elsewhere, for `loadRow`. */
  loadTap?(load: string, ok: string): string;
  /** WGSL that prepares row `row` (WGSL) of a block's weights, `length` vec4s. */
  atWeightRow(tile: Tile, length: number, row: string): string;
  /** The i-th vec4 of the prepared row, as WGSL. */
  weight(tile: Tile, i: number): string;
}

/** How taps and weights become outputs. */
export interface Arithmetic {
  /** Empty for the plain arithmetic. */
  name: string;
  /** vec4 of weights for each of the `4 out` of a tap or position. */
  positions(kernel: number): number;
  /** How many parts of an input block's weights `atWeightRow` prepares one by one. */
  weightRows(kernel: number, tile: TileSize): number;
  /** Whether each of these parts is an output block's weights. */
  isBlockFirst?: true;
  /** Whether it can compute this kernel size in this tile. */
  suits(kernel: number, tile: TileSize): boolean;
  /** OIHW weights to [out][in][position]. */
  transform(weight: Float32Array): Float32Array;
  /** Names of the sums of dilation s. */
  sums(recipe: Recipe, s: number): string[];
  /** WGSL that computes an input block of source n; `fetch` provides taps and weights. */
  block(recipe: Recipe, n: number, fetch: Fetch): string;
  /** WGSL that turns the sums of dilation s into `acc_s_row_column_block`; empty if they already are. */
  finish(recipe: Recipe, s: number): string;
}

/** The name of a tap. */
export function tap(s: number, r: number, j: number): string {
  return `t_${s}_${r}_${j}`;
}

/** The name of a sum that a store reads. */
export function accumulator(s: number, ty: number, tx: number, o: number): string {
  return `acc_${s}_${ty}_${tx}_${o}`;
}

/** WGSL that multiplies vec4 `index` of a row of weights into sums: each statement in `use` reads the vec4 as `a`. */
export function multiplyBy(fetch: Fetch, tile: Tile, index: number, use: readonly string[]): string {
  return `      { let a = ${fetch.weight(tile, index)}; ${use.join(' ')} }`;
}

/**
 * Index within a row of the weight for a column of taps (or a position), a lane of the input block and an output block.
 */
export function weightIndex({ out }: TileSize, position: number, lane: number, o: number): number {
  return (position * 4 + lane) * out + o;
}

/** The block of source n that dilation s reads, as WGSL. */
export function blockOf({ split, parts }: Recipe, n: number, s: number, c = 'c'): string {
  return split ? `${parts ? 'part' : `${s}u`} * params.blocks_${n} + ${c}` : c;
}

/** A row or column of source n, as WGSL: halved if the source's plane has half the size. */
export function halved({ sources }: Recipe, n: number, value: string): string {
  return sources[n].half ? `(${value} >> 1u)` : value;
}

/** WGSL that places the tile of dilation s of a workgroup or an invocation. */
function placeTile(recipe: Recipe, s: number, fetch: Fetch, arithmetic: Arithmetic): string {
  const { columns, rows } = recipe.tile;
  const { parts = 1 } = recipe;
  // With dilations apart, s is 0, and the workgroup's part decides.
  const param = (name: string): string =>
    range(parts - 1).reduce(
      (value, i) => `select(${value}, params.${name}_${i + 1}, part == ${i + 1}u)`,
      `params.${name}_${s}`,
    );
  const across = parts > 1 ? `  let across_${s} = ${param('across')};\n` : '';
  return `
${across}  let d_${s} = i32(${param('dilation')});
  let qx_${s} = i32(tile % ${across ? '' : 'params.'}across_${s});
  let qy_${s} = i32(tile / ${across ? '' : 'params.'}across_${s});
  let first_x_${s} = qx_${s} / d_${s} * (${fetch.side * columns} * d_${s}) + qx_${s} % d_${s};
  let first_y_${s} = qy_${s} / d_${s} * (${fetch.side * rows} * d_${s}) + qy_${s} % d_${s};
${fetch.place(recipe, s)}
${lines(arithmetic.sums(recipe, s).map((name) => `  var ${name} = vec4f(0.0);`))}`;
}

/** vec4s of weights per input block. */
function vectorsOf(arithmetic: Arithmetic, kernel: number, { out }: TileSize): number {
  return 4 * out * arithmetic.positions(kernel);
}

function generate(recipe: Recipe, fetch: Fetch, arithmetic: Arithmetic): Program {
  const { method, tile, kernel, dilations, parts, sources } = recipe;
  const codes = sources.map(sourceCode);
  const store = storeCode(recipe.store, tile);
  const vectors = vectorsOf(arithmetic, kernel, tile);
  const length = vectors / arithmetic.weightRows(kernel, tile);
  const { lane } = fetch;
  const step = `${fetch.step(vectors, length)}u`;
  const layerGroup = parts ? 'layer_group' : 'group.y';
  const sourceLoop = (n: number): string => `
  for (var c = 0u; c < params.blocks_${n}; c++) {
${fetch.atBlock?.(recipe, n) ?? ''}
${arithmetic.block(recipe, n, fetch)}
    w += ${step};
  }`;
  // The output block of dilation s is `block_s`.
  const blockStart = (s: number): string => `first + ${parts ? 'part' : `${s}u`} * params.layer_blocks`;
  const tileIndex = 'group.z * groups.x + group.x';
  const place = parts ? '  let part = group.y / params.groups;\n  let layer_group = group.y % params.groups;\n' : '';
  const body = (): string => `
${ACTIVATE[recipe.activation]}
${lines(codes.map(({ functions }) => functions))}
${store.functions}
${fetch.functions(recipe, vectors)}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(${lane}) lane: u32) {
  let width = i32(params.width);
${place}  let tile = ${fetch.side > 1 ? tileIndex : `(${tileIndex}) * WORKGROUP + lane`};
${lines(codes.map(({ setup }) => setup))}
${each(dilations, (s) => placeTile(recipe, s, fetch, arithmetic))}
  var w = ${layerGroup} * params.in_blocks * ${step};
${each(sources.length, sourceLoop)}
${each(dilations, (s) => arithmetic.finish(recipe, s))}
  let first = ${layerGroup} * OUT_BLOCKS;
${each(dilations, (s) => `  let block_${s} = ${blockStart(s)};\n${store.statements(s)}`)}
}`;
  const params: ParamTypes = {
    width: 'u32',
    height: 'u32',
    size: 'u32',
    in_blocks: 'u32',
    layer_blocks: 'u32',
    slope: 'f32',
  };
  if (parts) params.groups = 'u32';
  for (const s of range(parts ?? dilations))
    Object.assign(params, { [`dilation_${s}`]: 'u32', [`across_${s}`]: 'u32' });
  codes.forEach((code, n) => Object.assign(params, { [`blocks_${n}`]: 'u32' }, code.params));
  return new Program({
    label: programLabel(kernel, codes, parts ?? dilations, store, tileName(method, tile)),
    enables: fetch.enables,
    workgroup: [tile.workgroup, 1, 1],
    constants: { KERNEL: kernel, OUT_BLOCKS: tile.out, WORKGROUP: tile.workgroup },
    params: { ...params, ...store.params },
    bindings: {
      ...Object.assign({}, ...codes.map(({ bindings }) => bindings)),
      weights: fetch.binding({ dtype: recipe.weights }, length),
      bias: READ,
      ...store.bindings,
    },
    body,
  });
}

/** The name of an implementation: its method and its tile. */
export function tileName(method: string, { columns, rows, out }: TileSize): string {
  return `${method} ${columns}x${rows}x${4 * out}`;
}

/** A recipe as text: recipes with equal text generate the same program. */
export function keyOf(recipe: Recipe): string {
  return JSON.stringify(recipe);
}

/** Programs by recipe: a network has a hundred layers of a few kinds. */
const programs = new Map<string, Program>();

function programOf(recipe: Recipe, fetch: Fetch, arithmetic: Arithmetic): Program {
  const key = keyOf(recipe);
  const program = programs.get(key) ?? generate(recipe, fetch, arithmetic);
  programs.set(key, program);
  return program;
}

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
