/**
 * The convolution on a GPU's matrix units (subgroup matrices), halves in and sums in f32: an implicit GEMM of pixels x
 * input channels by input channels x output channels.
 *
 * A workgroup computes a tile of pixels side by side (matrixTiles.ts). For k input channels at a time, all its
 * invocations stage the tile and its halo in workgroup memory, as halves, with the k channels of a pixel next to each
 * other. The left matrix of m pixels in a row is then read straight from there at any tap, with a stride of k and no
 * copy per tap. Right matrices come from memory, packed in the order they are multiplied. Each subgroup has its own
 * rows, and a named sum for every pair of a left and a right matrix.
 *
 * Sums leave through workgroup memory a few rows at a time, channel by channel, so that neighbouring invocations store
 * neighbouring pixels. The store code is that of the register-tiled convolution (stores.ts). Further dilations run in
 * further workgroups; the widest dilation decides the halo.
 *
 * Matrices are Dawn's `chromium_experimental_subgroup_matrix`. Only the functions of `matrixFunctions` use them: tests
 * replace these functions and so check the rest on every adapter.
 */
import type { PackedWeights, Tensors } from '../../kernel.ts';
import { Program, READ, weights as weightsResource } from '../../program.ts';
import type { Dispatch, ParamTypes } from '../../program.ts';
import type { MatrixSize } from '../../target.ts';
import { each, lines, range } from '../../text.ts';
import { ACTIVATE, activationCode, negativeSlope } from '../activate.ts';
import { dilationsOf, groupsOf, layerBlocks, layersOf } from '../attrs.ts';
import type { ConvAttrs } from '../attrs.ts';
import { programLabel } from '../code.ts';
import type { Method } from '../method.ts';
import { sourceCode, sourceRecipes, sourceValues } from '../sources.ts';
import { storeCode, storeRecipe, storeValues } from '../stores.ts';
import type { StoreCode } from '../stores.ts';
import { packedWeights } from '../weights.ts';
import { SUBGROUPS, matrixGroups, matrixMemory, matrixPacking, matrixSteps, matrixTiles } from './matrixTiles.ts';
import type { MatrixMemory, MatrixTile } from './matrixTiles.ts';
import { tileName } from './registerTile.ts';
import type { Recipe } from './registerTile.ts';

/** The staged halo grows with the kernel; the network has 1x1 and 3x3. */
const MOST_KERNEL = 3;

/** Everything that a program is generated from: plain data. */
interface MatrixRecipe extends Pick<Recipe, 'kernel' | 'split' | 'activation' | 'sources' | 'store'> {
  tile: MatrixTile;
  /** The widest of them decides how much is staged. */
  dilations: readonly number[];
}

/** All code that uses matrix units. WGSL names a matrix's columns before its rows. */
export function matrixFunctions({ m, n, k }: MatrixSize): string {
  return `
alias Left = subgroup_matrix_left<f16, ${k}, ${m}>;
alias Right = subgroup_matrix_right<f16, ${n}, ${k}>;
alias Sum = subgroup_matrix_result<f32, ${n}, ${m}>;
fn load_left(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&staged, at, ${k}u); }
fn load_right(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&weights, at, ${n}u); }
fn multiply(left: Left, right: Right, sum: Sum) -> Sum { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
fn drain(at: u32, sum: Sum) { subgroupMatrixStore<col_major>(&drained, at, sum, COLUMNS); }
`;
}

