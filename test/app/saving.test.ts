/** What the page saves is what is shown when all changes are merged. */
import { expect, it } from 'vitest';
import type { FromWorker } from '../../app/src/messages.ts';
import { Saving } from '../../app/src/worker/saving.ts';
import type { Result, Showing } from '../../app/src/worker/showing.ts';

type Saved = Extract<FromWorker, { type: 'saved' }>;

const resultOf = (value: number) =>
  ({ merged: { radiance: new Float32Array(3).fill(value), width: 1, height: 1, scale: 1 } }) as unknown as Result;

/** Saves what is shown as Radiance. */
async function save(showing: object): Promise<Saved> {
  const told: FromWorker[] = [];
  const saving = new Saving(showing as Showing, (message) => told.push(message));
  await saving.save({ type: 'save', format: 'hdr', finish: { look: 'natural' }, stem: 'a' });
  expect(told.map(({ type }) => type)).toEqual(['saved']);
  return told[0] as Saved;
}

const bytesOf = async ({ file }: Saved): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

it('also where the frames were merged once more for that', async () => {
  const [before, again] = [resultOf(1), resultOf(2)];
  const result = resultOf(1);
  result.changes = {
    async settled() {
      await Promise.resolve();
      result.merged = again.merged;
    },
  } as Result['changes'];
  const saved = await bytesOf(await save({ result }));
  expect(saved).toEqual(await bytesOf(await save({ result: again })));
  expect(saved).not.toEqual(await bytesOf(await save({ result: before })));
});

it('says of a file whether the picture has changed while it was written', async () => {
  const result = resultOf(1);
  expect((await save({ result, edition: 1 })).isOutdated).toBe(false);
  let edition = 0;
  const changing = {
    result,
    get edition() {
      return edition++;
    },
  };
  expect((await save(changing)).isOutdated).toBe(true);
});
