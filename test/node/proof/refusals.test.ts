/** What a proof refuses: programs of kernels with one thing wrong, and small programs for each rule. */
import { describe, expect, it } from 'vitest';
import { fuse } from '../../../src/graph/fuse/index.ts';
import { GraphBuilder } from '../../../src/graph/graph.ts';
import { plan } from '../../../src/graph/plan.ts';
import type { AttrsOf, KernelName } from '../../../src/kernels/index.ts';
import { KERNELS } from '../../../src/kernels/index.ts';
import { addMethod } from '../../../src/kernels/conv2d/methods/index.ts';
import { matrix } from '../../../src/kernels/conv2d/methods/matrix.ts';
import { isTuned } from '../../../src/kernels/kernel.ts';
import type { Kernel } from '../../../src/kernels/kernel.ts';
import type { Target } from '../../../src/kernels/target.ts';
import { refusalOf } from '../../../src/node/proof/prove.ts';
import type { Proved } from '../../../src/node/proof/prove.ts';
import { addTunedMethods } from '../../../src/tune/methods.ts';
import { provedSteps } from './steps.ts';

addTunedMethods();
addMethod(matrix);

const GPU: Target = { capabilities: { f16: true, subgroupSize: 32 } };
const NVIDIA: Target = { capabilities: { f16: true, subgroupSize: 32, vendor: 'nvidia' } };
const MATRICES: Target = {
  precision: 'f16',
  capabilities: { f16: true, subgroupSize: 32, matrices: { m: 16, n: 16, k: 16 } },
};
const CPU: Target = { capabilities: { cpu: true, subgroupSize: 8 } };

/** The dispatch of a node by itself, with an implementation. */
function step<K extends KernelName>(
  op: K,
  attrs: AttrsOf<K>,
  channels: readonly number[],
  target: Target = {},
  implementation = '',
): Proved {
  const g = new GraphBuilder();
  const inputs = channels.map((count, i) => g.input(`x${i}`, { channels: count, height: 19, width: 21 }));
  const graph = g.build([g.add('y', op, inputs, attrs)]);
  const kernel = KERNELS[op] as unknown as Kernel<AttrsOf<K>>;
  const shapes = inputs.map(({ shape }) => shape);
  const shapeClass = isTuned(kernel) ? kernel.shapeClass(attrs, shapes, target) : '';
  const made = plan(graph, { ...target, choices: new Map([[shapeClass, implementation]]) });
  expect(made.steps[0].implementation).toBe(implementation);
  return provedSteps(made, target.capabilities)[0];
}

const conv = (implementation: string, target: Target, attrs: Partial<AttrsOf<'conv2d'>> = {}): Proved =>
  step('conv2d', { weights: 'w', channels: 4, kernel: 3, ...attrs }, [8], target, implementation);

/** A convolution that stores the maxima as well. */
function pooled(): Proved {
  const g = new GraphBuilder();
  const x = g.input('x', { channels: 8, height: 19, width: 21 });
  const y = g.add('y', 'conv2d', [x], { weights: 'w', channels: 4, kernel: 3 });
  const [found, ...others] = provedSteps(plan(fuse(g.build([y, g.add('z', 'maxPool', [y], {})]), GPU), GPU));
  expect(others).toEqual([]);
  return found;
}

