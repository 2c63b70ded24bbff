/**
 * The whole network on the CPU in f64, straight from the spec: both variants, any reference frame. For tiny pictures.
 *
 * Every stage is kept under the spec's name, frames and layers counted from 1: `X.k` (after the response, before
 * padding), `A.i`, `logit.i`, `gate.i`, `W.k`, `f.l.k`, `v.l.k`, `M`, `read.{static|dynamic}.j`, `S.k`, `D.k`, `S_f`,
 * `D_f`, `Z`, `sdc.b`, `o`, `B`, `Y`, `TY`. X, Y and TY have the picture's size, all others the padded one.
 */
import type { NetworkConfig } from '../../src/weights/config.ts';
import { addBase, align, linearise, mergeBase, toneMap, undoResponse } from './exposure.ts';
import type { InverseResponse } from './exposure.ts';
import { gateFactor } from './gate.ts';
import {
  activate,
  blend,
  conv2d,
  groupedRead,
  maskMultiply,
  maxFrames,
  maxPool,
  meanFrames,
  padEdge,
  upsampleNearest,
} from './ops.ts';
import type { Activation } from './ops.ts';
import { channels, concat, crop, map } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** What a weights file gives. */
export interface Network {
  config: NetworkConfig;
  tensors: ReadonlyMap<string, { shape: number[]; data: ArrayLike<number> }>;
}

export interface NetworkInput {
  /** `[3, h, w]` in [0, 1], gamma-encoded, shortest exposure first. */
  frames: readonly Tensor[];
  /** Exposures, or any quantities proportional to them. */
  times: readonly number[];
  /** The reference frame, from 0; by default the lower middle. */
  reference?: number;
  response?: InverseResponse;
  /** Whether samples are linear light, for the gate; `response` is then f(x) = x. */
  linear?: boolean;
  /** Where each frame has data, one channel, picture-sized; undefined for everywhere. */
  coverage?: readonly (Tensor | undefined)[];
  /**
   * Motion maps (padded size) in place of S's, one a frame; the reference's own is ignored, it is the union of the
   * others.
   */
  masks?: readonly (Tensor | undefined)[];
}

