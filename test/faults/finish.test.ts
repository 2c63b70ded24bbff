/**
 * GPU calls of finishing and cropping a small picture that fail, one in each try: a typed error or the right picture,
 * nothing left on the device, and a next try that is right. Of all points one a kind, others in each run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeghostError } from '../../src/errors.ts';
import { Finisher, cropPicture } from '../../src/finish/index.ts';
import { testDevice } from '../gpu.ts';
import { rng } from '../reference/random.ts';
import { FaultyDevice, GPU_FAULTS } from './gpu.ts';
import { isSame, soon } from './merges.ts';

const SEED = Number(process.env.DEGHOST_FAULT_SEED ?? Math.floor(Math.random() * 1e9));
/** DEGHOST_EVERY=1 takes all points. */
const TAKES_ALL = process.env.DEGHOST_EVERY === '1';
const [width, height] = [24, 16];
const picture = {
  radiance: Float32Array.from({ length: 3 * width * height }, (_, i) => (i % 97) / 50),
  width,
  height,
};

const WORK: Record<string, (device: GPUDevice) => Promise<Float32Array>> = {
  async finishing(device) {
    const finisher = await Finisher.create(device, picture);
    try {
      await finisher.live({ clarity: 10 });
      const { luminance } = await finisher.histogram({});
      const { codes } = await finisher.preview({ contrast: 10 });
      return Float32Array.of(...luminance, ...codes, ...(await finisher.finish('linear', { shadows: 20 })));
    } finally {
      finisher.dispose();
    }
  },
  async cropping(device) {
    const crop = { angle: 5, centerX: 12, centerY: 8, width: 10, height: 7 };
    return (await cropPicture(device, picture, crop)).radiance;
  },
};

let faulty: FaultyDevice;
beforeAll(async () => {
  faulty = new FaultyDevice(await testDevice());
});
afterAll(() => faulty?.restore());

describe.each(Object.entries(WORK))('%s', (_, work) => {
  it.each(GPU_FAULTS)(`%s (DEGHOST_FAULT_SEED=${SEED})`, async (fault) => {
    faulty.arm(fault, Infinity);
    const right = await work(faulty.device);
    const calls = faulty.arm();
    if (calls === 0) return;
    const points = TAKES_ALL ? Array.from({ length: calls }, (__, i) => i + 1) : [rng(SEED).int(1, calls)];
    for (const at of points) {
      const where = `call ${at} of ${calls}`;
      faulty.arm(fault, at);
      const outcome = await soon(work(faulty.device)).catch((error: unknown) => error);
      faulty.arm();
      if (outcome instanceof Float32Array) expect(isSame(outcome, right), where).toBe(true);
      else expect(outcome, where).toBeInstanceOf(DeghostError);
      expect(faulty.live, where).toEqual([]);
      expect(faulty.openScopes, where).toBe(0);
      expect(isSame(await work(faulty.device), right), where).toBe(true);
    }
  });
});
