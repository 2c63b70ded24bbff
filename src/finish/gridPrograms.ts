/**
 * Programs that make the grid of local curves (after Chen, Paris and Durand, "Real-time Edge-aware Image Processing
 * with the Bilateral Grid", SIGGRAPH 2007; the curves, and that they rise, are this project's own).
 *
 * 1. PROXY: means of blocks of light, once a picture.
 * 2. SPREAD: each column gathers the proxy's pixels around it into its nodes.
 * 3. CURVES: blurs across columns, and along nodes. A node at v then knows B, the mean of what is near in space and in
 *    luminance. In that mean a node counts by the square of its pixels, by a lesser power with clarity. Its curve is
 *    the picture's own, c, except near B, where texture keeps its contrast:
 *    `T(v) = c(v) + near(v - B) (c(B) + gain (v - B) - c(v))`. At last T is made to rise along the column, as the mean
 *    of the running maximum from below and the running minimum from above (of what it rises by more than the least
 *    slope): then no gradient is reversed. The table holds T(v) - v.
 *
 * B is v itself at both sides of a step edge, so nothing of one side reaches the other: no halo. Beside a ramp, a few
 * of its pixels are near in luminance: were they counted as they are, B would lie towards the ramp, and the difference
 * would count as texture. Squares make the many pixels of the level count: that halo is half as large. Texture, whose
 * pixels lie about its mean, keeps its contrast.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import type { Binding } from '../kernels/program.ts';
import { FINISH_VECTORS, LIFT, MOST_CLARITY, PRESS } from './curves.ts';
import { lightWgsl } from './finishWgsl.ts';
import { GRID_LOW, GRID_NODES, GRID_STEP, SIGMA_SPACE, SIGMA_VALUE } from './grid.ts';

/** Bindings of floats that are read, and of those that are written. */
const reads = (type: string): Binding => ({ access: 'read', type: `array<${type}>` });
const writes = (type: string): Binding => ({ access: 'read_write', type: `array<${type}>` });

/** Standard deviations that a blur reaches to. */
const REACH = 4;
/** Within about this many EV of the mean, texture keeps its contrast. */
const NEAR = 1;
/** Weight of a node's own luminance in its mean, relative to a column's pixels: nodes without pixels have no other. */
const OWN = 1e-6;
/** By how much all clarity lessens the power of pixels: it would make a ripple of where B leaves a level. */
const LESS_POWER = 0.85;
/** Least slope of a curve, in EV per EV: flat ones would reverse gradients where the next column's is lower. */
const LEAST_SLOPE = 0.1;
const LANES = 64;

/** WGSL: a number as a float. */
const f = (value: number): string => value.toFixed(6);

/** WGSL: a Gaussian's taps as an array, which sum to 1, and how far they reach. */
function taps(name: string, sigma: number): string {
  const reach = Math.ceil(REACH * sigma);
  const values = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const sum = values.reduce((a, b) => a + b, 0);
  return `const ${name}_REACH = ${reach};\nconst ${name} = array(${values.map((value) => value / sum).join(', ')});`;
}

/**
 * Means of blocks of a band's radiance, and one pixel of each block for the histogram: which one looks random, so that
 * no pattern of the picture is met again and again. A pixel of the proxy is an invocation.
 */
export const PROXY = new Program({
  label: 'finish proxy',
  workgroup: [FLAT_WORKGROUP, 1, 1],
  params: { width: 'u32', rows: 'u32', block: 'u32', proxy_width: 'u32', proxy_rows: 'u32', first: 'u32' },
  bindings: { radiance: reads('f32'), proxy: writes('vec4f'), samples: writes('vec4f') },
  body: `${FLAT_INDEX}
fn seen(x: u32, y: u32) -> vec3f {
  let at = 3u * (y * params.width + x);
  return clamp(vec3f(radiance[at], radiance[at + 1u], radiance[at + 2u]), vec3f(0.0), vec3f(1e30));
}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.proxy_width * params.proxy_rows) { return; }
  let corner = vec2u(index % params.proxy_width, index / params.proxy_width) * params.block;
  let end = min(corner + params.block, vec2u(params.width, params.rows));
  var sum = vec3f(0.0);
  for (var y = corner.y; y < end.y; y++) {
    for (var x = corner.x; x < end.x; x++) { sum += seen(x, y); }
  }
  let size = end - corner;
  proxy[params.first + index] = vec4f(sum / f32(size.x * size.y), 1.0);
  let hash = ((params.first + index) * 2654435769u) >> 8u;
  let one = corner + vec2u(hash % size.x, (hash / size.x) % size.y);
  samples[params.first + index] = vec4f(seen(one.x, one.y), 1.0);
}`,
});

/**
 * A column's pixels in its nodes: sums of weights, and of weighted EV. A column is a workgroup, a node a lane. `pixels`
 * are EV, place among the nodes, weight.
 */
