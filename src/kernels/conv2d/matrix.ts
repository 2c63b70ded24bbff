/**
 * The convolution on a GPU's matrix units (subgroup matrices), halves in and sums in f32: an implicit GEMM of pixels x input channels by input channels x output channels.
 *
 * A workgroup computes a tile of pixels side by side (matrixTiles.ts). For k input channels at a time, all its invocations stage the tile with what its taps reach around it in
 * workgroup memory, as halves, the k channels of a pixel together. The left matrix of m pixels in a row is then read straight from there at any tap, k apart, with no copy a
 * tap; right ones come from memory, packed in the order they are multiplied. Each subgroup has rows of its own, and a named sum for every left and right matrix.
 *
 * Sums leave through workgroup memory a few rows at a time, channel by channel, so that invocations side by side store pixels side by side; what is done to them is the register-tiled
 * convolution's own (stores.ts). Several dilations are further workgroups, whose halo is the widest's.
 *
 * Matrices are Dawn's `chromium_experimental_subgroup_matrix`. All of it is in the functions of `matrixFunctions`: tests put other ones in their place, and so check the rest on every adapter.
 */
import { READ } from '../kernel.ts';
import type { ParamTypes, Program } from '../kernel.ts';
import { activate, negativeSlope } from './activate.ts';
import { dilationsOf, layerBlocks, layersOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import type { MatrixMethod, MatrixSize, MatrixVariant } from './matrices.ts';
import { SUBGROUPS, matrixGroups, matrixMemory, matrixSteps, matrixTiles, matrixWeights } from './matrixTiles.ts';
import type { MatrixMemory } from './matrixTiles.ts';
import { sourcesOf } from './sources.ts';
import type { Source } from './sources.ts';
import { storeOf } from './stores.ts';
import type { Store } from './stores.ts';
import { nameOf } from './variants.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const lines = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n');

/** Everything that takes matrix units. WGSL gives a matrix's columns before its rows. */
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

