/** What callers drop is freed: nothing that stays open keeps a result of the last call, or of all calls. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Gpu } from '../src/device.ts';
import { Finisher } from '../src/finish/finisher.ts';
import { Deghoster } from '../src/index.ts';
import { testDevice } from './gpu.ts';
import { eightBit } from './reference/frames.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Whether what `make` gives is freed once nobody holds it. */
async function isFreed(make: () => Promise<object>): Promise<boolean> {
  const made = await (async () => new WeakRef(await make()))();
  for (let i = 0; i < 20 && made.deref(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collectGarbage();
  }
  return made.deref() === undefined;
}

it('is not what is held', async () => {
  const held = {};
  expect(await isFreed(async () => held)).toBe(false);
  expect(held).toBeDefined();
});

describe('a Deghoster that stays open', () => {
  const options = { align: 'none', response: 'gamma', method: 'merge' } as const;

  it.each(['merge', 'open'] as const)('does not keep the picture of the last %s', async (call) => {
    const deghoster = await Deghoster.create({ device: await testDevice() });
    const make = async (): Promise<object> => {
      const made = await deghoster[call](eightBit(24, 16, [1, 4]), options);
      return 'result' in made ? made.result.radiance : made.radiance;
    };
    expect(await isFreed(make)).toBe(true);
    deghoster.dispose();
  });
});

describe('a Finisher', () => {
  const picture = () => ({ radiance: new Float32Array(3 * 24 * 16).fill(0.2), width: 24, height: 16 });

  it('does not keep what it gave last', async () => {
    const finisher = await Finisher.create(await testDevice(), picture());
    expect(await isFreed(async () => finisher.preview({}))).toBe(true);
    finisher.dispose();
  });

  it('that is disposed is not kept by the device, nor is its picture', async () => {
    const device = await testDevice();
    const make = async (): Promise<object> => {
      const given = picture();
      (await Finisher.create(device, given)).dispose();
      return given.radiance;
    };
    expect(await isFreed(make)).toBe(true);
  });
});

it('a device has one set of waits, however often it is used', async () => {
  const device = await testDevice();
  expect(Gpu.of(device)).toBe(Gpu.of(device));
});
