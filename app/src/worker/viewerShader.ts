/** What the canvas shows of the result, as one full-screen triangle. */
import { liveFinishWgsl } from '../../../src/finish/live.ts';

/** Floats of the uniform block `View`: eight vec4. */
export const VIEW_FLOATS = 32;

/** Bindings of the finish. */
export const FINISH_BINDINGS = { numbers: 5, table: 6 };

export const VIEWER_WGSL = /* wgsl */ `
struct View {
  canvas: vec2f,  // pixels
  center: vec2f,  // the point of what is shown at the canvas's middle
  picture: vec2f, // pixels
  shown: vec2f,   // of the crop
  turn: vec4f,    // of the crop: steps in the picture to the right and down
  origin: vec2f,  // of the crop in the picture
  zoom: f32,      // canvas pixels per picture pixel
  divider: f32,   // canvas x, left of it is the plain merge; negative for none
  overlay: f32,   // opacity
  to_canvas: mat3x3f, // from the picture's colours to the canvas's, linear
}
@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var pixels: sampler;
@group(0) @binding(2) var merged: texture_2d<f32>;
@group(0) @binding(3) var plain: texture_2d<f32>;
@group(0) @binding(4) var motion: texture_2d<f32>;
${liveFinishWgsl(FINISH_BINDINGS)}
/** Motion's colours, linear, in stripes: one of them is seen on whatever is below. */
const MOTION = array(vec3f(1.0, 0.16, 0.03), vec3f(0.02, 0.55, 1.0));
const STRIPE = 7.0; // canvas pixels
const LUMA = vec3f(0.2126, 0.7152, 0.0722);

/** sRGB's curve, which Display P3 has too, continued above 1. */
fn encode(color: vec3f) -> vec3f {
  let high = 1.055 * pow(max(color, vec3f(1e-10)), vec3f(1.0 / 2.4)) - 0.055;
  return select(high, 12.92 * color, color <= vec3f(0.0031308));
}

@vertex fn vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  return vec4f(select(-1.0, 3.0, i == 1u), select(-1.0, 3.0, i == 2u), 0.0, 1.0);
}

@fragment fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let seen = view.center + (at.xy - 0.5 * view.canvas) / view.zoom;
  let point = view.origin + seen.x * view.turn.xy + seen.y * view.turn.zw;
  if (any(seen < vec2f(0.0)) || any(seen >= view.shown)) { return vec4f(0.0); }
  if (any(point < vec2f(0.0)) || any(point >= view.picture)) { return vec4f(0.0); }
  let uv = point / view.picture;
  // The level of a texture as large as the picture; a smaller one is sampled from its first.
  let level = max(0.0, -log2(view.zoom));
  var light = textureSampleLevel(merged, pixels, uv, level).rgb;
  if (at.x < view.divider) { light = textureSampleLevel(plain, pixels, uv, level).rgb; }
  let color = max(vec3f(0.0), view.to_canvas * finish_color(light, point));
  // The plain merge knows of no motion.
  let overlay = select(view.overlay, 0.0, at.x < view.divider);
  let marked = overlay * textureSampleLevel(motion, pixels, uv, 0.0).r;
  let stripe = MOTION[u32(floor((at.x + at.y) / STRIPE)) % 2u];
  let shade = stripe * (0.35 + 0.65 * clamp(dot(LUMA, color) * 1.5, 0.0, 1.0));
  return vec4f(encode(mix(color, shade, marked)), 1.0);
}
`;
