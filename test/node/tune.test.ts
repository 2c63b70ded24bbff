/**
 * `deghost tune` for real, on the test adapter, of one kind of steps; what `deghost plan` and `deghost merge` make of
 * it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TUNE_OPTIONS } from '../../src/node/cli/args.ts';
import { tuneText } from '../../src/node/cli/tune.ts';
import { main } from '../../src/node/cli.ts';
import { isTuneResult } from '../../src/tune/result.ts';
import type { TuneResult } from '../../src/tune/result.ts';
import { tuneResult, tunedClass } from '../tune/samples.ts';
import { deghost, picture, scene } from './commandLine.ts';

const FIXED = 'test/goldens/fixed-merge-r0.weights.safetensors';
/** A kind of steps that compiles fast. */
const KIND = 'conv2d 1x1 24>3 picture';
const folder = mkdtempSync(join(tmpdir(), 'deghost-tune-'));
const file = join(folder, 'deghost', 'tuning.json');
const { DEGHOST_TUNING } = process.env;

beforeAll(() => void (process.env.DEGHOST_TUNING = file));
afterAll(() => {
  process.env.DEGHOST_TUNING = DEGHOST_TUNING;
  rmSync(folder, { recursive: true, force: true });
});

/** Programs of all steps of a plan. */
async function programs(): Promise<string[]> {
  const { stages } = JSON.parse((await deghost('plan', '96x64', '--weights', FIXED, '--json')).out) as {
    stages: { steps: { program: string }[] }[];
  };
  return stages.flatMap(({ steps }) => steps.map(({ program }) => program));
}

const plan = () => deghost('plan', '--size', '96x64', '--weights', FIXED);

