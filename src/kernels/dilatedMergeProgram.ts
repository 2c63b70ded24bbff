/**
 * The program of a block's dilated convolutions and the 1x1 convolution that merges them (dilatedMerge.ts).
 *
 * In packed halves (conv2d/methods/halves.ts) an output block's products with one input block are summed as halves, and
 * so are its products with all values of one dilation.
 *
 * Staged, a workgroup copies the weights of each input block to where the results of the dilation are put later: they
 * always fit, three rows for each `out` blocks.
 */
import { halvesIf } from './conv2d/methods/halves.ts';
import { Program, READ, reads, readsRows, texelType, writes } from './program.ts';
import type { DType } from './tensor.ts';
import { each, lines, range } from './text.ts';

/** Pixels of a workgroup; pixels of an invocation along x and y, and its output blocks. */
export interface MergeTile {
  columns: number;
  rows: number;
  wide: number;
  high: number;
  out: number;
  /** Whether products are of packed halves. */
  halves?: boolean;
  /** Whether weights are read from workgroup memory; not with `halves`. */
  staged?: boolean;
}

const KERNEL = 3;

/** What the generated program depends on: plain data. */
export interface MergeRecipe extends MergeTile {
  name: string;
  blocks: number;
  dilations: number;
  weights: DType;
  input: DType;
  output: DType;
}

