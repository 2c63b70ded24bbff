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
 * become outputs: taps.ts, winograd.ts). tileProgram.ts generates the program, tileImplementations.ts dispatches it.
 *
 * Sums are named scalars (`acc_dilation_row_column_block`): compilers would put arrays in memory.
 */
import type { Binding } from '../../program.ts';
import type { DType } from '../../tensor.ts';
import type { ActivationCode } from '../activate.ts';
import type { ConvAttrs } from '../attrs.ts';
import type { SourceRecipe } from '../sources.ts';
import type { StoreRecipe, TileSize } from '../stores.ts';

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

/** The name of an implementation: its method and its tile. */
export function tileName(method: string, { columns, rows, out }: TileSize): string {
  return `${method} ${columns}x${rows}x${4 * out}`;
}

/** A recipe as text: recipes with equal text generate the same program. */
export function keyOf(recipe: Recipe): string {
  return JSON.stringify(recipe);
}
