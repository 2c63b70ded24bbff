/**
 * Every reader on what it once got wrong, and on some mutated files, others in each run: what it throws is typed, and
 * it neither hangs nor dies nor takes much. `npm run fuzz` does the same for as long as one likes, and counts arrays.
 */
import { expect, it } from 'vitest';
import { corpusOf } from './corpus.ts';
import { InputError } from '../../src/errors.ts';
import { judge, watchArrays } from './judge.ts';
import { mutation } from './mutate.ts';
import { READERS } from './readers.ts';

const SEED = Number(process.env.DEGHOST_FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
/** Of each reader. */
const MOST = 150;
const MOST_MS = 1000;
/** Other tests run at the same time. */
const SLOW_MS = 10_000;

it.each(Object.keys(READERS))(`%s (DEGHOST_FUZZ_SEED=${SEED})`, async (name) => {
  const reader = READERS[name];
  const files = await reader.seeds();
  // As they are, some are read: otherwise mutations would say nothing.
  const outcomes = await Promise.allSettled(files.map(async (file, seed) => reader.read(Buffer.from(file), seed)));
  expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
  for (const [file, bytes] of corpusOf(name)) expect((await judge(reader, bytes, 0, SLOW_MS)).faults, file).toEqual([]);
  const end = performance.now() + MOST_MS;
  for (let seed = SEED; seed < SEED + MOST && performance.now() < end; seed++) {
    const { faults } = await judge(reader, mutation(files, seed), seed, SLOW_MS);
    expect(faults, `npm run fuzz -- --reader '${name}' --seed ${seed} --count 1`).toEqual([]);
  }
});

it('arrays that are watched are arrays as others are', async () => {
  const own = Uint8Array;
  const before = new Uint8Array(3);
  const end = watchArrays();
  try {
    for (const array of [before, new Uint8Array(2), Uint8Array.from([1]), new Uint8Array(new ArrayBuffer(4), 1, 2)]) {
      expect(array instanceof Uint8Array).toBe(true);
      expect(array.constructor).toBe(Uint8Array);
    }
    expect(Uint8Array).not.toBe(own);
  } finally {
    end();
  }
  expect(new Uint8Array(1).constructor).toBe(own);
});

it('what no reader may do is found', async () => {
  const kinds = async (read: () => unknown, bytes = 8): Promise<string[]> =>
    (await judge({ seeds: async () => [], read }, Buffer.alloc(bytes), 0)).faults.map(({ what }) => what);
  const picture = { data: new Uint8Array(3), width: 1, height: 1 };
  const end = watchArrays();
  try {
    expect(await kinds(() => picture)).toEqual([]);
    expect(await kinds(() => void new Uint8Array(2 ** 20 + 1))).toEqual(['memory']);
    expect(await kinds(() => void Buffer.alloc(2 ** 21))).toEqual(['memory']);
    expect(await kinds(() => void new Float32Array(2 ** 18 * 4), 8192)).toEqual([]);
    // A picture is told by its size, however large its file is.
    expect(await kinds(() => [new Float32Array(2 ** 20), picture][1], 8192)).toEqual(['memory']);
  } finally {
    end();
  }
  expect(await kinds(() => void new Uint8Array(2 ** 21))).toEqual([]);
  expect(await kinds(() => Promise.reject(new TypeError('x')))).toEqual(['untyped']);
  expect(await kinds(() => Promise.reject(Object.assign(new InputError('x'), { message: '\u001b[31m' })))).toEqual([
    'message',
  ]);
});
