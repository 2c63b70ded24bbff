/** How a device's failures are reported, with devices that fail as real ones do. No GPU. */
import { describe, expect, it } from 'vitest';
import { Gpu } from '../src/device.ts';
import { DeviceLostError } from '../src/errors.ts';

/** A device that is lost when told to be. */
function fakeDevice(): { device: GPUDevice; lose: () => void } {
  let lose = (): void => undefined;
  const lost = new Promise<GPUDeviceLostInfo>(
    (resolve) => (lose = () => resolve({ reason: 'unknown', message: 'the driver was reset' } as GPUDeviceLostInfo)),
  );
  return { device: { lost } as GPUDevice, lose };
}

describe('Gpu.wait', () => {
  it('tells a loss that is known only after the failure it caused', async () => {
    const { device, lose } = fakeDevice();
    setTimeout(lose, 50);
    await expect(
      new Gpu(device).wait(Promise.reject(new Error('Buffer was unmapped before mapping was resolved'))),
    ).rejects.toThrow(DeviceLostError);
  });

  it('passes other failures on', async () => {
    const { device } = fakeDevice();
    await expect(new Gpu(device).wait(Promise.reject(new Error('a shader does not compile')))).rejects.toThrow(
      'a shader does not compile',
    );
  });

  it('does not wait for work that a lost device never finishes', async () => {
    const { device, lose } = fakeDevice();
    const waiting = new Gpu(device).wait(new Promise(() => undefined));
    lose();
    await expect(waiting).rejects.toThrow('the GPU device was lost (the driver was reset)');
  });
});
