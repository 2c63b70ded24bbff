/**
 * The plain merge of 8-bit frames at once (spec: Base): from their samples to the picture, without a stack between. A
 * sample is one of 256, so what it shows and what it weighs come from a table.
 */
import type { PictureAttrs } from './picture.ts';
import type { Program } from './program.ts';
import type { ROW_WORKGROUP, rowGrid } from './rows.ts';

/** Codes of a sample. */
const CODES = 256;

/** Handed over, not imported: an import from here would make bundlers split the core. */
export interface Core {
  Program: typeof Program;
  ROW_WORKGROUP: typeof ROW_WORKGROUP;
  rowGrid: typeof rowGrid;
}
/** Storage bindings besides the frames'. */
const OTHERS = 3;

/** Most frames that a device merges so. */
export function mostSampleFrames({ maxStorageBuffersPerShaderStage: most }: GPUSupportedLimits): number {
  return most - OTHERS;
}

/**
 * (radiance, weight) of every code of each channel of each frame.
 * @param linear f at i/255 of each channel. Its values are not read without a response.
 */
export function sampleTable(
  { taus, reference, gamma, useResponse }: PictureAttrs,
  linear: readonly ArrayLike<number>[],
): Float32Array<ArrayBuffer> {
  const table = new Float32Array(taus.length * 3 * CODES * 2);
  let at = 0;
  for (const [k, tau] of taus.entries())
    for (const curve of linear)
      for (let code = 0; code < CODES; code++) {
        const sample = code / (CODES - 1);
        const light = useResponse ? curve[code] : sample ** gamma;
        const x = useResponse ? Math.max(0, light) ** (1 / gamma) : sample;
        const isSure = (k === 0 && x > 0.5) || (k === taus.length - 1 && x < 0.5);
        const weight = isSure ? 1 : 1 - Math.abs(2 * x - 1);
        table[at++] = light / tau;
        table[at++] = k === reference ? weight + 1e-3 : weight;
      }
  return table;
}

/** The program for some number of frames. */
export function mergeSamples({ Program, ROW_WORKGROUP }: Core, frames: number): Program {
  const numbers = Array.from({ length: frames }, (_, k) => k);
  const words = { access: 'read', type: 'array<u32>' } as const;
  return new Program({
    label: `merge ${frames} frames of 8 bits`,
    workgroup: [ROW_WORKGROUP, 1, 1],
    params: {
      // The part's place in the box of pixels that is there, that box's columns, and the part's.
      x: 'u32',
      y: 'u32',
      box_width: 'u32',
      width: 'u32',
      // The array: where the part begins, and floats from a row to the next. Pixels are interleaved.
      base: 'u32',
      row_step: 'u32',
    },
    bindings: {
      curves: { access: 'read', type: 'array<vec2f>' },
      ...Object.fromEntries(numbers.map((k) => [`samples_${k}`, words])),
      result: { access: 'read_write', type: 'array<f32>' },
      unfit: { access: 'read_write', type: 'array<atomic<u32>>' },
    },
    body: `
@workgroup
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width) { return; }
  let pixel = (params.y + id.y) * params.box_width + params.x + id.x;
  var sum = vec3f(0.0);
  var weights = 0.0;
${numbers
  .map(
    (k) => `  {
    let at = 3u * pixel;
    let shift = 8u * (at & 3u);
    let low = samples_${k}[at >> 2u] >> shift;
    let word = select(low | (samples_${k}[(at + 2u) >> 2u] << (32u - shift)), low, shift == 0u);
    let code = vec3u(word, word >> 8u, word >> 16u) & vec3u(255u);
    let r = curves[${3 * k * CODES}u + code.r];
    let g = curves[${(3 * k + 1) * CODES}u + code.g];
    let b = curves[${(3 * k + 2) * CODES}u + code.b];
    let weight = min(r.y, min(g.y, b.y));
    sum += weight * vec3f(r.x, g.x, b.x);
    weights += weight;
  }`,
  )
  .join('\n')}
  let value = sum / weights;
  let to = params.base + id.y * params.row_step + 3u * id.x;
  result[to] = value.r;
  result[to + 1u] = value.g;
  result[to + 2u] = value.b;
  let exponents = bitcast<vec3u>(value) & vec3u(0x7f800000u);
  if (any(exponents == vec3u(0x7f800000u))) { atomicStore(&unfit[0], 1u); }
}`,
  });
}
