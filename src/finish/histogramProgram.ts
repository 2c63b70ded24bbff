/** A program that counts a sample of the picture's pixels by their light, and how they are shown. */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import { FINISH_VECTORS } from './curves.ts';
import { finishWgsl } from './finishWgsl.ts';
import { GRID_LOW, GRID_NODES, GRID_STEP } from './grid.ts';
import { tableWgsl } from './tableWgsl.ts';

/** EV of a bin, and bins: they cover the grid's range. */
export const BIN_STEP = 0.25;
export const BINS = ((GRID_NODES - 1) * GRID_STEP) / BIN_STEP;
/** What is counted, in the order of the counts. */
export const COUNTED = ['luminance', 'red', 'green', 'blue', 'white', 'black'] as const;

/** A sample is an invocation. */
export const HISTOGRAM = new Program({
  label: 'finish histogram',
  workgroup: [FLAT_WORKGROUP, 1, 1],
  params: { width: 'u32', count: 'u32', block: 'u32', finish: ['vec4f', FINISH_VECTORS] },
  bindings: {
    samples: { access: 'read', type: 'array<vec4f>' },
    table: { access: 'read', type: 'array<f32>' },
    counts: { access: 'read_write', type: 'array<atomic<u32>>' },
  },
  body: () => `${FLAT_INDEX}${tableWgsl()}${finishWgsl()}
fn count(what: u32, light: f32) {
  let bin = floor((finish_ev(light) - ${GRID_LOW}.0) / ${BIN_STEP});
  atomicAdd(&counts[what * ${BINS}u + u32(clamp(bin, 0.0, ${BINS - 1}.0))], 1u);
}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.count) { return; }
  let radiance = samples[index].rgb;
  let light = finish_light(radiance);
  let luminance = finish_luminance(light);
  count(0u, luminance);
  count(1u, light.r);
  count(2u, light.g);
  count(3u, light.b);
  let place = (vec2f(vec2u(index % params.width, index / params.width)) + 0.5) * f32(params.block);
  let color = finish_color(radiance, place);
  // As codes of 8 bits.
  if (max(color.r, max(color.g, color.b)) >= 0.9955 * params.finish[5].w) { count(4u, luminance); }
  if (max(color.r, max(color.g, color.b)) < 0.00015) { count(5u, luminance); }
}`,
});
