/** What is read of an adapter's matrix units, and that devices are opened with them. No GPU. */
import { describe, expect, it } from 'vitest';
import { Gpu, openDevice } from '../../src/device.ts';
import { adapterCapabilities, matricesOf, openWithMatrices } from '../../src/node/matrices.ts';

describe('matricesOf', () => {
  const FEATURES = ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'];
  const info = (min: number, max: number, ...configs: [string, string, number, number, number][]): GPUAdapterInfo => {
    const subgroupMatrixConfigs = configs.map(([componentType, resultComponentType, M, N, K]) => ({
      componentType,
      resultComponentType,
      M,
      N,
      K,
    }));
    return { subgroupMinSize: min, subgroupMaxSize: max, subgroupMatrixConfigs } as unknown as GPUAdapterInfo;
  };
  const matrices = (info: GPUAdapterInfo, features = FEATURES) =>
    matricesOf({ info, features: new Set(features) as unknown as GPUSupportedFeatures });

  it('takes the first matrices of halves with sums in f32 that kernels can use', () => {
    expect(
      matrices(
        info(
          32,
          32,
          ['f16', 'f16', 16, 16, 16],
          ['u8', 'u32', 8, 8, 16],
          ['f16', 'f32', 32, 8, 16],
          ['f16', 'f32', 16, 8, 16],
          ['f16', 'f32', 8, 8, 8],
        ),
      ),
    ).toMatchObject({ m: 16, n: 8, k: 16 });
    expect(matrices(info(32, 32, ['f16', 'f16', 16, 16, 16]))).toBeUndefined();
    expect(matrices(info(32, 32))).toBeUndefined();
  });

  it('takes none where subgroups are of several sizes or a feature is missing', () => {
    const all = ['f16', 'f32', 16, 16, 16] as [string, string, number, number, number];
    expect(matrices(info(32, 32, all))).toBeDefined();
    expect(matrices(info(8, 32, all))).toBeUndefined();
    expect(matrices(info(32, 32, all), [...FEATURES, 'subgroup-size-control'])).toEqual({ m: 16, n: 16, k: 16 });
    for (const name of FEATURES)
      expect(
        matrices(
          info(32, 32, all),
          FEATURES.filter((other) => other !== name),
        ),
        name,
      ).toBeUndefined();
  });

  it('fixes the size of subgroups where they vary and programs may: as many as columns on GPUs of Intel', () => {
    const features = [...FEATURES, 'subgroup-size-control'];
    const of = (vendor: string, min: number, max: number, n: number): unknown =>
      matrices({ ...info(min, max, ['f16', 'f32', 8, n, 16]), vendor }, features);
    expect(of('amd', 32, 64, 16)).toEqual({ m: 8, n: 16, k: 16, lanes: 32 });
    expect(of('intel', 8, 32, 16)).toEqual({ m: 8, n: 16, k: 16, lanes: 16 });
    expect(of('intel', 16, 32, 8)).toEqual({ m: 8, n: 8, k: 16, lanes: 16 });
  });

  it("knows them of a device whose own info has none, as Dawn's in Node", async () => {
    const features = new Set(FEATURES);
    const device = { lost: new Promise(() => undefined), features, adapterInfo: info(32, 32) } as unknown as GPUDevice;
    let asked: Iterable<string> = [];
    const requestDevice = (descriptor: GPUDeviceDescriptor): Promise<GPUDevice> => {
      asked = descriptor.requiredFeatures!;
      return Promise.resolve(device);
    };
    const adapter = {
      limits: {},
      features,
      info: info(32, 32, ['f16', 'f32', 16, 16, 16]),
      requestDevice,
    } as unknown as GPUAdapter;
    expect(new Gpu(await openWithMatrices(adapter)).capabilities).toEqual({
      subgroupSize: 32,
      f16: true,
      matrices: { m: 16, n: 16, k: 16 },
    });
    expect(adapterCapabilities(adapter)).toEqual(new Gpu(device).capabilities);
    expect([...asked]).toEqual(FEATURES);
    Object.assign(adapter.info, { subgroupMinSize: 16 });
    features.add('subgroup-size-control');
    expect(new Gpu(await openWithMatrices(adapter)).capabilities.matrices).toMatchObject({ lanes: 16 });
    expect([...asked]).toEqual([...FEATURES, 'subgroup-size-control']);
    // The core alone, as in pages, does not ask for what it has nothing for.
    await openDevice(adapter);
    expect([...asked]).toEqual(FEATURES.slice(0, 2));
  });
});
