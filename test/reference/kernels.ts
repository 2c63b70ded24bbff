/**
 * The CPU reference of each kernel's node: what benches check its samples against. A kernel without one does not
 * compile.
 */
import { MAX_FRAMES } from '../../src/image/frame.ts';
import type { AttrsOf, KernelName } from '../../src/kernels/index.ts';
import { addBase, align, linearise, mergeBase, undoResponse } from './exposure.ts';
import type { InverseResponse } from './exposure.ts';
import * as gate from './gate.ts';
import * as ops from './ops.ts';
import { channels, concat, map, tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

export type Weights = ReadonlyMap<string, Float32Array>;

type References = { [K in KernelName]: (attrs: AttrsOf<K>, inputs: readonly Tensor[], weights: Weights) => Tensor };

/** The frames of a stack and their masks, and the camera's response. */
interface Scene {
  frames: Tensor[];
  masks: Tensor[];
  response: InverseResponse;
}

function sceneOf({ useResponse }: { useResponse: boolean }, [stack, table]: readonly Tensor[]): Scene {
  const count = stack.c / 4;
  if (count > MAX_FRAMES) throw new Error(`a stack of ${count} frames, at most ${MAX_FRAMES}`);
  const of = (from: number, to: number): Tensor[] =>
    Array.from({ length: count }, (_, k) => channels(stack, 4 * k + from, to - from));
  return {
    frames: of(0, 3),
    masks: of(3, 4),
    response: useResponse ? [0, 1, 2].map((c) => table.data.slice(c * table.w, (c + 1) * table.w)) : null,
  };
}

const undone = ({ frames, response }: Scene, gamma: number): Tensor[] =>
  frames.map((frame) => undoResponse(frame, response, gamma));

export const REFERENCES: References = {
  conv2d({ weights, channels: outputs, kernel, dilation = 1, groups = 1, activation = 'none', slope }, [x], tensors) {
    const name = String(weights);
    const params = {
      weight: tensors.get(`${name}.weight`)!,
      bias: tensors.get(`${name}.bias`)!,
      outputs,
      kernel,
      groups,
      activation,
      slope,
    };
    const dilations = typeof dilation === 'number' ? [dilation] : dilation;
    return concat(...dilations.map((one) => ops.conv2d(x, { ...params, dilation: one })));
  },
  maxPool: (_, [x]) => ops.maxPool(x),
  upsample: (_, [x]) => ops.upsampleNearest(x),
  copy: (_, [x]) => x,
  encoderInput(attrs, inputs) {
    const frame = undone(sceneOf(attrs, inputs), attrs.gamma)[attrs.frame];
    return concat(frame, linearise(frame, attrs.tau, attrs.gamma));
  },
  alignedPair(attrs, inputs) {
    const frames = undone(sceneOf(attrs, inputs), attrs.gamma);
    return concat(align(frames[attrs.frame], 1, attrs.ratio, attrs.gamma), frames[attrs.reference]);
  },
  differenceMasks(attrs, inputs) {
    const { taus, reference, gamma } = attrs;
    const frames = undone(sceneOf(attrs, inputs), gamma);
    const shown = frames[reference];
    const maps = frames.map((frame, k) => {
      const most = (taus[reference] / taus[k]) ** (1 / gamma);
      const aligned = align(frame, taus[k], taus[reference], gamma);
      return map(tensor(1, frame.h, frame.w), (_, i) => {
        const differs = [0, 1, 2].some((c) => {
          const at = c * frame.h * frame.w + i;
          return Math.abs(aligned.data[at] - Math.min(shown.data[at], most)) > 0.1;
        });
        return Number(k !== reference && differs);
      });
    });
    maps[reference] = ops.maxFrames(maps);
    return concat(...maps);
  },
  residual: ({ slope }, [x, change]) =>
    map(x, (value, i) => {
      const sum = value + change.data[i];
      return sum > 0 ? sum : slope * sum;
    }),
  collectMask({ frames, binary, shift }, [logit]) {
    const w = map(logit, (l) => (binary ? Number(l + shift > 0) : 1 / (1 + Math.exp(-l - shift))));
    return concat(...Array.from({ length: frames }, () => w));
  },
  gateEvidence(attrs, inputs) {
    const { frames, response } = sceneOf(attrs, inputs);
    const { taus, reference, codes, relative, gamma, linear } = attrs;
    const config = { codes, relative, low: 0, high: 1 };
    return concat(
      ...frames.map((frame, k) =>
        gate.gateEvidence(config, frame, frames[reference], taus[reference] / taus[k], { gamma, response, linear }),
      ),
    );
  },
  gateWindow({ radius, axis, of }, [x]) {
    const value = (c: number, y: number, px: number): number =>
      x.data[(c * x.h + Math.min(Math.max(y, 0), x.h - 1)) * x.w + Math.min(Math.max(px, 0), x.w - 1)];
    return map(x, (_, i) => {
      const [c, y, px] = [Math.floor(i / (x.h * x.w)), Math.floor(i / x.w) % x.h, i % x.w];
      const values = Array.from({ length: 2 * radius + 1 }, (__, k) =>
        axis === 'x' ? value(c, y, px + k - radius) : value(c, y + k - radius, px),
      );
      return of === 'maximum' ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
    });
  },
  gateMasks({ reference, binary, low, high }, [evidence, masks]) {
    const size = masks.h * masks.w;
    const gated = map(masks, (w, i) => {
      const soft = w * gate.smoothstep(low, high, evidence.data[i]);
      const value = binary ? Number(soft > 0.5) : soft;
      return Math.floor(i / size) === reference ? 0 : value;
    });
    const most = ops.maxFrames(Array.from({ length: masks.c }, (_, k) => channels(gated, k, 1)));
    return map(gated, (w, i) => (Math.floor(i / size) === reference ? most.data[i % size] : w));
  },
  coveredMasks({ reference }, [masks, stack]) {
    const size = masks.h * masks.w;
    const hasData = (k: number, pixel: number): boolean => stack.data[(4 * k + 3) * size + pixel] >= 0;
    const others = Array.from({ length: masks.c }, (_, k) => k).filter((k) => k !== reference);
    const w = (k: number, pixel: number): number =>
      hasData(k, pixel) && hasData(reference, pixel) ? masks.data[k * size + pixel] : 0;
    return map(masks, (_, i) => {
      const [k, pixel] = [Math.floor(i / size), i % size];
      return k === reference ? Math.max(...others.map((other) => w(other, pixel))) : w(k, pixel);
    });
  },
  coveredStack({ reference }, [stack]) {
    const size = stack.h * stack.w;
    const count = stack.c / 4;
    const w = (k: number, pixel: number): number => stack.data[(4 * k + 3) * size + pixel];
    return map(stack, (value, i) => {
      const [k, pixel] = [Math.floor(i / size / 4), i % size];
      if (Math.floor(i / size) % 4 !== 3 || value < 0) return value;
      if (w(reference, pixel) < 0) return 0;
      const others = Array.from({ length: count }, (_, j) => j).filter((j) => j !== reference && w(j, pixel) >= 0);
      return k === reference ? Math.max(0, ...others.map((j) => w(j, pixel))) : value;
    });
  },
  maskMultiply: ({ frame, keep }, [x, stack]) =>
    ops.maskMultiply(x, channels(stack, 4 * frame + 3, 1), keep === 'still'),
  meanMax({ count }, [x]) {
    return concat(
      map(x, (value) => value / count),
      x,
    );
  },
  blend: ({ frame }, [moving, still, stack]) => ops.blend(channels(stack, 4 * frame + 3, 1), moving, still),
  groupedRead({ readers }, inputs, tensors) {
    const memory = concat(...inputs);
    return concat(
      ...readers.map((name) => ops.groupedRead(memory, tensors.get(`${name}.weight`)!, tensors.get(`${name}.bias`)!)),
    );
  },
  memoryRead({ writers, isReduced, slope, readers, channels: width }, inputs, tensors) {
    const features = concat(...inputs);
    const each = inputs[0].c / width;
    const written = Array.from({ length: features.c / width }, (_, i) => {
      const name = writers[isReduced ? Math.floor(i / each) : i];
      return ops.conv2d(channels(features, i * width, width), {
        weight: tensors.get(`${name}.weight`)!,
        bias: tensors.get(`${name}.bias`)!,
        outputs: width,
        kernel: 1,
        activation: 'leakyRelu',
        slope,
      });
    });
    const memory = isReduced
      ? inputs.flatMap((_, n) => {
          const over = written.slice(n * each, (n + 1) * each);
          const mean = map(over[0], (__, i) => over.reduce((sum, { data }) => sum + data[i], 0) / each);
          return [mean, ops.maxFrames(over)];
        })
      : written;
    return concat(
      ...readers
        .flat()
        .map((name) =>
          ops.groupedRead(concat(...memory), tensors.get(`${name}.weight`)!, tensors.get(`${name}.bias`)!),
        ),
    );
  },
  dilatedMerge({ weights, merge, channels: outputs, dilations, activation = 'none', slope }, [x], tensors) {
    const layer = (name: string) => ({
      weight: tensors.get(`${name}.weight`)!,
      bias: tensors.get(`${name}.bias`)!,
      outputs,
      activation,
      slope,
    });
    const inputs = x.c / dilations.length;
    const runs = dilations.map((dilation, i) =>
      ops.conv2d(channels(x, i * inputs, inputs), { ...layer(weights), kernel: 3, dilation }),
    );
    return ops.conv2d(concat(...runs), { ...layer(merge), kernel: 1 });
  },
  picture(attrs, inputs) {
    const scene = sceneOf(attrs, inputs);
    const { taus, reference, gamma, hat, useMasks } = attrs;
    const frames = undone(scene, gamma);
    const hasData = (k: number, pixel: number): boolean => scene.masks[k].data[pixel] >= 0;
    const base = mergeBase(frames, taus, reference, gamma, hat, useMasks ? scene.masks : undefined, hasData);
    return inputs.length === 3 ? addBase(inputs[2], base, taus[taus.length - 1]) : base;
  },
};

/** A response table as a tensor: f(x) = x^gamma in every channel. */
export function gammaTable(width: number, gamma = 2.2): Tensor {
  return map(tensor(4, 1, width), (_, i) => (i < 3 * width ? ((i % width) / (width - 1)) ** gamma : 0));
}
