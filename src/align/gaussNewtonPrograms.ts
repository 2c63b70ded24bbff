/**
 * Robust Gauss-Newton on features: sums over all pixels, the solve, and the step to the next level. Nothing is read
 * back in between.
 *
 * A homography N maps the reference's coordinates, centred and divided by half the longer side, to the frame's. An
 * update D is found in the reference's coordinates from the errors e = frame(N p) - reference(p) and the mean of both
 * gradients (efficient second-order minimisation, Benhimane and Malis 2004), and `N <- N D^-1`. Weights are those of
 * both pixels, times Geman and McClure's `(1 + e^2/c^2)^-2`, so that moving things hardly count.
 */
import { Program } from '../kernels/program.ts';
import { PIXELS } from './pixels.ts';
import { SAMPLE } from './sample.ts';
import { AT, HYPOTHESES, STATE, STORE } from './state.ts';

/** Side of the tiles that a workgroup takes one after another. */
export const TILE = 16;
const LANES = 64;
const PATCH = TILE + 2;

/** The upper triangle of J J^T, J e, and five sums of weights and products. */
const PAIRS = Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 - i }, (_, k) => [i, i + k])).flat();
const FIT = PAIRS.length + 8;
/** Floats that a workgroup adds up. */
export const SUMS = FIT + 5;

/** Most tiles of a workgroup. */
const TILES_PER_GROUP = 8;

