/**
 * `npm run bench:gpu:all`: every measurement of deghost on a GPU, in one run of about ten minutes.
 *
 *     npm run bench:gpu:all -- --out FOLDER [--deadline 570] [--adapter gpu] [--tiny] [--only peaks,merges]
 *
 * Each step is a process with a limit of its own; none stops the next, and all end before the deadline: a step gets
 * what is left, less what later, more important ones need. The most important steps come first. A step's rows go to
 * FOLDER/STEP.jsonl, its messages to stderr and FOLDER/log.txt; FOLDER/steps.jsonl says how each ended.
 * DAWN_TOGGLES=a,b adds toggles of Dawn (dawnToggles.ts), `vulkan_enable_f16_on_nvidia` for one.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UsageError } from '../../src/errors.ts';
import { parseEvent } from '../../test/runtimes/events.ts';
import { NotInstalled } from '../engine.ts';
import { parseNumber } from '../options.ts';
import { pythonWithTorch } from '../peers/onnxModel.ts';
import { COMMON, main, row, say } from './program.ts';

const { values } = parseArgs({
  options: {
    ...COMMON,
    out: { type: 'string' },
    deadline: { type: 'string', default: '570' },
    only: { type: 'string' },
  },
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Step {
  name: string;
  /** Seconds it may take, and seconds to leave for what follows. */
  most: number;
  reserve: number;
  command: () => string[];
  env?: Record<string, string>;
}

/** A script that Node runs as it runs this one: by itself, or through tsx. */
function node(script: string, ...args: string[]): string[] {
  return [
    process.execPath,
    ...process.execArgv,
    ...(process.env.DAWN_TOGGLES ? toggled : []),
    join(ROOT, script),
    ...args,
  ];
}

const toggled = ['--import', join(ROOT, 'bench/gpu/dawnToggles.ts')];
/** Dawn's checks of indices, zeroing of workgroup memory and guarded divisions. */
const CHECKS = 'disable_robustness,disable_workgroup_init,disable_polyfills_on_integer_div_and_mod';

/** @param saved a folder for frames and results that one step leaves to another */
function steps(out: string, saved: string): Step[] {
  const { adapter, tiny } = values;
  const common = ['--adapter', adapter, ...(tiny ? ['--tiny'] : [])];
  const own =
    (script: string, ...args: string[]) =>
    (): string[] =>
      node(`bench/gpu/${script}.ts`, ...common, ...args);
  const limits = tiny ? ['--limit', '5', '--only', '1x1 32>'] : ['--limit', '45'];
  const tune =
    (...args: string[]) =>
    (): string[] =>
      node('bench/gpu/cli.ts', 'tune', '--json', '--adapter', adapter, ...limits, ...args);
  const bench = [
    '--adapter',
    adapter,
    '--peers',
    'none',
    '--sizes',
    tiny ? '64x64' : '1500x1000,6000x4000',
    '--kernels',
    tiny ? '32' : '512',
  ];
  return [
    { name: 'info', most: 20, reserve: 0, command: () => node('bench/gpu/cli.ts', 'info', '--json') },
    { name: 'suite', most: 90, reserve: 300, command: () => node('test/runtimes/runners/dawn.ts') },
    { name: 'matrices', most: 60, reserve: 280, command: own('matrices') },
    { name: 'peaks', most: 25, reserve: 270, command: own('peaks') },
    { name: 'tune-f32', most: 60, reserve: 220, command: tune() },
    { name: 'tune-f16', most: 60, reserve: 200, command: tune('--precision', 'f16') },
    { name: 'conv', most: 60, reserve: 200, command: own('conv') },
    { name: 'merges', most: 120, reserve: 150, command: own('merges', '--save', saved) },
    { name: 'largeTiles', most: 45, reserve: 145, command: own('largeTiles') },
    {
      name: 'unchecked',
      most: 30,
      reserve: 140,
      command: () => [
        process.execPath,
        ...process.execArgv,
        ...toggled,
        join(ROOT, 'bench/gpu/merges.ts'),
        ...common,
        '--small',
      ],
      env: { DAWN_TOGGLES: [process.env.DAWN_TOGGLES, CHECKS].filter(Boolean).join(',') },
    },
    {
      name: 'torch',
      most: 110,
      reserve: 30,
      command: () => [
        pythonWithTorch(),
        join(ROOT, 'bench/gpu/torchBench.py'),
        '--saved',
        saved,
        ...(tiny ? ['--tiny'] : []),
        ...(adapter === 'gpu' ? [] : ['--device', 'cpu']),
      ],
    },
    { name: 'files', most: 60, reserve: 5, command: own('files') },
    {
      name: 'bench',
      most: 120,
      reserve: 0,
      command: () => node('bench/run.ts', ...bench, '--runs', '5', '--limit', '30', '--json', join(out, 'bench.json')),
    },
  ];
}

