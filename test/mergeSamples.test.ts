/** Plain merges that run from 8-bit samples to the picture at once: when they do, and that the picture is right. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CancelledError, Deghoster } from '../src/index.ts';
import type { Frame, MergeOptions } from '../src/index.ts';
import { isSoftware } from '../src/device.ts';
import { testDevice } from './gpu.ts';
import { mergeBase, undoResponse } from './reference/exposure.ts';
import { eightBit, readBuffer } from './reference/frames.ts';
import { tensor } from './reference/tensor.ts';
import type { Tensor } from './reference/tensor.ts';

/** Neither a multiple of a word's four bytes, nor of the padding. */
const [WIDTH, HEIGHT] = [211, 67];
const PLAIN = { method: 'merge', align: 'none', profile: true } as const;
const CURVES = [2.2, 1.6, 1].map((power) =>
  Array.from({ length: 256 }, (_, i) => (i / 255) ** power * (0.4 + 0.6 * (i / 255) ** 3)),
);
const [r, g, b] = CURVES;

let device: GPUDevice;
let deghoster: Deghoster;

beforeAll(async () => {
  device = await testDevice();
  deghoster = await Deghoster.create({ device });
});

afterAll(() => deghoster.dispose());

/** Frames from black to burnt out, with noise. */
function frames(count: number): Frame[] {
  const all = eightBit(
    WIDTH,
    HEIGHT,
    Array.from({ length: count }, (_, k) => 4 ** (k * (count > 4 ? 0.6 : 1))),
  );
  for (const { data } of all) data.set([0, 0, 0, 255, 255, 255, 0, 255, 128, 127, 128, 1]);
  return all;
}

/** Samples as planes. */
function planes({ data }: Frame): Tensor {
  const pixels = WIDTH * HEIGHT;
  return tensor(
    3,
    HEIGHT,
    WIDTH,
    Float64Array.from({ length: 3 * pixels }, (_, i) => data[3 * (i % pixels) + Math.floor(i / pixels)] / 255),
  );
}

/** By the definition, in f64. */
function expected(all: readonly Frame[], reference: number, response: MergeOptions['response']): Float64Array {
  const undone = all.map((frame) => undoResponse(planes(frame), response === 'gamma' ? null : CURVES, 2.2));
  const taus = all.map(({ exposure }) => exposure / all[0].exposure);
  const { data } = mergeBase(undone, taus, reference, 2.2, 'pixel');
  const pixels = WIDTH * HEIGHT;
  return Float64Array.from({ length: 3 * pixels }, (_, i) => data[(i % 3) * pixels + Math.floor(i / 3)]);
}

/** The largest difference of any value, relative to it. */
function worst(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(actual.length).toBe(wanted.length);
  let most = 0;
  for (let i = 0; i < wanted.length; i++)
    most = Math.max(most, Math.abs(actual[i] - wanted[i]) / Math.max(1e-9, wanted[i]));
  return most;
}

describe('8-bit frames', () => {
  const responses: [string, MergeOptions['response']][] = [
    ['gamma', 'gamma'],
    ['curves', { r, g, b }],
  ];
  const most = (): number => device.limits.maxStorageBuffersPerShaderStage - 3;
  const cases = [2, 3, 5, 6, 9].flatMap((count) => responses.map((response) => [count, ...response] as const));

  it.each(cases)('%i of them, %s', async (count, _, response) => {
    const all = frames(count);
    for (const reference of [0, count - 1, Math.floor((count - 1) / 2)]) {
      const { radiance, profile } = await deghoster.merge(all, { ...PLAIN, reference, response });
      expect(worst(radiance, expected(all, reference, response))).toBeLessThan(2e-5);
      expect(profile!.stages[0].programs.map(({ program }) => program)).toEqual([
        count <= most() ? `merge ${count} frames of 8 bits` : 'picture plain',
      ]);
    }
  });

  it('in tiles, to a buffer, and clamped: the same bits', async () => {
    const all = frames(3);
    const options = { ...PLAIN, response: { r, g, b } };
    const { radiance } = await deghoster.merge(all, options);
    const small = await Deghoster.create({ device, memoryBudget: 600_000 });
    const tiled = await small.merge(all, options);
    small.dispose();
    expect(tiled.profile!.stages[0].tiles).toBeGreaterThan(3);
    expect(tiled.radiance).toEqual(radiance);
    const { buffer } = await deghoster.mergeToBuffer(all, options);
    expect((await readBuffer(device, buffer)).subarray(0, radiance.length)).toEqual(radiance);
    buffer.destroy();
    const clamped = all.map((frame) => ({ ...frame, data: new Uint8ClampedArray(frame.data) }));
    expect((await deghoster.merge(clamped, options)).radiance).toEqual(radiance);
  });

  it('that more is known of go the longer way, to the same picture', async () => {
    const all = frames(3);
    const options = { ...PLAIN, response: { r, g, b } };
    const { radiance } = await deghoster.merge(all, options);
    const still = all.map(() => new Float32Array(WIDTH * HEIGHT));
    const sixteen = all.map((frame) => ({ ...frame, data: Uint16Array.from(frame.data, (code) => 257 * code) }));
    const covered = all.map((frame) => ({ ...frame, coverage: new Uint8Array(WIDTH * HEIGHT).fill(1) }));
    const ways: [readonly Frame[], MergeOptions][] = [
      [all, { ...options, motion: still }],
      [sixteen, options],
      [covered, options],
      [[all[0], sixteen[1], all[2]], options],
    ];
    for (const [some, more] of ways) {
      const merged = await deghoster.merge(some, more);
      expect(merged.profile!.stages[0].programs[0].program).toBe('picture plain');
      expect(worst(merged.radiance, radiance)).toBeLessThan(2e-5);
    }
  });

  it('can be cancelled between tiles', async () => {
    const all = frames(3);
    const small = await Deghoster.create({ device, memoryBudget: 600_000 });
    const abort = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
      if (stage !== 'merge') return;
      seen.push(done);
      if (done >= 1) abort.abort();
    };
    await expect(small.merge(all, { ...PLAIN, signal: abort.signal, onProgress })).rejects.toThrow(CancelledError);
    expect(Math.max(...seen)).toBeLessThan(4);
    const after = await small.merge(all, { ...PLAIN, response: 'gamma' });
    expect(worst(after.radiance, expected(all, 1, 'gamma'))).toBeLessThan(2e-5);
    small.dispose();
  });

  it.each(['merge', 'mergeToBuffer'] as const)('tell a profile what the GPU did (%s)', async (call) => {
    const result = await deghoster[call](frames(3), { ...PLAIN, response: 'gamma' });
    if ('buffer' in result) result.buffer.destroy();
    const { timestamps, stages } = result.profile!;
    const [{ busyMs, submissions, computeMs, cutMs, takeMs, programs, tiles }] = stages;
    expect(submissions).toBe(tiles);
    expect(busyMs).toBeGreaterThan(0);
    expect(programs[0].dispatches).toBe(tiles);
    if (!timestamps) return expect([computeMs, cutMs, takeMs, programs[0].ms]).toEqual([null, null, null, null]);
    // Devices round timestamps; a software adapter takes longer than they round.
    if (isSoftware(device.adapterInfo)) expect(computeMs).toBeGreaterThan(0);
    expect(programs[0].ms).toBe(computeMs);
    expect(cutMs).toBe(0);
    if (call === 'mergeToBuffer') expect(takeMs).toBe(0);
  });
});
