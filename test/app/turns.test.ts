/** Merges in the page's worker: one after another, whoever waits. */
import { expect, it } from 'vitest';
import { Turns } from '../../app/src/worker/turns.ts';

interface Job {
  name: string;
  signal: AbortSignal;
  end(error?: Error): void;
}

/** Work that runs until it is ended. */
function jobs(): { begun: Job[]; work(name: string): (signal: AbortSignal) => Promise<void> } {
  const begun: Job[] = [];
  const work = (name: string) => (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      begun.push({ name, signal, end: (error) => (error ? reject(error) : resolve()) });
    });
  return { begun, work };
}

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

it('begins no two at once, though several wait for the same', async () => {
  const [turns, { begun, work }] = [new Turns(), jobs()];
  const plain = turns.run(work('plain'));
  const patient = turns.run(work('patient'), true);
  expect([begun.length, begun[0].signal.aborted, turns.isBusy]).toEqual([1, false, true]);
  const merge = turns.run(work('merge'));
  expect(begun[0].signal.aborted).toBe(true);
  const all = [plain, patient, merge];
  for (let k = 0; k < all.length; k++) {
    await rest();
    expect(begun.map(({ name }) => name)).toEqual(['plain', 'patient', 'merge'].slice(0, k + 1));
    begun[k].end();
  }
  await Promise.all(all);
  expect(turns.isBusy).toBe(false);
});

it('cancels what waits for the end of another, but not who lets the other come to its end', async () => {
  const [turns, { begun, work }] = [new Turns(), jobs()];
  const all = [turns.run(work('plain')), turns.run(work('merge')), turns.run(work('patient'), true)];
  turns.cancel();
  for (let k = 0; k < all.length; k++) {
    await rest();
    begun[k].end();
  }
  await Promise.all(all);
  expect(begun.map(({ name, signal }) => [name, signal.aborted])).toEqual([
    ['plain', true],
    ['merge', true],
    ['patient', false],
  ]);
});

it('goes on after work that failed', async () => {
  const [turns, { begun, work }] = [new Turns(), jobs()];
  const failed = expect(turns.run(work('one'))).rejects.toThrow('failed');
  const next = turns.run(work('two'), true);
  begun[0].end(new Error('failed'));
  await failed;
  await rest();
  expect(begun.map(({ name }) => name)).toEqual(['one', 'two']);
  begun[1].end();
  await next;
  expect(turns.isBusy).toBe(false);
});
