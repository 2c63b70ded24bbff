/**
 * Programs that turn a frame into a pyramid of features: luma and its weight, half-size levels, local normalisation.
 *
 * Exposures differ by factors, and a camera's curve is unknown. So frames are compared by their luma minus its local
 * mean, divided by its local deviation; pixels that are burnt out or black weigh nothing.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import type { Bindings, ParamTypes } from '../kernels/program.ts';

const PIXELS = { access: 'read', type: 'array<vec2f>' } as const;
const OUTPUT = { access: 'read_write', type: 'array<vec2f>' } as const;

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

/** Bits of a sample where each pixel is a vec4f, as transfers from textures write it. */
export const VEC4_BITS = 128;

/**
 * Luma and weight of rows of a frame: (R + 2G + B) / 4 of the encoded value, and how far a pixel is from being burnt
 * out (any channel above 250 of 255) and from the noise (luma below 8). Linear samples are encoded as x^(1/2.2) first.
 *
 * Samples are interleaved RGB of 8, 16 or 32 bits, packed into words, or vec4f. `coverage` has one byte a pixel.
 */
export const LUMA = perPixel(
  'luma',
  { bits: 'u32', linear: 'u32', use_coverage: 'u32', first: 'u32' },
  {
    samples: { access: 'read', type: 'array<u32>' },
    coverage: { access: 'read', type: 'array<u32>' },
    pixels: OUTPUT,
  },
  `
fn sample_at(index: u32) -> f32 {
  if (params.bits == 8u) { return f32((samples[index / 4u] >> (8u * (index % 4u))) & 255u) / 255.0; }
  if (params.bits == 16u) { return f32((samples[index / 2u] >> (16u * (index % 2u))) & 65535u) / 65535.0; }
  return bitcast<f32>(samples[index]);
}

fn main_at(x: u32, y: u32, index: u32) {
  let at = index * select(3u, 4u, params.bits == ${VEC4_BITS}u);
  var rgb = clamp(vec3f(sample_at(at), sample_at(at + 1u), sample_at(at + 2u)), vec3f(0.0), vec3f(1.0));
  if (params.linear == 1u) {
    rgb = select(pow(max(rgb, vec3f(1e-30)), vec3f(1.0 / 2.2)), vec3f(0.0), rgb <= vec3f(0.0));
  }
  let luma = (rgb.r + 2.0 * rgb.g + rgb.b) / 4.0;
  let bright = max(rgb.r, max(rgb.g, rgb.b));
  var weight = clamp((253.0 - 255.0 * bright) / 3.0, 0.0, 1.0) * clamp((255.0 * luma - 4.0) / 4.0, 0.0, 1.0);
  if (params.use_coverage == 1u && ((coverage[index / 4u] >> (8u * (index % 4u))) & 255u) == 0u) { weight = 0.0; }
  pixels[params.first + index] = vec2f(luma, weight);
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
  { source: PIXELS, pixels: OUTPUT },
  `${MIRROR}
fn main_at(x: u32, y: u32, index: u32) {
  let taps = array(1.0, 4.0, 6.0, 4.0, 1.0);
  var sum = vec2f(0.0);
  for (var j = 0; j < 5; j++) {
    let row = u32(mirror(2 * i32(y + params.top) + j - 2, i32(params.from_height))) - params.from_top;
    let start = params.from_first + row * params.from_width;
    var line = vec2f(0.0);
    for (var i = 0; i < 5; i++) {
      line += taps[i] * source[start + u32(mirror(2 * i32(x) + i - 2, i32(params.from_width)))];
    }
    sum += taps[j] * line;
  }
  pixels[params.first + (params.top + y) * params.width + x] = sum / 256.0;
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

const WEIGHTS = `const TAPS = array(${gaussian().join(', ')});`;

/** Local means of luma and of its square along rows; the first of two passes. */
export const BLUR_ROWS = perPixel(
  'blur rows',
  { first: 'u32' },
  { pixels: PIXELS, blurred: OUTPUT },
  `${MIRROR}
${WEIGHTS}
fn main_at(x: u32, y: u32, index: u32) {
  let start = params.first + y * params.width;
  var sum = vec2f(0.0);
  for (var i = 0; i < ${2 * RADIUS + 1}; i++) {
    let luma = pixels[start + u32(mirror(i32(x) + i - ${RADIUS}, i32(params.width)))].x;
    sum += TAPS[i] * vec2f(luma, luma * luma);
  }
  blurred[index] = sum;
}`,
);

/** The noise that is not to be taken for structure: 2.5 of 255. */
const NOISE = 2.5 / 255;

/** Replaces luma by (luma - mean) / sqrt(variance + noise^2); the second pass, along columns. */
export const NORMALIZE = perPixel(
  'normalize',
  { first: 'u32' },
  { blurred: PIXELS, pixels: OUTPUT },
  `${MIRROR}
${WEIGHTS}
fn main_at(x: u32, y: u32, index: u32) {
  var sum = vec2f(0.0);
  for (var i = 0; i < ${2 * RADIUS + 1}; i++) {
    sum += TAPS[i] * blurred[u32(mirror(i32(y) + i - ${RADIUS}, i32(params.rows))) * params.width + x];
  }
  let at = params.first + index;
  let pixel = pixels[at];
  let deviation = sqrt(max(sum.y - sum.x * sum.x, 0.0) + ${NOISE ** 2});
  pixels[at] = vec2f((pixel.x - sum.x) / deviation, pixel.y);
}`,
);
