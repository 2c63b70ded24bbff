/** A device that is lost while an aligned merge runs: the merge goes on on another, and frames are warped there. */
import { expect, it } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import { openDevice } from '../../src/device.ts';
import { adapterChoice, requestAdapter } from '../../src/node/adapter.ts';
import { readGolden } from '../reference/goldens.ts';
import { SHOTS, handHeld } from './estimateChecks.ts';

const MiB = 1024 ** 2;

it('goes on with the tile that failed, within the memory budget', async () => {
  const devices: GPUDevice[] = [];
  const open = async (): Promise<GPUDevice> => {
    const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    devices.push(await openDevice(adapter));
    return devices[devices.length - 1];
  };
  const memoryBudget = 5.5 * MiB;
  const weights = readGolden('fixed-halo').weightsBytes;
  const deghoster = await Deghoster.create({ weights, device: open, memoryBudget });
  const frames = handHeld(21, SHOTS);
  const options = { response: 'gamma', align: { matrices: SHOTS } } as const;
  const expected = await deghoster.merge(frames, options);
  expect(expected.peakBytes).toBeLessThanOrEqual(memoryBudget);
  let losses = 0;
  let tiles = 0;
  const got = await deghoster.merge(frames, {
    ...options,
    onDeviceLost: () => losses++,
    onProgress: ({ stage, done, total }) => {
      if (stage !== 'fusion') return;
      tiles = total;
      if (done >= 1 && losses === 0) devices[0].destroy();
    },
  });
  deghoster.dispose();
  expect(tiles).toBeGreaterThanOrEqual(4);
  expect([losses, devices.length]).toEqual([1, 2]);
  expect(got.radiance).toEqual(expected.radiance);
  expect(got.motion).toEqual(expected.motion);
});
