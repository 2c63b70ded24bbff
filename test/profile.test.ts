/** What a merge reports about its time, and how few pipelines it needs. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Deghoster } from '../src/index.ts';
import type { MergeProfile } from '../src/index.ts';
import { Gpu } from '../src/device.ts';
import { Runner } from '../src/graph/runner.ts';
import { MAX_SPANS } from '../src/graph/timestamps.ts';
import type { Schedule } from '../src/model/schedule.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { shippedWeightsPath } from '../src/node/package.ts';
import { programProfiles } from '../src/profile.ts';
import { testDevice } from './gpu.ts';
import { eightBit } from './reference/frames.ts';
import { readGolden } from './reference/goldens.ts';

/** Tests of other things take the pixels as they are. */
const AS_IS = { align: 'none' } as const;

const thin = () => readGolden('fixed-halo').weightsBytes;
/** Implementations round timestamps: Dawn to 65 us, browsers to 100. */
const ROUNDING_MS = 0.1;

/** Checks that a profile has everything in a schedule once, and no more time than passed. */
function check(profile: MergeProfile, { stages }: Schedule): void {
  expect(profile.stages.map(({ name, tiles }) => [name, tiles])).toEqual(
    stages.map(({ name, tiling }) => [name, tiling.tiles.length]),
  );
  const phases = profile.stages.reduce((sum, { ms }) => sum + ms, profile.responseMs + profile.compileMs);
  expect(phases).toBeLessThanOrEqual(profile.ms);
  expect(phases).toBeGreaterThan(0.5 * profile.ms);
  profile.stages.forEach((timed, s) => {
    const { plan, tiling } = stages[s];
    const count = tiling.tiles.length;
    expect(new Set(timed.programs.map(({ op }) => op))).toEqual(new Set(plan.steps.map(({ op }) => op)));
    expect(timed.programs.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(plan.steps.length * count);
    expect(timed.programs.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0)).toBe(plan.multiplyAdds * count);
    for (const part of [timed.prepareMs, timed.pasteMs, timed.busyMs]) expect(part).toBeGreaterThan(0);
    // Whole frames are sent once, in the first stage.
    if (s === 0) expect(timed.sendMs).toBeGreaterThan(0);
    expect(timed.sendMs + timed.pasteMs + timed.prepareMs).toBeLessThanOrEqual(timed.ms);
    expect(timed.submissions).toBeGreaterThanOrEqual(count);
    if (!profile.timestamps) {
      expect(
        [timed.computeMs, timed.cutMs, timed.takeMs, ...timed.programs.map(({ ms }) => ms)].every((ms) => ms === null),
      ).toBe(true);
      return;
    }
    const sum = timed.programs.reduce((total, { ms }) => total + ms!, 0);
    expect(sum).toBeCloseTo(timed.computeMs!, 6);
    expect(timed.computeMs!).toBeGreaterThan(0);
    expect(timed.computeMs! + timed.cutMs! + timed.takeMs!).toBeLessThanOrEqual(timed.ms + ROUNDING_MS * count * 2);
  });
}

describe('profile', () => {
  it.each([512, 10])(
    'of a merge in %i MiB tells of every operation, within the time there was, and changes nothing',
    async (mebibytes) => {
      const frames = eightBit(213, 131, [1, 4, 16]);
      const deghoster = await Deghoster.create({
        weights: thin(),
        device: await testDevice(),
        memoryBudget: mebibytes * 2 ** 20,
      });
      const plain = await deghoster.merge(frames, AS_IS);
      expect(plain).not.toHaveProperty('profile');
      const { profile, ...result } = await deghoster.merge(frames, { ...AS_IS, profile: true });
      expect(result).toEqual(plain);
      check(profile!, deghoster.schedule({ width: 213, height: 131, frames: 3 }));
      deghoster.dispose();
    },
  );

  it('says that there are no times where the adapter has no timestamps', async () => {
    const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    const device = await adapter.requestDevice();
    const deghoster = await Deghoster.create({ weights: thin(), device });
    const { profile } = await deghoster.merge(eightBit(64, 48, [1, 4, 16]), { ...AS_IS, profile: true });
    expect(profile!.timestamps).toBe(false);
    check(profile!, deghoster.schedule({ width: 64, height: 48, frames: 3 }));
    deghoster.dispose();
    device.destroy();
  });

  it('times plans of any length, each step by itself', async () => {
    const device = await testDevice();
    const deghoster = await Deghoster.create({ device });
    const [{ plan }] = deghoster.schedule({ width: 64, height: 64, frames: 2, reference: 0, method: 'merge' }).stages;
    deghoster.dispose();
    const executor = new Runner(new Gpu(device));
    if (!executor.canTime) throw new Error('this test needs an adapter with timestamps: DEGHOST_ADAPTER=software');
    const steps = Array.from({ length: 2 * MAX_SPANS + 77 }, () => plan.steps[0]);
    const long = { ...plan, steps };
    const prepared = await executor.prepare(long);
    const stepMs = new Float64Array(steps.length);
    await executor.run(prepared, { stepMs });
    executor.release(prepared);
    const begun = performance.now();
    expect(stepMs.every((ms) => ms >= 0 && ms < begun)).toBe(true);
    // Steps are shorter than the clock's rounding here and there, but not for a hundred in a row.
    for (let i = 0; i + 100 <= steps.length; i += 100)
      expect(stepMs.subarray(i, i + 100).reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
    const [row] = programProfiles(long, 3, stepMs);
    expect(row).toMatchObject({ op: plan.steps[0].op, dispatches: 3 * steps.length });
    executor.dispose();
  });
});

describe('pipelines', () => {
  const ENOUGH = 40;

  it.each(['this adapter', 'a device of default limits'])(
    `of a whole merge by the shipped network are at most ${ENOUGH}, on %s`,
    async (which) => {
      const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
      const device = which === 'this adapter' ? await testDevice() : await adapter.requestDevice();
      const deghoster = await Deghoster.create({ weights: readFileSync(shippedWeightsPath(3)), device });
      for (const [width, height] of [
        [16, 16],
        [1500, 1000],
        [6000, 4000],
      ]) {
        const { stages } = deghoster.schedule({ width, height, frames: 3 });
        expect(stages.map(({ name }) => name)).toEqual(['segmentation', 'fusion']);
        const programs = new Set(
          stages.flatMap(({ plan }) => plan.steps.map(({ dispatch }) => dispatch.program.source)),
        );
        expect(programs.size).toBeGreaterThan(5);
        expect(programs.size).toBeLessThanOrEqual(ENOUGH);
      }
      deghoster.dispose();
      if (device !== (await testDevice())) device.destroy();
    },
  );
});
