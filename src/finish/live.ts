/**
 * Finishing in a shader of one's own: for a preview that follows a slider, drawn from a texture that is on the device
 * already.
 */
import { readOptions, whole } from '../checks.ts';
import { FINISH_VECTORS } from './curves.ts';
import { finishWgsl } from './finishWgsl.ts';
import { tableWgsl } from './tableWgsl.ts';

/** What `liveFinishWgsl` reads. */
export interface LiveFinish {
  /** For a uniform buffer of `LIVE_FINISH_BYTES`. They take light where 1 is the reference frame's white. */
  numbers: Float32Array<ArrayBuffer>;
  /** For a read-only storage binding. The finisher owns it and fills it again at each call of `live`. */
  table: GPUBuffer;
}

/** Where `liveFinishWgsl` binds what it reads. */
export interface LiveBindings {
  /** 0 by default. */
  group?: number;
  /** Bindings. */
  numbers: number;
  table: number;
}

/** Bytes of `LiveFinish.numbers`. */
export const LIVE_FINISH_BYTES = 16 * FINISH_VECTORS;

/**
 * WGSL with both bindings and
 * `fn finish_color(light: vec3f, position: vec2f) -> vec3f`: what a display shows of light (radiance times the
 * picture's scale), display-linear in the picture's colour space; the position is in pixels of the picture, from its
 * corner. Every name in it begins with `finish_`.
 * @throws UsageError
 */
export function liveFinishWgsl(bindings: LiveBindings): string {
  const index = whole(0, 65535);
  const rules = { group: index, numbers: index, table: index };
  const { group = 0, numbers, table } = readOptions('liveFinishWgsl', bindings, rules, ['numbers', 'table']);
  return `
@group(${group}) @binding(${numbers}) var<uniform> finish_numbers: array<vec4f, ${FINISH_VECTORS}>;
@group(${group}) @binding(${table}) var<storage, read> finish_curves: array<f32>;
${tableWgsl('finish_numbers', 'finish_curves')}${finishWgsl('finish_numbers')}`;
}
