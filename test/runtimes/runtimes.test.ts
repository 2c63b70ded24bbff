/**
 * The code that runs the suite: whatever a runtime does (pass, compute something wrong, crash, hang, be absent), its
 * outcome says so, and the run fails exactly when it should. Runners here are small scripts; the real ones run by `npm
 * run test:runtimes`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { testDevice } from '../gpu.ts';
import { readGolden } from '../reference/goldens.ts';
import type { Golden } from '../reference/golden.ts';
import { TooFarError } from '../reference/random.ts';
import { map } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import type { RunnerEvent } from './events.ts';
import { GOLDEN_TOLERANCE, checkGolden } from './goldenCheck.ts';
import { counts, isFailure, table } from './table.ts';
import { watch } from './watch.ts';
import type { Outcome } from './watch.ts';

const LIMITS = { silence: 20, timeout: 60 };
const BEGIN: RunnerEvent = { type: 'begin', version: 'Fake 1.0', adapter: 'none', tests: 2 };
const END: RunnerEvent = { type: 'end' };
const result = (name: string, ok = true): RunnerEvent => ({
  type: 'result',
  result: {
    name,
    group: 'golden',
    error: ok ? 1e-6 : 0.5,
    tolerance: 1e-4,
    ms: 1,
    ok,
    ...(ok ? {} : { message: `${name}: off by 0.5` }),
  },
});
const test = (name: string): RunnerEvent => ({ type: 'test', name });

/** A runner that prints events, then runs a script. */
function fake(events: readonly RunnerEvent[], script = ''): Parameters<typeof watch>[0] {
  const prints = events.map((event) => `console.log(${JSON.stringify(JSON.stringify(event))});`);
  const source = [...prints, script].join('\n');
  return { name: 'fake', required: true, find: () => ({ program: process.execPath, args: ['-e', source] }) };
}

describe('watch', () => {
  it('takes a runner that tells of all its tests as passed', async () => {
    const outcome = await watch(
      fake([BEGIN, test('a'), result('a'), test('b'), result('b'), END], 'console.log("{not an event");'),
      LIMITS,
    );
    expect(outcome).toMatchObject({ status: 'passed', version: 'Fake 1.0', adapter: 'none', tests: 2 });
    expect(outcome.reason).toBeUndefined();
    expect(outcome.results.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it.each([
    [
      'a crash',
      [BEGIN, test('a'), result('a'), test('b')],
      'process.abort();',
      /^was ended by SIGABRT while running "b"/,
    ],
    [
      'a non-zero end',
      [BEGIN, test('a')],
      'console.error("no more\\nout of luck"); process.exit(3);',
      /^ended with code 3 while running "a": out of luck$/,
    ],
    ['an early end', [BEGIN, test('a'), result('a'), END], '', /^ended with code 0 while running "a"/],
    ['an end before it began', [], '', /^ended with code 0 while starting/],
    ['an error', [{ type: 'error', message: 'no adapter' }], '', /^no adapter$/],
    [
      'an error in a test',
      [BEGIN, test('a'), { type: 'error', message: 'the page crashed' }],
      '',
      /^the page crashed, while running "a"$/,
    ],
  ] as [string, RunnerEvent[], string, RegExp][])(
    'calls %s broken, and says where',
    async (_, events, script, reason) => {
      const outcome = await watch(fake(events, script), LIMITS);
      expect(outcome.status).toBe('broken');
      expect(outcome.reason).toMatch(reason);
    },
  );

  it('calls a wrong result a failure, also where it crashes afterwards', async () => {
    const outcome = await watch(fake([BEGIN, test('a'), result('a', false), test('b')], 'process.abort();'), LIMITS);
    expect(outcome).toMatchObject({ status: 'failed', reason: 'a: a: off by 0.5' });
  });

  it('ends one that falls silent or takes too long, with all its processes', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const deaf = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)';
      const child = spawn(process.execPath, ['-e', deaf], { stdio: 'ignore' });
      process.on('SIGTERM', () => {});
      console.log(JSON.stringify({ type: 'begin', version: String(child.pid), adapter: '', tests: 1 }));
      console.log(JSON.stringify({ type: 'test', name: 'long' }));
      setInterval(() => {}, 1000);`;
    const silent = await watch(fake([], script), { silence: 3, timeout: 60 });
    expect(silent).toMatchObject({ status: 'broken', reason: 'silent for 3 s, while running "long"' });
    await expect.poll(() => isAlive(Number(silent.version))).toBe(false);
    const late = await watch(
      fake([BEGIN], `setInterval(() => console.log(${JSON.stringify(JSON.stringify(test('again')))}), 100);`),
      { silence: 20, timeout: 3 },
    );
    expect(late).toMatchObject({ status: 'broken', reason: 'ran past 3 s, while running "again"' });
  }, 60_000);

  it('tells of one that is absent or does not start', async () => {
    const absent = await watch({ name: 'fake', required: true, find: () => ({ absent: 'not there' }) }, LIMITS);
    expect(absent).toMatchObject({ status: 'absent', reason: 'not there' });
    const missing = await watch(
      { name: 'fake', required: true, find: () => ({ program: '/nowhere/fake', args: [] }) },
      LIMITS,
    );
    expect(missing).toMatchObject({ status: 'broken', reason: expect.stringContaining('did not start') as string });
  });
});

/** Whether a process runs; one that has ended and waits to be collected does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the outcome of a run', () => {
  const outcome = (status: Outcome['status'], required: boolean): Outcome => ({
    name: 'fake',
    required,
    status,
    tests: 0,
    seconds: 1,
    results: [],
  });

  it('fails for what is wrong anywhere, and for what is required and does not run', () => {
    const failing = (required: boolean): string[] =>
      (['passed', 'failed', 'broken', 'absent'] as const).filter((status) => isFailure(outcome(status, required)));
    expect(failing(true)).toEqual(['failed', 'broken', 'absent']);
    expect(failing(false)).toEqual(['failed']);
  });

  it('counts tests, and a required runtime that does not run as one that failed', () => {
    const results = [result('a'), result('b', false)].flatMap((event) =>
      event.type === 'result' ? [event.result] : [],
    );
    expect(
      counts([{ ...outcome('failed', false), results }, outcome('absent', true), outcome('broken', false)]),
    ).toEqual({ passed: 1, failed: 2 });
  });

  it('is a table with the worst errors and every reason', () => {
    const results = [result('a'), result('b', false)].flatMap((event) =>
      event.type === 'result' ? [event.result] : [],
    );
    const lines = table([
      { ...outcome('failed', true), name: 'one', version: 'One 1', adapter: 'A', tests: 2, results, reason: 'b: off' },
      { ...outcome('absent', false), name: 'two', seconds: 0, reason: 'not there' },
    ]).split('\n');
    expect(lines).toEqual([
      'runtime  version  adapter  passed  golden error  kernel error   time',
      'one      One 1    A           1/2        5.0e-1             -  1.0 s  failed',
      'two      -        -             -             -             -      -  absent',
      '',
      'one: failed: b: off',
      'two: absent (optional): not there',
    ]);
  });
});

describe('npm run test:runtimes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'deghost-runtimes-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs it with a shell script in place of Deno, or none. */
  function run(
    args: readonly string[],
    events?: readonly RunnerEvent[],
  ): { code: number | null; stdout: string; stderr: string } {
    const deno = join(folder, 'deno');
    if (events)
      writeFileSync(deno, `#!/bin/sh\n${events.map((event) => `echo '${JSON.stringify(event)}'`).join('\n')}\n`);
    else rmSync(deno, { force: true });
    if (events) chmodSync(deno, 0o755);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('run.ts', import.meta.url)), ...args],
      { env: { ...process.env, DENO: deno }, encoding: 'utf8' },
    );
    return { code: status, stdout, stderr };
  }

  it('prints a table, writes JSON, and exits with 0 where all pass', () => {
    const file = join(folder, 'results.json');
    const { code, stdout, stderr } = run(
      ['--only', 'deno', '--json', file],
      [BEGIN, test('a'), result('a'), test('b'), result('b'), END],
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^runtime +version .*\ndeno +Fake 1.0 +none +2\/2 +1.0e-6 +- .* passed\n$/);
    expect(stderr).toContain('deno: Fake 1.0, none, 2 tests');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      passed: 2,
      failed: 0,
      runtimes: [{ name: 'deno', status: 'passed', goldenError: 1e-6, kernelError: null }],
    });
  });

  it('exits with 1 for a wrong result, and for a runtime that is not there', () => {
    const wrong = run(['--only', 'deno'], [BEGIN, test('a'), result('a', false), test('b'), result('b'), END]);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain('deno: failed: a: a: off by 0.5');
    const absent = run(['--only', 'deno']);
    expect(absent.code).toBe(1);
    expect(absent.stdout).toMatch(/deno: absent: DENO is .*, which cannot be run/);
  });

  it('exits with 2 for wrong usage', () => {
    expect(run(['--only', 'netscape'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown runtime "netscape": there are node, ') as string,
    });
    expect(run(['--timeout=-3'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--timeout is -3') as string,
    });
  });
});