const DISPATCHES: Record<string, () => Proved> = {
  direct: () => conv('direct 2x2x4', GPU),
  software: () => conv('direct 2x2x4', CPU),
  subgroup: () => conv('subgroup 2x2x4', CPU),
  staged: () => conv('staged 2x2x4', GPU),
  winograd: () => conv('winograd 1x1x4', GPU),
  pool: () => pooled(),
  matrix: () => conv('matrix 16x8x16 by 2', MATRICES),
  general: () => step('conv2d', { weights: 'w', channels: 6, kernel: 3, groups: 2 }, [6], GPU, 'general'),
  read: () => step('groupedRead', { readers: ['w', 'v', 'u'], channels: 8 }, [24], CPU, 'subgroup x2'),
  memoryRead: () =>
    step(
      'memoryRead',
      { writers: ['a', 'b'], slope: 0.2, slots: { held: [0, 1], of: 2 }, readers: [['w', 'v']], channels: 8 },
      [16],
      GPU,
      'x2x4',
    ),
  merge: () =>
    step('dilatedMerge', { weights: 'w', merge: 'v', channels: 8, dilations: [1, 2, 4] }, [24], GPU, '16x8 by 2x2x4'),
  stagedMerge: () =>
    step(
      'dilatedMerge',
      { weights: 'w', merge: 'v', channels: 8, dilations: [1, 2, 4] },
      [24],
      NVIDIA,
      '16x8 by 2x2x8 staged',
    ),
  blend: () => step('blend', { frame: 1 }, [8, 8, 12]),
  mask: () => step('collectMask', { frames: 3, frame: 2, reference: 1, binary: false, shift: 0 }, [1]),
  window: () => step('gateWindow', { radius: 2, axis: 'y', of: 'mean' }, [3]),
};

/** The dispatch of a program in which one text is replaced, wherever it stands. */
function changed(dispatch: Proved, from: string, to: string): Proved {
  const source = dispatch.program.source.replaceAll(from, to);
  expect(source).not.toBe(dispatch.program.source);
  return { ...dispatch, program: { ...dispatch.program, source } };
}

