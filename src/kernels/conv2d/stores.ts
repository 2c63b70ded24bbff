/** What becomes of a convolution's accumulators: WGSL after its loops, for a tile of columns x rows x output blocks at each dilation. */
import { READ, buffer, start, texelType, writes } from '../kernel.ts';
import type { View } from '../kernel.ts';
import { MERGE, MERGE_PARAMS, mergeParams } from '../merge.ts';
import { rolesOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import type { Snippet } from './snippet.ts';
import type { Variant } from './variants.ts';

export interface Store extends Snippet {
  /**
   * WGSL that stores the tile of dilation `s`. It has `x_s`, `y_s`, `d_s`, `first` (the tile's block among the layers'), `block_s` (among the output's), `bias`,
   * and accumulators `acc_s_row_column_block`.
   */
  statements(s: number): string;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A coordinate of a tile's pixel, as WGSL. */
function coordinate(axis: 'x' | 'y', s: number, steps: number): string {
  return steps === 0 ? `${axis}_${s}` : `(${axis}_${s} + ${steps} * d_${s})`;
}

function plainStore({ columns, rows, out }: Variant, output: View): Store {
  const pixel = (s: number, ty: number, tx: number): string => {
    const [x, y] = [coordinate('x', s, tx), coordinate('y', s, ty)];
    return `  if (u32(${x}) < params.width && u32(${y}) < params.height) {
    let at = u32(${y} * width + ${x});
${range(out).map((o) => `    store(at, block_${s} + ${o}u, acc_${s}_${ty}_${tx}_${o} + bias[first + ${o}u]);`).join('\n')}
  }`;
  };
  return {
    label: '',
    functions: `fn store(at: u32, block: u32, value: vec4f) { output[params.output_start + at + block * params.size] = ${texelType(output.dtype)}(activate(value)); }`,
    bindings: { output: writes(output) },
    resources: { output: buffer(output) },
    params: { output_start: 'u32' },
    values: { output_start: start(output) },
    statements: (s) => range(rows).flatMap((ty) => range(columns).map((tx) => pixel(s, ty, tx))).join('\n'),
  };
}

/** The 2x2 maximum as well: tiles are of whole pooling windows, for dilation is 1. */
function poolStore(variant: Variant, output: View, pooled: View): Store {
  const plain = plainStore(variant, output);
  const { columns, rows, out } = variant;
  const { width, height } = pooled.shape;
  // Activations rise monotonely, so the maximum may come before bias and activation.
  const maximum = (j: number, i: number, o: number): string => {
    const acc = (dy: number, dx: number): string => `acc_0_${2 * j + dy}_${2 * i + dx}_${o}`;
    return `max(max(${acc(0, 0)}, ${acc(0, 1)}), max(${acc(1, 0)}, ${acc(1, 1)}))`;
  };
  const window = (j: number, i: number): string => `  {
    let px = u32(x_0) / 2u + ${i}u;
    let py = u32(y_0) / 2u + ${j}u;
    if (px < params.pooled_width && py < params.pooled_height) {
      let at = py * params.pooled_width + px;
${range(out).map((o) => `      store_pooled(at, block_0 + ${o}u, ${maximum(j, i, o)} + bias[first + ${o}u]);`).join('\n')}
    }
  }`;
  return {
    ...plain,
    label: 'and max-pool',
    functions: `${plain.functions}
fn store_pooled(at: u32, block: u32, value: vec4f) { pooled[params.pooled_start + at + block * params.pooled_size] = ${texelType(pooled.dtype)}(activate(value)); }`,
    bindings: { ...plain.bindings, pooled: writes(pooled) },
    resources: { ...plain.resources, pooled: buffer(pooled) },
    params: { ...plain.params, pooled_start: 'u32', pooled_width: 'u32', pooled_height: 'u32', pooled_size: 'u32' },
    values: { ...plain.values, pooled_start: start(pooled), pooled_width: width, pooled_height: height, pooled_size: width * height },
    statements: (s) => [plain.statements(s), ...range(rows / 2).flatMap((j) => range(columns / 2).map((i) => window(j, i)))].join('\n'),
  };
}

/** The logits of a pixel correct the merge of the frames there (spec: Base). */
function mergeStore(variant: Variant, attrs: ConvAttrs, inputs: readonly View[], output: View): Store {
  if (attrs.store?.kind !== 'merge') throw new Error('conv2d: a merge is stored by merge');
  const { stack, response } = rolesOf(attrs, inputs);
  const plain = plainStore(variant, output);
  return {
    ...plain,
    label: 'and merge',
    functions: `${MERGE}
fn store(at: u32, block: u32, value: vec4f) { output[params.output_start + at] = ${texelType(output.dtype)}(vec4f(correct(activate(value).rgb, at), 0.0)); }`,
    bindings: { stack: READ, response: READ, ...plain.bindings },
    resources: { stack: buffer(stack!), response: buffer(response!), ...plain.resources },
    params: { ...plain.params, ...MERGE_PARAMS },
    values: { ...plain.values, ...mergeParams(attrs.store, stack!, response!) },
  };
}

export function storeOf(variant: Variant, attrs: ConvAttrs, inputs: readonly View[], output: View, results: readonly View[]): Store {
  if (attrs.store?.kind === 'pool') return poolStore(variant, output, results[0]);
  if (attrs.store?.kind === 'merge') return mergeStore(variant, attrs, inputs, output);
  return plainStore(variant, output);
}
