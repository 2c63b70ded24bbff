/** The finish that is shown is the one that was chosen last, also where parts of the picture change meanwhile. */
import { expect, it, vi } from 'vitest';
import { Finishing } from '../../app/src/worker/finishing.ts';
import type { Viewer } from '../../app/src/worker/viewer.ts';
import type { FinishSettings } from '../../src/finish/settings.ts';

/** What the stand-in for the engine's finisher was asked for, and lets go on. */
const asked: { settings: FinishSettings; go(): void }[] = [];
vi.mock('../../app/src/worker/later.ts', () => ({
  loadFinisher: async () => ({
    create: async () => ({
      live: (settings: FinishSettings) =>
        new Promise((resolve) => asked.push({ settings, go: () => resolve({ settings }) })),
      histogram: async () => ({}),
      refresh: async () => undefined,
    }),
  }),
}));

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

it('does not go back to the one before', async () => {
  const shown: unknown[] = [];
  const viewer = { setFinish: (live: unknown) => shown.push(live) } as unknown as Viewer;
  const failures: unknown[] = [];
  const finishing = await Finishing.create(
    viewer,
    { radiance: new Float32Array(3), width: 1, height: 1 },
    () => undefined,
    (error) => failures.push(error),
  );
  const [before, chosen] = [{ exposure: 1 }, { exposure: 2 }] as FinishSettings[];
  const showing = finishing.show(before, false);
  void finishing.show(chosen, false);
  // A stroke is merged while the device is still at the one before.
  const refreshed = finishing.refresh({ top: 0, height: 1 });
  for (let k = 0; k < 2; k++) {
    await rest();
    asked[k].go();
  }
  await Promise.all([showing, refreshed]);
  expect(asked.map(({ settings }) => settings)).toEqual([before, chosen]);
  expect(shown).toEqual([{ settings: before }, { settings: chosen }]);
  expect(failures).toEqual([]);
});