describe('kernels', () => {
  it.each(Object.keys(DISPATCHES))('%s is proved', (name) => {
    expect(refusalOf(DISPATCHES[name]())).toBeUndefined();
  });

  it.each([
    // Guards that let one too many through.
    ['blend', 'x >= params.width', 'x > params.width'],
    ['mask', 'pixel >= params.size', 'pixel > params.size'],
    ['direct', 'u32(y) < params.height', 'u32(y) <= params.height'],
    ['direct', 'u32(c_0_2) < params.width', 'u32(c_0_2) <= params.width'],
    ['direct', 'u32((x_0 + 1 * d_0)) < params.width', 'u32((x_0 + 1 * d_0)) <= params.width'],
    ['pool', 'px < params.pooled_width', 'px <= params.pooled_width'],
    ['staged', 'lane + 320u < 324u', 'lane + 320u < 325u'],
    ['merge', 'x < width && y <', 'x <= width && y <'],
    // Guards that are missing, or of something else.
    ['direct', 'inside && in_0_0', 'in_0_0'],
    ['direct', 'inside && in_0_0', 'inside'],
    ['direct', '&& u32(y_0) < params.height', ''],
    ['direct', 'params.height', 'params.width'],
    ['staged', '&& lane + 320u < 324u', ''],
    ['general', 'u32(y) >= params.height ||', ''],
    // Clamps that are missing, or too wide.
    ['read', 'min(lane + 8u, 8u)', 'lane + 8u'],
    ['read', 'params.size - 1u', 'params.size'],
    ['subgroup', 'min(lane + 8u, 11u)', '(lane + 8u)'],
    ['merge', 'clamp(tap_y, 0, last_y)', 'tap_y'],
    ['merge', ', 0, width - 1)', ', 0, width)'],
    ['merge', ', 0, last_y)', ', -1, last_y)'],
    ['window', 'vec2i(0), last)', 'vec2i(0), last + 1)'],
    // Steps that are too large, loops that are too long.
    ['direct', 'c < params.blocks_0', 'c <= params.blocks_0'],
    ['direct', 'ky < KERNEL', 'ky <= KERNEL'],
    ['direct', 'w += 3u', 'w += 4u'],
    ['software', 'w += 36u', 'w += 37u'],
    ['memoryRead', 'w++', 'w += 2u'],
    ['memoryRead', 'v++', 'v += 2u'],
    ['merge', 'row++', 'row += 2u'],
    ['merge', 'm++', 'm += 2u'],
    ['stagedMerge', 'row += 72u', 'row += 73u'],
    ['general', 'w++', 'w += 2u'],
    // Memory that is too small.
    ['staged', 'array<vec4f, 324>', 'array<vec4f, 323>'],
    ['staged', 'array<vec4f, 12>, 3>', 'array<vec4f, 12>, 2>'],
    ['staged', 'array<array<vec4f, 12>', 'array<array<vec4f, 11>'],
    ['winograd', 'array<vec4f, 100>', 'array<vec4f, 99>'],
    ['winograd', 'array<vec4f, 4>, WORKGROUP>', 'array<vec4f, 3>, WORKGROUP>'],
    ['merge', 'const PIXELS = 128', 'const PIXELS = 127'],
    ['stagedMerge', 'const PIXELS = 128', 'const PIXELS = 127'],
    ['stagedMerge', 'PIXELS * BLOCKS / 32>', 'PIXELS * BLOCKS / 43>'],
    ['stagedMerge', 'if (local.x + 64u < 72u)', 'if (local.x + 64u < 73u)'],
    [
      'matrix',
      'subgroupMatrixLoad<Left, row_major>(&staged, at,',
      'subgroupMatrixLoad<Left, row_major>(&staged, at + 1u,',
    ],
    [
      'matrix',
      'subgroupMatrixLoad<Right, row_major>(&weights, at,',
      'subgroupMatrixLoad<Right, row_major>(&weights, at + 1u,',
    ],
    // A workgroup larger than its memory.
    ['winograd', '@workgroup_size(64', '@workgroup_size(65'],
    // Divisions by what may be zero.
    ['mask', 'frame / 4u', 'frame / params.frame_count'],
  ])('%s is refused with "%s" as "%s"', (name, from, to) => {
    const wrong = changed(DISPATCHES[name](), from, to);
    expect(refusalOf(wrong)).toBeDefined();
  });

  it.each(Object.keys(DISPATCHES))('%s is refused with less memory bound', (name) => {
    const dispatch = DISPATCHES[name]();
    for (const [binding, size] of Object.entries(dispatch.sizes)) {
      const less = 'bytes' in size! ? { bytes: size.bytes - 1 } : { ...size!, width: size!.width - 1 };
      // The last frame's mask or the last lane of the masks is not in use.
      if (binding === 'stack' || binding === 'masks') continue;
      expect(refusalOf({ ...dispatch, sizes: { ...dispatch.sizes, [binding]: less } }), binding).toMatch(
        new RegExp(`the index of .*${binding}|textureLoad\\(${binding}`),
      );
    }
  });

  it('are refused with other params or a larger grid', () => {
    const dispatch = DISPATCHES.direct();
    const [x, y, z] = dispatch.workgroups;
    expect(refusalOf({ ...dispatch, workgroups: [x, y + 1, z] })).toMatch('index of');
    const { params } = dispatch;
    expect(refusalOf({ ...dispatch, params: { ...params, start_0: 1 } })).toMatch('index of input_0');
    expect(refusalOf({ ...dispatch, params: { ...params, output_start: -1 } })).toMatch('index of output');
  });
});

/** The verdict on a body of `main`, for 4 workgroups of 8, an array of 32 floats, and one of 8 in the workgroup. */
function verdict(body: string, functions = ''): string | undefined {
  const source = `
const SIDE = 8;
struct Params { size: u32, count: i32, scale: f32, steps: array<vec4f, 2>, }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> data: array<f32>;
@group(0) @binding(2) var<storage, read> words: array<u32>;
var<workgroup> shared_data: array<array<f32, 2>, SIDE>;
${functions}
@compute @workgroup_size(8, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = id.x;
${body}
}`;
  return refusalOf({
    program: { source, bindings: {}, label: 'small' },
    params: { size: 32, count: -5, scale: 2, steps: [1, 2, 3, 4, 5] },
    workgroups: [4, 1, 1],
    sizes: { data: { bytes: 128 }, words: { bytes: 40 } },
  });
}

