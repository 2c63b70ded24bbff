/** What the page saves is what is shown when all changes are merged. */
import { expect, it, vi } from 'vitest';
import type { FromWorker } from '../../app/src/messages.ts';
import { Saving } from '../../app/src/worker/saving.ts';
import type { Result, Showing } from '../../app/src/worker/showing.ts';

const saved: Float32Array[] = [];
/** Called while a file is written. */
let whileWritten: () => void = () => undefined;
vi.mock('../../app/src/worker/later.ts', () => ({
  loadSave: async () => async (picture: { radiance: Float32Array }, _format: string, stem: string) => {
    saved.push(picture.radiance);
    whileWritten();
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

it('says of a file whether the picture has changed while it was written', async () => {
  const result = { merged: { radiance: new Float32Array(3), width: 1, height: 1 } } as Result;
  const showing = { result, edition: 1 };
  const told: FromWorker[] = [];
  const saving = new Saving(showing as unknown as Showing, (message) => told.push(message));
  for (const change of [() => undefined, () => showing.edition++]) {
    whileWritten = change;
    await saving.save({ type: 'save', format: 'hdr', finish: { look: 'natural' }, stem: 'a' });
  }
  expect(told).toMatchObject([
    { type: 'saved', isOutdated: false },
    { type: 'saved', isOutdated: true },
  ]);
});
