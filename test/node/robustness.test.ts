/** Devices without Dawn's own checks: the same results, and nothing runs that is not proved. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deghoster } from '../../src/deghoster.ts';
import type { MergeResult } from '../../src/index.ts';
import type { Frame } from '../../src/image/frame.ts';
import { Gpu } from '../../src/device.ts';
import { GpuError } from '../../src/errors.ts';
import { Commands } from '../../src/graph/commands.ts';
import { Pipelines } from '../../src/graph/pipelines.ts';
import { FLAT_WORKGROUP } from '../../src/kernels/flat.ts';
import { Program } from '../../src/kernels/program.ts';
import { adapterChoice, requestAdapter, requestDevice } from '../../src/node/adapter.ts';
import { UnprovedAccessError } from '../../src/node/robustness.ts';
import { testDevice } from '../gpu.ts';
import { eightBit } from '../reference/frames.ts';

const software = adapterChoice(process.env.DEGHOST_ADAPTER);

/** Doubles `size` floats. */
const program = (guard: string): Program =>
  new Program({
    label: 'double',
    workgroup: [FLAT_WORKGROUP, 1, 1],
    params: { size: 'u32' },
    bindings: { data: { access: 'read_write', type: 'array<f32>' } },
    body: `
@workgroup
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (${guard}) { return; }
  data[id.x] *= 2.0;
}`,
  });

/** Frames of waves, each `shift` pixels beside the one before. */
function framesOf(size: number, shift: number): Frame[] {
  const light = (x: number, y: number): number => 0.5 + 0.25 * Math.sin(x / 4 + Math.sin(y / 5)) * Math.cos(y / 3);
  return [1, 2, 4].map((exposure, k) => {
    const data = Uint8Array.from({ length: 3 * size * size }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return 60 * (k + 1) * light((pixel % size) + k * shift, Math.floor(pixel / size));
    });
    return { exposure, width: size, height: size, data };
  });
}

/** A merge without a network. */
async function merged(device: GPUDevice, frames: readonly Frame[], align: 'none' | 'mesh'): Promise<MergeResult> {
  const deghoster = await Deghoster.create({ device });
  try {
    return await deghoster.merge(frames, { method: 'merge', align, response: 'gamma' });
  } finally {
    deghoster.dispose();
  }
}

describe('a device without robustness', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await requestDevice({ software, robustness: false });
  });
  afterAll(() => device.destroy());

  it.each([2, 3, 5])('merges %i frames of 8 bits without a network, as with robustness', async (count) => {
    const frames = eightBit(61, 47, [1, 4, 16, 64, 256].slice(0, count));
    const curve = Array.from({ length: 256 }, (_, i) => (i / 255) ** 1.8);
    const results: Float32Array[] = [];
    for (const one of [device, await testDevice()]) {
      const deghoster = await Deghoster.create({ device: one, memoryBudget: 400_000 });
      const { radiance, profile } = await deghoster.merge(frames, {
        method: 'merge',
        align: 'none',
        response: { r: curve, g: curve, b: curve },
        profile: true,
      });
      expect(profile!.stages[0].programs[0].program).toBe(`merge ${count} frames of 8 bits`);
      results.push(radiance);
      deghoster.dispose();
    }
    expect(results[0]).toEqual(results[1]);
  });

  it('is on the same adapter, whichever was opened before', async () => {
    await requestAdapter({ software: 'swiftshader' }).catch(() => undefined);
    const names = await Promise.all(
      [true, false].map(async (robustness) => (await requestAdapter({ software, robustness })).info.name),
    );
    expect(names[0]).toBe(names[1]);
  });

  it('merges to the same picture', async () => {
    const frames = framesOf(8, 0);
    const [unchecked, checked] = [
      await merged(device, frames, 'none'),
      await merged(await testDevice(), frames, 'none'),
    ];
    expect(unchecked.radiance).toEqual(checked.radiance);
  });

  it('aligns frames: all programs of that are proved', async () => {
    const { alignment } = await merged(device, framesOf(64, 2), 'mesh');
    expect(alignment.map(({ kind }) => kind)).toEqual(['mesh', 'reference', 'mesh']);
  });

  it('runs what is proved, and refuses what is not with the program, the access and the range', async () => {
    const gpu = new Gpu(device);
    const commands = new Commands(gpu, new Pipelines(gpu));
    const data = device.createBuffer({ size: 400, usage: GPUBufferUsage.STORAGE });
    commands.add(program('id.x >= params.size'), { size: 100 }, [data], [2, 1, 1]);
    await commands.submit('doubling');
    const refused =
      (params: { size: number }, guard = 'id.x >= params.size', resource: GPUBindingResource = { buffer: data }) =>
      () =>
        commands.add(program(guard), params, [resource], [2, 1, 1]);
    expect(refused({ size: 101 })).toThrow(UnprovedAccessError);
    expect(refused({ size: 101 })).toThrow(GpuError);
    expect(refused({ size: 101 })).toThrow(
      'double: this device checks no accesses, and it was not proved that all lie inside (the index of data[id.x] ' +
        'may be 0 to 100, of 100 elements): use a device with robustness',
    );
    expect(refused({ size: 100 }, 'id.x > params.size')).toThrow(UnprovedAccessError);
    expect(refused({ size: 100 }, undefined, { buffer: data, size: 396 })).toThrow(UnprovedAccessError);
    expect(refused({ size: 100 }, undefined, { buffer: data, offset: 256 })).toThrow('of 36 elements');
    data.destroy();
  });

  it('has its check however it is opened, and a usual device has none', async () => {
    const { adapter } = await requestAdapter({ software, robustness: false });
    const another = await adapter.requestDevice();
    expect(new Gpu(another).check).toBeTypeOf('function');
    another.destroy();
    expect(new Gpu(await testDevice()).check).toBeUndefined();
  });
});
