/**
 * The register-tiled convolution, stride 1 with zero "same" padding, generated for a variant, its sources, its store and its number of dilations.
 *
 * An invocation's tile is `columns` x `rows` pixels that are a dilation apart, so that neighbours in the tile share taps: for 2x2 pixels and a 3x3 kernel
 * 16 loads a channel block instead of 36. Tiles are counted along the picture, row after row, so that small and odd sizes waste little. Loops: input
 * blocks, then kernel rows; columns are unrolled. A tile's upper input rows are the lower ones of the kernel row before, and stay in registers.
 *
 * Where memory is the workgroup's this is an implicit GEMM: for each input block, the taps of all tiles and the weights are staged there. The tiles of a workgroup are SIDE x SIDE
 * neighbours at a dilation, so that what is staged is as small for dilated convolutions as for others.
 *
 * Several dilations: an invocation has a tile for each, and every weight it loads or is handed multiplies in all of them.
 *
 * Accumulators are named scalars (`acc_dilation_row_column_block`): arrays would go to memory.
 */
import { READ, reads, readsTexture } from '../kernel.ts';
import type { DType, Dispatch, PackedWeights, ParamTypes, ParamValues, Program, View } from '../kernel.ts';
import { activate, negativeSlope } from './activate.ts';
import { dilationsOf, layerBlocks, layersOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import { sourcesOf } from './sources.ts';
import type { Source } from './sources.ts';
import { storeOf } from './stores.ts';
import type { Store } from './stores.ts';
import { SIDE, kernelVectors, nameOf, stagedArea } from './variants.ts';
import type { Variant } from './variants.ts';
import { POSITIONS, sumName, tapName, transformSums, transformTaps } from './winograd.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const lines = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n');

/** How a variant has weights at hand. `w` is the first vec4 of an input block's weights, or their row in the texture; `lane` the invocation. */
interface WeightAccess {
  /** WGSL before the rows of an input block, and before each row. */
  atBlock: string;
  atRow: string;
  /** WGSL in which `a` is one vec4 of weights, and `use` multiplies with it. */
  weight(kx: number, out: number, lane: number, use: string): string;
}

function weightAccess({ memory, out, workgroup, winograd }: Variant, kernel: number): WeightAccess {
  // Winograd's 16 positions are one row.
  const row = (winograd ? POSITIONS : kernel) * 4 * out;
  const rows = winograd ? 1 : kernel;
  const index = (kx: number, o: number, lane: number): number => (kx * 4 + lane) * out + o;
  if (memory === 'subgroup') {
    const first = winograd ? 'lane' : `u32(ky) * ${row}u + lane`;
    const loads = [`      let first = ${first};`, ...range(Math.ceil(row / workgroup)).map((j) => `      let w_${j} = textureLoad(weights, vec2u(first + ${j * workgroup}u, w));`)];
    const weight: WeightAccess['weight'] = (kx, o, i, use) => {
      const at = index(kx, o, i);
      return `      { let a = subgroupBroadcast(w_${Math.floor(at / workgroup)}, ${at % workgroup}u); ${use} }`;
    };
    return { atBlock: '', atRow: lines(loads), weight };
  }
  const [array, first] = memory === 'workgroup' ? ['kernels', '0u'] : ['weights', 'w'];
  return {
    atBlock: memory === 'workgroup' ? `    for (var i = lane; i < ${rows * row}u; i += WORKGROUP) { kernels[i] = vec4f(weights[w + i]); }` : '',
    atRow: `      let t = ${first}${winograd ? '' : ` + u32(ky) * ${row}u`};`,
    weight: (kx, o, i, use) => `      { let a = vec4f(${array}[t + ${index(kx, o, i)}u]); ${use} }`,
  };
}

/** By what `w` grows from one input block to the next. */
function weightStep(variant: Variant, kernel: number): string {
  return variant.memory === 'subgroup' ? '1u' : `${kernelVectors(variant, kernel)}u`;
}