/** Runs the network and returns every stage. */
export function runNetwork({ config, tensors }: Network, input: NetworkInput): Map<string, Tensor> {
  const { variant, gamma, slope, ablation } = config;
  const { segmentation = 'network', memory = 'full', fusion = 'separate', decoder = 'sdc-dense' } = ablation ?? {};
  const { frames, times } = input;
  const count = frames.length;
  const r = input.reference ?? Math.floor((count - 1) / 2);
  const taus = times.map((t) => t / Math.min(...times));
  const taps = new Map<string, Tensor>();

  function tap(name: string, value: Tensor): Tensor {
    taps.set(name, value);
    return value;
  }

  function weights(name: string): { shape: number[]; data: ArrayLike<number> } {
    const found = tensors.get(name);
    if (!found) throw new Error(`no tensor "${name}"`);
    return found;
  }

  /** A named conv layer, followed by LeakyReLU unless told otherwise. */
  function conv(name: string, x: Tensor, activation: Activation = 'leakyRelu', dilation = 1): Tensor {
    const { shape, data } = weights(`${name}.weight`);
    const bias = weights(`${name}.bias`).data;
    return conv2d(x, { weight: data, bias, outputs: shape[0], kernel: shape[2], dilation, activation, slope });
  }

  const X = frames.map((frame, k) => padEdge(tap(`X.${k + 1}`, undoResponse(frame, input.response ?? null, gamma))));

  // E, the shared encoder.
  const features = X.map((x, k) => {
    let f = concat(x, linearise(x, taus[k], gamma));
    return [1, 2, 3, 4].map((l) => (f = tap(`f.${l}.${k + 1}`, conv(`encoder.${l}`, f))));
  });
  const E = features.map((layers) => layers[3]);

  // S, motion segmentation.
  function unet(net: string, x: Tensor): Tensor {
    const block = (name: string, t: Tensor): Tensor => conv(`${net}.${name}.2`, conv(`${net}.${name}.1`, t));
    const skips: Tensor[] = [];
    for (let level = 1; level <= 4; level++) {
      const skip = block(`enc${level}`, x);
      skips.push(skip);
      x = maxPool(skip);
    }
    x = block('mid', x);
    for (let level = 4; level >= 1; level--) x = block(`dec${level}`, concat(upsampleNearest(x), skips[level - 1]));
    return conv(`${net}.out`, x, 'none');
  }

  /** The simple difference (A4). */
  function difference(i: number): Tensor {
    const most = (taus[r] / taus[i]) ** (1 / gamma);
    const aligned = align(X[i], taus[i], taus[r], gamma);
    const size = aligned.h * aligned.w;
    const differs = (c: number, p: number): boolean =>
      Math.abs(aligned.data[c * size + p] - Math.min(X[r].data[c * size + p], most)) > 0.1;
    return map(channels(aligned, 0, 1), (_, p) => Number(differs(0, p) || differs(1, p) || differs(2, p)));
  }

  function motion(i: number): Tensor {
    if (segmentation === 'difference') return input.masks?.[i] ?? difference(i);
    const net = variant === 'any' ? 'seg.any' : i < r ? 'seg.short' : 'seg.long';
    const aligned = tap(`A.${i + 1}`, align(X[i], taus[i], taus[r], gamma));
    const logit = tap(`logit.${i + 1}`, unet(net, concat(aligned, X[r])));
    if (input.masks?.[i]) return input.masks[i];
    let mask = map(logit, (value) => activate(value, 'sigmoid'));
    if (config.gate) {
      const camera = { gamma, response: input.response ?? null, linear: input.linear };
      const factor = tap(
        `gate.${i + 1}`,
        gateFactor(config.gate, padEdge(frames[i]), padEdge(frames[r]), taus[r] / taus[i], camera),
      );
      mask = map(mask, (w, p) => w * factor.data[p]);
    }
    return config.maskMode === 'soft' ? mask : map(mask, (w) => (w > 0.5 ? 1 : 0));
  }

  const covers = frames.map((_, k) => input.coverage?.[k] && padEdge(input.coverage[k]));
  const hasData = (k: number, pixel: number): boolean => covers[k]?.data[pixel] !== 0;
  const W: Tensor[] = [];
  if (segmentation !== 'none') {
    for (let i = 0; i < count; i++)
      if (i !== r) W[i] = map(motion(i), (w, p) => (hasData(i, p) && hasData(r, p) ? w : 0));
    W[r] = maxFrames(W.filter((_, i) => i !== r));
    W.forEach((mask, k) => tap(`W.${k + 1}`, mask));
  }

  // Global memory: writes, concatenated layer by layer.
  function write(): Tensor {
    const slots = [0, 1, 2, 3].flatMap((l) => {
      const writes = features.map((layers, k) => {
        const own = variant === 'any' ? `memory.write.${l + 1}` : `memory.write.${l + 1}.${k + 1}`;
        return tap(`v.${l + 1}.${k + 1}`, conv(memory === 'shared' ? 'memory.write' : own, layers[l]));
      });
      return variant === 'any' ? [meanFrames(writes), maxFrames(writes)] : writes;
    });
    return tap('M', concat(...slots));
  }
  const M = memory === 'none' ? undefined : write();

  // F_S and F_D, fusion; or one network.
  function fuse(side: 'static' | 'dynamic' | 'all', parts: readonly Tensor[]): Tensor {
    const path = side !== 'all' && fusion === 'shared' ? 'shared' : side;
    let x = conv(`fuse.${path}.0`, variant === 'any' ? concat(meanFrames(parts), maxFrames(parts)) : concat(...parts));
    for (let j = 1; j <= 3; j++) {
      if (M) {
        const name = memory === 'shared' ? 'memory.read' : `memory.read.${path}.${j}`;
        const read = groupedRead(M, weights(`${name}.weight`).data, weights(`${name}.bias`).data);
        x = concat(x, tap(`read.${side}.${j}`, read));
      }
      x = conv(`fuse.${path}.${j}`, x);
    }
    return x;
  }

  function fuseSides(): Tensor {
    const moving = E.map((e, k) => tap(`D.${k + 1}`, maskMultiply(e, W[k])));
    const still = E.map((e, k) => tap(`S.${k + 1}`, maskMultiply(e, W[k], true)));
    const S_f = tap('S_f', fuse('static', still));
    const D_f = tap('D_f', fuse('dynamic', moving));
    return blend(W[r], D_f, S_f);
  }

  // D, decoder.
  const Z = tap('Z', segmentation === 'none' ? fuse('all', E) : fuseSides());

  function sdc(b: number, u: Tensor): Tensor {
    const runs = [1, 2, 4].map((dilation) => {
      let x = u;
      for (let i = 1; i <= 3; i++) x = conv(`decoder.sdc${b}.${i}`, x, 'leakyRelu', dilation);
      return x;
    });
    return tap(`sdc.${b}`, conv(`decoder.sdc${b}.merge`, concat(...runs)));
  }
  function decode(): Tensor {
    let u = Z;
    switch (decoder) {
      case 'sdc-dense': {
        const o1 = sdc(1, Z);
        const o2 = sdc(2, concat(Z, o1));
        return concat(o1, o2, sdc(3, concat(Z, o1, o2)));
      }
      case 'sdc':
        return sdc(3, sdc(2, sdc(1, Z)));
      case 'vanilla':
        for (let i = 1; i <= 9; i++) u = conv(`decoder.conv${i}`, u);
        return u;
      case 'resnet':
        for (let b = 1; b <= 4; b++) {
          const change = conv(`decoder.res${b}.2`, conv(`decoder.res${b}.1`, u), 'none');
          const sum = map(u, (value, i) => activate(value + change.data[i], 'leakyRelu', slope));
          u = tap(`res.${b}`, sum);
        }
        return u;
    }
  }
  const o = tap('o', conv('decoder.out', decode(), 'none'));

  let Y: Tensor;
  if (config.base === 'merge')
    Y = addBase(o, tap('B', mergeBase(X, taus, r, gamma, config.hat, W, hasData)), taus[count - 1]);
  else Y = map(o, (value) => activate(value, 'sigmoid'));
  const { h, w } = frames[0];
  tap('TY', toneMap(tap('Y', crop(Y, h, w))));
  return taps;
}

/** The plain merge (`--method merge`): B with one hat a pixel and every motion map zero, unclipped. Picture-sized. */
export function runMerge(input: NetworkInput, gamma = 2.2): Tensor {
  const { frames, times } = input;
  const taus = times.map((t) => t / Math.min(...times));
  const X = frames.map((frame) => undoResponse(frame, input.response ?? null, gamma));
  return mergeBase(X, taus, input.reference ?? Math.floor((frames.length - 1) / 2), gamma, 'pixel');
}
