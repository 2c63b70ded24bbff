/**
 * The programs at the two ends of a tile: one cuts it from a frame's samples, the other takes the tile's result out of
 * its blocks of channels. They are not steps of a plan, since they depend on where the tile lies.
 */
import { Program, READ, writes } from './program.ts';
import { ROW_WORKGROUP } from './rows.ts';

/**
 * W of a pixel where its frame has no data. As a factor it acts as 0, which W is there (spec: Before the network); the
 * few kernels that must know look at its sign.
 */
export const NO_DATA = -1e-30;

const WORDS = { access: 'read', type: 'array<u32>' } as const;

/** Bits of a frame's samples; 0 if its colours are added later. */
export type SampleBits = 0 | 8 | 16 | 32;

/** WGSL: the colour of a pixel by its index in the box that is there. */
const COLOUR: Record<SampleBits, string> = {
  0: 'fn colour_at(pixel: u32) -> vec3f { return vec3f(0.0); }',
  // Three bytes lie in one word or two.
  8: `fn colour_at(pixel: u32) -> vec3f {
  let at = 3u * pixel;
  let shift = 8u * (at & 3u);
  let low = samples[at >> 2u] >> shift;
  let word = select(low | (samples[(at + 2u) >> 2u] << (32u - shift)), low, shift == 0u);
  return vec3f(vec3u(word, word >> 8u, word >> 16u) & vec3u(255u)) / 255.0;
}`,
  // Three halfwords lie in two words.
  16: `fn colour_at(pixel: u32) -> vec3f {
  let at = 3u * pixel;
  let first = samples[at >> 1u];
  let second = samples[(at >> 1u) + 1u];
  let isOdd = (at & 1u) == 1u;
  let rgb = select(vec3u(first, first >> 16u, second), vec3u(first >> 16u, second, second >> 16u), isOdd);
  return vec3f(rgb & vec3u(65535u)) / 65535.0;
}`,
  32: `fn colour_at(pixel: u32) -> vec3f {
  let at = 3u * pixel;
  return bitcast<vec3f>(vec3u(samples[at], samples[at + 1u], samples[at + 2u]));
}`,
};

const cut = (bits: SampleBits): Program =>
  new Program({
    label: `cut a tile of ${bits} bits`,
    workgroup: [ROW_WORKGROUP, 1, 1],
    params: {
      // The block's first vec4, and the tile's columns.
      first: 'u32',
      pitch: 'u32',
      // The tile's place in the picture.
      x: 'u32',
      y: 'u32',
      // The picture's last pixel, and the box of it that is there.
      last_x: 'u32',
      last_y: 'u32',
      box_x: 'u32',
      box_y: 'u32',
      box_width: 'u32',
      use_coverage: 'u32',
      // The same of the map; a width of 0 for none.
      map_last_x: 'u32',
      map_last_y: 'u32',
      map_x: 'u32',
      map_y: 'u32',
      map_width: 'u32',
    },
    bindings: {
      stack: writes({ dtype: 'f32' }),
      samples: WORDS,
      coverage: WORDS,
      map: { access: 'read', type: 'array<f32>' },
    },
    body: `${COLOUR[bits]}

@workgroup
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.pitch) { return; }
  let at = params.y + id.y;
  let x = params.x + id.x;
  let pixel = (min(at, params.last_y) - params.box_y) * params.box_width + min(x, params.last_x) - params.box_x;
  var w = 0.0;
  if (params.map_width > 0u) {
    w = map[
      (min(at, params.map_last_y) - params.map_y) * params.map_width + min(x, params.map_last_x) - params.map_x
    ];
  }
  if (params.use_coverage > 0u) {
    if (((coverage[pixel / 4u] >> (8u * (pixel % 4u))) & 255u) == 0u) { w = ${NO_DATA}; }
  }
  stack[params.first + id.y * params.pitch + id.x] = vec4f(colour_at(pixel), w);
}`,
  });

/**
 * One block of the stack, (R, G, B, W_k) of frame k, by the bits of its samples. Outside the picture its last row and
 * column repeat: the padding of the spec's Conventions. Where the frame has no data, W_k is NO_DATA.
 */
export const CUT: Record<SampleBits, Program> = { 0: cut(0), 8: cut(8), 16: cut(16), 32: cut(32) };

/**
 * Channels of a part of a tile, `channels` of them from `channel` on, to an array of floats in any layout. If one of
 * them is NaN or infinite, `unfit` becomes 1. Its bits tell that: compilers may take it that no float is NaN.
 */
export const TAKE = new Program({
  label: 'take a result',
  workgroup: [ROW_WORKGROUP, 1, 1],
  params: {
    // The tile's first vec4, its columns, and the vec4s of a block.
    first: 'u32',
    pitch: 'u32',
    block: 'u32',
    channel: 'u32',
    channels: 'u32',
    // The part.
    left: 'u32',
    top: 'u32',
    width: 'u32',
    // The array: where the part begins, and floats from a pixel, a row and a channel to the next.
    base: 'u32',
    pixel_step: 'u32',
    row_step: 'u32',
    channel_step: 'u32',
  },
  bindings: {
    tile: READ,
    result: { access: 'read_write', type: 'array<f32>' },
    unfit: { access: 'read_write', type: 'array<atomic<u32>>' },
  },
  body: `
@workgroup
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x;
  let y = id.y;
  if (x >= params.width) { return; }
  let source = params.first + (params.top + y) * params.pitch + params.left + x;
  let at = params.base + y * params.row_step + x * params.pixel_step;
  for (var c = 0u; c < params.channels; c++) {
    let channel = params.channel + c;
    let value = tile[source + (channel / 4u) * params.block][channel % 4u];
    result[at + c * params.channel_step] = value;
    if ((bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u) { atomicStore(&unfit[0], 1u); }
  }
}`,
});

/** Programs that run around every plan. */
export const EDGE_PROGRAMS: readonly Program[] = [CUT[8], TAKE];
