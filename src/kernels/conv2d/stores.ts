/**
 * How a convolution stores its sums. The code of a store runs after the loops and stores a **tile** of columns x rows
 * pixels x output blocks at each dilation.
 */
import { PICTURE, PICTURE_PARAMS, pictureParams } from '../picture.ts';
import { READ, buffer, texelType, writes } from '../program.ts';
import { start } from '../tensor.ts';
import type { DType, View } from '../tensor.ts';
import { each, lines, range } from '../text.ts';
import { rolesOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import type { Code, Values } from './code.ts';

export type StoreRecipe =
  | { kind: 'plain'; dtype: DType }
  /** The result is stored, and its 2x2 maximum is stored as a further result. */
  | { kind: 'pool'; dtype: DType; pooled: DType }
  /** The logits of a pixel correct the average of the frames there (spec: Base), and the picture is stored. */
  | { kind: 'picture'; dtype: DType };

/** Pixels and output blocks of a tile. */
export interface TileSize {
  columns: number;
  rows: number;
  out: number;
}

export interface StoreCode extends Code {
  /**
   * WGSL that stores the tile of dilation `s`. It can use `x_s`, `y_s`, `d_s` (the tile's first pixel, and the distance
   * between its pixels), `first` (the tile's block among the layers'), `block_s` (among the output's), `bias`, and the
   * sums `acc_s_row_column_block`.
   */
  statements(s: number): string;
}

export function storeRecipe({ store }: ConvAttrs, output: View, results: readonly View[]): StoreRecipe {
  const { dtype } = output;
  return store?.kind === 'pool'
    ? { kind: 'pool', dtype, pooled: results[0].dtype }
    : { kind: store?.kind ?? 'plain', dtype };
}

/** What a store does, for program labels. */
const LABEL: Record<StoreRecipe['kind'], string> = { plain: '', pool: 'and max-pool', picture: 'and picture' };

/** A coordinate of a tile's pixel, as WGSL. */
function coordinate(axis: 'x' | 'y', s: number, steps: number): string {
  return steps === 0 ? `${axis}_${s}` : `(${axis}_${s} + ${steps} * d_${s})`;
}

function plainCode({ columns, rows, out }: TileSize, dtype: DType): StoreCode {
  const pixel = (s: number, ty: number, tx: number): string => {
    const [x, y] = [coordinate('x', s, tx), coordinate('y', s, ty)];
    return `  if (u32(${x}) < params.width && u32(${y}) < params.height) {
    let at = u32(${y} * width + ${x});
${each(out, (o) => `    write_output(at, block_${s} + ${o}u, acc_${s}_${ty}_${tx}_${o} + bias[first + ${o}u]);`)}
  }`;
  };
  return {
    label: LABEL.plain,
    functions: `
fn write_output(at: u32, block: u32, value: vec4f) {
  output[params.output_start + at + block * params.size] = ${texelType(dtype)}(activate(value));
}`,
    bindings: { output: writes({ dtype }) },
    params: { output_start: 'u32' },
    statements: (s) => lines(range(rows).flatMap((ty) => range(columns).map((tx) => pixel(s, ty, tx)))),
  };
}

/** Stores the 2x2 maximum as well. The dilation is 1, so tiles consist of whole pooling windows. */
function poolCode(tile: TileSize, dtype: DType, pooled: DType): StoreCode {
  const plain = plainCode(tile, dtype);
  const { columns, rows, out } = tile;
  // Activations never decrease, so the maximum may be taken before bias and activation.
  const maximum = (j: number, i: number, o: number): string => {
    const acc = (dy: number, dx: number): string => `acc_0_${2 * j + dy}_${2 * i + dx}_${o}`;
    return `max(max(${acc(0, 0)}, ${acc(0, 1)}), max(${acc(1, 0)}, ${acc(1, 1)}))`;
  };
  const window = (j: number, i: number): string => `  {
    let px = u32(x_0) / 2u + ${i}u;
    let py = u32(y_0) / 2u + ${j}u;
    if (px < params.pooled_width && py < params.pooled_height) {
      let at = py * params.pooled_width + px;
${each(out, (o) => `      write_pooled(at, block_0 + ${o}u, ${maximum(j, i, o)} + bias[first + ${o}u]);`)}
    }
  }`;
  return {
    label: LABEL.pool,
    functions: `${plain.functions}
fn write_pooled(at: u32, block: u32, value: vec4f) {
  pooled[params.pooled_start + at + block * params.pooled_size] = ${texelType(pooled)}(activate(value));
}`,
    bindings: { ...plain.bindings, pooled: writes({ dtype: pooled }) },
    params: { ...plain.params, pooled_start: 'u32', pooled_width: 'u32', pooled_height: 'u32', pooled_size: 'u32' },
    statements: (s) =>
      lines([plain.statements(s), ...range(rows / 2).flatMap((j) => range(columns / 2).map((i) => window(j, i)))]),
  };
}

function pictureCode(tile: TileSize, dtype: DType): StoreCode {
  const plain = plainCode(tile, dtype);
  return {
    ...plain,
    label: LABEL.picture,
    functions: `${PICTURE}
fn write_output(at: u32, block: u32, value: vec4f) {
  output[params.output_start + at] = ${texelType(dtype)}(vec4f(correct(activate(value).rgb, at), 0.0));
}`,
    bindings: { stack: READ, response: READ, ...plain.bindings },
    params: { ...plain.params, ...PICTURE_PARAMS },
  };
}

export function storeCode(recipe: StoreRecipe, tile: TileSize): StoreCode {
  if (recipe.kind === 'pool') return poolCode(tile, recipe.dtype, recipe.pooled);
  return recipe.kind === 'picture' ? pictureCode(tile, recipe.dtype) : plainCode(tile, recipe.dtype);
}

/** Values for the bindings and params of a store's code. */
export function storeValues(attrs: ConvAttrs, inputs: readonly View[], output: View, results: readonly View[]): Values {
  const plain: Values = { resources: { output: buffer(output) }, params: { output_start: start(output) } };
  if (attrs.store?.kind === 'pool') {
    const [pooled] = results;
    const { width, height } = pooled.shape;
    return {
      resources: { ...plain.resources, pooled: buffer(pooled) },
      params: {
        ...plain.params,
        pooled_start: start(pooled),
        pooled_width: width,
        pooled_height: height,
        pooled_size: width * height,
      },
    };
  }
  if (attrs.store?.kind === 'picture') {
    const { stack, response } = rolesOf(attrs, inputs);
    return {
      resources: { stack: buffer(stack!), response: buffer(response!), ...plain.resources },
      params: { ...plain.params, ...pictureParams(attrs.store, stack!, response!) },
    };
  }
  return plain;
}
