/** The program of the convolution on matrix units (matrix.ts), generated from its recipe. */
import { Program, READ } from '../../program.ts';
import type { ParamTypes } from '../../program.ts';
import type { MatrixSize } from '../../target.ts';
import { each, lines, range } from '../../text.ts';
import { ACTIVATE } from '../activate.ts';
import { programLabel } from '../code.ts';
import { sourceCode } from '../sources.ts';
import { storeCode } from '../stores.ts';
import type { StoreCode } from '../stores.ts';
import { SUBGROUP_COLUMNS, haloSize, matrixMemory, matrixName, subgroupRows } from './matrixTiles.ts';
import type { MatrixMemory, MatrixTile } from './matrixTiles.ts';
import type { Recipe } from './registerTile.ts';

/** Everything that a program is generated from: plain data. */
export interface MatrixRecipe extends Pick<Recipe, 'kernel' | 'split' | 'activation' | 'sources' | 'store'> {
  tile: MatrixTile;
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
fn drain(at: u32, sum: Sum) { subgroupMatrixStore<col_major>(&drained, at, sum, DRAIN_STRIDE); }
`;
}

/** WGSL that finds, for each value of the halo that an invocation stages, its pixel and its place. */
function stagedItems({ kernel, tile }: MatrixRecipe, dilation: number): string {
  const { k } = tile.size;
  const { width, height } = haloSize(kernel, dilation, tile);
  const blocks = k / 4;
  return lines(
    stagedRange(kernel, dilation, tile).map(
      (t) => `  let item_${t} = lane + ${t * tile.workgroup}u;
  let c_${t} = item_${t} % ${blocks}u;
  let x_${t} = x_first + i32(item_${t} / ${blocks}u % ${width}u) - ${((kernel - 1) / 2) * dilation};
  let y_${t} = y_first + (i32(item_${t} / ${blocks * width}u) - ${(kernel - 1) / 2}) * ${dilation};
  let inside_${t} = u32(x_${t}) < params.width && u32(y_${t}) < params.height
    && item_${t} < ${blocks * width * height}u;`,
    ),
  );
}

/** The values that an invocation stages, numbered. */
function stagedRange(kernel: number, dilation: number, tile: MatrixTile): number[] {
  const { width, height } = haloSize(kernel, dilation, tile);
  return range(Math.ceil((width * height * tile.size.k) / 4 / tile.workgroup));
}

/** WGSL of the loop over one source's channels: stage k channels, then multiply at all taps. */
function sourceLoop({ kernel, sources, split, tile }: MatrixRecipe, dilation: number, index: number): string {
  const {
    out,
    size: { m, n, k },
  } = tile;
  const source = sources[index];
  const halved = (value: string): string => (source.half ? `(${value} >> 1u)` : value);
  const rows = subgroupRows(tile);
  const { width, height } = haloSize(kernel, dilation, tile);
  const rights = range((4 * out) / n);
  const block = split ? `part * params.blocks_${index} + block` : 'block';
  const plane = source.half ? '(params.width >> 1u)' : 'params.width';
  const items = stagedRange(kernel, dilation, tile);
  const count = (width * height * k) / 4;
  const load = (t: number): string => `    var value_${t} = vec4h();
    {
      let block = step * ${k / 4}u + c_${t};
      let has = inside_${t} && block < params.blocks_${index};
      let at = select(0u, ${halved(`u32(y_${t})`)} * ${plane} + ${halved(`u32(x_${t})`)}, has);
      let loaded = vec4h(load_input_${index}(select(0u, ${block}, has), at));
      value_${t} = select(vec4h(), loaded, has);
    }`;
  const stage = (t: number): string => {
    const stores = `staged[4u * item_${t}] = value_${t}.x;
      staged[4u * item_${t} + 1u] = value_${t}.y;
      staged[4u * item_${t} + 2u] = value_${t}.z;
      staged[4u * item_${t} + 3u] = value_${t}.w;`;
    return (t + 1) * tile.workgroup <= count
      ? `      ${stores}`
      : `    if (item_${t} < ${count}u) {\n      ${stores}\n    }`;
  };
  const rightAt = (ky: number, j: number): number => (ky * kernel * rights.length + j) * k * n;
  // The taps of a column, at one column of matrices.
  const taps = (c: number): string => `      {
${lines(
  range(rows + kernel - 1).map((r) => `        let left_${r} = load_left((at + ${r * width + c * m}u) * ${k}u);`),
)}
${lines(
  range(kernel).map(
    (ky) => `        {
${lines(rights.map((j) => `          let right_${j} = load_right(from_tap + ${rightAt(ky, j)}u);`))}
${lines(
  range(rows).flatMap((r) =>
    rights.map((j) => `          sum_${r}_${c}_${j} = multiply(left_${r + ky}, right_${j}, sum_${r}_${c}_${j});`),
  ),
)}
        }`,
  ),
)}
      }`;
  return `  for (var step = 0u; step < params.steps_${index}; step++) {
${lines(items.map(load))}
    workgroupBarrier();
${lines(items.map(stage))}
    workgroupBarrier();
    for (var kx = 0u; kx < ${kernel}u; kx++) {
      let at = first + kx * ${dilation}u;
      let from_tap = w + kx * ${rights.length * k * n}u;
${lines(range(SUBGROUP_COLUMNS / m).map(taps))}
    }
    w += ${kernel ** 2 * rights.length * k * n}u;
  }`;
}

/**
 * WGSL that stores `rowsAtOnce` rows of each subgroup and one matrix's channels from workgroup memory, as register
 * tiles of one pixel or one pooling window.
 */
function storeFunction(store: StoreCode, tile: MatrixTile, { rowsAtOnce, drainStride }: MatrixMemory): string {
  const { n } = tile.size;
  const across = SUBGROUP_COLUMNS / rowsAtOnce;
  const items = across * tile.subgroups * (n / 4);
  const value = (ty: number, tx: number): string => {
    const parts = range(4).map((lane) => `drained[begin + ${(ty * n + lane) * drainStride + tx}u]`);
    return `    let acc_0_${ty}_${tx}_0 = vec4f(${parts.join(', ')});`;
  };
  return `
fn store_drained(lane: u32, x_first: i32, y_first: i32, dilation: i32, first_block: u32, first_bias: u32,
  first_output: u32) {
  let width = i32(params.width);
  let d_0 = 1;
  for (var i = lane; i < ${items}u; i += WORKGROUP) {
    let column = i % ${across}u;
    let subgroup = i / ${across}u % ${tile.subgroups}u;
    let block = i / ${across * tile.subgroups}u;
    if (first_block + block >= params.layer_blocks) { continue; }
    let x_0 = x_first + i32(subgroup % ${tile.across}u * ${SUBGROUP_COLUMNS}u + column * ${rowsAtOnce}u);
    let y_0 = y_first + i32(subgroup / ${tile.across}u * ${subgroupRows(tile)}u) * dilation;
    let begin = (subgroup * ${rowsAtOnce * n}u + block * 4u) * ${drainStride}u + column * ${rowsAtOnce}u;
${lines(range(rowsAtOnce).flatMap((ty) => range(rowsAtOnce).map((tx) => value(ty, tx))))}
    let first = first_bias + first_block + block;
    let block_0 = first_output + first_block + block;
${store.statements(0)}
  }
}`;
}

/** WGSL that passes all sums to `store_drained`, row by row and matrix by matrix. */
function drainAll(tile: MatrixTile, dilation: number, { rowsAtOnce, drainStride }: MatrixMemory): string {
  const {
    out,
    size: { m, n },
  } = tile;
  return lines(
    range(subgroupRows(tile) / rowsAtOnce).flatMap((pass) =>
      range((4 * out) / n).map((j) => {
        const drains = range(rowsAtOnce).flatMap((t) =>
          range(SUBGROUP_COLUMNS / m).map(
            (c) =>
              `  drain((subgroup * ${rowsAtOnce * n}u + ${t * n}u) * ${drainStride}u + ${c * m}u, ` +
              `sum_${pass * rowsAtOnce + t}_${c}_${j});`,
          ),
        );
        return lines([
          '  workgroupBarrier();',
          ...drains,
          '  workgroupBarrier();',
          `  store_drained(lane, x_first, y_first + ${pass * rowsAtOnce * dilation}, ${dilation}, ` +
            `own * OUT_BLOCKS + ${(j * n) / 4}u, first_bias, part * params.layer_blocks);`,
        ]);
      }),
    ),
  );
}

/** WGSL of a function that computes a tile at one dilation. */
function tileFunction(recipe: MatrixRecipe, dilation: number, memory: MatrixMemory): string {
  const { tile, kernel } = recipe;
  const { columns, rows, out, size, across } = tile;
  const sums = range(subgroupRows(tile)).flatMap((r) =>
    range(SUBGROUP_COLUMNS / size.m).flatMap((c) => range((4 * out) / size.n).map((j) => `sum_${r}_${c}_${j}`)),
  );
  const { width } = haloSize(kernel, dilation, tile);
  return `
fn tile_${dilation}(group: vec3u, lane: u32, subgroup: u32, part: u32, own: u32, first_weight: u32, first_bias: u32) {
  let x_first = i32(group.x * ${columns}u);
  // Rows between those of this tile belong to the next tiles.
  let y_first = i32(group.z / ${dilation}u * ${rows * dilation}u + group.z % ${dilation}u);
  if (u32(y_first) >= params.height) { return; }
  let first = subgroup / ${across}u * ${subgroupRows(tile) * width}u + subgroup % ${across}u * ${SUBGROUP_COLUMNS}u;
  var w = first_weight;
${stagedItems(recipe, dilation)}
${lines(sums.map((name) => `  var ${name} = Sum();`))}
${each(recipe.sources.length, (n) => sourceLoop(recipe, dilation, n))}
${drainAll(tile, dilation, memory)}
}`;
}

function generate(recipe: MatrixRecipe): Program {
  const { kernel, dilations, tile } = recipe;
  const { out, workgroup, size } = tile;
  const memory = matrixMemory(kernel, dilations, recipe.store.kind === 'pool', tile);
  const sources = recipe.sources.map(sourceCode);
  const store = storeCode(recipe.store, { columns: memory.rowsAtOnce, rows: memory.rowsAtOnce, out: 1 });
  const several = dilations.length > 1;
  const call = (dilation: number): string =>
    `tile_${dilation}(group, lane, subgroup, part, own, ${several ? 'own' : 'group.y'} * params.group_weights, ` +
    `${several ? '0u' : 'part * params.layer_blocks'});`;
  const body = (): string => `
${ACTIVATE[recipe.activation]}
${lines(sources.map((source) => source.functions))}
${store.functions}
var<workgroup> staged: array<f16, ${memory.staged}>;
var<workgroup> drained: array<f32, ${memory.drained}>;
${matrixFunctions(size)}
${storeFunction(store, tile, memory)}
${lines(dilations.map((dilation) => tileFunction(recipe, dilation, memory)))}

@workgroup${size.lanes ? ` @subgroup_size(${size.lanes})` : ''}
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) subgroup: u32) {
  // Parts are dilations of one layer, or layers.
  let part = group.y / params.groups;
  let own = group.y % params.groups;
${lines(sources.map(({ setup }) => setup))}
${lines(dilations.map((dilation, s) => `  ${several ? `if (part == ${s}u) ` : ''}{ ${call(dilation)} }`))}
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
  sources.forEach((source, n) =>
    Object.assign(params, { [`blocks_${n}`]: 'u32', [`steps_${n}`]: 'u32' }, source.params),
  );
  return new Program({
    label: programLabel(kernel, sources, dilations.length, store, matrixName(tile)),
    enables: ['subgroups', ...(size.lanes ? ['subgroup_size_control'] : []), 'chromium_experimental_subgroup_matrix'],
    // The place a matrix is read from depends on the subgroup. WGSL's uniformity analysis treats that as dependent on
    // the invocation.
    diagnosticsOff: ['chromium.subgroup_matrix_uniformity'],
    workgroup: [workgroup, 1, 1],
    constants: { OUT_BLOCKS: out, WORKGROUP: workgroup, DRAIN_STRIDE: memory.drainStride },
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

/** The program of a recipe. */
export function programOf(recipe: MatrixRecipe): Program {
  const key = JSON.stringify(recipe);
  const program = programs.get(key) ?? generate(recipe);
  programs.set(key, program);
  return program;
}
