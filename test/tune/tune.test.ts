/** The tuner's decisions, with a bench and a clock of the test's own: no GPU. */
import { describe, expect, it } from 'vitest';
import { GpuError } from '../../src/errors.ts';
import type { Bench } from '../../src/tune/bench.ts';
import { choose, disagreement, tuneClasses } from '../../src/tune/tune.ts';
import type { TuneProgress } from '../../src/tune/control.ts';
import { stepClass } from './samples.ts';

/** What an implementation does: its time per run, the one value it stores, or the error it fails with. */
interface Doing {
  ms?: number;
  stores?: number;
  fails?: Error;
}

/** A bench whose clock advances by the given times; compiling takes `compileMs`. */
class FakeBench implements Bench {
  now = 0;
  opened = 0;
  closed = 0;
  /** Variants in the order in which they were timed. */
  readonly timed: string[] = [];
  readonly #doing: Record<string, Doing>;
  readonly #compileMs: number;

  constructor(doing: Record<string, Doing>, compileMs = 0) {
    this.#doing = doing;
    this.#compileMs = compileMs;
  }

  open = async (): ReturnType<Bench['open']> => {
    this.opened++;
    return {
      run: async (implementation) => {
        this.now += this.#compileMs;
        const { ms = 1, stores = 1, fails } = this.#doing[implementation];
        if (fails) throw fails;
        return {
          outputs: [Float32Array.of(1, stores)],
          time: async (count) => {
            this.timed.push(implementation);
            this.now += ms * count;
            return ms * count;
          },
        };
      },
      enlarge: async () => new Map(),
      close: () => void this.closed++,
    };
  };

  tune(
    implementations: readonly string[],
    control: Parameters<typeof tuneClasses>[3] = {},
    precision: 'f32' | 'f16' = 'f32',
    names = ['one'],
  ) {
    return tuneClasses(
      names.map((name) => stepClass(name, implementations)),
      this,
      precision,
      control,
      0,
      () => this.now,
    );
  }
}

describe('choose', () => {
  const timed = (times: Record<string, number | null>) =>
    Object.entries(times).map(([implementation, ms]) => ({ implementation, ms }));

  it('replaces the default by what is at least 3 % faster', () => {
    expect(choose('a', timed({ a: 1, b: 0.98 }))).toBe('a');
    expect(choose('a', timed({ a: 1, b: 0.97 }))).toBe('b');
    expect(choose('a', timed({ a: 1, b: 0.9, c: 0.5 }))).toBe('c');
    expect(choose('a', timed({ a: 1, b: 1 }))).toBe('a');
  });

  it('takes the fastest where the default was thrown out, and the default where nothing is known', () => {
    expect(choose('a', timed({ a: null, b: 3, c: 2 }))).toBe('c');
    expect(choose('a', timed({ a: null, b: null }))).toBe('a');
  });
});

describe('disagreement', () => {
  it('is the largest difference as a share of the largest value of an output', () => {
    expect(
      disagreement([Float32Array.of(1, -4), Float32Array.of(100)], [Float32Array.of(1.5, -4), Float32Array.of(101)]),
    ).toBeCloseTo(0.125, 6);
    expect(disagreement([Float32Array.of(0, 0)], [Float32Array.of(0, 0)])).toBe(0);
  });

  it('is infinite for NaN and for what is missing', () => {
    expect(disagreement([Float32Array.of(1, 2)], [Float32Array.of(1, NaN)])).toBe(Infinity);
    expect(disagreement([Float32Array.of(1, 2)], [Float32Array.of(1)])).toBe(Infinity);
  });
});

