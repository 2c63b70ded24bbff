/**
 * Frames and results on the device, and a device that is lost: the picture must be the one that arrays give.
 * ImageBitmaps exist in browsers only: test/app and test/runtimes merge them.
 */
import { describe, expect, it } from 'vitest';
import { Deghoster, chooseReference } from '../src/index.ts';
import type { FrameSource, MergeOptions } from '../src/index.ts';
import { openDevice } from '../src/device.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { testDevice } from './gpu.ts';
import { asBuffer, asTexture, eightBit, readBuffer } from './reference/frames.ts';
import { readGolden } from './reference/goldens.ts';
import { expectClose } from './reference/random.ts';

/** Tests of other things take the pixels as they are. */
const AS_IS = { align: 'none' } as const;

const MiB = 1024 ** 2;
const thin = () => readGolden('fixed-halo').weightsBytes;

describe('frames on the device', () => {
  it.each([
    ['one tile', 512 * MiB, thin],
    ['many tiles', 10 * MiB, thin],
    ['a gate', 512 * MiB, () => readGolden('fixed-gate').weightsBytes],
  ])('merge as arrays do, with the response estimated from them (%s)', async (_, memoryBudget, weights) => {
    const device = await testDevice();
    const arrays = eightBit(213, 131, [1, 4, 16]);
    const deghoster = await Deghoster.create({ weights: weights(), device, memoryBudget });
    const expected = await deghoster.merge(arrays, AS_IS);
    expect(expected.response.report.kind).toBe('estimated');
    // Devices round 8 bits divided by 255 differently.
    const textures = [
      asTexture(device, arrays[0]),
      asTexture(device, arrays[1], 'bgra8unorm'),
      asTexture(device, arrays[2]),
    ];
    const got = await deghoster.merge([textures[2], textures[0], textures[1]], AS_IS);
    expect(got.response).toEqual(expected.response);
    expect(got.order).toEqual([1, 2, 0]);
    expectClose(got.radiance, expected.radiance, { tol: 5e-6, scale: 1, label: 'textures' });
    // Each of the three kinds mixed with others.
    const buffer = asBuffer(device, arrays[1]);
    const mixed = await deghoster.merge([arrays[0], buffer, textures[2]], {
      ...AS_IS,
      response: expected.response.response,
    });
    expectClose(mixed.radiance, expected.radiance, { tol: 5e-6, scale: 1, label: 'mixed' });
    deghoster.dispose();
    textures.forEach(({ texture }) => texture.destroy());
    buffer.buffer.destroy();
  });

  it('choose the same reference as arrays do, of pictures larger than the grid that is looked at too', async () => {
    const device = await testDevice();
    const deghoster = await Deghoster.create({ device });
    for (const [width, height] of [
      [213, 131],
      [1025, 1023],
    ]) {
      const arrays = eightBit(width, height, [1, 16, 64]);
      const options: MergeOptions = { method: 'merge', response: 'gamma', reference: 'auto' };
      const expected = await deghoster.merge(arrays, { ...AS_IS, ...options });
      const textures = [asTexture(device, arrays[0]), asTexture(device, arrays[1], 'bgra8unorm')];
      const buffer = asBuffer(device, arrays[2]);
      const got = await deghoster.merge([buffer, textures[0], textures[1]], { ...AS_IS, ...options });
      expect(got.referenceChoice).toEqual(expected.referenceChoice);
      expect(got.referenceChoice).toEqual(chooseReference(arrays));
      expect(got.reference).toBe(0);
      expect(got.scale).toBe(1);
      // Linear light has higher codes.
      const linear = await deghoster.merge([buffer, textures[0], textures[1]], {
        ...AS_IS,
        ...options,
        response: 'linear',
      });
      expect(linear.referenceChoice).toEqual(chooseReference(arrays, true));
      expect(linear.referenceChoice!.frames[2].burnt).toBeGreaterThan(got.referenceChoice!.frames[2].burnt);
      textures.forEach(({ texture }) => texture.destroy());
      buffer.buffer.destroy();
    }
    deghoster.dispose();
  });

  it('estimate the response of large pictures from the same patches', async () => {
    const device = await testDevice();
    const arrays = eightBit(1301, 1000, [1, 4]);
    const deghoster = await Deghoster.create({ device });
    const expected = await deghoster.merge(arrays, { ...AS_IS, method: 'merge' });
    expect(expected.response.report.kind).toBe('estimated');
    const frames = [asTexture(device, arrays[0]), asTexture(device, arrays[1])];
    const got = await deghoster.merge(frames, { ...AS_IS, method: 'merge' });
    expect(got.response).toEqual(expected.response);
    expectClose(got.radiance, expected.radiance, { tol: 2e-6, scale: 1, label: 'radiance' });
    const buffers = arrays.map((frame) => asBuffer(device, frame));
    const fromBuffers = await deghoster.merge(buffers, { ...AS_IS, method: 'merge', response: 'auto' });
    // Floats have finer bins, so the curve is not the very same.
    expectClose(fromBuffers.response.response.g, expected.response.response.g, {
      tol: 0.01,
      scale: 1,
      label: 'response',
    });
    deghoster.dispose();
    frames.forEach(({ texture }) => texture.destroy());
    buffers.forEach(({ buffer }) => buffer.destroy());
  });

  it('are refused by name where they cannot be read', async () => {
    const device = await testDevice();
    const deghoster = await Deghoster.create({ device });
    const make = (format: GPUTextureFormat, usage: number) => device.createTexture({ size: [8, 8], format, usage });
    const good = { texture: make('rgba8unorm', GPUTextureUsage.TEXTURE_BINDING), exposure: 1 };
    const refused = async (frame: FrameSource, message: string): Promise<void> => {
      await expect(deghoster.merge([good, frame], { ...AS_IS, method: 'merge', response: 'gamma' })).rejects.toThrow(
        message,
      );
    };
    await refused(
      { texture: make('rgba8unorm-srgb', GPUTextureUsage.TEXTURE_BINDING), exposure: 2, name: 'late' },
      'late: a texture of format rgba8unorm-srgb',
    );
    await refused(
      { texture: make('rgba8unorm', GPUTextureUsage.COPY_SRC), exposure: 2 },
      'frame 2: its texture has usage 1, without TEXTURE_BINDING',
    );
    const buffer = (size: number, usage: number): FrameSource => ({
      buffer: device.createBuffer({ size, usage }),
      width: 8,
      height: 8,
      exposure: 2,
    });
    await refused(buffer(700, GPUBufferUsage.STORAGE), 'frame 2: a buffer of 700 bytes, 8x8 RGB in float32 needs 768');
    await refused(buffer(768, GPUBufferUsage.COPY_SRC), 'without STORAGE');
    await refused(
      {
        texture: device.createTexture({ size: [8, 9], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING }),
        exposure: 2,
      },
      'frame 2 is 8x9 but frame 1 is 8x8',
    );
    deghoster.dispose();
  });
});

