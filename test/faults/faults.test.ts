/**
 * GPU calls of a small merge that fail, or that lose the device, one in each merge: a typed error or the right picture,
 * and a next merge that is right. Of all points a few, others in each run; `npm run faults` takes all.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDevice } from '../gpu.ts';
import { rng } from '../reference/random.ts';
import { GPU_FAULTS } from './gpu.ts';
import { Losses } from './losses.ts';
import { MERGES, MergeFaults } from './merges.ts';
import type { MergeKind } from './merges.ts';

const SEED = Number(process.env.DEGHOST_FAULT_SEED ?? Math.floor(Math.random() * 1e9));

const KINDS = Object.keys(MERGES) as MergeKind[];
/** Of all losses, this share. */
const LOSSES_EVERY = 10;
/** When the last of them begins. */
const MOST_LOSS_MS = 5_000;

describe('calls that fail', () => {
  let faults: MergeFaults;

  beforeAll(async () => {
    faults = new MergeFaults(await testDevice());
  });

  afterAll(() => faults?.dispose());

  // One point a kind: after most failures the engine waits a second for the device's loss, which may have caused it.
  it.each(GPU_FAULTS)(`%s (DEGHOST_FAULT_SEED=${SEED})`, async (fault) => {
    const random = rng(SEED);
    const kind = random.pick(KINDS);
    const calls = await faults.count(kind, fault);
    if (calls === 0) return;
    const at = random.int(1, calls);
    expect(await faults.try(kind, fault, at), `${kind}, call ${at} of ${calls}`).toEqual([]);
  });
});

describe(`the device is lost (DEGHOST_FAULT_SEED=${SEED})`, () => {
  let losses: Losses;

  beforeAll(async () => {
    losses = new Losses(await testDevice());
  });

  afterAll(() => losses?.dispose());

  it('at any call', async () => {
    const random = rng(SEED);
    const points: [MergeKind, number, string, boolean][] = [];
    for (const kind of KINDS) {
      const calls = await losses.calls(kind);
      for (let n = 1 + random.int(0, LOSSES_EVERY - 1); n <= calls.length; n += LOSSES_EVERY)
        points.push([kind, n, calls[n - 1], random.next() < 0.7]);
    }
    const end = performance.now() + MOST_LOSS_MS;
    for (const [kind, n, call, isOpened] of random.shuffle(points)) {
      if (performance.now() > end) break;
      const where = `${kind}, call ${n} (${call}), a device that is ${isOpened ? 'opened' : 'borrowed'}`;
      expect(await losses.try(kind, n, isOpened), where).toEqual([]);
    }
  });

  it('and another is not to be had, or is lost too', async () => {
    const calls = await losses.calls('plain');
    const n = rng(SEED).int(1, calls.lastIndexOf('mapAsync') + 1);
    expect(await losses.tryTwice('plain', n), `call ${n}`).toEqual([]);
  });

  it('while a clock is made: nothing is left', async () => {
    const calls = await losses.calls('profiled');
    for (const [i, call] of calls.entries())
      if (call === 'createQuerySet clock')
        expect(await losses.try('profiled', i + 1, false), `call ${i + 1}`).toEqual([]);
  });

  it('before any part of a result on the device: the next device has the whole result', async () => {
    const calls = await losses.calls('to a buffer');
    // While the result is allocated, the loss does not show yet.
    const made = calls.indexOf('createBuffer radiance') + 1;
    for (const at of [made - 1, made, made + 1, made + 2, made + 3])
      expect(await losses.try('to a buffer', at, true), `call ${at}: ${calls[at - 1]}`).toEqual([]);
  });
});
