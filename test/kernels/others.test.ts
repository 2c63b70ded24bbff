/** Every kernel but conv2d against the CPU reference: at most 1e-5 of the case's scale. */
import { describe, it } from 'vitest';
import { BLEND_CASES, EXPOSURE_CASES, MASK_CASES, MAX_POOL_CASES, MEAN_MAX_CASES, READ_CASES, UPSAMPLE_CASES } from '../cases/others.ts';
import { blendData, exposureData, maskData, maxPoolData, meanMaxData, readData, upsampleData } from '../cases/others.ts';
import type { ExposureData, OtherCase } from '../cases/others.ts';
import { expectClose } from '../reference/random.ts';
import { concat, tensor, where } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import { runKernel, runKernels } from './harness.ts';
import type { KernelCall } from './harness.ts';

const TOLERANCE = 1e-5;

function close(actual: Tensor, expected: Tensor, label: string): void {
  expectClose(actual.data, expected.data, { tol: TOLERANCE, label, where: where(expected) });
}

function table(cases: readonly OtherCase[], check: (c: OtherCase) => Promise<void>): void {
  it.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => check(c));
}

/** A stack as the kernels read it: R, G, B, W of each frame. */
function stack(frames: readonly Tensor[], masks: readonly Tensor[]): Tensor {
  return concat(...frames.flatMap((frame, k) => [frame, masks[k]]));
}

/** Masks alone, in a stack whose colours must not matter. */
function masksOnly(masks: readonly Tensor[]): Tensor {
  return stack(masks.map(({ h, w }) => tensor(3, h, w, new Float32Array(3 * h * w).fill(9))), masks);
}

/** The response table as the kernels read it, [256][r, g, b, 0]; NaN where there is none and nothing may read it. */
function responseTensor(response: ExposureData['response']): Tensor {
  const out = tensor(4, 1, 256);
  out.data.fill(response ? 0 : NaN);
  response?.forEach((curve, c) => out.data.set(curve, c * 256));
  return out;
}

describe('maxPool', () => {
  table(MAX_POOL_CASES, async (c) => {
    const { input, expected } = maxPoolData(c);
    close(await runKernel({ op: 'maxPool', attrs: {}, inputs: [input] }, c), expected, c.name);
  });
});

describe('upsample', () => {
  table(UPSAMPLE_CASES, async (c) => {
    const { input, nearest, bilinear } = upsampleData(c);
    close(await runKernel({ op: 'upsample', attrs: { mode: 'nearest' }, inputs: [input] }, c), nearest, `nearest ${c.name}`);
    close(await runKernel({ op: 'upsample', attrs: { mode: 'bilinear' }, inputs: [input] }, c), bilinear, `bilinear ${c.name}`);
  });
});

describe('maskMultiply', () => {
  table(MASK_CASES, async (c) => {
    const { input, mask, times, complement } = maskData(c);
    const masks = masksOnly([mask.data.map(() => 0.5), mask.data, mask.data.map(() => 0.25)].map((data) => tensor(1, c.height, c.width, data)));
    close(await runKernel({ op: 'maskMultiply', attrs: { frame: 1, keep: 'moving' }, inputs: [input, masks] }, c), times, `moving ${c.name}`);
    close(await runKernel({ op: 'maskMultiply', attrs: { frame: 1, keep: 'still' }, inputs: [input, masks] }, c), complement, `still ${c.name}`);
  });
});

describe('blend', () => {
  table(BLEND_CASES, async (c) => {
    const { mask, a, b, expected } = blendData(c);
    const zero = tensor(1, c.height, c.width);
    close(await runKernel({ op: 'blend', attrs: { frame: 1 }, inputs: [a, b, masksOnly([zero, mask])] }, c), expected, c.name);
  });
});

describe('meanMax', () => {
  table(MEAN_MAX_CASES, async (c) => {
    const { inputs, mean, max } = meanMaxData(c);
    const calls = inputs.map((input, index): KernelCall => ({ op: 'meanMax', attrs: { index, count: inputs.length }, inputs: index ? [input, 'previous'] : [input] }) as unknown as KernelCall);
    close(await runKernels(calls, c), concat(mean, max), c.name);
  });
});