describe('mergeToBuffer', () => {
  it.each([
    ['whole', 512 * MiB, {}],
    ['tiled', 10 * MiB, {}],
    ['tiled, without a network', MiB, { method: 'merge' }],
  ] as [string, number, MergeOptions][])(
    'leaves on the device what merge returns (%s)',
    async (_, memoryBudget, options) => {
      const device = await testDevice();
      const frames = eightBit(213, 131, [1, 4, 16]);
      const deghoster = await Deghoster.create({ weights: thin(), device, memoryBudget });
      const expected = await deghoster.merge(frames, { ...AS_IS, ...options });
      const { buffer, ...rest } = await deghoster.mergeToBuffer(frames, { ...AS_IS, ...options });
      deghoster.dispose();
      expect(await readBuffer(device, buffer)).toEqual(expected.radiance);
      buffer.destroy();
      // No results go to the CPU.
      expect(rest.peakBytes).toBeLessThan(expected.peakBytes);
      const { radiance: __, ...others } = { ...expected, peakBytes: rest.peakBytes };
      expect(rest).toEqual(others);
    },
  );

  it('refuses a size that no buffer of the device holds', async () => {
    const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    const device = await adapter.requestDevice(); // default limits
    const deghoster = await Deghoster.create({ device });
    const frames = [1, 4].map((exposure) => ({
      data: new Uint8Array(4800 * 4800 * 3).fill(9),
      width: 4800,
      height: 4800,
      exposure,
    }));
    await expect(deghoster.mergeToBuffer(frames, { ...AS_IS, method: 'merge' })).rejects.toThrow(
      `a result of 4800x4800 takes a buffer of 276480000 bytes, the device's largest has 268435456: merge to an array`,
    );
    deghoster.dispose();
    device.destroy();
  });
});

