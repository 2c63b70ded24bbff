/**
 * Variants on matrix units against the CPU references, on the device's own matrices or on imitated ones of any size.
 *
 * Inputs and weights are halves, so that the factors are the reference's to the last bit and the usual 1e-5 holds,
 * except for features times masks, which are rounded once more.
 */
import { addMethod } from '../../src/kernels/conv2d/methods/index.ts';
import { matrix } from '../../src/kernels/conv2d/methods/matrix.ts';
import { matrixFunctions } from '../../src/kernels/conv2d/methods/matrixProgram.ts';
import { conv2d } from '../../src/kernels/conv2d/index.ts';
import { Program } from '../../src/kernels/program.ts';
import type { Target, Capabilities, MatrixSize } from '../../src/kernels/target.ts';
import { floatToHalf, halfToFloat } from '../../src/float16.ts';
import { MATRIX_CASES } from '../cases/conv.ts';
import { rng } from '../reference/random.ts';
import type { Rng } from '../reference/random.ts';
import { checkConv, implementationNames, targetsOf } from './checks.ts';
import type { Manner } from './checks.ts';
import { KERNEL_TOLERANCE } from './kernelCheck.ts';
import type { KernelCheck } from './kernelCheck.ts';
import { fusedChecks } from './fusedChecks.ts';

/** A product of a feature and a mask is rounded to a half, at most 2^-11 of it, and so is each of a sum's terms. */
const MASKED_TOLERANCE = 2 ** -11;

// As Node does where an adapter has matrix units.
addMethod(matrix);

/** Random numbers that halves hold exactly. */
export function halves(seed: number): Rng {
  const random = rng(seed);
  return {
    ...random,
    floats: (count, low, high) => random.floats(count, low, high).map((value) => halfToFloat(floatToHalf(value))),
  };
}

export function matricesOfSize(m: number, n: number, k: number): MatrixSize {
  return { m, n, k };
}

export const sizeText = ({ m, n, k }: MatrixSize): string => `${m}x${n}x${k}`;

export const isMatrixName = (name: string): boolean => name.startsWith('matrix ');

/** All targets that make a device of such capabilities run on matrices. */
function matrixTargets(
  attrs: Parameters<Manner['targets']>[0],
  shapes: Parameters<Manner['targets']>[1],
  capabilities: Capabilities,
): Target[] {
  const target: Target = { capabilities, precision: 'f16' };
  const names = implementationNames(conv2d, attrs, shapes, target).filter(isMatrixName);
  if (names.length === 0) throw new Error('no variant on matrices to check');
  return targetsOf(attrs, shapes, target, names);
}

function plainChecksIn(manner: Manner): KernelCheck[] {
  return MATRIX_CASES.map(
    (c): KernelCheck => ({
      kernel: 'conv2d',
      name: `conv2d ${c.name}`,
      run: (kernels) => checkConv(kernels, c, c.name, manner),
    }),
  );
}

function checksIn(manner: Manner): KernelCheck[] {
  return [
    ...plainChecksIn(manner),
    ...fusedChecks(manner, (what) => !['of a frame', 'of a pair', 'masked'].includes(what)),
    ...fusedChecks({ ...manner, tolerance: MASKED_TOLERANCE }, (what) => what === 'masked'),
  ];
}

/** On the device's matrices; in all tiles, of which a CPU has one candidate. */
export const MATRIX_CHECKS: readonly KernelCheck[] = checksIn({
  targets: (attrs, shapes, { cpu: _, ...capabilities }) => matrixTargets(attrs, shapes, capabilities),
  random: halves,
  tolerance: KERNEL_TOLERANCE,
});

/**
 * Invocations of an imitated subgroup. With more, each would have fewer values, which a driver splits into scalars, for
 * minutes.
 */
const LANES = 32;
/** Columns of taps, for which a step's code of products runs. */
const MOST_KERNEL = 3;

/**
 * Matrices without matrix units: a matrix is its offset in memory, and a sum the number of its values in an array,
 * which are divided among invocations. Products are queued and computed in one loop before new values are staged:
 * drivers would copy a loop of their own for every product, and compile for minutes. Offsets that units could not read
 * give wrong results.
 * @param products in one step of the kernel.
 */