/** WGSL of the loop over one source's blocks. */
function sourceLoop(source: Source, n: number, variant: Variant, kernel: number, dilations: number, split: boolean): string {
  const { columns, rows, out, memory } = variant;
  const access = weightAccess(variant, kernel);
  const step = weightStep(variant, kernel);
  const radius = (kernel - 1) / 2;
  const taps = columns + kernel - 1;
  const halved = (value: string): string => (source.half ? `(${value} >> 1u)` : value);
  const pitch = source.half ? '(width >> 1u)' : 'width';
  const tap = (s: number, r: number, j: number): string => `t_${s}_${r}_${j}`;
  const blockOf = (s: number): string => (split ? `${s}u * params.blocks_${n} + c` : 'c');
  const { pitch: across, area } = stagedArea(variant, kernel);
  /** Stages what the workgroup's tiles read of a block. */
  const stage = (s: number): string => `    for (var i = lane; i < ${area}u; i += WORKGROUP) {
      let x = first_x_${s} + (i32(i % ${across}u) - ${radius}) * d_${s};
      let y = first_y_${s} + (i32(i / ${across}u) - ${radius}) * d_${s};
      let ok = u32(x) < params.width && u32(y) < params.height;
      staged[${s * area}u + i] = select(vec4f(0.0), load_${n}(${blockOf(s)}, u32(select(0, ${halved('y')} * ${pitch} + ${halved('x')}, ok))), ok);
    }`;
  /** Loads a row of taps, `line` rows of the dilation below the tile's first. */
  const loadRow = (s: number, r: number, line: string): string => {
    if (memory === 'workgroup') return lines([`      { let row = at_${s} + u32((${line}) + ${radius}) * ${across}u;`, ...range(taps).map((j) => `        ${tap(s, r, j)} = staged[row + ${j}u];`), '      }']);
    const block = blockOf(s);
    const load = (j: number): string =>
      `        let ok_${j} = inside && in_${s}_${j}; ${tap(s, r, j)} = select(vec4f(0.0), load_${n}(${block}, u32(select(0, line_start + ${halved(`c_${s}_${j}`)}, ok_${j}))), ok_${j});`;
    return `      {
        let y = y_${s} + (${line}) * d_${s};
        let inside = u32(y) < params.height;
        let line_start = ${halved('y')} * ${pitch};
${lines(range(taps).map(load))}
      }`;
  };
  const multiply = (kx: number, o: number, i: number): string => {
    const product = (s: number, ty: number, tx: number): string => `acc_${s}_${ty}_${tx}_${o} += a * ${tap(s, ty, tx + kx)}.${'xyzw'[i]};`;
    return access.weight(kx, o, i, range(dilations).flatMap((s) => range(rows).flatMap((ty) => range(columns).map((tx) => product(s, ty, tx)))).join(' '));
  };
  const streams = range(dilations);
  const atBlock = memory === 'workgroup' ? lines(['    workgroupBarrier();', ...streams.map(stage), access.atBlock, '    workgroupBarrier();']) : access.atBlock;
  if (variant.winograd) {
    const tiles = columns / 2;
    const product = (position: number, o: number, i: number): string => {
      const sums = streams.flatMap((s) => range(tiles).map((tile) => `${sumName(s, tile, position, o)} += a * ${tapName(s, tile, position)}.${'xyzw'[i]};`));
      return access.weight(position, o, i, sums.join(' '));
    };
    return `  for (var c = 0u; c < params.blocks_${n}; c++) {
${atBlock}
${access.atRow}
${lines(streams.map((s) => `    ${range(4).flatMap((r) => range(taps).map((j) => `var ${tap(s, r, j)} = vec4f(0.0);`)).join(' ')}`))}
${lines(streams.flatMap((s) => range(4).map((r) => loadRow(s, r, `${r - 1}`))))}
${lines(streams.map((s) => `    ${transformTaps(s, tiles, (r, j) => tap(s, r, j))}`))}
${lines(range(POSITIONS).flatMap((position) => range(out).flatMap((o) => range(4).map((i) => product(position, o, i)))))}
    w += ${step};
  }`;
  }
  const shift = (s: number): string => range(rows - 1).flatMap((r) => range(taps).map((j) => `${tap(s, r, j)} = ${tap(s, r + 1, j)};`)).join(' ');
  return `  for (var c = 0u; c < params.blocks_${n}; c++) {
${atBlock}
${lines(streams.map((s) => `    ${range(rows).flatMap((r) => range(taps).map((j) => `var ${tap(s, r, j)} = vec4f(0.0);`)).join(' ')}`))}
${lines(streams.flatMap((s) => range(rows - 1).map((r) => loadRow(s, r, `${r - radius}`))))}
    for (var ky = 0; ky < KERNEL; ky++) {
${access.atRow}
${lines(streams.map((s) => loadRow(s, rows - 1, `ky + ${rows - 1 - radius}`)))}
${lines(range(kernel).flatMap((kx) => range(out).flatMap((o) => range(4).map((i) => multiply(kx, o, i)))))}
${kernel > 1 ? lines(streams.map((s) => `      ${shift(s)}`)) : ''}
    }
    w += ${step};
  }`;
}