describe('deghost tune', () => {
  it('times every implementation, keeps the fastest, and plans are made of it', async () => {
    const before = await plan();
    const untuned = await programs();
    expect(before.out).toMatch(/\n\npredicted time: no figures for this adapter: run `deghost tune`\n$/);
    expect(JSON.parse((await deghost('plan', '96x64', '--weights', FIXED, '--json')).out).predicted).toBeNull();

    const ran = await deghost('tune', '--weights', FIXED, '--only', KIND, '--json');
    expect(ran.code, ran.err).toBe(0);
    const found = JSON.parse(ran.out) as TuneResult & { cache: string };
    expect(isTuneResult(found)).toBe(true);
    expect(found.cache).toBe(file);
    expect(found.classes.map(({ name }) => name)).toEqual([KIND]);
    const [{ candidates, chosen }] = found.classes;
    expect(candidates.length).toBeGreaterThan(1);
    // All implementations agree on this adapter, and all take time.
    for (const { implementation, ms, error } of candidates)
      expect(ms, `${implementation}: ${error}`).toBeGreaterThan(0);
    expect(candidates.map(({ implementation }) => implementation)).toContain(chosen);
    const { cache: _, ...kept } = found;
    expect(JSON.parse(readFileSync(file, 'utf8')).entries[found.key]).toEqual(kept);

    const after = await plan();
    expect(after.out).toMatch(
      new RegExp(
        `\\n\\npredicted time: [\\d.]+ m?s on .*, from \`deghost tune\` of ${found.date.slice(0, 10)}; \\d+ of \\d+ ` +
          'kinds of steps were not timed',
      ),
    );
    const json = JSON.parse((await deghost('plan', '96x64', '--weights', FIXED, '--json')).out);
    expect(json.predicted).toMatchObject({
      adapter: found.adapter,
      tuned: found.date,
      milliseconds: expect.any(Number),
    });
    expect(json.predicted.milliseconds).toBeGreaterThan(0);

    // The plan runs what the cache has, whatever it is: here the slowest.
    const slowest = candidates.at(-1)!.implementation;
    const entries = { [found.key]: { ...kept, classes: [{ ...kept.classes[0], chosen: slowest }] } };
    writeFileSync(file, JSON.stringify({ deghost: 'tuning', entries }));
    const tuned = await programs();
    expect(tuned).toHaveLength(untuned.length);
    expect(tuned.filter((program, i) => program !== untuned[i])).toEqual([
      expect.stringMatching(/^conv2d 1x1 .*picture/),
    ]);
    writeFileSync(file, JSON.stringify({ deghost: 'tuning', entries: { [found.key]: kept } }));
  });

  it('ends at the limit, and says what was not reached', async () => {
    rmSync(file, { force: true });
    const ran = await deghost('tune', '--weights', FIXED, '--only', KIND, '--limit', '0');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(
      new RegExp(
        '\\n\\* taken\\. 0 kinds of steps timed, 0 of them with another implementation than the default; 1 not ' +
          `reached keep their defaults: ${KIND}\\n$`,
      ),
    );
    expect(ran.err).toMatch(/nothing was timed within the limit: raise --limit\n$/);
    expect(() => readFileSync(file)).toThrow('ENOENT');
  });

  it('is cancelled by Ctrl-C', async () => {
    const controller = new AbortController();
    let [out, err] = ['', ''];
    const stderr = {
      write: (text: string) => {
        err += text;
        if (text.includes(KIND)) controller.abort();
      },
    };
    const code = await main(['tune', '--weights', FIXED, '--only', KIND], {
      stdout: { write: (text) => void (out += text) },
      stderr,
      signal: controller.signal,
    });
    expect(code).toBe(130);
    expect(err).toMatch(/cancelled: nothing was written\n$/);
    expect(out).toContain(`1 not reached keep their defaults: ${KIND}`);
  });

  it('names what is wrong with its options', async () => {
    for (const [args, message] of [
      [['a.jpg'], /"a\.jpg" is given to deghost tune, which takes options alone/],
      [['--limit', 'soon'], /--limit is "soon": write seconds, such as 60/],
      [['--frames', '1'], /--frames is "1": it must be a whole number from 2 to 16/],
      [['--precision', 'f64'], /--precision is "f64"/],
      [['--only', 'conv9d'], /--only is "conv9d": no kind of step has that in its name/],
    ] as const) {
      const ran = await deghost('tune', '--weights', FIXED, ...args);
      expect([ran.code, ran.err]).toEqual([2, expect.stringMatching(message)]);
    }
    expect((await deghost('plan', '64x64', '--size', '64x64')).err).toMatch(/2 sizes given/);
  });

  it('explains its options', async () => {
    const { out, code } = await deghost('tune', '--help');
    expect(code).toBe(0);
    for (const name of Object.keys(TUNE_OPTIONS)) expect(out).toContain(`--${name}`);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });

  it('prints a table', () => {
    const kind = tunedClass(
      'conv2d 3x3 8>8',
      { 'direct 2x2x8': 2, 'direct 4x2x8': 1.25, 'staged 2x2x8': null },
      'direct 4x2x8',
      { multiplyAdds: 5e6, bytes: 4e6 },
    );
    expect(
      tuneText(
        tuneResult([kind, tunedClass('blend', { '': 0.5 }, '', { multiplyAdds: 0, bytes: 2e6 })], {
          timestamps: false,
          unreached: ['copy'],
        }),
      ),
    ).toBe(
      [
        'an adapter, f32: the largest step of each kind in a tile of at most 32x32, by wall time: the adapter has no ' +
          'timestamps',
        'kind of step     share  implementation                       ms  GFLOP/s  GB/s',
        'conv2d 3x3 8>8  50.0 %    direct 2x2x8  default           2.000      5.0  2.00',
        '                        * direct 4x2x8                    1.250      8.0  3.20',
        '                          staged 2x2x8  does not compile      -        -     -',
        'blend           50.0 %    (one way)                       0.500        -  4.00',
        '* taken. 2 kinds of steps timed, 1 of them with another implementation than the default; 1 not reached keep ' +
          'their defaults: copy',
      ].join('\n'),
    );
  });
});

describe('deghost merge', () => {
  it('reads what was tuned, and does not with --no-tune', async () => {
    mkdirSync(join(folder, 'deghost'), { recursive: true });
    writeFileSync(file, 'damaged');
    const inputs = await Promise.all(
      [0.25, 1, 4].map((exposure, k) =>
        picture(folder, `${k}.png`, scene(48, 32, exposure), 48, 32, `${exposure * 80}/6400`),
      ),
    );
    const merge = (...more: string[]) =>
      deghost('merge', ...inputs, '-o', join(folder, 'out.hdr'), '--weights', FIXED, ...more);
    const [read, unread] = [await merge(), await merge('--no-tune')];
    expect([read.code, unread.code], read.err + unread.err).toEqual([0, 0]);
    expect(read.err).toContain('tuning.json was not written by deghost: it is neither read nor replaced');
    expect(unread.err).not.toContain('tuning.json');
  });
});
