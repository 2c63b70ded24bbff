/** Programs that finish rows of radiance: as codes of 8 bits under sRGB's curve, or as display-linear floats. */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import { FINISH_VECTORS } from './curves.ts';
import { finishWgsl } from './finishWgsl.ts';
import { GRID_NODES } from './grid.ts';

/** Pixels of an invocation: their codes fill words. */
const PIXELS = 4;

/** WGSL: the table between its nodes, from a buffer. */
const TABLE = `
fn finish_plane(at: vec3u, part: vec2f) -> f32 {
  let columns = u32(params.finish[6].x);
  let first = (at.z * u32(params.finish[6].y) + at.y) * columns + at.x;
  let top = mix(table[first], table[first + 1u], part.x);
  return mix(top, mix(table[first + columns], table[first + columns + 1u], part.x), part.y);
}

fn finish_table(at: vec3f) -> f32 {
  let last = vec3f(params.finish[6].xy, ${GRID_NODES}.0) - 1.0;
  let place = clamp(at, vec3f(0.0), last);
  let low = vec3u(min(floor(place), last - 1.0));
  let part = place - vec3f(low);
  return mix(finish_plane(low, part.xy), finish_plane(low + vec3u(0u, 0u, 1u), part.xy), part.z);
}
`;

/** WGSL that stores a pixel, and what is stored at the end. */
const STORES = {
  codes: {
    type: 'u32',
    each: `
    let code = vec3u(round(255.0 * encode(min(color, vec3f(1.0)))));
    for (var c = 0u; c < 3u; c++) {
      let byte = 3u * i + c;
      words[byte / 4u] |= code[c] << (8u * (byte % 4u));
    }`,
    end: 'for (var i = 0u; i < 3u; i++) { finished[3u * index + i] = words[i]; }',
  },
  linear: {
    type: 'f32',
    each: `
    for (var c = 0u; c < 3u; c++) { finished[3u * pixel + c] = color[c]; }`,
    end: '',
  },
} as const;

/** What finished rows are. */
export type FinishedKind = keyof typeof STORES;

function applyProgram(kind: FinishedKind): Program {
  const { type, each, end } = STORES[kind];
  return new Program({
    label: `finish ${kind}`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    params: { width: 'u32', count: 'u32', top: 'u32', finish: ['vec4f', FINISH_VECTORS] },
    bindings: {
      radiance: { access: 'read', type: 'array<f32>' },
      table: { access: 'read', type: 'array<f32>' },
      finished: { access: 'read_write', type: `array<${type}>` },
    },
    body: () => `${FLAT_INDEX}${TABLE}${finishWgsl()}
/** sRGB's curve. */
fn encode(color: vec3f) -> vec3f {
  let high = 1.055 * pow(max(color, vec3f(0.0031308)), vec3f(1.0 / 2.4)) - 0.055;
  return select(high, 12.92 * color, color <= vec3f(0.0031308));
}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (${PIXELS}u * index >= params.count) { return; }
  var words: array<u32, 3>;
  for (var i = 0u; i < ${PIXELS}u; i++) {
    let pixel = ${PIXELS}u * index + i;
    if (pixel >= params.count) { break; }
    let position = vec2f(vec2u(pixel % params.width, params.top + pixel / params.width)) + 0.5;
    let at = 3u * pixel;
    let color = finish_color(vec3f(radiance[at], radiance[at + 1u], radiance[at + 2u]), position);${each}
  }
  ${end}
}`,
  });
}

/** The programs by what they write. */
export const APPLY: Readonly<Record<FinishedKind, Program>> = {
  codes: applyProgram('codes'),
  linear: applyProgram('linear'),
};

/** Invocations for pixels. */
export const applyCount = (pixels: number): number => Math.ceil(pixels / PIXELS);
