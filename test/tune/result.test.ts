/** What is kept of a tuning: choices, joining, caches, and what is not a tuning. */
import { describe, expect, it } from 'vitest';
import { readTuning, writeTuning } from '../../src/tune/cache.ts';
import { candidateGbps, candidateGflops, choicesOf, isTuneResult, joinResults } from '../../src/tune/result.ts';
import type { TuneResult } from '../../src/tune/result.ts';
import { tuneResult, tunedClass } from './samples.ts';

describe('choicesOf', () => {
  it('names what differs from the defaults, and leaves choices as they are', () => {
    const tuned = tuneResult([
      tunedClass('one', { a: 2, b: 1 }, 'b'),
      tunedClass('two', { a: 1, b: 2 }),
      tunedClass('three', { '': 1 }),
    ]);
    expect([...choicesOf(tuned)]).toEqual([['one', 'b']]);
    const choices = new Map([['one', 'c']]);
    expect(choicesOf(choices)).toBe(choices);
  });
});

describe('rates', () => {
  it('count a multiply-add as two operations', () => {
    const tuned = tunedClass('one', { a: 2, b: null }, 'a', { multiplyAdds: 3e6, bytes: 5e6 });
    expect(candidateGflops(tuned, tuned.candidates[0])).toBeCloseTo(3, 9);
    expect(candidateGbps(tuned, tuned.candidates[0])).toBeCloseTo(2.5, 9);
    expect(candidateGflops(tuned, tuned.candidates[1])).toBeUndefined();
  });
});

describe('joinResults', () => {
  const earlier = tuneResult([tunedClass('one', { a: 2 }), tunedClass('two', { a: 3 })], {
    unreached: ['three', 'four'],
  });

  it('puts the later over the earlier', () => {
    const later = tuneResult([tunedClass('two', { a: 9 }), tunedClass('three', { a: 4 })], {
      unreached: ['one', 'five'],
      stopped: 'limit',
      date: '2026-02-02T00:00:00.000Z',
    });
    const joined = joinResults(earlier, later);
    expect(joined.classes.map(({ name, candidates }) => [name, candidates[0].ms])).toEqual([
      ['two', 9],
      ['three', 4],
      ['one', 2],
    ]);
    expect(joined).toMatchObject({ unreached: ['five', 'four'], stopped: 'limit', date: later.date });
  });

  it('leaves out what holds for something else', () => {
    const other = tuneResult([], { key: 'another adapter' });
    expect(joinResults(earlier, other)).toBe(other);
    expect(joinResults(undefined, other)).toBe(other);
  });
});

describe('a cache', () => {
  const memory = () => {
    const held = new Map<string, unknown>();
    return {
      held,
      read: async (key: string) => held.get(key),
      write: async (key: string, value: TuneResult) => void held.set(key, JSON.parse(JSON.stringify(value))),
    };
  };

  it('gives back what was written, joined', async () => {
    const cache = memory();
    const first = tuneResult([tunedClass('one', { a: 2, b: null })], { stopped: 'cancelled', unreached: ['two'] });
    expect(await writeTuning(cache, first)).toEqual(first);
    expect(await readTuning(cache, first.key)).toEqual(first);
    const joined = await writeTuning(cache, tuneResult([tunedClass('two', { a: 1 })]));
    expect(joined.classes.map(({ name }) => name)).toEqual(['two', 'one']);
    expect(await readTuning(cache, first.key)).toEqual(joined);
    expect(await readTuning(cache, 'another key')).toBeUndefined();
  });

  it('is not believed', async () => {
    const cache = memory();
    const good = tuneResult([tunedClass('one', { a: 2 })]);
    expect(isTuneResult(good)).toBe(true);
    const bad: unknown[] = [
      null,
      7,
      'text',
      [],
      {},
      { ...good, format: 'deghost tuning 0' },
      { ...good, classes: {} },
      { ...good, classes: [{ name: 'one' }] },
      { ...good, date: 'yesterday' },
      { ...good, tile: null },
      { ...good, precision: 'f64' },
      { ...good, unreached: [3] },
      { ...good, stopped: 'never' },
    ];
    bad.push(
      { ...good, classes: [{ ...good.classes[0], candidates: [{ implementation: 'a', ms: 'fast' }] }] },
      { ...good, classes: [{ ...good.classes[0], multiplyAdds: -1 }] },
    );
    for (const value of bad) {
      expect(isTuneResult(value), JSON.stringify(value)).toBe(false);
      cache.held.set(good.key, value);
      expect(await readTuning(cache, good.key)).toBeUndefined();
    }
    cache.held.set(good.key, { ...good, key: 'another key' });
    expect(await readTuning(cache, good.key)).toBeUndefined();
  });
});