function imitatedFunctions({ m, n }: MatrixSize, sums: number, products: number): string {
  return `
alias Left = u32;
alias Right = u32;
alias Sum = u32;
var<private> queue: array<vec3u, ${products}>;
var<private> queued: u32;
var<private> values: array<f32, ${(sums * m * n) / LANES}>;
var<private> lane_of_subgroup: u32;
// Known only at run time: loops that drivers unroll take minutes to compile.
var<private> values_each: u32;
var<private> depth: u32;
fn load_left(at: u32) -> Left { return at; }
fn load_right(at: u32) -> Right { return at; }
fn multiply(left: Left, right: Right, sum: Sum) -> Sum {
  queue[queued] = vec3u(left, right, sum);
  queued++;
  return sum;
}
fn flush() {
  for (var q = 0u; q < queued; q++) {
    let left = queue[q].x;
    let right = queue[q].y;
    for (var i = 0u; i < values_each; i++) {
      let row = (i * ${LANES}u + lane_of_subgroup) / ${n}u;
      let column = (i * ${LANES}u + lane_of_subgroup) % ${n}u;
      let to = queue[q].z * values_each + i;
      for (var j = 0u; j < depth; j++) {
        values[to] += f32(staged[left + row * depth + j]) * f32(weights[right + j * ${n}u + column]);
      }
      if (left % 8u != 0u || right % 8u != 0u) { values[to] = 1e9; }
    }
  }
  queued = 0u;
}
fn drain(at: u32, sum: Sum) {
  for (var i = 0u; i < values_each; i++) {
    let row = (i * ${LANES}u + lane_of_subgroup) / ${n}u;
    let column = (i * ${LANES}u + lane_of_subgroup) % ${n}u;
    drained[at + column * DRAIN_STRIDE + row] = select(values[sum * values_each + i], 1e9, at % 4u != 0u);
  }
}
`;
}

function replaceOnce(text: string, part: string, by: string): string {
  if (text.split(part).length !== 2) throw new Error(`a program on matrices does not have once: ${part}`);
  return text.replace(part, () => by);
}

/** A program with imitated matrices: it needs `shader-f16` alone. */
function imitate(program: Program, size: MatrixSize): Program {
  const original = (program.parts.body as () => string)();
  // Every dilation has its function, with sums that are called the same.
  const names = [...new Set([...original.matchAll(/var (sum_\w+) = Sum\(\);/g)].map(([, name]) => name))];
  const [, ...functions] = original.split('\nfn tile_');
  const products = Math.max(...functions.map((text) => text.split('= multiply(').length - 1)) * MOST_KERNEL;
  let body = replaceOnce(original, matrixFunctions(size), imitatedFunctions(size, names.length, products))
    .replace(/var (sum_\w+) = Sum\(\);/g, (_, name: string) => `var ${name} = ${names.indexOf(name)}u;`)
    .replace(/^ {4}w \+= /gm, '    flush();\n    w += ');
  if (!body.includes('flush();\n')) throw new Error('a program on matrices has no step to compute products after');
  body = replaceOnce(
    body,
    ',\n  @builtin(subgroup_id) subgroup: u32) {',
    `) {\n  let subgroup = lane / ${LANES}u;\n  lane_of_subgroup = lane % ${LANES}u;
  values_each = ${(size.m * size.n) / LANES}u * min(params.width, 1u);
  depth = ${size.k}u * min(params.width, 1u);`,
  );
  return new Program({ ...program.parts, enables: [], diagnosticsOff: [], body });
}

/**
 * Sizes of matrices: NVIDIA's, and wider than high and higher than wide, which differ in how tiles are divided and so
 * run the plain convolutions alone.
 */
export const IMITATED: readonly { matrices: MatrixSize; isPlain: boolean }[] = [
  { matrices: matricesOfSize(16, 16, 16), isPlain: false },
  { matrices: matricesOfSize(8, 16, 16), isPlain: true },
  { matrices: matricesOfSize(16, 8, 16), isPlain: true },
];

export function imitatedChecks({ matrices, isPlain }: (typeof IMITATED)[number]): KernelCheck[] {
  const capabilities = { cpu: true, f16: true, subgroupSize: LANES, matrices };
  return (isPlain ? plainChecksIn : checksIn)({
    targets: (attrs, shapes) => matrixTargets(attrs, shapes, capabilities),
    random: halves,
    tolerance: KERNEL_TOLERANCE,
    replace: (program) => (program.source.includes('subgroup_matrix') ? imitate(program, matrices) : program),
  });
}
