/** What a device's failures become, with devices that fail as real ones do; what is read of its features. No GPU. */
import { describe, expect, it } from 'vitest';
import { Gpu, openDevice, traitsOf } from '../src/device.ts';
import { DeviceLostError } from '../src/errors.ts';

/** A device that is lost when told to be. */
function fakeDevice(): { device: GPUDevice; lose: () => void } {
  let lose = (): void => undefined;
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => (lose = () => resolve({ reason: 'unknown', message: 'the driver was reset' } as GPUDeviceLostInfo)));
  return { device: { lost } as GPUDevice, lose };
}

describe('Gpu.wait', () => {
  it('tells a loss that is known only after the failure it caused', async () => {
    const { device, lose } = fakeDevice();
    setTimeout(lose, 50);
    await expect(new Gpu(device).wait(Promise.reject(new Error('Buffer was unmapped before mapping was resolved')))).rejects.toThrow(DeviceLostError);
  });

  it('passes other failures on', async () => {
    const { device } = fakeDevice();
    await expect(new Gpu(device).wait(Promise.reject(new Error('a shader does not compile')))).rejects.toThrow('a shader does not compile');
  });

  it('does not wait for what a lost device never does', async () => {
    const { device, lose } = fakeDevice();
    const waiting = new Gpu(device).wait(new Promise(() => undefined));
    lose();
    await expect(waiting).rejects.toThrow('the GPU device was lost (the driver was reset)');
  });
});

describe('traitsOf', () => {
  const FEATURES = ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'];
  const info = (min: number, max: number, ...configs: [string, string, number, number, number][]): GPUAdapterInfo => {
    const subgroupMatrixConfigs = configs.map(([componentType, resultComponentType, M, N, K]) => ({ componentType, resultComponentType, M, N, K }));
    return { subgroupMinSize: min, subgroupMaxSize: max, subgroupMatrixConfigs } as unknown as GPUAdapterInfo;
  };
  const matrices = (it: GPUAdapterInfo, features = FEATURES) => traitsOf(it, new Set(features) as unknown as GPUSupportedFeatures).matrices;

  it('takes the first matrices of halves with sums in f32 that kernels can use', () => {
    expect(matrices(info(32, 32, ['f16', 'f16', 16, 16, 16], ['u8', 'u32', 8, 8, 16], ['f16', 'f32', 32, 8, 16], ['f16', 'f32', 16, 8, 16], ['f16', 'f32', 8, 8, 8]))).toEqual({ m: 16, n: 8, k: 16 });
    expect(matrices(info(32, 32, ['f16', 'f16', 16, 16, 16]))).toBeUndefined();
    expect(matrices(info(32, 32))).toBeUndefined();
  });

  it('takes none where subgroups are of several sizes or a feature is missing', () => {
    const all = ['f16', 'f32', 16, 16, 16] as [string, string, number, number, number];
    expect(matrices(info(32, 32, all))).toBeDefined();
    expect(matrices(info(8, 32, all))).toBeUndefined();
    for (const name of FEATURES) expect(matrices(info(32, 32, all), FEATURES.filter((other) => other !== name)), name).toBeUndefined();
  });

  it("knows them of a device whose own info has none, as Dawn's in Node", async () => {
    const features = new Set(FEATURES);
    const device = { lost: new Promise(() => undefined), features, adapterInfo: info(32, 32) } as unknown as GPUDevice;
    let asked: Iterable<string> = [];
    const requestDevice = (descriptor: GPUDeviceDescriptor): Promise<GPUDevice> => {
      asked = descriptor.requiredFeatures!;
      return Promise.resolve(device);
    };
    const adapter = { limits: {}, features, info: info(32, 32, ['f16', 'f32', 16, 16, 16]), requestDevice } as unknown as GPUAdapter;
    expect(new Gpu(await openDevice(adapter)).traits).toEqual({ subgroupSize: 32, f16: true, matrices: { m: 16, n: 16, k: 16 } });
    expect([...asked]).toEqual(FEATURES);
  });
});
