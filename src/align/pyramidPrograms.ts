/**
 * Programs that turn a frame into a pyramid of features: luma and its weight, half-size levels, local normalisation.
 *
 * Exposures differ by factors, and a camera's curve is unknown. So frames are compared by their luma minus its local
 * mean, divided by its local deviation; pixels that are burnt out or black weigh nothing.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import type { Bindings, ParamTypes } from '../kernels/program.ts';
import type { Size } from './homography.ts';
import { FEATURE_PIXELS, LUMA_PIXELS, PIXELS, SAMPLES, WRITTEN_PIXELS } from './pixels.ts';

/** A program of one invocation per pixel of `width` x `rows`: `main_at(x, y, index)`. */
function perPixel(label: string, params: ParamTypes, bindings: Bindings, body: string): Program {
  return new Program({
    label: `align ${label}`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    params: { width: 'u32', rows: 'u32', ...params },
    bindings,
    body: `${FLAT_INDEX}${body}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.width * params.rows) { return; }
  main_at(index % params.width, index / params.width, index);
}`,
  });
}

/**
 * Luma and weight of rows of a frame: (R + 2G + B) / 4 of the encoded value, and how far a pixel is from being burnt
 * out (any channel above 250 of 255) and from the noise (luma below 8). Linear samples are encoded as x^(1/2.2) first.
 */
export const LUMA = perPixel(
  'luma',
  { bits: 'u32', linear: 'u32', use_coverage: 'u32', first: 'u32' },
  {
    samples: { access: 'read', type: 'array<u32>' },
    coverage: { access: 'read', type: 'array<u32>' },
    pixels: WRITTEN_PIXELS,
  },
  `${LUMA_PIXELS}${SAMPLES}
fn main_at(x: u32, y: u32, index: u32) {
  var rgb = rgb_at(index);
  if (params.linear == 1u) {
    rgb = select(pow(max(rgb, vec3f(1e-30)), vec3f(1.0 / 2.2)), vec3f(0.0), rgb <= vec3f(0.0));
  }
  let luma = (rgb.r + 2.0 * rgb.g + rgb.b) / 4.0;
  let bright = max(rgb.r, max(rgb.g, rgb.b));
  var weight = clamp((253.0 - 255.0 * bright) / 3.0, 0.0, 1.0) * clamp((255.0 * luma - 4.0) / 4.0, 0.0, 1.0);
  if (!is_covered(index)) { weight = 0.0; }
  pixels[params.first + index] = pack_luma(vec2f(luma, weight));
}`,
);

/** WGSL: a coordinate outside [0, length) is mirrored about the first or last pixel's centre. */
const MIRROR = `
fn mirror(i: i32, length: i32) -> i32 {
  let last = length - 1;
  return clamp(select(select(i, -i, i < 0), 2 * last - i, i > last), 0, last);
}`;

/**
 * Halves a level by the binomial filter (1, 4, 6, 4, 1) / 16 in both directions. `rows` rows from `top` on are written,
 * and read from rows of which the first in the buffer is `from_top`.
 */
export const HALVE = perPixel(
  'halve',
  {
    top: 'u32',
    first: 'u32',
    from_first: 'u32',
    from_top: 'u32',
    from_width: 'u32',
    from_height: 'u32',
  },
  { source: PIXELS, pixels: WRITTEN_PIXELS },
  `${MIRROR}${LUMA_PIXELS}
fn main_at(x: u32, y: u32, index: u32) {
  let taps = array(1.0, 4.0, 6.0, 4.0, 1.0);
  var sum = vec2f(0.0);
  for (var j = 0; j < 5; j++) {
    let row = u32(mirror(2 * i32(y + params.top) + j - 2, i32(params.from_height))) - params.from_top;
    let start = params.from_first + row * params.from_width;
    var line = vec2f(0.0);
    for (var i = 0; i < 5; i++) {
      line += taps[i] * luma_of(source[start + u32(mirror(2 * i32(x) + i - 2, i32(params.from_width)))]);
    }
    sum += taps[j] * line;
  }
  pixels[params.first + (params.top + y) * params.width + x] = pack_luma(sum / 256.0);
}`,
);

/** Standard deviation, in pixels, of the neighbourhood that luma is normalised by. */
const SIGMA = 2;
const RADIUS = 3 * SIGMA;

/** Weights of the Gaussian's taps, which sum to 1. */
function gaussian(): number[] {
  const taps = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)));
  const sum = taps.reduce((a, b) => a + b, 0);
  return taps.map((tap) => tap / sum);
}

/** The noise that is not to be taken for structure: 2.5 of 255. */
const NOISE = 2.5 / 255;

/** Side of the tiles that a workgroup normalises, and of what it reads for one. */
const SIDE = 16;
const READ = SIDE + 2 * RADIUS;
const LANES = 64;

/** Workgroups for a level. */
export function normalizeGroups({ width, height }: Size): [x: number, y: number, z: number] {
  return [Math.ceil(width / SIDE), Math.ceil(height / SIDE), 1];
}

/**
 * Features of a level: (luma - mean) / sqrt(variance + noise^2). Mean and variance are weighted by a Gaussian, whose
 * sums go along rows first, then along columns.
 */
export const NORMALIZE = new Program({
  label: 'align normalize',
  workgroup: [LANES, 1, 1],
  params: { width: 'u32', height: 'u32', from_first: 'u32', first: 'u32' },
  bindings: { luma: PIXELS, features: WRITTEN_PIXELS },
  body: `${MIRROR}${LUMA_PIXELS}${FEATURE_PIXELS}
const TAPS = array(${gaussian().join(', ')});
var<workgroup> pixels: array<vec2f, ${READ * READ}>;
var<workgroup> rows: array<vec2f, ${READ * SIDE}>;

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let origin = vec2i(group.xy * ${SIDE}u);
  for (var i = local; i < ${READ * READ}u; i += ${LANES}u) {
    let x = mirror(origin.x + i32(i % ${READ}u) - ${RADIUS}, i32(params.width));
    let y = mirror(origin.y + i32(i / ${READ}u) - ${RADIUS}, i32(params.height));
    pixels[i] = luma_of(luma[params.from_first + u32(y) * params.width + u32(x)]);
  }
  workgroupBarrier();
  for (var i = local; i < ${READ * SIDE}u; i += ${LANES}u) {
    let start = i / ${SIDE}u * ${READ}u + i % ${SIDE}u;
    var sum = vec2f(0.0);
    for (var k = 0u; k < ${2 * RADIUS + 1}u; k++) {
      let value = pixels[start + k].x;
      sum += TAPS[k] * vec2f(value, value * value);
    }
    rows[i] = sum;
  }
  workgroupBarrier();
  for (var i = local; i < ${SIDE * SIDE}u; i += ${LANES}u) {
    let at = vec2u(i % ${SIDE}u, i / ${SIDE}u);
    let pixel = vec2u(origin) + at;
    if (pixel.x >= params.width || pixel.y >= params.height) { continue; }
    var sum = vec2f(0.0);
    for (var k = 0u; k < ${2 * RADIUS + 1}u; k++) { sum += TAPS[k] * rows[(at.y + k) * ${SIDE}u + at.x]; }
    let deviation = sqrt(max(sum.y - sum.x * sum.x, 0.0) + ${NOISE ** 2});
    let here = pixels[(at.y + ${RADIUS}u) * ${READ}u + at.x + ${RADIUS}u];
    let feature = vec2f((here.x - sum.x) / deviation, here.y);
    features[params.first + pixel.y * params.width + pixel.x] = pack_feature(feature);
  }
}`,
});
