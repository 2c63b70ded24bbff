/**
 * Exposure maths and the analytic merge on the CPU, in f64, straight from the spec ("Conventions", "Before the
 * network", "Base").
 */
import { map, tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** An inverse camera response: per channel (r, g, b) samples of f at i / (length - 1); null is f(x) = x^gamma. */
export type InverseResponse = readonly ArrayLike<number>[] | null;

/** f by linear interpolation of its samples; x in [0, 1]. */
export function interpolate(samples: ArrayLike<number>, x: number): number {
  const position = Math.min(Math.max(x, 0), 1) * (samples.length - 1);
  const low = Math.min(Math.floor(position), samples.length - 2);
  return samples[low] + (position - low) * (samples[low + 1] - samples[low]);
}

/** X' = f(X)^(1/gamma): what the network sees as X. */
export function undoResponse(x: Tensor, response: InverseResponse, gamma: number): Tensor {
  if (!response) return map(x, (value) => value);
  const size = x.h * x.w;
  return map(x, (value, i) => interpolate(response[Math.floor(i / size)], value) ** (1 / gamma));
}

/** lin = X'^gamma / tau, that is f(X) / tau. */
export function linearise(x: Tensor, tau: number, gamma: number): Tensor {
  return map(x, (value) => value ** gamma / tau);
}

/** A_i = clip(X'_i * (tau_r / tau_i)^(1/gamma), 0, 1). */
export function align(x: Tensor, tau: number, tauReference: number, gamma: number): Tensor {
  const gain = (tauReference / tau) ** (1 / gamma);
  return map(x, (value) => Math.min(Math.max(value * gain, 0), 1));
}

/** The hat weight; `first` and `last` say whether the frame is the shortest or the longest. */
export function hat(x: number, first: boolean, last: boolean): number {
  if (first && x > 0.5) return 1;
  if (last && x < 0.5) return 1;
  return 1 - Math.abs(2 * x - 1);
}

/** Whether each channel has a hat of its own, or a pixel one, the smallest of its channels'. */
export type Hat = 'channel' | 'pixel';

/**
 * B: the hat-weighted radiance average in which moving pixels count only from the reference. All frames are X', sorted
 * by exposure; `masks` are one-channel motion maps, absent for a plain merge. A frame without data counts only if it is
 * the reference and no other has any; nothing moves where the reference has none.
 */
export function mergeBase(
  frames: readonly Tensor[],
  taus: readonly number[],
  reference: number,
  gamma: number,
  kind: Hat,
  masks?: readonly Tensor[],
  hasData: (frame: number, pixel: number) => boolean = () => true,
): Tensor {
  const { c, h, w } = frames[0];
  const last = frames.length - 1;
  return map(tensor(c, h, w), (_, i) => {
    let sum = 0;
    let weights = 0;
    frames.forEach((frame, k) => {
      const x = frame.data[i];
      const moving = masks && hasData(reference, i % (h * w)) ? masks[k].data[i % (h * w)] : 0;
      const seen =
        kind === 'channel'
          ? [x]
          : Array.from({ length: c }, (_, channel) => frame.data[channel * h * w + (i % (h * w))]);
      const certainty = Math.min(...seen.map((value) => hat(value, k === 0, k === last)));
      const usual = k === reference ? Math.max(certainty, moving) + 1e-3 : certainty * (1 - moving);
      const weight = hasData(k, i % (h * w)) ? usual : k === reference ? 1e-9 : 0;
      sum += (weight * x ** gamma) / taus[k];
      weights += weight;
    });
    return sum / weights;
  });
}

/** Y = sigmoid(o + ln B' - ln(1 - B')), B' = clip(B, 1e-6 / tau_N, 1 - 1e-4). */
export function addBase(o: Tensor, base: Tensor, tauLongest: number): Tensor {
  return map(o, (value, i) => {
    const b = Math.min(Math.max(base.data[i], 1e-6 / tauLongest), 1 - 1e-4);
    return 1 / (1 + Math.exp(-(value + Math.log(b) - Math.log(1 - b))));
  });
}

/** T(y) = log(1 + 5000 y) / log(5001). */
export function toneMap(y: Tensor): Tensor {
  return map(y, (value) => Math.log(1 + 5000 * value) / Math.log(5001));
}