/** Workgroups for a level, and the tiles of each. */
export function groupsOf(
  width: number,
  height: number,
): { tilesX: number; tiles: number; each: number; groups: number } {
  const tilesX = Math.ceil(width / TILE);
  const tiles = tilesX * Math.ceil(height / TILE);
  const each = Math.max(1, Math.min(TILES_PER_GROUP, Math.floor(tiles / 64)));
  return { tilesX, tiles, each, groups: Math.ceil(tiles / each) };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Adds up one level's sums for each hypothesis. */
export const ACCUMULATE = new Program({
  label: 'align accumulate',
  workgroup: [LANES, 1, 1],
  params: {
    width: 'u32',
    height: 'u32',
    first: 'u32',
    tiles_x: 'u32',
    tiles: 'u32',
    each: 'u32',
    groups: 'u32',
    unit: 'f32',
    robust: 'f32',
  },
  bindings: {
    reference: PIXELS,
    frame: PIXELS,
    state: { access: 'read', type: 'array<f32>' },
    sums: { access: 'read_write', type: 'array<f32>' },
  },
  body: `${STATE}${SAMPLE}
var<workgroup> patch_values: array<vec2f, ${PATCH * PATCH}>;
var<workgroup> parts: array<f32, ${SUMS * LANES}>;

fn reference_at(x: i32, y: i32) -> f32 {
  let at = clamp(vec2i(x, y), vec2i(0), vec2i(i32(params.width), i32(params.height)) - 1);
  return feature_of(reference[params.first + u32(at.y) * params.width + u32(at.x)]).x;
}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let hypothesis = group.z;
  if (state[slot(hypothesis, DONE)] != 0.0) { return; }
  let n = load(hypothesis);
  let middle = (vec2f(f32(params.width), f32(params.height)) - 1.0) / 2.0;
${range(SUMS)
  .map((i) => `  var s${i} = 0.0;`)
  .join('\n')}
  for (var t = group.x * params.each; t < min(params.tiles, (group.x + 1u) * params.each); t++) {
    let origin = ${TILE} * vec2i(i32(t % params.tiles_x), i32(t / params.tiles_x));
    workgroupBarrier();
    for (var i = local; i < ${PATCH * PATCH}u; i += ${LANES}u) {
      let p = vec2f(origin + vec2i(i32(i % ${PATCH}u), i32(i / ${PATCH}u)) - 1);
      let there = vec3f((p - middle) / params.unit, 1.0) * n;
      var value = sample(there.xy / there.z * params.unit + middle);
      if (there.z <= 0.0) { value.y = 0.0; }
      patch_values[i] = value;
    }
    workgroupBarrier();
    for (var i = local; i < ${TILE * TILE}u; i += ${LANES}u) {
      let in_tile = vec2u(i % ${TILE}u, i / ${TILE}u);
      let pixel = vec2i(in_tile) + origin;
      if (pixel.x >= i32(params.width) || pixel.y >= i32(params.height)) { continue; }
      let at = (in_tile.y + 1u) * ${PATCH}u + in_tile.x + 1u;
      let there = patch_values[at];
      let here = feature_of(reference[params.first + u32(pixel.y) * params.width + u32(pixel.x)]);
      let both = here.y * there.y;
      if (both <= 0.0) { continue; }
      let e = there.x - here.x;
      let slope = 0.25 * params.unit * vec2f(
        reference_at(pixel.x + 1, pixel.y) - reference_at(pixel.x - 1, pixel.y)
          + patch_values[at + 1u].x - patch_values[at - 1u].x,
        reference_at(pixel.x, pixel.y + 1) - reference_at(pixel.x, pixel.y - 1)
          + patch_values[at + ${PATCH}u].x - patch_values[at - ${PATCH}u].x,
      );
      let fits = 1.0 / (1.0 + e * e * params.robust);
      let weight = both * fits * fits;
      let p = (vec2f(pixel) - middle) / params.unit;
      let j2 = slope.x;
      let j5 = slope.y;
      let j0 = j2 * p.x;
      let j1 = j2 * p.y;
      let j3 = j5 * p.x;
      let j4 = j5 * p.y;
      let along = j0 + j4;
      let j6 = -along * p.x;
      let j7 = -along * p.y;
${range(8)
  .map((i) => `      let w${i} = weight * j${i};`)
  .join('\n')}
${PAIRS.map(([i, k], n) => `      s${n} += w${i} * j${k};`).join('\n')}
${range(8)
  .map((i) => `      s${PAIRS.length + i} += w${i} * e;`)
  .join('\n')}
      s${FIT} += weight;
      s${FIT + 1} += both;
      s${FIT + 2} += both * here.x * here.x;
      s${FIT + 3} += both * there.x * there.x;
      s${FIT + 4} += both * here.x * there.x;
    }
  }
${range(SUMS)
  .map((i) => `  parts[${i * LANES}u + local] = s${i};`)
  .join('\n')}
  workgroupBarrier();
  if (local >= ${SUMS}u) { return; }
  var sum = 0.0;
  for (var i = 0u; i < ${LANES}u; i++) { sum += parts[local * ${LANES}u + i]; }
  sums[(hypothesis * params.groups + group.x) * ${SUMS}u + local] = sum;
}`,
});

/** What may change: a shift alone, a shift with rotation and scale, or all eight numbers. */
export type Model = 'translation' | 'similarity' | 'homography';

/** Each lane adds up a share of the workgroups' sums. */
const SHARES = 5;

/** Corner movement in pixels below which a level is done. */
const STOP = 0.01;

/**
 * The update's eight numbers for each of a model's own, as `basis` of SOLVE: what is 1 or -1 when that number is 1.
 */
const BASES: Record<Model, Record<number, 1 | -1>[]> = {
  translation: [{ 2: 1 }, { 5: 1 }],
  similarity: [{ 0: 1, 4: 1 }, { 1: -1, 3: 1 }, { 2: 1 }, { 5: 1 }],
  homography: range(8).map((i) => ({ [i]: 1 })),
};

/** The params of SOLVE that say what may change. */
export function modelParams(model: Model): { freedom: number; basis: number[] } {
  const numbers = BASES[model];
  return { freedom: numbers.length, basis: numbers.flatMap((of) => range(8).map((j) => of[j] ?? 0)) };
}

/**
 * Solves for each hypothesis's update and applies it: Cholesky's A = L L^T, with a little more on the diagonal. An
 * update's inverse is its adjugate times a number, which does not matter. A hypothesis whose homography would no longer
 * be finite, or would fold the picture over, is done.
 */
export const SOLVE = new Program({
  label: 'align solve',
  workgroup: [SUMS * SHARES, 1, 1],
  params: { width: 'u32', height: 'u32', groups: 'u32', freedom: 'u32', unit: 'f32', basis: ['vec4f', 16] },
  bindings: {
    sums: { access: 'read', type: 'array<f32>' },
    state: { access: 'read_write', type: 'array<f32>' },
  },
  body: `${STATE}${STORE}
var<workgroup> parts: array<f32, ${SUMS * SHARES}>;

fn basis(i: u32, j: u32) -> f32 { return params.basis[2u * i + j / 4u][j % 4u]; }

fn product(i: u32, k: u32) -> f32 {
  let low = min(i, k);
  return parts[min(low * 8u - low * (low - 1u) / 2u + max(i, k) - low, ${PAIRS.length - 1}u)];
}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let h = group.x;
  var sum = 0.0;
  for (var g = local / ${SUMS}u; g < params.groups; g += ${SHARES}u) {
    sum += sums[(h * params.groups + g) * ${SUMS}u + local % ${SUMS}u];
  }
  parts[local] = sum;
  workgroupBarrier();
  if (local < ${SUMS}u) {
    for (var i = 1u; i < ${SHARES}u; i++) { sum += parts[i * ${SUMS}u + local]; }
  }
  workgroupBarrier();
  if (local < ${SUMS}u) { parts[local] = sum; }
  workgroupBarrier();
  if (local != 0u || state[slot(h, DONE)] != 0.0) { return; }

  let overlap = parts[${FIT + 1}u];
  state[slot(h, INLIERS)] = parts[${FIT}u] / max(overlap, 1e-6);
  state[slot(h, OVERLAP)] = overlap / f32(params.width * params.height);
  state[slot(h, CORRELATION)] = parts[${FIT + 4}u] / sqrt(max(parts[${FIT + 2}u] * parts[${FIT + 3}u], 1e-12));
  state[slot(h, UPDATES)] += 1.0;

  let m = params.freedom;
  var a: array<array<f32, 8>, 8>;
  var b: array<f32, 8>;
  for (var i = 0u; i < m; i++) {
    for (var j = 0u; j < 8u; j++) {
      let factor = basis(i, j);
      if (factor == 0.0) { continue; }
      b[i] += factor * parts[${PAIRS.length}u + j];
      for (var k = 0u; k <= i; k++) {
        for (var l = 0u; l < 8u; l++) { a[i][k] += factor * basis(k, l) * product(j, l); }
      }
    }
  }
  for (var i = 0u; i < m; i++) {
    for (var k = 0u; k <= i; k++) {
      var value = a[i][k];
      if (i == k) { value = value * 1.0001 + 1e-9; }
      for (var l = 0u; l < k; l++) { value -= a[i][l] * a[k][l]; }
      a[i][k] = select(value / a[k][k], sqrt(max(value, 1e-12)), i == k);
    }
    for (var l = 0u; l < i; l++) { b[i] -= a[i][l] * b[l]; }
    b[i] /= a[i][i];
  }
  for (var back = 0u; back < m; back++) {
    let i = m - 1u - back;
    for (var l = i + 1u; l < m; l++) { b[i] -= a[l][i] * b[l]; }
    b[i] /= a[i][i];
  }
  var d: array<f32, 8>;
  for (var i = 0u; i < m; i++) { for (var j = 0u; j < 8u; j++) { d[j] += b[i] * basis(i, j); } }

  let n = load(h);
  let d0 = vec3f(1.0 + d[0], d[1], d[2]);
  let d1 = vec3f(d[3], 1.0 + d[4], d[5]);
  let d2 = vec3f(d[6], d[7], 1.0);
  let next = transpose(mat3x3f(cross(d1, d2), cross(d2, d0), cross(d0, d1))) * n;

  let corner = vec2f(f32(params.width), f32(params.height)) / (2.0 * params.unit);
  var moved = 0.0;
  for (var i = 0u; i < 4u; i++) {
    let p = vec3f(corner * vec2f(select(-1.0, 1.0, i % 2u == 1u), select(-1.0, 1.0, i > 1u)), 1.0);
    let before = p * n;
    let after = p * next;
    let way = abs(after.xy / after.z - before.xy / before.z) * params.unit;
    moved = max(moved, max(way.x, way.y));
    if (!(after.z / next[2].z > 0.0) || !(way.x < 1e6) || !(way.y < 1e6)) { moved = 1e9; }
  }
  if (moved > 1e6) {
    state[slot(h, INLIERS)] = 0.0;
    state[slot(h, DONE)] = 1.0;
    return;
  }
  store(h, next);
  if (moved < ${STOP}) { state[slot(h, DONE)] = 1.0; }
}`,
});

/**
 * Between two levels: keeps the hypothesis with the most inliers, if asked to, and moves homographies to the next
 * level's coordinates, `p <- scale p + shift`: `way N back`, all transposed.
 */
export const ADVANCE = new Program({
  label: 'align advance',
  workgroup: [1, 1, 1],
  params: { count: 'u32', keep_best: 'u32', scale: 'f32', shift_x: 'f32', shift_y: 'f32' },
  bindings: { state: { access: 'read_write', type: 'array<f32>' } },
  body: `${STATE}${STORE}
fn score(h: u32) -> f32 { return state[slot(h, INLIERS)] * min(1.0, state[slot(h, OVERLAP)] / 0.05); }

@workgroup
fn main() {
  if (params.keep_best == 1u) {
    var best = 0u;
    for (var h = 1u; h < ${HYPOTHESES}u; h++) { if (score(h) > score(best)) { best = h; } }
    for (var i = 0u; i < ${AT.updates + 1}u; i++) { state[i] = state[slot(best, i)]; }
  }
  for (var h = 0u; h < params.count; h++) {
    let s = params.scale;
    let way = mat3x3f(s, 0.0, params.shift_x, 0.0, s, params.shift_y, 0.0, 0.0, 1.0);
    let back = mat3x3f(1.0, 0.0, -params.shift_x, 0.0, 1.0, -params.shift_y, 0.0, 0.0, s);
    store(h, back * load(h) * way);
    state[slot(h, DONE)] = 0.0;
    state[slot(h, UPDATES)] = 0.0;
  }
}`,
});