/** WGSL of the loop over one source's channels: stage k channels, then multiply at all taps. */
function sourceLoop({ sources, split, tile }: MatrixRecipe, index: number): string {
  const {
    columns,
    rows,
    out,
    size: { m, n, k },
  } = tile;
  const source = sources[index];
  const halved = (value: string): string => (source.half ? `(${value} >> 1u)` : value);
  const rights = range((4 * out) / n);
  const product = (r: number, c: number): string => `        {
          let left = load_left((at + ${r}u * halo_width + ${c * m}u) * ${k}u);
${lines(rights.map((j) => `          sum_${r}_${c}_${j} = multiply(left, right_${j}, sum_${r}_${c}_${j});`))}
        }`;
  const block = split ? `part * params.blocks_${index} + c` : 'c';
  const width = source.half ? '(width >> 1u)' : 'width';
  return `  for (var step = 0u; step < params.steps_${index}; step++) {
    workgroupBarrier();
    for (var i = lane; i < halo_width * halo_height * ${k / 4}u; i += WORKGROUP) {
      let c = step * ${k / 4}u + i % ${k / 4}u;
      let pixel = i / ${k / 4}u;
      let x = x_first + i32(pixel % halo_width) - reach;
      let y = y_first + i32(pixel / halo_width) - reach;
      var value = vec4h();
      if (u32(x) < params.width && u32(y) < params.height && c < params.blocks_${index}) {
        value = vec4h(load_input_${index}(${block}, u32(${halved('y')} * ${width} + ${halved('x')})));
      }
      let to = 4u * i;
      staged[to] = value.x;
      staged[to + 1u] = value.y;
      staged[to + 2u] = value.z;
      staged[to + 3u] = value.w;
    }
    workgroupBarrier();
    for (var ky = 0u; ky < KERNEL; ky++) {
      for (var kx = 0u; kx < KERNEL; kx++) {
        let at = (subgroup * ${rows / SUBGROUPS}u + ky * dilation) * halo_width + kx * dilation;
${lines(rights.map((j) => `        let right_${j} = load_right(w + ${j * k * n}u);`))}
${lines(range(rows / SUBGROUPS).flatMap((r) => range(columns / m).map((c) => product(r, c))))}
        w += ${rights.length * k * n}u;
      }
    }
  }`;
}

/**
 * WGSL that stores the sums of a subgroup's `rowsAtOnce` rows and one matrix's channels from workgroup memory, as
 * register tiles of one pixel or one pooling window.
 */
function storeFunction(
  store: StoreCode,
  { columns, rows, size: { n } }: MatrixTile,
  { rowsAtOnce }: MatrixMemory,
): string {
  const across = columns / rowsAtOnce;
  const items = across * SUBGROUPS * (n / 4);
  const value = (ty: number, tx: number): string => {
    const parts = range(4).map((lane) => `drained[begin + ${(ty * n + lane) * columns + tx}u]`);
    return `    let acc_0_${ty}_${tx}_0 = vec4f(${parts.join(', ')});`;
  };
  return `
fn store_drained(lane: u32, x_first: i32, y_first: i32, first_block: u32, first_bias: u32, first_output: u32) {
  let width = i32(params.width);
  let d_0 = 1;
  for (var i = lane; i < ${items}u; i += WORKGROUP) {
    let column = i % ${across}u;
    let subgroup = i / ${across}u % ${SUBGROUPS}u;
    let block = i / ${across * SUBGROUPS}u;
    if (first_block + block >= params.layer_blocks) { continue; }
    let x_0 = x_first + i32(column * ${rowsAtOnce}u);
    let y_0 = y_first + i32(subgroup * ${rows / SUBGROUPS}u);
    let begin = (subgroup * ${rowsAtOnce * n}u + block * 4u) * ${columns}u + column * ${rowsAtOnce}u;
${lines(range(rowsAtOnce).flatMap((ty) => range(rowsAtOnce).map((tx) => value(ty, tx))))}
    let first = first_bias + first_block + block;
    let block_0 = first_output + first_block + block;
${store.statements(0)}
  }
}`;
}

/** WGSL that passes all sums to `store_drained`, row by row and matrix by matrix. */
function drainAll({ columns, rows, out, size: { m, n } }: MatrixTile, { rowsAtOnce }: MatrixMemory): string {
  return lines(
    range(rows / SUBGROUPS / rowsAtOnce).flatMap((pass) =>
      range((4 * out) / n).map((j) => {
        const drains = range(rowsAtOnce).flatMap((t) =>
          range(columns / m).map(
            (c) =>
              `  drain((subgroup * ${rowsAtOnce * n}u + ${t * n}u) * ${columns}u + ${c * m}u, ` +
              `sum_${pass * rowsAtOnce + t}_${c}_${j});`,
          ),
        );
        return lines([
          '  workgroupBarrier();',
          ...drains,
          '  workgroupBarrier();',
          `  store_drained(lane, x_first, y_first + ${pass * rowsAtOnce}, own * OUT_BLOCKS + ${(j * n) / 4}u, ` +
            'first_bias, part * params.layer_blocks);',
        ]);
      }),
    ),
  );
}