export const SPREAD = new Program({
  label: 'finish spread',
  workgroup: [LANES, 1, 1],
  params: {
    width: 'u32',
    height: 'u32',
    columns: 'u32',
    rows: 'u32',
    cell: 'f32',
    finish: ['vec4f', FINISH_VECTORS],
  },
  bindings: { proxy: reads('vec4f'), sums: writes('vec2f') },
  body: () => `${lightWgsl()}
var<workgroup> pixels: array<vec3f, ${LANES}>;

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let center = vec2f(group.xy) * params.cell - 0.5;
  let size = vec2i(i32(params.width), i32(params.height));
  let begin = clamp(vec2i(ceil(center - params.cell)), vec2i(0), size);
  let end = clamp(vec2i(floor(center + params.cell)) + 1, begin, size);
  let span = vec2u(end - begin);
  let count = span.x * span.y;
  var sum = vec2f(0.0);
  for (var first = 0u; first < count; first += ${LANES}u) {
    let index = first + lane;
    var pixel = vec3f(0.0);
    if (index < count) {
      let at = vec2u(begin) + vec2u(index % span.x, index / span.x);
      let near = max(vec2f(0.0), 1.0 - abs(vec2f(at) - center) / params.cell);
      let light = finish_light(proxy[at.y * params.width + at.x].rgb);
      let node = finish_node(finish_ev(finish_luminance(light)));
      pixel = vec3f(${GRID_LOW}.0 + node * ${GRID_STEP}, node, near.x * near.y);
    }
    pixels[lane] = pixel;
    workgroupBarrier();
    for (var i = 0u; i < ${LANES}u; i++) {
      let weight = pixels[i].z * max(0.0, 1.0 - abs(pixels[i].y - f32(lane)));
      sum += weight * vec2f(1.0, pixels[i].x);
    }
    workgroupBarrier();
  }
  if (lane < ${GRID_NODES}u) { sums[(lane * params.rows + group.y) * params.columns + group.x] = sum; }
}`,
});

/**
 * The curves: EV that each node becomes brighter. A column is a workgroup, a node a lane. `range_curve` is the
 * picture's own: shadows lifted, highlights compressed. Noise in deep shadows gets no clarity.
 */
export const CURVES = new Program({
  label: 'finish curves',
  workgroup: [LANES, 1, 1],
  params: { columns: 'u32', rows: 'u32', own: 'f32', finish: ['vec4f', FINISH_VECTORS] },
  bindings: { sums: reads('vec2f'), table: writes('f32') },
  body: () => `
${taps('TAPS', SIGMA_SPACE)}
${taps('NEXT', SIGMA_VALUE / GRID_STEP)}
var<workgroup> nodes: array<vec2f, ${LANES}>;
var<workgroup> curve: array<f32, ${LANES}>;

fn range_curve(ev: f32) -> f32 {
  let lift = smoothstep(0.0, ${f(LIFT[0])}, -ev) * (1.0 - smoothstep(${f(LIFT[1])}, ${f(LIFT[2])}, -ev));
  let above = clamp(ev, 0.0, ${f(PRESS)});
  let press = above * above / ${f(2 * PRESS)} + max(ev - ${f(PRESS)}, 0.0);
  return ev + params.finish[3].x * lift - params.finish[3].y * press;
}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let ev = ${GRID_LOW}.0 + f32(lane) * ${GRID_STEP};
  var here = vec2f(0.0);
  if (lane < ${GRID_NODES}u) {
    for (var j = -TAPS_REACH; j <= TAPS_REACH; j++) {
      let y = i32(group.y) + j;
      if (y < 0 || y >= i32(params.rows)) { continue; }
      for (var i = -TAPS_REACH; i <= TAPS_REACH; i++) {
        let x = i32(group.x) + i;
        if (x < 0 || x >= i32(params.columns)) { continue; }
        let at = (lane * params.rows + u32(y)) * params.columns + u32(x);
        here += TAPS[j + TAPS_REACH] * TAPS[i + TAPS_REACH] * sums[at];
      }
    }
  }
  let power = saturate(1.0 - params.finish[3].z * ${f(LESS_POWER / MOST_CLARITY)});
  nodes[lane] = here * pow(here.x / params.own * ${OWN} + 1e-20, power);
  workgroupBarrier();
  var sum = vec2f(params.own, params.own * ev);
  for (var i = -NEXT_REACH; i <= NEXT_REACH; i++) {
    let node = i32(lane) + i;
    if (node >= 0 && node < ${GRID_NODES}) { sum += NEXT[i + NEXT_REACH] * nodes[node]; }
  }
  let mean = sum.y / sum.x;
  let far = ev - mean;
  let own_curve = range_curve(ev);
  let gain = 1.0 + params.finish[3].z * smoothstep(-8.0, -5.0, mean);
  let near = exp(far * far * ${-1 / (2 * NEAR ** 2)});
  let least = ${f(LEAST_SLOPE)} * ev;
  curve[lane] = own_curve + near * (range_curve(mean) + gain * far - own_curve) - least;
  workgroupBarrier();
  if (lane >= ${GRID_NODES}u) { return; }
  var highest = curve[0];
  for (var i = 1u; i <= lane; i++) { highest = max(highest, curve[i]); }
  var lowest = curve[lane];
  for (var i = lane + 1u; i < ${GRID_NODES}u; i++) { lowest = min(lowest, curve[i]); }
  table[(lane * params.rows + group.y) * params.columns + group.x] = 0.5 * (highest + lowest) + least - ev;
}`,
});

/** Weight of a node's own luminance for a grid. */
export const ownWeight = (cell: number): number => OWN * cell * cell;