describe('launchChromium', () => {
  it('gives pages an adapter also where this process has chosen a driver of its own', async () => {
    const before = process.env.VK_DRIVER_FILES;
    process.env.VK_DRIVER_FILES = '/nonexistent.json';
    try {
      const browser = await launchChromium();
      const page = await browser.newPage();
      await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
      await page.goto('http://localhost/');
      expect(await page.evaluate(async () => (await navigator.gpu.requestAdapter())?.info.architecture)).toBe(
        'swiftshader',
      );
      await browser.close();
    } finally {
      if (before === undefined) delete process.env.VK_DRIVER_FILES;
      else process.env.VK_DRIVER_FILES = before;
    }
  });
});

describe('checkGolden', () => {
  /** A golden with one value of a stage changed. */
  function changed(golden: Golden, stage: string, by: number): Golden {
    const move = (x: Tensor): Tensor => map(x, (value, i) => (i === 3 ? value + by : value));
    return { ...golden, stages: new Map([...golden.stages].map(([name, x]) => [name, name === stage ? move(x) : x])) };
  }

  it.each(['Y', 'W.1'])('sees that %s is off by more than the tolerance', async (stage) => {
    const golden = readGolden('fixed-merge-r0');
    const device = await testDevice();
    expect(await checkGolden(golden, device)).toBeLessThan(GOLDEN_TOLERANCE / 2);
    const off = checkGolden(changed(golden, stage, 1.6 * GOLDEN_TOLERANCE), device);
    await expect(off).rejects.toThrow(TooFarError);
    await expect(off).rejects.toThrow(`fixed-merge-r0 ${stage}: worst at index 3`);
  });

  it('sees that a binary map has a value of its own, and a golden that cannot decide', async () => {
    const golden = readGolden('any-3-binary');
    const device = await testDevice();
    const flipped = golden.stages.get('W.1')!.data[3] ? -1 : 1;
    await expect(checkGolden(changed(golden, 'W.1', flipped), device)).rejects.toThrow(
      'any-3-binary W.1: worst at index 3',
    );
    const logit = golden.stages.get('logit.1')!.data[3];
    await expect(checkGolden(changed(golden, 'logit.1', -logit), device)).rejects.toThrow(
      'any-3-binary W.1: before the cut a value is 0 from 0.5, too near',
    );
  });
});
