/** What the page saves is what is shown when all changes are merged. */
import { expect, it, vi } from 'vitest';
import type { FromWorker } from '../../app/src/messages.ts';
import { Saving } from '../../app/src/worker/saving.ts';
import type { Result, Showing } from '../../app/src/worker/showing.ts';

const saved: Float32Array[] = [];
vi.mock('../../app/src/worker/later.ts', () => ({
  loadSave: async () => async (picture: { radiance: Float32Array }, _format: string, stem: string) => {
    saved.push(picture.radiance);
    return { name: `${stem}.hdr`, file: new Blob() };
  },
}));

it('also where the frames were merged once more for that', async () => {
  const pictureOf = (value: number) => ({ radiance: new Float32Array(3).fill(value), width: 1, height: 1 });
  const result = { merged: pictureOf(1) } as Result;
  result.changes = {
    async settled() {
      await Promise.resolve();
      Object.assign(result, { merged: pictureOf(2) });
    },
  } as Result['changes'];
  const told: FromWorker['type'][] = [];
  const saving = new Saving({ result } as Showing, ({ type }) => told.push(type));
  await saving.save({ type: 'save', format: 'hdr', finish: { look: 'natural' }, stem: 'a' });
  expect(told).toEqual(['saved']);
  expect(saved).toEqual([new Float32Array(3).fill(2)]);
});