describe('small programs', () => {
  it.each([
    'data[i] = 0.0;',
    'if (i < 31u) { data[i + 1u] = 0.0; }',
    'if (i > 0u) { data[i - 1u] = 0.0; }',
    'if (i != 0u) { data[i - 1u] = 0.0; }',
    'if (i >= 31u) { return; } data[i + 1u] = 0.0;',
    'if (i < 16u) { data[2u * i + 1u] = 0.0; } else { data[i - 16u] = 0.0; }',
    'if (2u * i < 31u) { data[2u * i + 1u] = 0.0; }',
    'if (i + 5u <= 31u && params.scale > 0.0) { data[i + 5u] = 0.0; }',
    'if (params.scale > 0.0 || i + 5u > 31u) { return; } data[i + 5u] = 0.0;',
    'data[min(words[lane], 31u)] = 0.0;',
    'data[clamp(i32(words[lane]), 0, 31)] = 0.0;',
    'data[words[0] % params.size] = 0.0;',
    'data[words[0] & 31u] = 0.0;',
    'data[words[0] >> 27u] = 0.0;',
    'let j = i32(i) - 5; if (u32(j) < params.size) { data[j] = 0.0; }',
    'let j = i32(i) - 5; if (j >= 0) { data[j] = 0.0; }',
    'let j = i32(i) + params.count; data[select(0, j, j >= 0)] = 0.0;',
    'for (var k = 0u; k < 32u; k++) { data[k] = 0.0; }',
    'for (var k = 31; k >= 0; k--) { data[k] = 0.0; }',
    'for (var k = i; k < 32u; k += 8u) { data[k] = 0.0; }',
    'var w = 2u; for (var k = 0u; k < 10u; k++) { data[w] = 0.0; w += 3u; } data[w - 1u] = 0.0;',
    'var w = 0u; for (var k = 0u; k < 4u; k++) { for (var l = 0u; l < 8u; l++) { data[w] = 0.0; w++; } }',
    'for (var k = 0u; k < 40u; k++) { if (k >= 32u) { continue; } data[k] = 0.0; }',
    'for (var k = 0u; k < 4u; k++) { data[u32(params.steps[k / 4u][k % 4u])] = 0.0; }',
    'var k = i; if (k > 20u) { k = 0u; } data[k + 11u] = 0.0;',
    'shared_data[lane][i % 2u] = 0.0;',
    'var own: array<f32, 4>; own[i / 8u] = 0.0;',
    'data[half(i) + 16u] = 0.0;',
    'data[picked(i)] = 0.0;',
    'if (is_low(i)) { data[i] = 0.0; }',
    'var v = vec4f(1.0); v[i % 4u] = 2.0;',
    'let at = vec2u(i, lane) + vec2u(0u, 24u); data[at.y] = data[at.x];',
    // The remainders of 4 to 9 are no less than 4: nothing runs there.
    'let k = lane + 4u; if (k % 10u < 3u && k / 10u == 0u) { data[k % 10u + 40u] = 0.0; }',
    'let k = lane + 4u; data[select(0u, k % 10u + 40u, k % 10u < 3u && k / 10u == 0u)] = 0.0;',
    'let k = lane + 4u; if (k % 10u < 3u && k / 10u == 0u) { data[0] = f32(8u / (k % 10u)); }',
  ])('%s', (body) => {
    const functions = `
fn half(x: u32) -> u32 { return x / 2u; }
fn picked(x: u32) -> u32 { if (x > 9u) { return 31u; } return x + 9u; }
fn is_low(x: u32) -> bool { return x < 9u; }`;
    expect(verdict(body, functions)).toBeUndefined();
  });

  it.each([
    ['data[i + 1u] = 0.0;', 'the index of data[i + 1u] may be 1 to 32, of 32 elements'],
    ['data[i - 1u] = 0.0;', 'index of data[i - 1u]'],
    ['data[words[0]] = 0.0;', 'index of data[words[0]]'],
    ['data[words[lane + 3u] % 32u] = 0.0;', 'the index of words[lane + 3u] may be 3 to 10, of 10 elements'],
    ['if (i < 31u) { } data[i + 1u] = 0.0;', 'index of'],
    ['if (i < 31u || params.scale > 0.0) { data[i + 1u] = 0.0; }', 'index of'],
    ['if (params.scale > 0.0) { if (i > 30u) { return; } } data[i + 1u] = 0.0;', 'index of'],
    ['if (i < 31u) { data[i] = 0.0; } else { data[i + 1u] = 0.0; }', 'index of'],
    // Below zero is not below 32.
    ['let j = i32(i) - 5; if (j < 32) { data[j] = 0.0; }', 'may be -5 to 26'],
    ['let j = i32(i) + params.count; data[j] = 0.0;', 'may be -5 to 26'],
    ['let k = lane + 4u; if (k % 10u < 5u && k / 10u == 0u) { data[k % 10u + 40u] = 0.0; }', 'may be 44, of 32'],
    ['let k = lane + 4u; if (k % 10u < 3u && k / 10u == 1u) { data[k % 10u + 40u] = 0.0; }', 'may be 40 to 41'],
    // What wraps.
    ['if (i - 5u < 40u) { data[i - 5u] = 0.0; }', 'index of'],
    ['if (i + 4294967290u > 3u) { data[i + 3u] = 0.0; }', 'index of'],
    // Variables that change.
    ['var k = i; if (k < 31u) { k += 2u; data[k] = 0.0; }', 'index of'],
    ['var k = i; if (params.scale > 0.0) { k = 32u; } data[k] = 0.0;', 'index of'],
    ['var k = 0u; for (var l = 0u; l < 4u; l++) { data[k] = 0.0; k = 2u * k + 11u; }', 'index of'],
    ['var k = 0u; for (var l = 0u; l < 33u; l++) { data[k] = 0.0; k++; }', 'index of'],
    ['for (var k = 0u; k <= 32u; k++) { data[k] = 0.0; }', 'index of'],
    ['for (var k = 0u; k < 20u; k++) { data[k] = 0.0; k++; data[k + 13u] = 0.0; }', 'index of'],
    ['for (var k = 31; k >= -1; k--) { data[k] = 0.0; }', 'may be -1 to 31'],
    [
      'var w = 0u; for (var k = 0u; k < 4u; k++) { for (var l = 0u; l <= 8u; l++) { data[w] = 0.0; w++; } }',
      'index of',
    ],
    ['for (var k = 0u; k < 40u; k++) { if (k > 32u) { continue; } data[k] = 0.0; }', 'index of'],
    [
      'var k = 0u; for (var l = 0u; l < 9u; l++) { if (params.scale > 0.0) { continue; } k += 4u; } data[k] = 0.0;',
      'index of',
    ],
    ['for (var k = 0u; params.scale > 0.0; k++) { data[k] = 0.0; }', 'index of'],
    ['var v = vec2u(1u); v.x = 40u; data[v.x] = 0.0;', 'index of'],
    // A name that means something else inside.
    ['let k = 40u; { let k = 1u; data[k] = 0.0; } data[k] = 0.0;', 'of 32 elements'],
    ['data[picked(i)] = 0.0;', 'may be 9 to 32'],
    ['shared_data[lane + 1u][0] = 0.0;', 'of 8 elements'],
    ['shared_data[lane][i % 3u] = 0.0;', 'of 2 elements'],
    ['var own: array<f32, 3>; own[i / 8u] = 0.0;', 'of 3 elements'],
    ['var v = vec4f(1.0); v[i % 5u] = 2.0;', 'of 4 elements'],
    ['data[u32(params.steps[i / 4u][0])] = 0.0;', 'of 2 elements'],
    ['data[i % words[0]] = 0.0;', 'the divisor of i % words[0]'],
    ['data[i / 2u] = f32(i / words[0]);', 'the divisor of i / words[0]'],
    // What is not understood.
    ['loop { data[i] = 0.0; break; }', 'not understood'],
    ['data[tricked(i)] = 0.0;', 'not understood'],
    ['data[u32(extra(1.0))] = 0.0;', 'not understood'],
  ])('%s is refused', (body, why) => {
    const functions = `
fn picked(x: u32) -> u32 { if (x > 9u) { return 32u; } return x + 9u; }
fn tricked(x: u32) -> u32 { return tricked(x); }`;
    expect(verdict(body, functions)).toContain(why);
  });
});
