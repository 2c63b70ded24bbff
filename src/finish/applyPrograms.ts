/** Programs that finish rows of radiance: as codes of 8 bits under sRGB's curve, or as display-linear floats. */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import { FINISH_VECTORS } from './curves.ts';
import { finishWgsl } from './finishWgsl.ts';
import { tableWgsl } from './tableWgsl.ts';

/** Pixels of an invocation: their codes fill words. */
const PIXELS = 4;

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

/** WGSL of what is finished: rows of the picture, or its proxy. */
const SOURCES = {
  rows: {
    type: 'array<f32>',
    load: 'vec3f(source[3u * pixel], source[3u * pixel + 1u], source[3u * pixel + 2u])',
  },
  proxy: { type: 'array<vec4f>', load: 'source[pixel].rgb' },
} as const;

function applyProgram(kind: FinishedKind, of: keyof typeof SOURCES): Program {
  const { type, each, end } = STORES[kind];
  const source = SOURCES[of];
  return new Program({
    label: `finish ${of} as ${kind}`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    params: { width: 'u32', count: 'u32', top: 'u32', place: ['vec4f', 2], finish: ['vec4f', FINISH_VECTORS] },
    bindings: {
      source: { access: 'read', type: source.type },
      table: { access: 'read', type: 'array<f32>' },
      finished: { access: 'read_write', type: `array<${type}>` },
    },
    body: () => `${FLAT_INDEX}${tableWgsl()}${finishWgsl()}
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
    let place = vec2f(vec2u(pixel % params.width, params.top + pixel / params.width)) + 0.5;
    let position = params.place[1].xy + place.x * params.place[0].xy + place.y * params.place[0].zw;
    let color = finish_color(${source.load}, position);${each}
  }
  ${end}
}`,
  });
}

/** The programs for rows, by what they write. */
export const APPLY: Readonly<Record<FinishedKind, Program>> = {
  codes: applyProgram('codes', 'rows'),
  linear: applyProgram('linear', 'rows'),
};

/** The program for the proxy. */
export const APPLY_PROXY: Program = applyProgram('codes', 'proxy');

/** Invocations for pixels. */
export const applyCount = (pixels: number): number => Math.ceil(pixels / PIXELS);