/** Programs that have been made: a network has a hundred layers of a few kinds, and plans of many tiles are only considered. */
const programs = new Map<string, Program>();

function program(attrs: ConvAttrs, variant: Variant, sources: readonly Source[], store: Store, weights: DType): Program {
  // All that `makeProgram` looks at; what a store does with a tile follows from its label.
  const looked = [variant, attrs.kernel, activate(attrs), dilationsOf(attrs).length, attrs.split, weights, sources, store];
  const key = JSON.stringify(looked, (name, value: unknown) => (['resources', 'values', 'blocks'].includes(name) ? undefined : value));
  let made = programs.get(key);
  if (!made) programs.set(key, (made = makeProgram(attrs, variant, sources, store, weights)));
  return made;
}

function makeProgram(attrs: ConvAttrs, variant: Variant, sources: readonly Source[], store: Store, weights: DType): Program {
  const { kernel } = attrs;
  const { columns, rows, out, workgroup, memory, winograd } = variant;
  const streams = range(dilationsOf(attrs).length);
  const radius = (kernel - 1) / 2;
  const accumulator = (s: number, ty: number, tx: number, o: number): string => `acc_${s}_${ty}_${tx}_${o}`;
  const sums = (s: number): string[] =>
    winograd
      ? range(columns / 2).flatMap((tile) => range(POSITIONS).flatMap((position) => range(out).map((o) => sumName(s, tile, position, o))))
      : range(rows).flatMap((ty) => range(columns).flatMap((tx) => range(out).map((o) => accumulator(s, ty, tx, o))));
  const outputs = winograd ? streams.map((s) => transformSums(s, columns / 2, out, (ty, tx, o) => accumulator(s, ty, tx, o))) : [];
  const isStaged = memory === 'workgroup';
  const side = isStaged ? SIDE : 1;
  const { pitch, area } = stagedArea(variant, kernel);
  const place = (s: number): string => `  let d_${s} = i32(params.dilation_${s});
  let qx_${s} = i32(tile % params.across_${s});
  let qy_${s} = i32(tile / params.across_${s});
  let first_x_${s} = qx_${s} / d_${s} * (${side * columns} * d_${s}) + qx_${s} % d_${s};
  let first_y_${s} = qy_${s} / d_${s} * (${side * rows} * d_${s}) + qy_${s} % d_${s};
  let x_${s} = first_x_${s}${isStaged ? ` + i32(lane % ${SIDE}u) * ${columns} * d_${s}` : ''};
  let y_${s} = first_y_${s}${isStaged ? ` + i32(lane / ${SIDE}u) * ${rows} * d_${s}` : ''};
${isStaged ? `  let at_${s} = ${s * area}u + lane / ${SIDE}u * ${rows * pitch}u + lane % ${SIDE}u * ${columns}u;` : lines(range(columns + kernel - 1).map((j) => `  let c_${s}_${j} = x_${s} + ${j - radius} * d_${s}; let in_${s}_${j} = u32(c_${s}_${j}) < params.width;`))}
${lines(sums(s).map((name) => `  var ${name} = vec4f(0.0);`))}`;
  const makeBody = (): string => `
${activate(attrs)}
${lines(sources.map((source) => source.functions))}
${store.functions}
${isStaged ? `var<workgroup> staged: array<vec4f, ${streams.length * area}>;\nvar<workgroup> kernels: array<vec4f, ${kernelVectors(variant, kernel)}>;` : ''}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(${memory === 'subgroup' ? 'subgroup_invocation_id' : 'local_invocation_index'}) lane: u32) {
  let width = i32(params.width);
  let tile = ${isStaged ? 'group.z * groups.x + group.x' : '(group.z * groups.x + group.x) * WORKGROUP + lane'};
${lines(sources.map((source) => source.setup ?? ''))}
${lines(streams.map(place))}
  var w = group.y * params.in_blocks * (${weightStep(variant, kernel)});
${lines(sources.map((source, n) => sourceLoop(source, n, variant, kernel, streams.length, attrs.split ?? false)))}
${lines(outputs)}
  let first = group.y * OUT_BLOCKS;
${lines(streams.map((s) => `  let block_${s} = first + ${s}u * params.layer_blocks;\n${store.statements(s)}`))}
}`;
  let body: string | undefined;
  const params: ParamTypes = { width: 'u32', height: 'u32', size: 'u32', in_blocks: 'u32', layer_blocks: 'u32', slope: 'f32' };
  for (const s of streams) Object.assign(params, { [`dilation_${s}`]: 'u32', [`across_${s}`]: 'u32' });
  sources.forEach((source, n) => Object.assign(params, { [`blocks_${n}`]: 'u32' }, source.params));
  const extras = [...sources.map(({ label }) => label), sources.length > 1 ? 'two inputs' : '', streams.length > 1 ? `${streams.length} dilations` : '', store.label].filter((text) => text !== '');
  return {
    label: [`conv2d ${kernel}x${kernel}`, ...extras, nameOf(variant)].join(' '),
    enables: memory === 'subgroup' ? ['subgroups'] : [],
    workgroup: [workgroup, 1, 1],
    constants: { KERNEL: kernel, OUT_BLOCKS: out, WORKGROUP: workgroup },
    params: { ...params, ...store.params },
    bindings: { ...Object.assign({}, ...sources.map((source) => source.bindings)), weights: memory === 'subgroup' ? readsTexture({ dtype: weights }) : reads({ dtype: weights }), bias: READ, ...store.bindings },
    // Long, and not needed for plans of tiles that are only considered.
    get body() {
      return (body ??= makeBody());
    },
  };
}