export function mergeProgram(recipe: MergeRecipe): Program {
  const { name, columns, rows, wide, high, out, dilations, halves, staged } = recipe;
  const parts = recipe.blocks / out;
  const invocations = (columns * rows) / wide / high;
  const kernelRow = KERNEL * 4 * out;
  // Results fill rows too.
  const stagedRow = 2 ** Math.ceil(Math.log2(kernelRow));
  const taps = wide + KERNEL - 1;
  const pixels = range(high).flatMap((ty) => range(wide).map((tx) => ({ ty, tx })));
  const eachPixel = (line: (ty: number, tx: number) => string): string =>
    lines(pixels.map(({ ty, tx }) => line(ty, tx)));
  const eachSum = (line: (ty: number, tx: number, o: number) => string): string =>
    eachPixel((ty, tx) => each(out, (o) => line(ty, tx, o)));
  const [type, sum, total] = halves ? ['vec4h', 'half', 'total'] : ['vec4f', 'acc', 'sum'];
  const results = staged ? `array<vec4f, ${stagedRow}>, PIXELS * BLOCKS / ${stagedRow}` : `${type}, PIXELS * BLOCKS`;
  const stored = (value: string): string => (halves ? `vec4h(${value})` : value);
  const zero = `${type}(${halves ? '' : '0.0'})`;
  const tapIf = (load: string, condition: string): string =>
    halves ? halvesIf(condition, `vec4h(${load})`) : `select(${zero}, vec4f(${load}), ${condition})`;
  // Coordinates are clamped, so that a tap outside needs no address of its own.
  const loadRow = (r: number, line: string): string => `      {
        let tap_y = y + (${line}) * d;
        let inside = u32(tap_y) < params.height;
        let base = plane + clamp(tap_y, 0, last_y) * width;
${each(taps, (j) => `        tap_${r}_${j} = ${tapIf(`input[u32(base + x_${j})]`, `inside && in_${j}`)};`)}
      }`;
  const result = (index: string): string =>
    `results[${staged ? `(${index}) / ${stagedRow}][(${index}) % ${stagedRow}` : index}]`;
  const weight = staged ? 'results[first_row + u32(ky)]' : 'weights[row]';
  const multiply = (index: number, ky: number, kx: number, o: number, lane: number): string =>
    `        { let a = ${type}(${weight}[${index}]); ${pixels
      .map(({ ty, tx }) => `${sum}_${ty}_${tx}_${o} += a * tap_${ty + ky}_${tx + kx}.${'xyzw'[lane]};`)
      .join(' ')} }`;
  const mergeBy = (o: number, lane: number): string =>
    `      { let a = ${type}(merge_weights[m][${lane * out + o}]); ${pixels
      .map(({ ty, tx }) => `${total}_${ty}_${tx}_${o} += a * value_${ty}_${tx}.${'xyzw'[lane]};`)
      .join(' ')} }`;
  // Each part of the invocations copies what it needs.
  const stage = (): string => `      workgroupBarrier();
${each(Math.ceil((KERNEL * kernelRow) / invocations), (t) => {
  const i = `local.x + ${t * invocations}u`;
  const copy = `results[first_row + (${i}) / ${kernelRow}u][(${i}) % ${kernelRow}u] = vec4f(weights[row + ${i}]);`;
  return `      if (${i} < ${KERNEL * kernelRow}u) { ${copy} }`;
})}
      workgroupBarrier();
      row += ${KERNEL * kernelRow}u;`;
  const declareTaps = (r: number): string =>
    `      ${range(taps)
      .map((j) => `var tap_${r}_${j} = ${zero};`)
      .join(' ')}`;
  // The rows of taps pass through few registers.
  const byRows = (): string => `${each(high, declareTaps)}
${each(high - 1, (r) => loadRow(r, `${r - 1}`))}
      for (var ky = 0; ky < ${KERNEL}; ky++) {
${loadRow(high - 1, `ky + ${high - 2}`)}
${lines(
  range(KERNEL).flatMap((kx) =>
    range(out).flatMap((o) => range(4).map((lane) => multiply((kx * 4 + lane) * out + o, 0, kx, o, lane))),
  ),
)}
${each(high - 1, (r) => each(taps, (j) => `        tap_${r}_${j} = tap_${r + 1}_${j};`))}
${staged ? '' : '        row++;'}
      }`;
  // As halves all are there at once, and output blocks follow one another.
  const byBlocks = (): string => `${each(high + KERNEL - 1, (r) => lines([declareTaps(r), loadRow(r, `${r - 1}`)]))}
${each(
  out,
  (o) => `      {
${eachPixel((ty, tx) => `        var half_${ty}_${tx}_${o} = vec4h();`)}
${lines(
  range(KERNEL ** 2).flatMap((p) =>
    range(4).map((lane) => multiply(p * 4 + lane, Math.floor(p / KERNEL), p % KERNEL, o, lane)),
  ),
)}
${eachPixel((ty, tx) => `        acc_${ty}_${tx}_${o} += vec4f(half_${ty}_${tx}_${o});`)}
        row++;
      }`,
)}`;
  return new Program({
    label: `dilatedMerge ${dilations} dilations ${name}`,
    workgroup: [invocations, parts, 1],
    constants: { COLUMNS: columns, ROWS: rows, PIXELS: columns * rows, BLOCKS: recipe.blocks, OUT: out },
    params: {
      width: 'u32',
      height: 'u32',
      input_start: 'u32',
      output_start: 'u32',
      in_blocks: 'u32',
      blocks: 'u32',
      slope: 'f32',
      dilations: ['vec4f', 1],
    },
    bindings: {
      input: reads({ dtype: recipe.input }),
      weights: staged
        ? reads({ dtype: recipe.weights })
        : readsRows(recipe.weights, halves ? KERNEL * 4 * KERNEL : kernelRow),
      bias: READ,
      merge_weights: readsRows(recipe.weights, 4 * out),
      merge_bias: READ,
      output: writes({ dtype: recipe.output }),
    },
    body: () => `
var<workgroup> results: array<${results}>;

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let width = i32(params.width);
  let size = width * i32(params.height);
  let last_y = i32(params.height) - 1;
  let left = i32(group.x) * COLUMNS;
  let top = i32(group.y) * ROWS;
  let column = i32(local.x % ${columns / wide}u);
  let line = i32(local.x / ${columns / wide}u);
  let first_block = local.y * OUT;
${staged ? `  let first_row = local.y * ${KERNEL}u;` : ''}
${eachSum((ty, tx, o) => `  var sum_${ty}_${tx}_${o} = merge_bias[first_block + ${o}u];`)}
  var m = local.y * ${dilations}u * BLOCKS;
  for (var s = 0; s < ${dilations}; s++) {
    let d = i32(params.dilations[0][s]);
    let from_left = column / d * ${wide} * d + column % d;
    let from_top = line / d * ${high} * d + line % d;
    let y = top + from_top;
    let x = left + from_left;
${each(
  taps,
  (j) => `    let in_${j} = u32(x + ${j - 1} * d) < params.width; let x_${j} = clamp(x + ${j - 1} * d, 0, width - 1);`,
)}
${eachSum((ty, tx, o) => `    var acc_${ty}_${tx}_${o} = vec4f(0.0);`)}
    var row = local.y * params.in_blocks * ${halves ? out : KERNEL * (staged ? kernelRow : 1)}u;
    for (var c = 0; c < i32(params.in_blocks); c++) {
      let plane = i32(params.input_start) + (s * i32(params.in_blocks) + c) * size;
${staged ? stage() : ''}
${halves ? byBlocks() : byRows()}
    }
    workgroupBarrier();
    let result = i32(first_block * PIXELS) + from_top * COLUMNS + from_left;
${eachSum(
  (ty, tx, o) =>
    `    ${result(`result + ${o} * PIXELS + (${ty} * COLUMNS + ${tx}) * d`)} = ` +
    `${stored(`activate(acc_${ty}_${tx}_${o} + bias[first_block + ${o}u])`)};`,
)}
    workgroupBarrier();
${halves ? eachSum((ty, tx, o) => `    var total_${ty}_${tx}_${o} = vec4h();`) : ''}
    for (var block = 0; block < i32(params.blocks); block++) {
      let neighbours = block * PIXELS + ${high} * line * COLUMNS + ${wide} * column;
${eachPixel((ty, tx) => `      let value_${ty}_${tx} = ${result(`neighbours + ${ty} * COLUMNS + ${tx}`)};`)}
${lines(range(out).flatMap((o) => range(4).map((lane) => mergeBy(o, lane))))}
      m++;
    }
${halves ? eachSum((ty, tx, o) => `    sum_${ty}_${tx}_${o} += vec4f(total_${ty}_${tx}_${o});`) : ''}
  }
${eachPixel(
  (ty, tx) => `  {
    let x = left + ${wide} * column + ${tx};
    let y = top + ${high} * line + ${ty};
    if (x < width && y < i32(params.height)) {
      let at = params.output_start + first_block * u32(size) + u32(y * width + x);
${each(
  out,
  (o) => `      output[at + ${o}u * u32(size)] = ${texelType(recipe.output)}(activate(sum_${ty}_${tx}_${o}));`,
)}
    }
  }`,
)}
}`,
  });
}
