/**
 * Pixels of pyramids: a value and its weight in one word. Values are luma in [0,1] at first, then features, whose local
 * normalisation keeps them within FEATURE_RANGE.
 *
 * Alignment is bound by memory on a GPU, so this halves its bytes: luma to 1/65535 is finer than what frames hold,
 * features to 1/6500 than their noise.
 */
import type { Binding } from '../kernels/program.ts';

/** Bytes of a pixel. */
export const PIXEL_BYTES = 4;

/**
 * Largest feature: of a pixel that is brighter than all others, `sqrt((1 - t) / t)`, where t is its own share of the
 * mean, 0.04 with a standard deviation of 2 pixels.
 */
const FEATURE_RANGE = 5;

/** Bindings of pixels that are read, and of those that are written. */
export const PIXELS: Binding = { access: 'read', type: 'array<u32>' };
export const WRITTEN_PIXELS: Binding = { access: 'read_write', type: 'array<u32>' };

/** WGSL: words from and to luma and weight. */
export const LUMA_PIXELS = `
fn luma_of(word: u32) -> vec2f { return unpack2x16unorm(word); }
fn pack_luma(pixel: vec2f) -> u32 { return pack2x16unorm(pixel); }
`;

/** WGSL: words from and to feature and weight. */
export const FEATURE_PIXELS = `
fn feature_of(word: u32) -> vec2f { return unpack2x16snorm(word) * vec2f(${FEATURE_RANGE}.0, 1.0); }
fn pack_feature(pixel: vec2f) -> u32 { return pack2x16snorm(pixel / vec2f(${FEATURE_RANGE}.0, 1.0)); }
`;

/** Bits of a sample where each pixel is a vec4f, as transfers from the device write it. */
export const VEC4_BITS = 128;

/**
 * WGSL: a frame's pixel by index, and whether it has data. Programs bind `samples`, interleaved RGB of 8, 16 or 32 bits
 * packed into words, or vec4f; and `coverage`, a byte a pixel. They have the params `bits` and `use_coverage`.
 */
export const SAMPLES = `
fn sample_at(index: u32) -> f32 {
  if (params.bits == 8u) { return f32((samples[index / 4u] >> (8u * (index % 4u))) & 255u) / 255.0; }
  if (params.bits == 16u) { return f32((samples[index / 2u] >> (16u * (index % 2u))) & 65535u) / 65535.0; }
  return clamp(bitcast<f32>(samples[index]), 0.0, 1.0);
}

fn rgb_at(pixel: u32) -> vec3f {
  let at = pixel * select(3u, 4u, params.bits == ${VEC4_BITS}u);
  return vec3f(sample_at(at), sample_at(at + 1u), sample_at(at + 2u));
}

fn is_covered(pixel: u32) -> bool {
  return params.use_coverage == 0u || ((coverage[pixel / 4u] >> (8u * (pixel % 4u))) & 255u) != 0u;
}
`;
