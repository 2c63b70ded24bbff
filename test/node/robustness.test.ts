/** Devices without Dawn's own checks: the same results, and nothing runs that is not proved. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deghoster } from '../../src/deghoster.ts';
import { Gpu } from '../../src/device.ts';
import { GpuError } from '../../src/errors.ts';
import { Commands } from '../../src/graph/commands.ts';
import { Pipelines } from '../../src/graph/pipelines.ts';
import { FLAT_WORKGROUP } from '../../src/kernels/flat.ts';
import { Program } from '../../src/kernels/program.ts';
import { adapterChoice, requestAdapter, requestDevice } from '../../src/node/adapter.ts';
import { UnprovedAccessError } from '../../src/node/robustness.ts';
import { testDevice } from '../gpu.ts';
import { rng } from '../reference/random.ts';

const software = adapterChoice(process.env.DEGHOST_ADAPTER);
const SIZE = 8;

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

/** A plain merge's picture. */
async function merged(device: GPUDevice): Promise<Float32Array> {
  const random = rng(3);
  const frames = [1, 4, 16].map((exposure) => ({
    exposure,
    width: SIZE,
    height: SIZE,
    data: Uint8Array.from({ length: 3 * SIZE * SIZE }, () => random.int(0, 255)),
  }));
  const deghoster = await Deghoster.create({ device });
  try {
    return (await deghoster.merge(frames, { method: 'merge', align: 'none', response: 'gamma' })).radiance;
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

  it('merges to the same picture', async () => {
    expect(await merged(device)).toEqual(await merged(await testDevice()));
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
