/** The default memory budget, and merges on GPUs that have less memory. */
import { describe, expect, it } from 'vitest';
import { openDevice } from '../src/device.ts';
import { Deghoster } from '../src/index.ts';
import { defaultMemoryBudget } from '../src/model/schedule.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { eightBit } from './reference/frames.ts';
import { readGolden } from './reference/goldens.ts';
import { expectClose } from './reference/random.ts';

const MiB = 1024 ** 2;
const OPTIONS = { align: 'none', response: 'gamma' } as const;

/**
 * A device that runs out of memory beyond some bytes of buffers, as a GPU of that size would: WebGPU reports it in the
 * scope for it.
 */
async function smallDevice(most: number): Promise<{ device: GPUDevice; refused: () => number }> {
  const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
  const device = await openDevice(adapter);
  let held = 0;
  let refused = 0;
  let isShort = false;
  const scopes: GPUErrorFilter[] = [];
  const [create, push, pop] = [device.createBuffer, device.pushErrorScope, device.popErrorScope].map((method) =>
    (method as (...args: unknown[]) => unknown).bind(device),
  ) as [typeof device.createBuffer, typeof device.pushErrorScope, typeof device.popErrorScope];
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    if (held + descriptor.size > most) {
      refused++;
      isShort = true;
      return buffer;
    }
    held += descriptor.size;
    const destroy = buffer.destroy.bind(buffer);
    let isHeld = true;
    buffer.destroy = () => {
      if (isHeld) held -= descriptor.size;
      isHeld = false;
      return destroy();
    };
    return buffer;
  };
  device.pushErrorScope = (filter) => {
    scopes.push(filter);
    return push(filter);
  };
  device.popErrorScope = async () => {
    const filter = scopes.pop();
    const reports = filter === 'out-of-memory' && isShort;
    if (reports) isShort = false;
    const error = await pop();
    return reports ? new GPUOutOfMemoryError('not enough memory left') : error;
  };
  return { device, refused: () => refused };
}

describe('the default memory budget', () => {
  it('is 512 MiB in software, and on GPUs what their largest buffer lets expect, up to 2 GiB', () => {
    expect(defaultMemoryBudget({ cpu: true }, 4096 * MiB)).toBe(512 * MiB);
    expect(defaultMemoryBudget({}, 256 * MiB)).toBe(512 * MiB);
    expect(defaultMemoryBudget({}, 1024 * MiB)).toBe(1024 * MiB);
    expect(defaultMemoryBudget({}, 4096 * MiB)).toBe(2048 * MiB);
  });

  it('is halved where the GPU runs out of memory, and the merge is not lost', async () => {
    const weights = readGolden('fixed-halo').weightsBytes;
    const frames = eightBit(900, 640, [1, 4, 16]);
    const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    const roomy = await Deghoster.create({ weights, device: await openDevice(adapter) });
    const expected = await roomy.merge(frames, OPTIONS);
    const needed = expected.peakBytes;
    roomy.dispose();
    expect(needed).toBeGreaterThan(140 * MiB);
    const { device, refused } = await smallDevice(needed - 4 * MiB);
    const deghoster = await Deghoster.create({ weights, device });
    expect(deghoster.memoryBudget).toBe(512 * MiB);
    const got = await deghoster.merge(frames, OPTIONS);
    expect(refused()).toBeGreaterThan(0);
    expect(got.memoryBudget).toBeLessThan(needed);
    expect(got.memoryBudget).toBe(deghoster.memoryBudget);
    expect(got.peakBytes).toBeLessThan(needed - 4 * MiB);
    expectClose(got.radiance, expected.radiance, { tol: 5e-6, scale: 1, label: 'radiance' });
    deghoster.dispose();

    // A budget that somebody gave is kept.
    const strict = await Deghoster.create({ weights, device, memoryBudget: 512 * MiB });
    await expect(strict.merge(frames, OPTIONS)).rejects.toMatchObject({ code: 'gpu', isOutOfMemory: true });
    strict.dispose();
    device.destroy();

    // Nothing helps where hardly any memory is left: the error is that of the GPU.
    const tiny = await smallDevice(2 * MiB);
    const hopeless = await Deghoster.create({ weights, device: tiny.device });
    await expect(hopeless.merge(frames, OPTIONS)).rejects.toMatchObject({ code: 'gpu', isOutOfMemory: true });
    expect(hopeless.memoryBudget).toBe(128 * MiB);
    hopeless.dispose();
    tiny.device.destroy();
  });
});
