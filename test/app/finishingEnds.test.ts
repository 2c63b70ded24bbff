/** A picture's finish that ends while its looks are made, because the next merge begins: that is no failure. */
import { expect, it, vi } from 'vitest';
import { Finishing } from '../../app/src/worker/finishing.ts';
import type { Viewer } from '../../app/src/worker/viewer.ts';
import { testDevice } from '../gpu.ts';

vi.mock('../../app/src/worker/preview.ts', () => ({ jpegOf: async () => new Blob() }));
vi.stubGlobal(
  'ImageData',
  class {
    readonly data: Uint8ClampedArray;
    constructor(width: number, height: number) {
      this.data = new Uint8ClampedArray(4 * width * height);
    }
  },
);

it('tells nothing', async () => {
  const device = await testDevice();
  const viewer = { device, setFinish: () => undefined } as unknown as Viewer;
  const radiance = Float32Array.from({ length: 16 * 12 * 3 }, (_, i) => (i % 50) / 25);
  const [told, failures]: unknown[][] = [[], []];
  const create = (): Promise<Finishing> =>
    Finishing.create(
      viewer,
      { radiance, width: 16, height: 12 },
      ({ type }) => told.push(type),
      (error) => failures.push(error),
    );
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
