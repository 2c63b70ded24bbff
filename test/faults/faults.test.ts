/**
 * GPU calls of a small merge that fail, one in each merge: a typed error or the right picture, and a next merge that is
 * right. Of all points a few, others in each run; `npm run faults` takes all.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDevice } from '../gpu.ts';
import { rng } from '../reference/random.ts';
import { GPU_FAULTS } from './gpu.ts';
import { MergeFaults } from './merges.ts';

const SEED = Number(process.env.DEGHOST_FAULT_SEED ?? Math.floor(Math.random() * 1e9));

let faults: MergeFaults;

beforeAll(async () => {
  faults = new MergeFaults(await testDevice());
});

afterAll(() => faults?.dispose());

// One point a kind: after most failures the engine waits a second for the device's loss, which may have caused it.
it.each(GPU_FAULTS)(`%s (DEGHOST_FAULT_SEED=${SEED})`, async (fault) => {
  const random = rng(SEED);
  const kind = random.pick(['network', 'plain', 'to a buffer', 'aligned'] as const);
  const calls = await faults.count(kind, fault);
  if (calls === 0) return;
  const at = random.int(1, calls);
  expect(await faults.try(kind, fault, at), `${kind}, call ${at} of ${calls}`).toEqual([]);
});