describe('groupedRead', () => {
  table(READ_CASES, async (c) => {
    const { memory, weight, bias, expected } = readData(c);
    const weights = { 'w.weight': weight, 'w.bias': bias };
    close(await runKernel({ op: 'groupedRead', attrs: { weights: 'w', channels: c.channels }, inputs: [memory], weights }, c), expected, c.name);
    if (c.frames % 4 !== 0) return;
    // The same memory in four tensors, as the network has it.
    const part = (c.frames / 4) * c.channels * c.height * c.width;
    const parts = [0, 1, 2, 3].map((i) => tensor((c.frames / 4) * c.channels, c.height, c.width, memory.data.slice(i * part, (i + 1) * part)));
    close(await runKernel({ op: 'groupedRead', attrs: { weights: 'w', channels: c.channels }, inputs: parts, weights }, c), expected, `in four ${c.name}`);
  });
});

describe('exposure and merge', () => {
  table(EXPOSURE_CASES, async (c) => {
    const data = exposureData(c);
    const { frames, taus, reference, gamma, masks } = data;
    const attrs = { gamma, useResponse: data.response !== null };
    const inputs = [stack(frames, masks), responseTensor(data.response)];
    const last = frames.length - 1;
    const encoded = await runKernel({ op: 'encoderInput', attrs: { ...attrs, frame: last, tau: taus[last] }, inputs }, c);
    close(encoded, concat(data.undone[last], data.linear[last]), `encoderInput ${c.name}`);
    for (const frame of [0, last]) {
      const pair = await runKernel({ op: 'alignedPair', attrs: { ...attrs, frame, reference, ratio: taus[reference] / taus[frame] }, inputs }, c);
      close(pair, concat(data.aligned[frame], data.undone[reference]), `alignedPair ${frame} ${c.name}`);
    }
    const plain = await runKernel({ op: 'merge', attrs: { ...attrs, taus, reference, useMasks: false }, inputs }, c);
    close(plain, data.merged, `plain merge ${c.name}`);
    const masked = await runKernel({ op: 'merge', attrs: { ...attrs, taus, reference, useMasks: true }, inputs }, c);
    close(masked, data.base, `masked merge ${c.name}`);
    const corrected = await runKernel({ op: 'merge', attrs: { ...attrs, taus, reference, useMasks: true }, inputs: [...inputs, data.logits] }, c);
    close(corrected, data.corrected, `corrected merge ${c.name}`);
  });
});

describe('collectMask', () => {
  table(MASK_CASES, async (c) => {
    const { input } = maskData(c);
    const logit = (scale: number): Tensor => tensor(1, c.height, c.width, input.data.slice(0, c.height * c.width).map((x) => x * scale));
    const logits = [logit(3), logit(-2), logit(5), logit(1)];
    const frames = [0, 1, 3, 5];
    for (const binary of [false, true]) {
      const calls = frames.map((frame, i): KernelCall => ({ op: 'collectMask', attrs: { frames: 6, frame, reference: 4, binary }, inputs: i ? [logits[i], 'previous'] : [logits[i]] }) as unknown as KernelCall);
      const actual = await runKernels(calls, { outputOffset: c.outputOffset });
      const size = c.height * c.width;
      const maps = logits.map(({ data }) => data.map((l) => (binary ? Number(l > 0) : 1 / (1 + Math.exp(-l)))));
      maps.forEach((map, i) => expectClose(actual.data.subarray(frames[i] * size, (frames[i] + 1) * size), map, { tol: TOLERANCE, label: `W ${frames[i]} ${c.name}` }));
      const union = maps[0].map((_, p) => Math.max(...maps.map((map) => map[p])));
      expectClose(actual.data.subarray(4 * size, 5 * size), union, { tol: TOLERANCE, label: `union ${c.name}` });
    }
  });
});