function generate(recipe: MatrixRecipe): Program {
  const { kernel, dilations, tile } = recipe;
  const { columns, rows, out, workgroup, size } = tile;
  const memory = matrixMemory(kernel, dilations, recipe.store.kind === 'pool', tile);
  const sources = recipe.sources.map(sourceCode);
  const store = storeCode(recipe.store, { columns: memory.rowsAtOnce, rows: memory.rowsAtOnce, out: 1 });
  const several = dilations.length > 1;
  const sums = range(rows / SUBGROUPS).flatMap((r) =>
    range(columns / size.m).flatMap((c) => range((4 * out) / size.n).map((j) => `sum_${r}_${c}_${j}`)),
  );
  const halo = several
    ? `  var dilation = params.dilation_0;
${lines(dilations.map((_, s) => (s ? `  if (part == ${s}u) { dilation = params.dilation_${s}; }` : '')))}
  let halo_width = ${columns}u + (KERNEL - 1u) * dilation;
  let halo_height = ${rows}u + (KERNEL - 1u) * dilation;`
    : `  const dilation = DILATION;
  const halo_width = ${memory.haloWidth}u;
  const halo_height = ${memory.haloHeight}u;`;
  const body = (): string => `
${ACTIVATE[recipe.activation]}
${lines(sources.map((source) => source.functions))}
${store.functions}
var<workgroup> staged: array<f16, ${memory.staged}>;
var<workgroup> drained: array<f32, ${memory.drained}>;
${matrixFunctions(size)}
${storeFunction(store, tile, memory)}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) subgroup: u32) {
  let width = i32(params.width);
  let part = group.y / params.groups;
  let own = group.y % params.groups;
${lines(sources.map(({ setup }) => setup))}
${halo}
  let reach = i32((KERNEL - 1u) / 2u * dilation);
  let x_first = i32(group.x * ${columns}u);
  let y_first = i32(group.z * ${rows}u);
  // Parts are dilations of one layer, or layers.
  var w = ${several ? 'own' : 'group.y'} * params.group_weights;
  let first_bias = ${several ? '0u' : 'part * params.layer_blocks'};
${lines(sums.map((name) => `  var ${name} = Sum();`))}
${each(sources.length, (n) => sourceLoop(recipe, n))}
${drainAll(tile, memory)}
}`;
  const params: ParamTypes = {
    width: 'u32',
    height: 'u32',
    size: 'u32',
    layer_blocks: 'u32',
    groups: 'u32',
    group_weights: 'u32',
    slope: 'f32',
  };
  if (several) dilations.forEach((_, s) => Object.assign(params, { [`dilation_${s}`]: 'u32' }));
  sources.forEach((source, n) =>
    Object.assign(params, { [`blocks_${n}`]: 'u32', [`steps_${n}`]: 'u32' }, source.params),
  );
  return new Program({
    label: programLabel(kernel, sources, dilations.length, store, tileName('matrix', tile)),
    enables: ['subgroups', 'chromium_experimental_subgroup_matrix'],
    // The place a matrix is read from depends on the subgroup. WGSL's uniformity analysis treats that as dependent on
    // the invocation.
    diagnosticsOff: ['chromium.subgroup_matrix_uniformity'],
    workgroup: [workgroup, 1, 1],
    constants: {
      KERNEL: kernel,
      OUT_BLOCKS: out,
      WORKGROUP: workgroup,
      COLUMNS: columns,
      ...(several ? {} : { DILATION: dilations[0] }),
    },
    params: { ...params, ...store.params },
    bindings: {
      ...Object.assign({}, ...sources.map((source) => source.bindings)),
      weights: { access: 'read', type: 'array<f16>' },
      bias: READ,
      ...store.bindings,
    },
    body,
  });
}

const programs = new Map<string, Program>();

function programOf(recipe: MatrixRecipe): Program {
  const key = JSON.stringify(recipe);
  const program = programs.get(key) ?? generate(recipe);
  programs.set(key, program);
  return program;
}

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
      ...(dilations.length > 1 ? Object.fromEntries(dilations.map((d, s) => [`dilation_${s}`, d])) : {}),
      ...Object.assign(
        {},
        ...sources.map((source, n) => ({ [`blocks_${n}`]: source.blocks, [`steps_${n}`]: steps[n], ...source.params })),
      ),
      ...store.params,
    },
    workgroups: [
      Math.ceil(width / columns),
      groups * layersOf(attrs).length * dilations.length,
      Math.ceil(height / rows),
    ],
  };
}

export const matrix: Method = {
  name: 'matrix',
  implementations({ attrs, inputs, target }) {
    if (groupsOf(attrs) !== 1 || attrs.kernel > MOST_KERNEL) return [];
    return matrixTiles(attrs, inputs, target).map((tile) => {
      const weights = packedWeights(attrs, matrixPacking(attrs, inputs, tile));
      return {
        name: tileName('matrix', tile),
        weights,
        dispatch: (tensors) => dispatch(attrs, tile, weights, tensors),
      };
    });
  },
};
