/**
 * WGSL that finishes a colour: the same for files and for what is seen. What includes it declares
 *
 * - `finish`, an `array<vec4f, FINISH_VECTORS>` of `finishNumbers`, as text: `params.finish` by default;
 * - `fn finish_table(at: vec3f) -> f32`: the grid between its nodes, at a column, a row and a node.
 */
import { GREY, GRID_NODES } from './grid.ts';

/**
 * Share of the largest channel in what scales a colour: the more, the less bright colours turn white. But where two
 * such colours meet, pixels that mix them are less colourful and become brighter, as a bright rim: so not too much.
 */
export const PEAK_SHARE = 0.3;

/** WGSL: light from radiance, luminance and its EV. @param finish the numbers. */
export function lightWgsl(finish = 'params.finish'): string {
  return `
/** Light after exposure and white balance. */
fn finish_light(radiance: vec3f) -> vec3f {
  let seen = clamp(radiance, vec3f(0.0), vec3f(1e30));
  let light = vec3f(dot(${finish}[0].xyz, seen), dot(${finish}[1].xyz, seen), dot(${finish}[2].xyz, seen));
  return clamp(light, vec3f(0.0), vec3f(1e30));
}

fn finish_luminance(light: vec3f) -> f32 {
  return dot(vec3f(${finish}[0].w, ${finish}[1].w, ${finish}[2].w), light);
}

/** EV about middle grey. */
fn finish_ev(luminance: f32) -> f32 { return log2(max(luminance, 1e-30) / ${GREY}); }

/** The place of a luminance among a column's nodes. */
fn finish_node(ev: f32) -> f32 {
  return clamp((ev - ${finish}[5].y) * ${finish}[5].z, 0.0, ${GRID_NODES - 1}.0);
}
`;
}

/** WGSL: `finish_color`. @param finish the numbers. */
export function finishWgsl(finish = 'params.finish'): string {
  return `${lightWgsl(finish)}
/** What a display shows of EV: from 0 to its most, which is 1 without headroom. */
fn finish_display(ev: f32) -> f32 {
  let curve = ${finish}[4];
  let x = exp2(min(curve.x * ev, 120.0));
  return clamp(curve.w * (x - curve.y) / (x + curve.z), 0.0, ${finish}[5].w);
}

/** A colour with its saturation scaled in Oklab. */
fn finish_saturation(color: vec3f) -> vec3f {
  let cones = vec3f(dot(${finish}[7].xyz, color), dot(${finish}[8].xyz, color), dot(${finish}[9].xyz, color));
  let root = pow(max(cones, vec3f(1e-12)), vec3f(1.0 / 3.0));
  let lightness = dot(vec3f(0.2104542553, 0.7936177850, -0.0040720468), root);
  let a = dot(vec3f(1.9779984951, -2.4285922050, 0.4505937099), root) * ${finish}[3].w;
  let b = dot(vec3f(0.0259040371, 0.7827717662, -0.8086757660), root) * ${finish}[3].w;
  let back = vec3f(
    lightness + 0.3963377774 * a + 0.2158037573 * b,
    lightness - 0.1055613458 * a - 0.0638541728 * b,
    lightness - 0.0894841775 * a - 1.2914855480 * b,
  );
  let cubed = back * back * back;
  return vec3f(dot(${finish}[10].xyz, cubed), dot(${finish}[11].xyz, cubed), dot(${finish}[12].xyz, cubed));
}

/** A colour that the display shows: what lies outside moves towards the grey of its own luminance. */
fn finish_gamut(color: vec3f) -> vec3f {
  let most = ${finish}[5].w;
  let grey = clamp(finish_luminance(color), 0.0, most);
  let largest = max(color.r, max(color.g, color.b));
  let smallest = min(color.r, min(color.g, color.b));
  var keep = 1.0;
  if (largest > most) { keep = (most - grey) / (largest - grey); }
  if (smallest < 0.0) { keep = min(keep, grey / (grey - smallest)); }
  return clamp(grey + (color - grey) * keep, vec3f(0.0), vec3f(most));
}

/**
 * What a display shows, linear, where 1 is white.
 * @param radiance of a pixel.
 * @param position in pixels of the picture, from its corner.
 */
fn finish_color(radiance: vec3f, position: vec2f) -> vec3f {
  let light = finish_light(radiance);
  let luminance = finish_luminance(light);
  if (luminance < 1e-20) { return vec3f(0.0); }
  let ev = finish_ev(luminance);
  let brighter = finish_table(vec3f(position * ${finish}[5].x, finish_node(ev)));
  let peak = max(light.r, max(light.g, light.b));
  let by_luminance = finish_display(ev + brighter) / luminance;
  let by_peak = finish_display(finish_ev(peak) + brighter) / peak;
  var color = light * mix(by_luminance, by_peak, ${PEAK_SHARE});
  if (${finish}[3].w != 1.0) { color = finish_saturation(color); }
  return finish_gamut(color);
}
`;
}