describe('a lost device', () => {
  /**
   * The size of the frames below. Two tiles may be in flight when the first is reported, and there must be more so that
   * a loss is noticed, however fast the adapter.
   */
  const FOUR_TILES = 6 * MiB;

  /** Opens devices, and keeps them for the test to destroy. */
  function opener(): { open: () => Promise<GPUDevice>; devices: GPUDevice[] } {
    const devices: GPUDevice[] = [];
    const open = async (): Promise<GPUDevice> => {
      const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
      devices.push(await openDevice(adapter));
      return devices[devices.length - 1];
    };
    return { open, devices };
  }

  it('is opened again, and the merge goes on with the tile that failed', async () => {
    const frames = eightBit(213, 131, [1, 4, 16]);
    const { open, devices } = opener();
    const deghoster = await Deghoster.create({ weights: thin(), device: open, memoryBudget: FOUR_TILES });
    const expected = await deghoster.merge(frames, AS_IS);
    const seen: string[] = [];
    let losses = 0;
    let tiles = 0;
    const got = await deghoster.merge(frames, {
      ...AS_IS,
      onDeviceLost: (error) => {
        expect(error.code).toBe('device-lost');
        losses++;
      },
      onProgress: ({ stage, done, total }) => {
        seen.push(`${stage} ${Math.floor(done)}`);
        if (stage !== 'fusion') return;
        tiles = total;
        if (done >= 1 && losses === 0) devices[0].destroy();
      },
    });
    expect(tiles).toBeGreaterThanOrEqual(4);
    expect(losses).toBe(1);
    expect(devices).toHaveLength(2);
    expect(deghoster.device).toBe(devices[1]);
    expect(got.radiance).toEqual(expected.radiance);
    // Nothing that was done is done again.
    expect(seen.lastIndexOf('segmentation 0')).toBeLessThan(seen.indexOf('fusion 0'));
    expect(seen.lastIndexOf('fusion 0')).toBeLessThan(seen.indexOf('fusion 1'));
    deghoster.dispose();
  });

  it('is not opened again after the Deghoster was disposed', async () => {
    const { open, devices } = opener();
    const deghoster = await Deghoster.create({ weights: thin(), device: open, memoryBudget: 10 * MiB });
    let told = 0;
    const merging = deghoster.merge(eightBit(213, 131, [1, 4, 16]), {
      ...AS_IS,
      onDeviceLost: () => told++,
      onProgress: ({ stage }) => void (stage === 'fusion' && deghoster.dispose()),
    });
    await expect(merging).rejects.toThrow(/the GPU device was lost|was disposed/);
    expect([devices.length, told]).toEqual([1, 0]);
  });

  it('that was lost between two merges is opened again too; a second loss in one merge is an error', async () => {
    const frames = eightBit(64, 48, [1, 4, 16]);
    const { open, devices } = opener();
    const deghoster = await Deghoster.create({ weights: thin(), device: open });
    devices[0].destroy();
    const { radiance } = await deghoster.merge(frames, AS_IS);
    expect(radiance.some((y) => y > 0)).toBe(true);
    expect(devices).toHaveLength(2);
    const again = deghoster.merge(frames, {
      ...AS_IS,
      onProgress: ({ stage }) => stage === 'fusion' && devices.forEach((device) => device.destroy()),
    });
    await expect(again).rejects.toMatchObject({ code: 'device-lost' });
    expect(devices).toHaveLength(3);
    deghoster.dispose();
  });

  it('loses the frames and results on the device', async () => {
    const { open, devices } = opener();
    const deghoster = await Deghoster.create({ device: open });
    const frames = eightBit(16, 16, [1, 4]).map((frame) => asTexture(devices[0], frame));
    devices[0].destroy();
    await expect(deghoster.merge(frames, { ...AS_IS, method: 'merge', response: 'gamma' })).rejects.toMatchObject({
      code: 'device-lost',
    });
    expect(devices).toHaveLength(1);
    deghoster.dispose();
  });

  it('takes the tiles of a result in a buffer with it, but a merge that has none yet goes on', async () => {
    const frames = eightBit(213, 131, [1, 4, 16]);
    for (const [stage, from, reopened] of [
      ['segmentation', 0, true],
      ['fusion', 1, false],
    ] as const) {
      const { open, devices } = opener();
      const deghoster = await Deghoster.create({ weights: thin(), device: open, memoryBudget: FOUR_TILES });
      const run = deghoster.mergeToBuffer(frames, {
        ...AS_IS,
        onProgress: (progress) => progress.stage === stage && progress.done >= from && devices[0].destroy(),
      });
      if (reopened) {
        const { buffer } = await run;
        expect((await readBuffer(deghoster.device, buffer)).some((y) => y > 0)).toBe(true);
      } else await expect(run).rejects.toMatchObject({ code: 'device-lost' });
      expect(devices).toHaveLength(reopened ? 2 : 1);
      deghoster.dispose();
    }
  });
});