/** WGSL of the loop over one source's channels: stage k of them, multiply at all taps. */
function sourceLoop(source: Source, index: number, { columns, rows, out, matrices: { m, n, k } }: MatrixVariant, split: boolean): string {
  const halved = (value: string): string => (source.half ? `(${value} >> 1u)` : value);
  const rights = range((4 * out) / n);
  const product = (r: number, c: number): string => `        {
          let left = load_left((at + ${r}u * halo_width + ${c * m}u) * ${k}u);
${lines(rights.map((j) => `          sum_${r}_${c}_${j} = multiply(left, right_${j}, sum_${r}_${c}_${j});`))}
        }`;
  return `  for (var step = 0u; step < params.steps_${index}; step++) {
    workgroupBarrier();
    for (var i = lane; i < halo_width * halo_height * ${k / 4}u; i += WORKGROUP) {
      let c = step * ${k / 4}u + i % ${k / 4}u;
      let pixel = i / ${k / 4}u;
      let x = x_first + i32(pixel % halo_width) - reach;
      let y = y_first + i32(pixel / halo_width) - reach;
      var value = vec4h();
      if (u32(x) < params.width && u32(y) < params.height && c < params.blocks_${index}) {
        value = vec4h(load_${index}(${split ? `part * params.blocks_${index} + c` : 'c'}, u32(${halved('y')} * ${source.half ? '(width >> 1u)' : 'width'} + ${halved('x')})));
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

/** WGSL that stores what a subgroup's `rowsAtOnce` rows and one matrix's channels have left in workgroup memory: as register tiles of one pixel or a pooling window. */
function storeFunction(store: Store, { columns, rows, matrices: { n } }: MatrixVariant, { rowsAtOnce }: MatrixMemory): string {
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

/** WGSL that hands all sums to `store_drained`, row by row and matrix by matrix. */
function drainAll({ columns, rows, out, matrices: { m, n } }: MatrixVariant, { rowsAtOnce }: MatrixMemory): string {
  return lines(
    range(rows / SUBGROUPS / rowsAtOnce).flatMap((pass) =>
      range((4 * out) / n).map((j) => {
        const drains = range(rowsAtOnce).flatMap((t) =>
          range(columns / m).map((c) => `  drain((subgroup * ${rowsAtOnce * n}u + ${t * n}u) * ${columns}u + ${c * m}u, sum_${pass * rowsAtOnce + t}_${c}_${j});`),
        );
        return lines(['  workgroupBarrier();', ...drains, '  workgroupBarrier();', `  store_drained(lane, x_first, y_first + ${pass * rowsAtOnce}, own * OUT_BLOCKS + ${(j * n) / 4}u, first_bias, part * params.layer_blocks);`]);
      }),
    ),
  );
}

function program(attrs: ConvAttrs, variant: MatrixVariant, sources: readonly Source[], store: Store): Program {
  const { kernel } = attrs;
  const { columns, rows, out, workgroup, matrices } = variant;
  const dilations = dilationsOf(attrs);
  const memory = matrixMemory(attrs, variant);
  const several = dilations.length > 1;
  const sums = range(rows / SUBGROUPS).flatMap((r) => range(columns / matrices.m).flatMap((c) => range((4 * out) / matrices.n).map((j) => `sum_${r}_${c}_${j}`)));
  const halo = several
    ? `  var dilation = params.dilation_0;
${lines(dilations.map((_, s) => (s ? `  if (part == ${s}u) { dilation = params.dilation_${s}; }` : '')))}
  let halo_width = ${columns}u + (KERNEL - 1u) * dilation;
  let halo_height = ${rows}u + (KERNEL - 1u) * dilation;`
    : `  const dilation = DILATION;
  const halo_width = ${memory.haloWidth}u;
  const halo_height = ${memory.haloHeight}u;`;
  const makeBody = (): string => `
${activate(attrs)}
${lines(sources.map((source) => source.functions))}
${store.functions}
var<workgroup> staged: array<f16, ${memory.staged}>;
var<workgroup> drained: array<f32, ${memory.drained}>;
${matrixFunctions(matrices)}
${storeFunction(store, variant, memory)}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32) {
  let width = i32(params.width);
  let part = group.y / params.groups;
  let own = group.y % params.groups;
${lines(sources.map((source) => source.setup ?? ''))}
${halo}
  let reach = i32((KERNEL - 1u) / 2u * dilation);
  let x_first = i32(group.x * ${columns}u);
  let y_first = i32(group.z * ${rows}u);
  // Parts are dilations of one layer, or layers.
  var w = ${several ? 'own' : 'group.y'} * params.group_weights;
  let first_bias = ${several ? '0u' : 'part * params.layer_blocks'};
${lines(sums.map((name) => `  var ${name} = Sum();`))}
${lines(sources.map((source, n) => sourceLoop(source, n, variant, attrs.split ?? false)))}
${drainAll(variant, memory)}
}`;
  let body: string | undefined;
  const params: ParamTypes = { width: 'u32', height: 'u32', size: 'u32', layer_blocks: 'u32', groups: 'u32', group_weights: 'u32', slope: 'f32' };
  if (several) dilations.forEach((_, s) => Object.assign(params, { [`dilation_${s}`]: 'u32' }));
  sources.forEach((source, n) => Object.assign(params, { [`blocks_${n}`]: 'u32', [`steps_${n}`]: 'u32' }, source.params));
  const extras = [...sources.map(({ label }) => label), sources.length > 1 ? 'two inputs' : '', several ? `${dilations.length} dilations` : '', store.label].filter((text) => text !== '');
  return {
    label: [`conv2d ${kernel}x${kernel}`, ...extras, nameOf(variant)].join(' '),
    enables: ['subgroups', 'chromium_experimental_subgroup_matrix'],
    // Where a matrix is read depends on the subgroup, which the analysis of uniformity takes for the invocation.
    diagnosticsOff: ['chromium.subgroup_matrix_uniformity'],
    workgroup: [workgroup, 1, 1],
    constants: { KERNEL: kernel, OUT_BLOCKS: out, WORKGROUP: workgroup, COLUMNS: columns, ...(several ? {} : { DILATION: dilations[0] }) },
    params: { ...params, ...store.params },
    bindings: { ...Object.assign({}, ...sources.map((source) => source.bindings)), weights: { access: 'read', type: 'array<f16>' }, bias: READ, ...store.bindings },
    get body() {
      return (body ??= makeBody());
    },
  };
}

const dispatch: MatrixMethod['dispatch'] = (variant, attrs, inputs, output, results, [weights, bias]) => {
  const { width, height } = output.shape;
  const { columns, rows, out, matrices } = variant;
  const dilations = dilationsOf(attrs);
  const groups = matrixGroups(attrs, variant);
  const sources = sourcesOf(attrs, inputs, output, groups);
  const { rowsAtOnce } = matrixMemory(attrs, variant);
  const store = storeOf({ ...variant, columns: rowsAtOnce, rows: rowsAtOnce, out: 1 }, attrs, inputs, output, results);
  const steps = sources.map(({ blocks }) => matrixSteps(4 * blocks, variant));
  return {
    program: program(attrs, variant, sources, store),
    resources: {
      ...Object.assign({}, ...sources.map((source) => source.resources)),
      weights: { kind: 'weights', key: weights.key },
      bias: { kind: 'weights', key: bias.key },
      ...store.resources,
    },
    params: {
      width,
      height,
      size: width * height,
      layer_blocks: layerBlocks(attrs),
      groups,
      group_weights: steps.reduce((sum, count) => sum + count, 0) * attrs.kernel ** 2 * 4 * out * matrices.k,
      slope: negativeSlope(attrs),
      ...(dilations.length > 1 ? Object.fromEntries(dilations.map((d, s) => [`dilation_${s}`, d])) : {}),
      ...Object.assign({}, ...sources.map((source, n) => ({ [`blocks_${n}`]: source.blocks, [`steps_${n}`]: steps[n], ...source.values }))),
      ...store.values,
    },
    workgroups: [Math.ceil(width / columns), groups * layersOf(attrs).length * dilations.length, Math.ceil(height / rows)],
  };
};

/** Convolutions on matrix units. */
export const MATRIX_CONV2D: MatrixMethod = { candidates: matrixTiles, weights: matrixWeights, dispatch };
