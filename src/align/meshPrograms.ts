/**
 * Shifts on a grid, for parallax: after the homography, each node finds the shift of its neighbourhood (Lucas and
 * Kanade, robust), damped towards its neighbours' shifts.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import { FEATURE_PIXELS, PIXELS, WRITTEN_PIXELS } from './pixels.ts';
import { SAMPLE } from './sample.ts';

const SHIFTS = { access: 'read', type: 'array<vec2f>' } as const;
const LEVEL = { width: 'u32', height: 'u32', first: 'u32', columns: 'u32', rows: 'u32' } as const;

/** The frame's features where the reference's pixels are: after the shifts, then the homography. */
export const WARP_FEATURES = new Program({
  label: 'align warp features',
  workgroup: [FLAT_WORKGROUP, 1, 1],
  params: { ...LEVEL, unit: 'f32', scale: 'f32', matrix: ['vec4f', 3] },
  bindings: { frame: PIXELS, shifts: SHIFTS, warped: WRITTEN_PIXELS },
  body: `${FLAT_INDEX}${SAMPLE}
fn shift_at(p: vec2f) -> vec2f {
  let last = vec2f(f32(params.columns), f32(params.rows)) - 1.0;
  let size = vec2f(f32(params.width), f32(params.height));
  let at = clamp((p + 0.5) * (last + 1.0) / size - 0.5, vec2f(0.0), last);
  let low = floor(min(at, max(last - 1.0, vec2f(0.0))));
  let part = at - low;
  let right = select(0u, 1u, params.columns > 1u);
  let below = select(0u, params.columns, params.rows > 1u);
  let i = min(u32(low.y) * params.columns + u32(low.x), params.columns * params.rows - 1u - below - right);
  return mix(
    mix(shifts[i], shifts[i + right], part.x),
    mix(shifts[i + below], shifts[i + below + right], part.x),
    part.y,
  );
}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.width * params.height) { return; }
  let p = vec2f(f32(index % params.width), f32(index / params.width));
  let middle = (vec2f(f32(params.width), f32(params.height)) - 1.0) / 2.0;
  let there = vec3f((p + shift_at(p) * params.scale - middle) / params.unit, 1.0);
  let w = dot(params.matrix[2].xyz, there);
  let q = vec2f(dot(params.matrix[0].xyz, there), dot(params.matrix[1].xyz, there)) / w;
  var value = sample(q * params.unit + middle);
  if (w <= 0.0) { value.y = 0.0; }
  warped[index] = pack_feature(value);
}`,
});

const LANES = 64;
/** Errors that count by a quarter, squared. */
const ROBUST = 0.5 ** 2;

/**
 * A node a workgroup: means over its neighbourhood, weighted by a Gaussian of half a cell. First the symmetric 2x2
 * matrix of gradients (xx, xy, yy) and the weight of usable pixels; then gradient times error (x, y), and the error
 * itself, Geman and McClure's `e^2 / (c^2 + e^2)`.
 */
