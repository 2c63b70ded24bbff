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
/** Halvings that find how much colour a display shows. */
const GAMUT_STEPS = 16;

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

/** A colour in Oklab: lightness, a, b. */
fn finish_oklab(color: vec3f) -> vec3f {
  let cones = vec3f(dot(${finish}[7].xyz, color), dot(${finish}[8].xyz, color), dot(${finish}[9].xyz, color));
  let root = pow(max(cones, vec3f(1e-12)), vec3f(1.0 / 3.0));
  return vec3f(
    dot(vec3f(0.2104542553, 0.7936177850, -0.0040720468), root),
    dot(vec3f(1.9779984951, -2.4285922050, 0.4505937099), root),
    dot(vec3f(0.0259040371, 0.7827717662, -0.8086757660), root),
  );
}

/** How far the roots of the cones' responses lie from those of grey. */
fn finish_apart(lab: vec3f) -> vec3f {
  return vec3f(
    0.3963377774 * lab.y + 0.2158037573 * lab.z,
    -0.1055613458 * lab.y - 0.0638541728 * lab.z,
    -0.0894841775 * lab.y - 1.2914855480 * lab.z,
  );
}

fn finish_from_cones(cones: vec3f) -> vec3f {
  return vec3f(dot(${finish}[10].xyz, cones), dot(${finish}[11].xyz, cones), dot(${finish}[12].xyz, cones));
}

/** A colour with its saturation scaled in Oklab. */
fn finish_saturation(color: vec3f) -> vec3f {
  let lab = finish_oklab(color);
  let root = lab.x + finish_apart(lab) * ${finish}[3].w;
  return finish_from_cones(root * root * root);
}

/**
 * A colour that the display shows: what lies outside loses colour, and keeps its lightness and hue in Oklab. Along that
 * way each channel is a cubic, which begins at grey; how far the display reaches is bisected.
 */
fn finish_gamut(color: vec3f) -> vec3f {
  let most = ${finish}[5].w;
  if (all(color >= vec3f(0.0)) && all(color <= vec3f(most))) { return color; }
  let lab = finish_oklab(color);
  let grey = lab.x * lab.x * lab.x;
  if (grey >= most) { return vec3f(most); }
  let apart = finish_apart(lab);
  let once = finish_from_cones(3.0 * lab.x * lab.x * apart);
  let twice = finish_from_cones(3.0 * lab.x * apart * apart);
  let thrice = finish_from_cones(apart * apart * apart);
  var within = 0.0;
  var step = 0.5;
  var shown = vec3f(grey);
  for (var i = 0; i < ${GAMUT_STEPS}; i++) {
    let t = within + step;
    let there = grey + t * (once + t * (twice + t * thrice));
    if (all(there >= vec3f(0.0)) && all(there <= vec3f(most))) {
      within = t;
      shown = there;
    }
    step *= 0.5;
  }
  return clamp(shown, vec3f(0.0), vec3f(most));
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
