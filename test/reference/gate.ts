/**
 * The gate on the CPU, in f64, straight from the spec ("Gate"): windows as the spec writes them, not by rows and
 * columns.
 */
import type { GateConfig } from '../../src/weights/config.ts';
import { interpolate } from './exposure.ts';
import type { InverseResponse } from './exposure.ts';
import { map, tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** What samples are: their inverse response (null: x^gamma), or linear light, which counts as x^(1/2.2). */
export interface Camera {
  gamma: number;
  response: InverseResponse;
  linear?: boolean;
}

/** The least and most light of a sample of channel c, in units of its frame's saturation. */
function interval(
  gate: GateConfig,
  sample: number,
  c: number,
  { gamma, response, linear }: Camera,
): [least: number, most: number] {
  const q = gate.codes / 255;
  const clamped = Math.min(Math.max(sample, 0), 1);
  const x = linear ? clamped ** (1 / 2.2) : clamped;
  const f = (v: number): number => (linear ? v ** 2.2 : response ? interpolate(response[c], v) : v ** gamma);
  return [x - q <= 0 ? 0 : f(x - q), x + q > 253.5 / 255 ? Infinity : f(x + q)];
}

/** e: how far apart what two frames can show is, in the worst channel. One channel. */
export function gateEvidence(
  gate: GateConfig,
  frame: Tensor,
  reference: Tensor,
  ratio: number,
  camera: Camera,
): Tensor {
  const size = frame.h * frame.w;
  const encode = (light: number): number => Math.min(Math.max(light, 0), 1) ** (1 / camera.gamma);
  return map(tensor(1, frame.h, frame.w), (_, p) => {
    const gaps = [0, 1, 2].map((c) => {
      const [leastI, mostI] = interval(gate, frame.data[c * size + p], c, camera).map((light) => light * ratio);
      const [leastR, mostR] = interval(gate, reference.data[c * size + p], c, camera);
      const [low, high] = [1 - gate.relative, 1 + gate.relative];
      return Math.max(encode(leastI * low) - encode(mostR * high), encode(leastR * low) - encode(mostI * high), 0);
    });
    return Math.max(...gaps);
  });
}

/** The values around a pixel; beyond the edges the edge's, or none. */
function around(x: Tensor, c: number, y0: number, x0: number, radius: number, repeat: boolean): number[] {
  const values: number[] = [];
  for (let y = y0 - radius; y <= y0 + radius; y++) {
    for (let column = x0 - radius; column <= x0 + radius; column++) {
      const [cy, cx] = [Math.min(Math.max(y, 0), x.h - 1), Math.min(Math.max(column, 0), x.w - 1)];
      if (repeat || (cy === y && cx === column)) values.push(x.data[(c * x.h + cy) * x.w + cx]);
    }
  }
  return values;
}

const over = (x: Tensor, size: number, repeat: boolean, of: (values: number[]) => number): Tensor =>
  map(x, (_, i) =>
    of(around(x, Math.floor(i / (x.h * x.w)), Math.floor(i / x.w) % x.h, i % x.w, (size - 1) / 2, repeat)),
  );

/** The mean over size x size pixels, edges repeated. */
export function meanOver(x: Tensor, size: number): Tensor {
  return over(x, size, true, (values) => values.reduce((a, b) => a + b, 0) / values.length);
}

/** The maximum over size x size pixels, without what is beyond the edges. */
export function maximumOver(x: Tensor, size: number): Tensor {
  return over(x, size, false, (values) => Math.max(...values));
}

export function smoothstep(low: number, high: number, x: number): number {
  const t = Math.min(Math.max((x - low) / (high - low), 0), 1);
  return t * t * (3 - 2 * t);
}

/** What W_i is multiplied by. One channel. @param ratio tau_r / tau_i. */
export function gateFactor(gate: GateConfig, frame: Tensor, reference: Tensor, ratio: number, camera: Camera): Tensor {
  const b = meanOver(maximumOver(meanOver(gateEvidence(gate, frame, reference, ratio, camera), 5), 9), 9);
  return map(b, (value) => smoothstep(gate.low, gate.high, value));
}
