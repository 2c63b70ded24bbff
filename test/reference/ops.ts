/**
 * The network's operations on the CPU, in f64, as plainly as they can be written: what kernels are tested against.
 *
 * They share no code with the kernels, take any size, and are slow.
 */
import { map, tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

export type Activation = 'none' | 'relu' | 'leakyRelu' | 'sigmoid';

export interface ConvParams {
  /** `[O, I/groups, k, k]`, row-major; k is odd. */
  weight: ArrayLike<number>;
  /** `[O]`; absent is zero. */
  bias?: ArrayLike<number>;
  outputs: number;
  kernel: number;
  dilation?: number;
  groups?: number;
  activation?: Activation;
  /** leakyRelu's slope below zero. */
  slope?: number;
}

export function activate(value: number, activation: Activation, slope = 0): number {
  if (activation === 'relu') return Math.max(value, 0);
  if (activation === 'leakyRelu') return value > 0 ? value : slope * value;
  if (activation === 'sigmoid') return 1 / (1 + Math.exp(-value));
  return value;
}

/** Convolution with stride 1 and zero "same" padding. */
export function conv2d(x: Tensor, params: ConvParams): Tensor {
  const { weight, bias, outputs, kernel: k, dilation = 1, groups = 1, activation = 'none', slope } = params;
  const perGroup = x.c / groups;
  if (!Number.isInteger(perGroup) || outputs % groups !== 0)
    throw new Error(`conv2d: ${groups} groups do not divide ${x.c} inputs and ${outputs} outputs`);
  if (weight.length !== outputs * perGroup * k * k)
    throw new Error(`conv2d: ${weight.length} weights for [${outputs}, ${perGroup}, ${k}, ${k}]`);
  const { h, w } = x;
  const out = tensor(outputs, h, w);
  const half = (k - 1) / 2;
  for (let o = 0; o < outputs; o++) {
    const firstInput = Math.floor(o / (outputs / groups)) * perGroup;
    const plane = out.data.subarray(o * h * w, (o + 1) * h * w).fill(bias ? bias[o] : 0);
    for (let i = 0; i < perGroup; i++) {
      for (let ky = 0; ky < k; ky++) {
        for (let kx = 0; kx < k; kx++) {
          const value = weight[((o * perGroup + i) * k + ky) * k + kx];
          const dy = (ky - half) * dilation;
          const dx = (kx - half) * dilation;
          for (let y = Math.max(0, -dy); y < Math.min(h, h - dy); y++) {
            const row = ((firstInput + i) * h + y + dy) * w + dx;
            for (let px = Math.max(0, -dx); px < Math.min(w, w - dx); px++)
              plane[y * w + px] += value * x.data[row + px];
          }
        }
      }
    }
    plane.forEach((sum, p) => (plane[p] = activate(sum, activation, slope)));
  }
  return out;
}

/** The value at each output pixel from a function of the source plane's accessor. */
function resample(
  x: Tensor,
  h: number,
  w: number,
  f: (at: (y: number, x: number) => number, y: number, px: number) => number,
): Tensor {
  const out = tensor(x.c, h, w);
  for (let c = 0; c < x.c; c++) {
    const at = (y: number, px: number): number => x.data[(c * x.h + y) * x.w + px];
    for (let y = 0; y < h; y++) for (let px = 0; px < w; px++) out.data[(c * h + y) * w + px] = f(at, y, px);
  }
  return out;
}

/** 2x2 max-pool, stride 2; an odd last row or column is dropped. */
export function maxPool(x: Tensor): Tensor {
  return resample(x, Math.floor(x.h / 2), Math.floor(x.w / 2), (at, y, px) =>
    Math.max(at(2 * y, 2 * px), at(2 * y, 2 * px + 1), at(2 * y + 1, 2 * px), at(2 * y + 1, 2 * px + 1)),
  );
}

export function upsampleNearest(x: Tensor): Tensor {
  return resample(x, 2 * x.h, 2 * x.w, (at, y, px) => at(y >> 1, px >> 1));
}

/** x times a one-channel mask, or times its complement. */
export function maskMultiply(x: Tensor, mask: Tensor, complement = false): Tensor {
  const size = x.h * x.w;
  return map(x, (value, i) => value * (complement ? 1 - mask.data[i % size] : mask.data[i % size]));
}

/** `mask * a + (1 - mask) * b`, the mask of one channel. */
export function blend(mask: Tensor, a: Tensor, b: Tensor): Tensor {
  const size = a.h * a.w;
  return map(a, (value, i) => mask.data[i % size] * value + (1 - mask.data[i % size]) * b.data[i]);
}

/** The mean of tensors of one shape (frames), value by value. */
export function meanFrames(frames: readonly Tensor[]): Tensor {
  return map(frames[0], (_, i) => frames.reduce((sum, frame) => sum + frame.data[i], 0) / frames.length);
}

/** Their maximum. */
export function maxFrames(frames: readonly Tensor[]): Tensor {
  return map(frames[0], (_, i) => Math.max(...frames.map((frame) => frame.data[i])));
}

/**
 * The memory read: output g sees channel g of every slot. The memory is `slots` groups of `width` channels, `weight` is
 * `[width, slots, 1, 1]`.
 */
export function groupedRead(memory: Tensor, weight: ArrayLike<number>, bias: ArrayLike<number>): Tensor {
  const width = bias.length;
  const slots = memory.c / width;
  if (weight.length !== width * slots)
    throw new Error(`groupedRead: ${weight.length} weights for ${width} groups of ${slots} slots`);
  const size = memory.h * memory.w;
  return map(tensor(width, memory.h, memory.w), (_, i) => {
    const g = Math.floor(i / size);
    let sum = bias[g];
    for (let s = 0; s < slots; s++) sum += weight[g * slots + s] * memory.data[(s * width + g) * size + (i % size)];
    return sum;
  });
}

/** Edge replication at the bottom and right, to multiples of `multiple`. */
export function padEdge(x: Tensor, multiple = 16): Tensor {
  const up = (n: number): number => Math.ceil(n / multiple) * multiple;
  return resample(x, up(x.h), up(x.w), (at, y, px) => at(Math.min(y, x.h - 1), Math.min(px, x.w - 1)));
}