describe('tuneClasses', () => {
  it('chooses the fastest implementation, implementations taking turns', async () => {
    const bench = new FakeBench({ a: { ms: 10 }, b: { ms: 9 }, c: { ms: 9.5 } });
    const {
      classes: [tuned],
      unreached,
      stopped,
    } = await bench.tune(['a', 'b', 'c']);
    expect(tuned).toMatchObject({
      name: 'one',
      fallback: 'a',
      chosen: 'b',
      isTuned: true,
      candidates: [
        { implementation: 'a', ms: 10 },
        { implementation: 'b', ms: 9 },
        { implementation: 'c', ms: 9.5 },
      ],
    });
    expect([unreached, stopped]).toEqual([[], undefined]);
    // The first round finds out how often to run each; the four others take turns.
    expect(bench.timed.slice(-12)).toEqual(Array.from({ length: 4 }, () => ['a', 'b', 'c']).flat());
    expect([bench.opened, bench.closed]).toEqual([1, 1]);
  });

  it('repeats runs until a pass lasts as long as it is told, 8 ms by default', async () => {
    const spent = async (passMs?: number): Promise<number> => {
      const bench = new FakeBench({ a: { ms: 2 } });
      await bench.tune(['a'], { passMs });
      return bench.now;
    };
    // One run tells the time of a run; five passes follow.
    expect(await spent()).toBe(2 + 5 * 8);
    expect(await spent(20)).toBe(2 + 5 * 20);
    expect(await spent(1)).toBe(2 + 5 * 2);
  });

  it('keeps the default against what is less than 3 % faster', async () => {
    const {
      classes: [tuned],
    } = await new FakeBench({ a: { ms: 1 }, b: { ms: 0.98 } }).tune(['a', 'b']);
    expect(tuned.chosen).toBe('a');
    expect(tuned.candidates[1].ms).toBeCloseTo(0.98, 9);
  });

  it('gives up on what is far slower after one round, and keeps its time', async () => {
    const bench = new FakeBench({ a: { ms: 10 }, b: { ms: 40 } });
    const {
      classes: [tuned],
    } = await bench.tune(['a', 'b']);
    expect(tuned.candidates[1]).toEqual({ implementation: 'b', ms: 40 });
    expect(bench.timed.filter((implementation) => implementation === 'b')).toHaveLength(2);
  });

  it('rejects an implementation that disagrees, however fast, and says so', async () => {
    const doing = { a: { ms: 10 }, b: { ms: 1, stores: 1.001 }, c: { ms: 5, stores: 1.000001 } };
    const {
      classes: [tuned],
    } = await new FakeBench(doing).tune(['a', 'b', 'c']);
    expect(tuned.chosen).toBe('c');
    expect(tuned.candidates[1]).toEqual({
      implementation: 'b',
      ms: null,
      error: expect.stringMatching(/^differs from a by 1\.0e-3 of the scale, allowed is 0\.00001$/),
    });
    // Halves may differ by more.
    expect((await new FakeBench(doing).tune(['a', 'b', 'c'], {}, 'f16')).classes[0].chosen).toBe('b');
  });

  it('rejects what does not compile; the others are then compared with the next one', async () => {
    const {
      classes: [tuned],
    } = await new FakeBench({
      a: { fails: new GpuError('compiling a: no') },
      b: { ms: 2 },
      c: { ms: 1, stores: 7 },
    }).tune(['a', 'b', 'c']);
    expect(tuned.chosen).toBe('b');
    expect(tuned.candidates).toMatchObject([
      { ms: null, error: 'compiling a: no' },
      { ms: 2 },
      { ms: null, error: expect.stringMatching(/^differs from b/) },
    ]);
    const all = await new FakeBench({ a: { stores: NaN }, b: { fails: new GpuError('no') } }).tune(['a', 'b']);
    expect(all.classes[0]).toMatchObject({
      chosen: 'a',
      candidates: [
        { ms: null, error: 'stores values that are no numbers' },
        { ms: null, error: 'no' },
      ],
    });
  });

  it('passes on errors that no implementation causes, and closes what it opened', async () => {
    const bench = new FakeBench({ a: {}, b: { fails: new Error('out of luck') } });
    await expect(bench.tune(['a', 'b'])).rejects.toThrow('out of luck');
    expect(bench.closed).toBe(1);
  });

  it(
    'stops at the limit before the next implementation: what was not reached keeps its default, and is ' + 'named',
    async () => {
      const bench = new FakeBench({ a: { ms: 2 }, b: { ms: 1 } }, 1000);
      const { classes, unreached, stopped } = await bench.tune(['a', 'b'], { limitMs: 2900 }, 'f32', [
        'one',
        'two',
        'three',
      ]);
      expect(classes.map(({ name, chosen }) => [name, chosen])).toEqual([['one', 'b']]);
      expect(unreached).toEqual(['two', 'three']);
      expect(stopped).toBe('limit');
      expect(bench.now).toBeLessThan(2900 + 1000);
      expect([bench.opened, bench.closed]).toEqual([2, 2]);
      expect(await new FakeBench({ a: {} }).tune(['a'], { limitMs: 0 })).toEqual({
        classes: [],
        unreached: ['one'],
        stopped: 'limit',
      });
    },
  );

  it('chooses by one round where the limit ends the others', async () => {
    const bench = new FakeBench({ a: { ms: 300 }, b: { ms: 200 } });
    const { classes, stopped, unreached } = await bench.tune(['a', 'b'], { limitMs: 500 });
    expect(classes[0].chosen).toBe('b');
    expect(bench.timed).toEqual(['a', 'a', 'b', 'b']);
    expect([stopped, unreached]).toEqual([undefined, []]);
  });

  it('ends when it is cancelled, with what was found until then', async () => {
    const controller = new AbortController();
    const seen: TuneProgress[] = [];
    const onProgress = (event: TuneProgress): void => {
      seen.push(event);
      if (event.name === 'two' && event.implementation === 'b') controller.abort();
    };
    const bench = new FakeBench({ a: { ms: 2 }, b: { ms: 1 }, c: { ms: 3 } });
    const { classes, unreached, stopped } = await bench.tune(
      ['a', 'b', 'c'],
      { signal: controller.signal, onProgress },
      'f32',
      ['one', 'two', 'three'],
    );
    expect(classes.map(({ name }) => name)).toEqual(['one']);
    expect([unreached, stopped]).toEqual([['two', 'three'], 'cancelled']);
    expect(seen).toEqual([
      ...['a', 'b', 'c'].map((implementation) => ({ done: 0, total: 3, name: 'one', implementation })),
      { done: 0, total: 3, name: 'one' },
      ...['a', 'b'].map((implementation) => ({ done: 1, total: 3, name: 'two', implementation })),
    ]);
    expect(bench.closed).toBe(2);
  });
});
