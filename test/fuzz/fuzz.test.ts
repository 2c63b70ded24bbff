/**
 * Every reader on some mutated files, others in each run: what it throws is typed, and it neither hangs nor dies nor
 * takes much. `npm run fuzz` does the same for as long as one likes.
 */
import { expect, it } from 'vitest';
import { DeghostError } from '../../src/errors.ts';
import { mutation } from './mutate.ts';
import { READERS } from './readers.ts';

const SEED = Number(process.env.DEGHOST_FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
/** Of each reader. */
const MOST = 150;
const MOST_MS = 1000;

it.each(Object.keys(READERS))(`%s (DEGHOST_FUZZ_SEED=${SEED})`, async (name) => {
  const reader = READERS[name];
  const files = await reader.seeds();
  // As they are, some are read: otherwise mutations would say nothing.
  const outcomes = await Promise.allSettled(files.map(async (file, seed) => reader.read(Buffer.from(file), seed)));
  expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
  const end = performance.now() + MOST_MS;
  for (let seed = SEED; seed < SEED + MOST && performance.now() < end; seed++) {
    const begun = performance.now();
    try {
      await reader.read(mutation(files, seed), seed);
    } catch (error) {
      if (!(error instanceof DeghostError))
        throw new Error(`npm run fuzz -- --reader '${name}' --seed ${seed}`, { cause: error });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(error.message, `seed ${seed}`).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
    expect(performance.now() - begun, `seed ${seed}`).toBeLessThan(10_000);
  }
});
