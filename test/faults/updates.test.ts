/**
 * The device is lost at a call of an update of an open merge. One that the Deghoster opened is opened again, and the
 * update goes on; on a borrowed one it ends with a DeviceLostError, and all is as it was before. Of all calls a few,
 * others in each run.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceLostError } from '../../src/errors.ts';
import { Deghoster } from '../../src/index.ts';
import type { MergeChange, OpenMerge } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { eightBit } from '../reference/frames.ts';
import { rng } from '../reference/random.ts';
import { LossyGpu } from './lossy.ts';
import { WEIGHTS, isSame, soon } from './merges.ts';

const SEED = Number(process.env.DEGHOST_FAULT_SEED ?? Math.floor(Math.random() * 1e9));
const [WIDTH, HEIGHT] = [48, 32];
const FRAMES = eightBit(WIDTH, HEIGHT, [1, 4, 16]);
const REGION = { x: 8, y: 6, width: 20, height: 14 };
const SIZE = REGION.width * REGION.height;
const ALL = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
/** Calls at which the device is lost, of each kind of device. */
const TRIES = 6;

/** What is tried: a moment, and then a stroke over it. */
const CHANGES: MergeChange[] = [
  { region: REGION, moment: new Uint8Array(SIZE).fill(2) },
  { region: { ...REGION, x: 14 }, motion: [0, 1, 2].map(() => new Float32Array(SIZE).fill(0.7)) },
];

let gpu: LossyGpu;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeAll(async () => {
  gpu = new LossyGpu(await testDevice());
  process.on('unhandledRejection', note);
});

afterAll(() => void process.off('unhandledRejection', note));

async function opened(isOwn: boolean): Promise<{ deghoster: Deghoster; open: OpenMerge }> {
  gpu.opened.length = 0;
  const deghoster = isOwn
    ? await Deghoster.create({ device: gpu.open, weights: WEIGHTS })
    : await Deghoster.create({ device: await gpu.open(), weights: WEIGHTS });
  return { deghoster, open: await deghoster.open(FRAMES, { align: 'none', response: 'gamma' }) };
}

const shown = ({ result }: OpenMerge): Float32Array[] => [result.radiance, ...result.motion].map((one) => one.slice());
const same = (a: Float32Array[], b: Float32Array[]): boolean => a.every((one, k) => isSame(one, b[k]));

it(`at any call of an update (DEGHOST_FAULT_SEED=${SEED})`, async () => {
  const random = rng(SEED);
  const { deghoster, open } = await opened(true);
  const states = [shown(open)];
  const calls: number[] = [];
  for (const change of CHANGES) {
    gpu.arm();
    await open.update(change);
    calls.push(gpu.arm().length);
    states.push(shown(open));
  }
  deghoster.dispose();
  expect(Math.min(...calls)).toBeGreaterThan(5);
  expect(same(states[0], states[1]) || same(states[1], states[2])).toBe(false);
  for (const isOwn of [true, false])
    for (let round = 0; round < TRIES; round++) {
      const step = round % CHANGES.length;
      const at = random.int(1, calls[step]);
      const where = `update ${step + 1}, call ${at} of ${calls[step]}, ${isOwn ? 'a device of its own' : 'borrowed'}`;
      const { deghoster, open } = await opened(isOwn);
      for (const change of CHANGES.slice(0, step)) await open.update(change);
      const [before, below] = [shown(open), open.motionIn(ALL)];
      gpu.arm(at, at % 2 === 0);
      const error = await soon(open.update(CHANGES[step])).then(
        () => undefined,
        (error: unknown) => error,
      );
      gpu.arm();
      if (isOwn) {
        expect(error, where).toBeUndefined();
        expect(same(shown(open), states[step + 1]), where).toBe(true);
        // Lost between two updates, too.
        gpu.opened.at(-1)!.lose();
        for (const change of CHANGES.slice(step + 1)) await soon(open.update(change));
        expect(same(shown(open), states[step === 1 ? 2 : CHANGES.length]), where).toBe(true);
      } else {
        expect(error, where).toBeInstanceOf(DeviceLostError);
        expect(same(shown(open), before), where).toBe(true);
        expect(same(open.motionIn(ALL), below), where).toBe(true);
      }
      deghoster.dispose();
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const [i, device] of gpu.opened.entries()) {
        if (isOwn) expect(device.isDestroyed, `${where}: device ${i + 1}`).toBe(true);
        expect(device.live, `${where}: device ${i + 1}`).toEqual([]);
      }
    }
  expect(gpu.wrong).toEqual([]);
  expect(unhandled).toEqual([]);
});
