/**
 * The library through its public API: frames in any order and type, tiles, motion maps, cancellation, disposal, bad
 * input.
 */
import { describe, expect, it } from 'vitest';
import { CancelledError, Deghoster, InputError } from '../src/index.ts';
import type { Frame, MergeOptions, MergeResult } from '../src/index.ts';
import { muLaw, psnr } from '../src/image/metrics.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { testDevice } from './gpu.ts';
import { interleavedFrame, planar } from './reference/golden.ts';
import { isWhole } from './reference/golden.ts';
import { goldenNames, readGolden } from './reference/goldens.ts';
import type { Golden } from './reference/goldens.ts';
import { mergeBase } from './reference/exposure.ts';
import { runMerge, runNetwork } from './reference/network.ts';
import { expectClose, rng } from './reference/random.ts';
import { crop } from './reference/tensor.ts';
import { GOLDEN_TOLERANCE, checkGolden } from './runtimes/goldenCheck.ts';

/** Tests of other things take the pixels as they are. */
const AS_IS = { align: 'none' } as const;

const MiB = 1024 ** 2;

/** A smooth random scene with texture, seen at several exposures by a gamma camera. */
function scene(width: number, height: number, exposures: readonly number[], seed = 5): Frame[] {
  const random = rng(seed);
  const waves = Array.from({ length: 9 }, () => ({
    fx: random.next() * 0.3,
    fy: random.next() * 0.3,
    phase: random.next() * 6,
  }));
  const radiance = Float32Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    const sum = waves.reduce(
      (total, { fx, fy, phase }, k) => total + Math.sin(fx * x + fy * y + phase + (k % 3 === i % 3 ? 1 : 0)),
      0,
    );
    return Math.exp(sum / 2 - 2);
  });
  return exposures.map((exposure) => ({
    data: radiance.map((r) => Math.min(1, r * exposure) ** (1 / 2.2)),
    width,
    height,
    exposure,
  }));
}

/** The same, of which a disc shows something else in every frame. */
function moving(width: number, height: number, exposures: readonly number[]): Frame[] {
  const others = exposures.map((exposure, k) => scene(width, height, [exposure], 60 + k)[0].data);
  return scene(width, height, exposures).map((frame, k) => {
    const [cx, cy] = [width * (0.3 + 0.2 * k), height * (0.3 + 0.15 * k)];
    const inside = (i: number): boolean =>
      Math.hypot((Math.floor(i / 3) % width) - cx, Math.floor(i / 3 / width) - cy) < 0.2 * Math.min(width, height);
    return { ...frame, data: Float32Array.from(frame.data, (x, i) => (inside(i) ? others[k][i] : x)) };
  });
}

/** A map has values of all sizes; where it is gated, many exact zeros. */
function expectVaried(map: Float32Array, gated: boolean): void {
  const share = (of: (w: number) => boolean): number => map.filter(of).length / map.length;
  expect(share((w) => w > 0.01 && w < 0.99)).toBeGreaterThan(0.05);
  if (gated) expect(share((w) => w === 0)).toBeGreaterThan(0.2);
}

async function merge(
  golden: Golden,
  frames: readonly Frame[],
  options: MergeOptions = {},
  memoryBudget = 512 * MiB,
): Promise<MergeResult> {
  const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device: await testDevice(), memoryBudget });
  try {
    return await deghoster.merge(frames, { ...AS_IS, ...options });
  } finally {
    deghoster.dispose();
  }
}