export function tiledDispatch(variant: Variant, attrs: ConvAttrs, inputs: readonly View[], output: View, results: readonly View[], [weights, bias]: readonly PackedWeights[]): Dispatch {
  const { width, height } = output.shape;
  const dilations = dilationsOf(attrs);
  const groupsOfLayer = layerBlocks(attrs) / variant.out;
  const sources = sourcesOf(attrs, inputs, output, groupsOfLayer);
  const store = storeOf(variant, attrs, inputs, output, results);
  // Tiles of an invocation each, or of a workgroup.
  const isStaged = variant.memory === 'workgroup';
  const side = isStaged ? SIDE : 1;
  const across = dilations.map((d) => Math.ceil(width / (side * variant.columns * d)) * d);
  const tiles = Math.max(...dilations.map((d, s) => across[s] * Math.ceil(height / (side * variant.rows * d)) * d));
  const grid = isStaged ? tiles : Math.ceil(tiles / variant.workgroup);
  const x = Math.min(grid, 65535); // WebGPU's limit in one dimension; the rest goes into z
  const params: ParamValues = {
    width,
    height,
    size: width * height,
    in_blocks: sources.reduce((sum, source) => sum + source.blocks, 0),
    layer_blocks: layerBlocks(attrs),
    slope: negativeSlope(attrs),
    ...Object.fromEntries(dilations.flatMap((d, s) => [[`dilation_${s}`, d], [`across_${s}`, across[s]]])),
    ...Object.assign({}, ...sources.map((source, n) => ({ [`blocks_${n}`]: source.blocks, ...source.values }))),
    ...store.values,
  };
  return {
    program: program(attrs, variant, sources, store, weights.dtype ?? 'f32'),
    resources: {
      ...Object.assign({}, ...sources.map((source) => source.resources)),
      weights: { kind: 'weights', key: weights.key },
      bias: { kind: 'weights', key: bias.key },
      ...store.resources,
    },
    params,
    workgroups: [x, groupsOfLayer * layersOf(attrs).length, Math.ceil(grid / x)],
  };
}
