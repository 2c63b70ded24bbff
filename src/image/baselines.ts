/**
 * Baselines for a merge, on the CPU: the reference frame alone, and motion found by simple differences (spec:
 * Ablations, A4 and A5).
 */
import { maxSample } from './frame.ts';
import type { Frame } from './frame.ts';
import type { CameraResponse } from './response.ts';

/** X' of a sample in one channel: `f_c(x)^(1/gamma)`, with f by linear interpolation. Without f, X' is x itself. */
function undo(x: number, curve: ArrayLike<number> | undefined, gamma: number): number {
  if (!curve) return x;
  const at = x * (curve.length - 1);
  const below = Math.min(Math.floor(at), curve.length - 2);
  return (curve[below] + (at - below) * (curve[below + 1] - curve[below])) ** (1 / gamma);
}

/**
 * A frame with the camera's response undone: X' of the spec, gamma-encoded `[height, width, 3]` in [0,1].
 * @param response absent if frames already are gamma-encoded.
 */
export function encodedFrame(
  { data }: Frame,
  response: CameraResponse | undefined,
  gamma: number,
): Float32Array<ArrayBuffer> {
  const top = maxSample(data);
  const curves = response && [response.r, response.g, response.b];
  const out = new Float32Array(data.length);
  if (data instanceof Float32Array) {
    for (let i = 0; i < out.length; i++) out[i] = undo(data[i], curves?.[i % 3], gamma);
    return out;
  }
  const tables = [0, 1, 2].map((c) =>
    Float32Array.from({ length: top + 1 }, (_, code) => undo(code / top, curves?.[c], gamma)),
  );
  for (let i = 0; i < out.length; i++) out[i] = tables[i % 3][data[i]];
  return out;
}

/**
 * Radiance of a frame alone: X'^gamma / tau. 1 is the saturation of the shortest frame, so a clipped sample gives 1 /
 * tau.
 */
export function loneRadiance(encoded: Float32Array, tau: number, gamma: number): Float32Array<ArrayBuffer> {
  return encoded.map((x) => x ** gamma / tau);
}

/** Differences above this, in the gamma domain, are motion. */
const THRESHOLD = 0.1;

/**
 * Motion by difference: 1 where `|A_i - min(X_r, (tau_r / tau_i)^(1/gamma))| > 0.1` in any channel, A_i being frame i
 * aligned to the reference's exposure. The minimum keeps a saturated long frame from looking like motion.
 * @param frame X' of frame i. @param reference X' of the reference. @param ratio tau_r / tau_i.
 * @returns `[height, width]` of 0 and 1.
 */
export function differenceMotion(
  frame: Float32Array,
  reference: Float32Array,
  ratio: number,
  gamma: number,
): Float32Array<ArrayBuffer> {
  const gain = ratio ** (1 / gamma);
  const out = new Float32Array(frame.length / 3);
  for (let i = 0; i < frame.length; i++) {
    const aligned = Math.min(1, frame[i] * gain);
    if (Math.abs(aligned - Math.min(reference[i], gain)) > THRESHOLD) out[Math.floor(i / 3)] = 1;
  }
  return out;
}

/** At and above this, in the gamma domain, a sample may be clipped. */
const CLIPPED = 0.98;

/**
 * Where two frames cannot show motion: 1 where frame i is burnt out in all channels and the reference, brought to the
 * same exposure, would be too.
 * @param frame X' of frame i. @param reference X' of the reference. @param ratio tau_r / tau_i.
 * @returns `[height, width]` of 0 and 1.
 */
export function burntOut(
  frame: Float32Array,
  reference: Float32Array,
  ratio: number,
  gamma: number,
): Uint8Array<ArrayBuffer> {
  const gain = ratio ** (1 / gamma);
  const out = new Uint8Array(frame.length / 3).fill(1);
  for (let i = 0; i < frame.length; i++)
    if (frame[i] <= CLIPPED || reference[i] <= CLIPPED * gain) out[Math.floor(i / 3)] = 0;
  return out;
}