export const MESH_SUMS = new Program({
  label: 'align mesh sums',
  workgroup: [LANES, 1, 1],
  params: LEVEL,
  bindings: { reference: PIXELS, warped: PIXELS, sums: { access: 'read_write', type: 'array<vec4f>' } },
  body: `${FEATURE_PIXELS}
var<workgroup> parts: array<array<vec4f, 2>, ${LANES}>;
var<workgroup> weights: array<f32, ${LANES}>;

fn both_at(x: i32, y: i32) -> f32 {
  let at = clamp(vec2i(x, y), vec2i(0), vec2i(i32(params.width), i32(params.height)) - 1);
  let index = u32(at.y) * params.width + u32(at.x);
  return feature_of(warped[index]).x + feature_of(reference[params.first + index]).x;
}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let cell = vec2f(f32(params.width) / f32(params.columns), f32(params.height) / f32(params.rows));
  let middle = (vec2f(group.xy) + 0.5) * cell - 0.5;
  let last = vec2i(i32(params.width), i32(params.height)) - 1;
  let low = clamp(vec2i(ceil(middle - cell)), vec2i(0), last);
  let high = clamp(vec2i(floor(middle + cell)), low, last);
  let side = max(high - low + 1, vec2i(1));
  var sums = array<vec4f, 2>();
  var whole = 0.0;
  for (var i = i32(local); i < side.x * side.y; i += ${LANES}) {
    let p = min(low + vec2i(i % side.x, i / side.x), last);
    let away = (vec2f(p) - middle) / (0.5 * cell);
    let near = exp(-0.5 * dot(away, away));
    whole += near;
    let at = u32(p.y) * params.width + u32(p.x);
    let here = feature_of(reference[params.first + at]);
    let there = feature_of(warped[at]);
    let both = near * here.y * there.y;
    if (both <= 0.0) { continue; }
    let e = there.x - here.x;
    let slope = 0.25 * vec2f(
      both_at(p.x + 1, p.y) - both_at(p.x - 1, p.y),
      both_at(p.x, p.y + 1) - both_at(p.x, p.y - 1),
    );
    let fits = ${ROBUST} / (${ROBUST} + e * e);
    let weight = both * fits * fits;
    sums[0] += vec4f(weight * slope.x * slope.x, weight * slope.x * slope.y, weight * slope.y * slope.y, both);
    sums[1] += vec4f(weight * slope * e, both * (1.0 - fits), 0.0);
  }
  parts[local] = sums;
  weights[local] = whole;
  workgroupBarrier();
  if (local != 0u) { return; }
  for (var i = 1u; i < ${LANES}u; i++) {
    sums[0] += parts[i][0];
    sums[1] += parts[i][1];
    whole += weights[i];
  }
  let node = 2u * (group.y * params.columns + group.x);
  sums_out(node, sums[0] / max(whole, 1e-6), sums[1] / max(whole, 1e-6));
}

fn sums_out(at: u32, a: vec4f, b: vec4f) {
  sums[at] = a;
  sums[at + 1u] = b;
}`,
});

const SOLVERS = 256;
const SWEEPS = 20;
/** How strongly a shift is drawn to its neighbours', against the mean squared gradient. */
const STIFFNESS = 0.03;
/** Largest shift in pixels of the level. */
const MOST_SHIFT = 8;

/**
 * The shifts that fit the sums and their neighbours best, by Jacobi's method. `shifts` holds the current ones in pixels
 * of the frame, then two grids to work in. A pixel of the frame is `scale` pixels of the level.
 */
export const MESH_SOLVE = new Program({
  label: 'align mesh solve',
  workgroup: [SOLVERS, 1, 1],
  params: { columns: 'u32', rows: 'u32', scale: 'f32' },
  bindings: {
    sums: { access: 'read', type: 'array<vec4f>' },
    shifts: { access: 'read_write', type: 'array<vec2f>' },
  },
  body: `
@workgroup
fn main(@builtin(local_invocation_index) local: u32) {
  let count = params.columns * params.rows;
  for (var i = local; i < count; i += ${SOLVERS}u) { shifts[count + i] = shifts[i] * params.scale; }
  storageBarrier();
  for (var sweep = 0u; sweep < ${SWEEPS}u; sweep++) {
    let source = count * (1u + sweep % 2u);
    let to = count * (2u - sweep % 2u);
    for (var i = local; i < count; i += ${SOLVERS}u) {
      let at = vec2i(i32(i % params.columns), i32(i / params.columns));
      var around = vec2f(0.0);
      for (var y = -1; y <= 1; y++) {
        for (var x = -1; x <= 1; x++) {
          let n = clamp(at + vec2i(x, y), vec2i(0), vec2i(i32(params.columns), i32(params.rows)) - 1);
          around += shifts[source + u32(n.y) * params.columns + u32(n.x)] / 9.0;
        }
      }
      let g = sums[2u * i].xyz;
      let pull = sums[2u * i + 1u].xy;
      let here = shifts[i] * params.scale;
      let b = vec2f(dot(g.xy, here), dot(g.yz, here)) - pull + ${STIFFNESS} * around;
      let a = g + ${STIFFNESS} * vec3f(1.0, 0.0, 1.0);
      shifts[to + i] = vec2f(a.z * b.x - a.y * b.y, a.x * b.y - a.y * b.x) / (a.x * a.z - a.y * a.y);
    }
    storageBarrier();
  }
  for (var i = local; i < count; i += ${SOLVERS}u) {
    let found = shifts[count * (1u + ${SWEEPS}u % 2u) + i];
    shifts[i] = clamp(found, vec2f(-${MOST_SHIFT}.0), vec2f(${MOST_SHIFT}.0)) / params.scale;
  }
}`,
});