interface Ended {
  step: string;
  /** `0`, another exit code, a signal, `limit`, `skipped`, or why it cannot run. */
  end: string;
  seconds: number;
}

/** Runs one step for at most so many seconds. Its process group is ended as a whole. */
function runStep({ name, command, env }: Step, out: string, seconds: number): Promise<Ended> {
  const begun = performance.now();
  const ended = (end: string): Ended => ({
    step: name,
    end,
    seconds: Number(((performance.now() - begun) / 1000).toFixed(1)),
  });
  let words: string[];
  try {
    words = command();
  } catch (error) {
    if (error instanceof NotInstalled) return Promise.resolve(ended(`needs ${error.message}`));
    throw error;
  }
  const rows = openSync(join(out, `${name}.jsonl`), 'w');
  return new Promise<Ended>((resolved) => {
    const child = spawn(words[0], words.slice(1), {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', rows, 'pipe'],
      env: { ...process.env, ...env },
    });
    let isOver = false;
    const kill = (signal: NodeJS.Signals): void => {
      try {
        process.kill(-child.pid!, signal);
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(() => {
      isOver = true;
      kill('SIGTERM');
      setTimeout(() => kill('SIGKILL'), 5000).unref();
    }, 1000 * seconds);
    child.stderr!.on('data', (text: Buffer) => {
      process.stderr.write(text);
      appendFileSync(join(out, 'log.txt'), text);
    });
    const finish = (end: string): void => {
      clearTimeout(timer);
      resolved(ended(end));
    };
    child.on('error', (error) => finish(error.message));
    child.on('close', (code, signal) => finish(isOver ? 'limit' : String(code ?? signal)));
  }).finally(() => closeSync(rows));
}

/** How many tests of the suite passed, and which did not. */
function suiteText(file: string): string {
  const events = readFileSync(file, 'utf8').split('\n').map(parseEvent);
  const results = events.flatMap((event) => (event?.type === 'result' ? [event.result] : []));
  const failed = results.filter(({ ok }) => !ok).map(({ name, message }) => `\n  failed: ${name}: ${message}`);
  const errors = events.flatMap((event) => (event?.type === 'error' ? [`\n  ${event.message}`] : []));
  return `${results.length} tests, ${failed.length} failed${[...failed, ...errors].join('')}`;
}

await main('bench:gpu:all', async () => {
  if (!values.out) throw new UsageError('--out is missing: name a folder for the results');
  const out = resolve(values.out);
  const end = performance.now() + 1000 * parseNumber('deadline', values.deadline, 10);
  const left = (): number => (end - performance.now()) / 1000;
  mkdirSync(out, { recursive: true });
  // What `deghost tune` keeps is for the steps after it. All that a step starts takes the same adapter.
  process.env.DEGHOST_ADAPTER = values.adapter;
  process.env.DEGHOST_TUNING ??= join(tmpdir(), `deghost-tuning-${process.pid}.json`);
  const saved = mkdtempSync(join(tmpdir(), 'deghost-gpu-'));
  const all = steps(out, saved);
  const only = values.only?.split(',').map((name) => name.trim());
  const unknown = only?.find((name) => !all.some((step) => step.name === name));
  if (unknown !== undefined)
    throw new UsageError(`--only: "${unknown}" is none of ${all.map(({ name }) => name).join(', ')}`);
  writeFileSync(join(out, 'steps.jsonl'), '');
  let failed = 0;
  for (const step of all.filter(({ name }) => !only || only.includes(name))) {
    const seconds = Math.floor(Math.min(step.most, left() - (only ? 0 : step.reserve)));
    if (seconds >= 5) say(`== ${step.name}, at most ${seconds} s`);
    const ended = seconds < 5 ? { step: step.name, end: 'skipped', seconds: 0 } : await runStep(step, out, seconds);
    say(`== ${ended.step}: ${ended.end}, ${ended.seconds} s`);
    if (step.name === 'suite') say(suiteText(join(out, 'suite.jsonl')));
    appendFileSync(join(out, 'steps.jsonl'), `${JSON.stringify(ended)}\n`);
    row(ended);
    if (/^[1-9]/.test(ended.end)) failed++;
  }
  rmSync(saved, { recursive: true, force: true });
  if (failed) say(`${failed} steps failed: see ${join(out, 'log.txt')}`);
  return failed ? 1 : 0;
});