describe('Deghoster', () => {
  it.each(goldenNames().filter((name) => isWhole(readGolden(name).config)))(
    'merges %s as the PyTorch reference does',
    async (name) => {
      await checkGolden(readGolden(name), await testDevice());
    },
  );

  it(
    "takes with reference 'auto' what it gives with the number of that frame, whatever the order of the " + 'frames',
    async () => {
      const golden = readGolden('fixed-halo');
      const frames = scene(64, 48, [4, 1, 16]).map((frame) => ({ ...frame, exposure: frame.exposure * 4 }));
      // Everything in the middle exposure burns out, and something in the longest.
      frames[0].data = (frames[0].data as Float32Array).fill(1);
      (frames[2].data as Float32Array).fill(1, 0, 1000);
      const chosen = await merge(golden, frames, { reference: 'auto', response: 'gamma' });
      expect(chosen.referenceChoice!.frames.map(({ sampled }) => sampled)).toEqual([64 * 48, 64 * 48, 64 * 48]);
      expect(chosen.referenceChoice!.frames[1]).toEqual({ sampled: 64 * 48, burnt: 64 * 48, black: 0 });
      expect([chosen.reference, chosen.scale]).toEqual([0, 1]);
      const named = await merge(golden, frames, { reference: 0, response: 'gamma' });
      expect(named.referenceChoice).toBeUndefined();
      expect(named.radiance).toEqual(chosen.radiance);
      await expect(merge(golden, frames, { reference: 3 })).rejects.toThrow(
        'reference is 3, it must be "auto" or one of 0..2',
      );
      await expect(merge(golden, frames, { reference: 'first' as 'auto' })).rejects.toThrow(
        'reference is "first", it must be "auto" or one of 0..2',
      );
    },
  );

  it(
    'lets the gate allow for codes of linear files as the file has them: of 8 bits as they are, finer ones as a ' +
      'JPEG would hold them',
    async () => {
      const golden = readGolden('fixed-gate');
      const linear = moving(48, 32, [1, 4, 16]).map((frame) => ({
        ...frame,
        data: Float32Array.from(frame.data, (x) => x ** 2.2),
      }));
      const eight = linear.map((frame) => ({
        ...frame,
        data: Uint8Array.from(frame.data, (x) => Math.round(255 * x)),
      }));
      const line = Array.from({ length: 256 }, (_, i) => i / 255);
      const same = { r: line, g: line, b: line };
      const motionOf = async (frames: Frame[], response: MergeOptions['response']): Promise<readonly Float32Array[]> =>
        (await merge(golden, frames, { response })).motion!;
      // A response that is given is read at the samples as they are.
      expect(await motionOf(eight, 'linear')).toEqual(await motionOf(eight, same));
      expect(await motionOf(linear, 'linear')).not.toEqual(await motionOf(linear, same));
    },
  );

  it.each(['fixed-halo', 'fixed-gate'])('gives tiled what it gives whole, to rounding (%s)', async (name) => {
    const golden = readGolden(name);
    const frames = moving(333, 231, [1, 4, 16]);
    const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device: await testDevice() });
    const whole = await deghoster.merge(frames, AS_IS);
    const wholeTiles = deghoster.plan({ width: 333, height: 231, frames: 3 }).stages.map(({ tiles }) => tiles);
    deghoster.dispose();
    expect(wholeTiles).toEqual([1, 1]);
    for (const k of [0, 2]) expectVaried(whole.motion[k], name === 'fixed-gate');

    const small = await Deghoster.create({
      weights: golden.weightsBytes,
      device: await testDevice(),
      memoryBudget: 10 * MiB,
    });
    const tiles = small.plan({ width: 333, height: 231, frames: 3 }).stages.map((stage) => stage.tiles);
    expect(Math.min(...tiles)).toBeGreaterThan(1);
    const tiled = await small.merge(frames, AS_IS);
    small.dispose();
    expect(tiled.peakBytes).toBeLessThanOrEqual(10 * MiB);
    expectClose(tiled.radiance, whole.radiance, { tol: 2e-6, scale: 1, label: 'radiance' });
    whole.motion.forEach((map, k) => expectClose(tiled.motion[k], map, { tol: 2e-6, scale: 1, label: `W_${k + 1}` }));
  });

  it.each([
    ['fixed-merge-r0', [1, 4, 16]],
    ['any-5', [1, 3, 9, 27, 81]],
  ])('stores halves where the device can: less memory, the same picture to 60 dB (%s)', async (name, exposures) => {
    const golden = readGolden(name);
    const frames = scene(64, 48, exposures);
    const device = await testDevice();
    const create = (): Promise<Deghoster> =>
      Deghoster.create({ weights: golden.weightsBytes, device, precision: 'f16' });
    if (!device.features.has('shader-f16')) {
      await expect(create()).rejects.toThrow('precision is "f16", which takes a device with the feature shader-f16');
      return;
    }
    const whole = await merge(golden, frames);
    const deghoster = await create();
    const halved = await deghoster.merge(frames, AS_IS);
    deghoster.dispose();
    expect(halved.peakBytes).toBeLessThan(0.7 * whole.peakBytes);
    expect(halved.radiance).not.toEqual(whole.radiance);
    expect(psnr(muLaw(halved.radiance), muLaw(whole.radiance))).toBeGreaterThan(60);
  });

  it('says what it cannot store', async () => {
    const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    const plain = await adapter.requestDevice();
    await expect(Deghoster.create({ device: plain, precision: 'f16' })).rejects.toThrow(
      'but the device does not support shader-f16: use "f32"',
    );
    await expect(Deghoster.create({ device: plain, precision: 'f64' as 'f32' })).rejects.toThrow(
      'precision is "f64", it must be "f32" or "f16"',
    );
    plain.destroy();
  });

  it("takes motion maps in place of its own, the reference's being their union", async () => {
    const golden = readGolden('fixed-merge-r0');
    const frames = golden.frames.map((x, k) => interleavedFrame(x, golden.taus[k]));
    const own = await merge(golden, frames, { reference: golden.reference });
    const maps = own.motion.map((map, k) => (k === golden.reference ? map.map(() => 0) : map));
    const given = await merge(golden, frames, { reference: golden.reference, motion: maps });
    expect(given.radiance).toEqual(own.radiance);
    expect(given.motion[golden.reference]).toEqual(own.motion[golden.reference]);
    const still = await merge(golden, frames, {
      reference: golden.reference,
      motion: maps.map((map) => map.map(() => 0)),
    });
    expect(still.radiance).not.toEqual(own.radiance);
  });

  it('merges plainly without weights, as the CPU reference does', async () => {
    const exposures = [1, 3, 9, 20];
    const frames = scene(19, 7, exposures);
    const deghoster = await Deghoster.create({ device: await testDevice() });
    const result = await deghoster.merge(frames, { ...AS_IS, method: 'merge' });
    deghoster.dispose();
    const expected = runMerge({
      frames: frames.map(({ data }) => planar(data as Float32Array, 19, 7)),
      times: exposures,
      reference: 1,
    });
    expectClose(planar(result.radiance, 19, 7).data, expected.data, { tol: 2e-6, scale: 1, label: 'plain merge' });
    expect(result.motion).toEqual([]);
  });

  it('merges without weights but with motion maps, as the CPU reference does', async () => {
    const [w, h, exposures] = [19, 7, [1, 3, 9, 20]];
    const frames = scene(w, h, exposures);
    const random = rng(8);
    const maps = exposures.map(() =>
      Float32Array.from({ length: w * h }, () => Math.max(0, Math.min(1, 2 * random.next() - 0.5))),
    );
    const deghoster = await Deghoster.create({ device: await testDevice() });
    const result = await deghoster.merge(frames, { ...AS_IS, method: 'merge', motion: maps, reference: 2 });
    deghoster.dispose();
    const union = maps[0].map((value, i) => Math.max(value, maps[1][i], maps[3][i]));
    const masks = maps.map((map, k) => ({ c: 1, h, w, data: Float64Array.from(k === 2 ? union : map) }));
    const expected = mergeBase(
      frames.map(({ data }) => planar(data as Float32Array, w, h)),
      exposures,
      2,
      2.2,
      'pixel',
      masks,
    );
    expectClose(planar(result.radiance, w, h).data, expected.data, { tol: 2e-6, scale: 1, label: 'merge with maps' });
    const plain = runMerge({
      frames: frames.map(({ data }) => planar(data as Float32Array, w, h)),
      times: exposures,
      reference: 2,
    });
    expect(Math.max(...expected.data.map((y, i) => Math.abs(y - plain.data[i])))).toBeGreaterThan(0.01);
    expect(result.motion[2]).toEqual(union);
  });

  it('gates linear frames by the codes that they would be', async () => {
    const golden = readGolden('fixed-gate');
    const [w, h, exposures] = [40, 30, [1, 4, 16]];
    const frames = moving(w, h, exposures).map((frame) => ({ ...frame, data: frame.data.map((x) => x ** 2.2) }));
    const result = await merge(golden, frames, { response: 'linear' });
    const identity = Float32Array.from({ length: 256 }, (_, i) => i / 255);
    const input = {
      frames: frames.map(({ data }) => planar(data, w, h)),
      times: exposures,
      response: [identity, identity, identity],
    };
    const taps = runNetwork({ config: golden.config, tensors: golden.weights }, { ...input, linear: true });
    const map = (k: number): Float64Array => crop(taps.get(`W.${k + 1}`)!, h, w).data;
    expectClose(planar(result.radiance, w, h).data, taps.get('Y')!.data, {
      tol: GOLDEN_TOLERANCE,
      scale: 1,
      label: 'Y',
    });
    result.motion.forEach((found, k) =>
      expectClose(found, map(k), { tol: GOLDEN_TOLERANCE, scale: 1, label: `W_${k + 1}` }),
    );
    for (const k of [0, 2]) expectVaried(result.motion[k], true);
    // The samples as they are would give something else.
    const codes = runNetwork({ config: golden.config, tensors: golden.weights }, input);
    expect(Math.max(...crop(codes.get('W.1')!, h, w).data.map((x, i) => Math.abs(x - map(0)[i])))).toBeGreaterThan(
      100 * GOLDEN_TOLERANCE,
    );
  });

  it('reads 8 and 16 bits alike', async () => {
    const golden = readGolden('any-2');
    const frames = scene(21, 18, [1, 4]).map((frame) => ({
      ...frame,
      data: frame.data.map((x) => Math.round(x * 255)),
    }));
    const eight = await merge(
      golden,
      frames.map((frame) => ({ ...frame, data: Uint8Array.from(frame.data) })),
      { response: 'gamma' },
    );
    const sixteen = await merge(
      golden,
      frames.map((frame) => ({ ...frame, data: Uint16Array.from(frame.data, (x) => x * 257) })),
      { response: 'gamma' },
    );
    expectClose(sixteen.radiance, eight.radiance, { tol: 1e-6, scale: 1, label: '16 bits' });
  });

  it('applies a camera response as if the frames had been encoded with gamma', async () => {
    const golden = readGolden('any-2');
    const frames = scene(21, 18, [1, 4]).map((frame) => ({
      ...frame,
      data: Uint8Array.from(frame.data, (x) => Math.round(x * 255)),
    }));
    const curve = Array.from({ length: 256 }, (_, i) => (i / 255) ** 1.6);
    const undone = await merge(golden, frames, { response: { r: curve, g: curve, b: curve } });
    const encoded = await merge(
      golden,
      frames.map((frame) => ({ ...frame, data: Float32Array.from(frame.data, (x) => curve[x] ** (1 / 2.2)) })),
      { response: 'gamma' },
    );
    expectClose(undone.radiance, encoded.radiance, { tol: 5e-6, scale: 1, label: 'response' });
  });

  it('reports progress that only grows, and stops when told', async () => {
    const golden = readGolden('fixed-halo');
    const frames = scene(333, 231, [1, 4, 16]);
    const deghoster = await Deghoster.create({
      weights: golden.weightsBytes,
      device: await testDevice(),
      memoryBudget: 10 * MiB,
    });
    const seen: number[] = [];
    const stop = new AbortController();
    const run = deghoster.merge(frames, {
      ...AS_IS,
      signal: stop.signal,
      onProgress: ({ stage, done, total, fraction }) => {
        seen.push(fraction);
        if (stage === 'fusion' && done >= 1 && total > 1) stop.abort();
      },
    });
    await expect(run).rejects.toThrow(CancelledError);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    // The Deghoster is ready for the next merge.
    const result = await deghoster.merge(
      frames.map((frame) => ({ ...frame, data: frame.data.slice(0, 3 * 32 * 16), width: 32, height: 16 })),
      AS_IS,
    );
    expect(result.radiance.some((y) => y > 0)).toBe(true);
    deghoster.dispose();
  });

  it('leaves a borrowed device open', async () => {
    const device = await testDevice();
    const deghoster = await Deghoster.create({ device });
    deghoster.dispose();
    const lost = await Promise.race([
      device.lost.then(() => true),
      new Promise((resolve) => setTimeout(() => resolve(false), 20)),
    ]);
    expect(lost).toBe(false);
    await expect(deghoster.merge(scene(4, 4, [1, 2]), AS_IS)).rejects.toThrow('disposed');
  });

  it('refuses what it cannot merge, naming it', async () => {
    const golden = readGolden('fixed-merge-r0');
    const [a, b, c] = scene(8, 8, [1, 4, 16]);
    const refused = (frames: Frame[], message: string, options: MergeOptions = {}): Promise<void> =>
      expect(merge(golden, frames, options)).rejects.toThrow(message);
    await refused([a], '1 frame given');
    await refused(
      Array.from({ length: 17 }, (_, k) => ({ ...a, exposure: k + 1 })),
      '17 frames given',
    );
    await refused([a, b], 'exactly 3 frames');
    await refused([a, b, { ...c, width: 4, height: 16, name: 'c.png' }], 'c.png is 4x16 but frame 1 is 8x8');
    await refused([a, b, { ...c, exposure: 0, name: 'c.png' }], 'c.png: exposure is 0');
    await refused(
      [a, b, c].map((frame) => ({ ...frame, exposure: 2 })),
      'same exposure',
    );
    await refused(
      [a, b, { ...c, data: c.data.map((x, i) => (i === 5 ? NaN : x)), name: 'c.npy' }],
      'c.npy: sample 5 is NaN',
    );
    await refused([a, b, c], 'reference is 3', { reference: 3 });
    await refused([a, b, c], '2 motion maps for 3 frames', { motion: [new Float32Array(64), new Float32Array(64)] });
    await refused([a, b, c], 'motion map 2 has 3 values', { motion: [64, 3, 64].map((n) => new Float32Array(n)) });
    await refused([a, b, c], 'value 1 is 2', { motion: [0, 1, 2].map(() => new Float32Array(64).fill(2, 1, 2)) });
    await expect(merge(golden, scene(512, 512, [1, 4, 16]), {}, MiB)).rejects.toThrow(
      /memory budget 1.0 MiB is too small: .* needs/,
    );
    await expect(Deghoster.create({ weights: new Uint8Array(3), device: await testDevice() })).rejects.toThrow(
      InputError,
    );
  });

  it('throws when the device is lost, and never returns a picture', async () => {
    const { requestAdapter, adapterChoice } = await import('../src/node/adapter.ts');
    const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    const device = await adapter.requestDevice();
    const golden = readGolden('fixed-halo');
    const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device });
    const run = deghoster.merge(scene(64, 64, [1, 4, 16]), {
      ...AS_IS,
      onProgress: ({ stage }) => stage === 'fusion' && device.destroy(),
    });
    await expect(run).rejects.toMatchObject({ code: 'device-lost' });
    await expect(deghoster.merge(scene(64, 64, [1, 4, 16]), AS_IS)).rejects.toMatchObject({ code: 'device-lost' });
  });
});
