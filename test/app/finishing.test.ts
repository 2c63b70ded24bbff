/** The finish of the picture that is shown: what ends it, and what goes on while it is made. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { Finishing } from '../../app/src/worker/finishing.ts';
import type { Viewer } from '../../app/src/worker/viewer.ts';
import { Finisher } from '../../src/finish/finisher.ts';
import type { LiveFinish } from '../../src/finish/live.ts';
import { testDevice } from '../gpu.ts';

const [told, failures, shown]: unknown[][] = [[], [], []];

beforeAll(() => {
  vi.stubGlobal(
    'ImageData',
    class {
      readonly data: Uint8ClampedArray;
      constructor(width: number, height: number) {
        this.data = new Uint8ClampedArray(4 * width * height);
      }
    },
  );
  vi.stubGlobal(
    'OffscreenCanvas',
    class {
      getContext = () => undefined;
      convertToBlob = async () => new Blob();
    },
  );
});

afterAll(() => void vi.unstubAllGlobals());

afterEach(() => {
  vi.restoreAllMocks();
  for (const list of [told, failures, shown]) list.length = 0;
});

async function create(): Promise<Finishing> {
  const viewer = { device: await testDevice(), setFinish: (live: unknown) => shown.push(live) } as unknown as Viewer;
  const radiance = Float32Array.from({ length: 16 * 12 * 3 }, (_, i) => (i % 50) / 25);
  return Finishing.create(
    viewer,
    { radiance, width: 16, height: 12 },
    ({ type }) => told.push(type),
    (error) => failures.push(error),
  );
}

it('tells nothing where it ends while its looks are made, for the next merge: that is no failure', async () => {
  const whole = await create();
  await whole.offerLooks();
  expect(told).toEqual(['looks']);
  whole.close();
  const cut = await create();
  const offered = cut.offerLooks();
  await Promise.resolve();
  cut.close();
  await offered;
  expect([told, failures]).toEqual([['looks'], []]);
}, 60_000);

it('is the one that was chosen last, also where a part of the picture changes meanwhile', async () => {
  const finishing = await create();
  /** What the finisher was asked for, and lets go on. */
  const asked: { settings: unknown; go(): void }[] = [];
  vi.spyOn(Finisher.prototype, 'live').mockImplementation(
    (settings) =>
      new Promise((resolve) => asked.push({ settings, go: () => resolve({ settings } as unknown as LiveFinish) })),
  );
  vi.spyOn(Finisher.prototype, 'refresh').mockResolvedValue(undefined);
  const [before, chosen] = [1, 2].map((exposure) => ({ ...finishing.settingsOf({ look: 'natural' }), exposure }));
  const showing = finishing.show(before, false);
  void finishing.show(chosen, false);
  // A stroke is merged while the device is still at the one before.
  const refreshed = finishing.refresh({ top: 0, height: 1 });
  for (let k = 0; k < 2; k++) {
    await vi.waitFor(() => expect(asked.length).toBe(k + 1));
    await new Promise((resolve) => setTimeout(resolve));
    asked[k].go();
  }
  await Promise.all([showing, refreshed]);
  expect(shown).toEqual([{ settings: before }, { settings: chosen }]);
  expect(failures).toEqual([]);
  finishing.close();
}, 60_000);
