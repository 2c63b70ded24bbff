/**
 * What every contestant of the bench is: deghost, onnxruntime, tfjs. Each runs the same work with the same weights and
 * inputs, from arrays in memory to an array in memory, in the layout it likes best.
 */
import type { SoftwareChoice } from '../src/node/adapter.ts';
import { rng } from '../test/reference/random.ts';

/** The network pads pictures to multiples of this; peers are given padded frames. */
const GRID = 16;

/**
 * The convolution that is compared by itself: 3x3, of the network's width to the network's width, with its activation.
 */
export const LAYER = 'encoder.2';

/** The id of deghost among the engines. */
export const OWN = 'deghost';

/** Planes of f32, `[c,h,w]`. */
export interface Planes {
  data: Float32Array;
  c: number;
  h: number;
  w: number;
}

/** What is run. */
export type Work =
  /** `fixed`, three frames, from the frames to Y. */
  | { kind: 'network'; width: number; height: number }
  /** One 3x3 convolution of the network with its activation, from a tensor on the device to one on the device. */
  | { kind: 'layer'; layer: string; channels: number; width: number; height: number };

/** Work prepared on an engine: compiled as far as the engine compiles before its first run. */
export interface Session {
  /** One run; resolves when all of its work is done. */
  run(): Promise<unknown>;
  /** The last run's result, padded or not. Not timed. */
  result(): Promise<Planes> | Planes;
  release(): Promise<void> | void;
}

export interface Engine {
  version: string;
  /** What the engine's own device calls its adapter, or what else it runs on. */
  adapter: string;
  /** The WebGPU device, whose memory is watched. */
  device?: GPUDevice;
  /** What a reader of its figures must know. */
  note?: string;
  /** Bytes of the host's memory that a pixel of the network's picture takes, about: what would not fit is not tried. */
  hostBytesPerPixel?: number;
  /** @param input the network's frames in [0,1], shortest first; a layer's one tensor. */
  prepare(work: Work, input: readonly Planes[]): Promise<Session>;
  dispose(): Promise<void> | void;
}

export interface EngineContext {
  software: SoftwareChoice;
  weights: Uint8Array;
  taus: readonly number[];
  reference: number;
}

/** A contestant before it is opened; it has a name even where it is not installed. */
export interface Contestant {
  id: string;
  name: string;
  /** @throws NotInstalled saying how to install it. */
  open(context: EngineContext): Promise<Engine>;
}

/** A contestant's package, or what makes its graphs, is missing; the message is the remedy. */
export class NotInstalled extends Error {}

export const sizeText = ({ width, height }: { width: number; height: number }): string => `${width}x${height}`;

/** Copies the top left part of `x` into planes of h x w, repeating the last column and row where they are larger. */
export function resized(x: Planes, h: number, w: number): Planes {
  if (h === x.h && w === x.w) return x;
  const data = new Float32Array(x.c * h * w);
  for (let c = 0; c < x.c; c++) {
    for (let i = 0; i < h; i++) {
      const row = (c * x.h + Math.min(i, x.h - 1)) * x.w;
      for (let j = 0; j < w; j++) data[(c * h + i) * w + j] = x.data[row + Math.min(j, x.w - 1)];
    }
  }
  return { data, c: x.c, h, w };
}

/** Pads to the network's grid. */
export function pad(x: Planes): Planes {
  return resized(x, Math.ceil(x.h / GRID) * GRID, Math.ceil(x.w / GRID) * GRID);
}

/** `[c,h,w]` to `[h,w,c]`. */
export function interleave({ data, c, h, w }: Planes): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length);
  for (let ch = 0; ch < c; ch++) for (let p = 0; p < h * w; p++) out[p * c + ch] = data[ch * h * w + p];
  return out;
}

/** `[h,w,c]` to `[c,h,w]`. */
export function planes(data: ArrayLike<number>, c: number, h: number, w: number): Planes {
  const out = new Float32Array(c * h * w);
  for (let ch = 0; ch < c; ch++) for (let p = 0; p < h * w; p++) out[ch * h * w + p] = data[p * c + ch];
  return { data: out, c, h, w };
}

/** `[n,c,h,w]` of n planes. */
export function stacked(tensors: readonly Planes[]): Float32Array<ArrayBuffer> {
  const each = tensors[0].data.length;
  const out = new Float32Array(each * tensors.length);
  tensors.forEach(({ data }, i) => out.set(data, i * each));
  return out;
}

/** Random input for some work, the same in every process. */
export function randomInput(work: Work, frames: number): Planes[] {
  const random = rng(3);
  const [count, c] = work.kind === 'network' ? [frames, 3] : [1, work.channels];
  return Array.from({ length: count }, () => ({
    data: random.floats(c * work.height * work.width, 0, 1),
    c,
    h: work.height,
    w: work.width,
  }));
}
