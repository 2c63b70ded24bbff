/**
 * WGSL: `sample(q)`, a frame's feature and weight at a position in pixels of a level, bilinear. Beyond the frame's edge
 * the feature stays as there, and the weight is 0: positions are clamped, so that integers do not overflow. Programs
 * bind `frame` and have the params `first`, `width` and `height` of the level.
 */
import { FEATURE_PIXELS } from './pixels.ts';

export const SAMPLE = `${FEATURE_PIXELS}
fn texel(i: vec2i) -> vec2f {
  let size = vec2i(i32(params.width), i32(params.height));
  let at = clamp(i, vec2i(0), size - 1);
  let value = feature_of(frame[params.first + u32(at.y * size.x + at.x)]);
  return select(vec2f(value.x, 0.0), value, all(at == i));
}

fn sample(position: vec2f) -> vec2f {
  let q = clamp(position, vec2f(-2.0), vec2f(f32(params.width), f32(params.height)) + 1.0);
  let floored = floor(q);
  let i = vec2i(floored);
  let part = q - floored;
  return mix(
    mix(texel(i), texel(i + vec2i(1, 0)), part.x),
    mix(texel(i + vec2i(0, 1)), texel(i + vec2i(1, 1)), part.x),
    part.y,
  );
}
`;
