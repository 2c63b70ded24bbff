/** The process: signals stop it at any moment and leave no file, and what becomes of its text stops nothing. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { deghost, picture, scene } from './commandLine.ts';
import { temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);
const SOURCE = ['--import', 'tsx', 'test/node/deghost.ts'];
const isWindows = process.platform === 'win32';

const small = await Promise.all(
  [0.25, 1, 4].map((exposure, i) => picture(folder, `${i}.png`, scene(32, 24, exposure), 32, 24)),
);
const plain = ['--ev=-2,0,2', '--method', 'merge', '--no-tune', '--align', 'none', '--response', 'gamma'];
const merge = ['merge', ...small, ...plain];
const merge4 = ['merge', ...small, '--ev=-2,0,2,4', '--method', 'merge', '--no-tune'];

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Waits for a process, and calls `onText` with all it has printed so far. */
function ended(child: ChildProcess, onText: (text: string) => void = () => undefined): Promise<Ended> {
  const texts = { out: '', err: '' };
  child.stdout?.on('data', (text) => onText((texts.out += text)));
  child.stderr?.on('data', (text) => onText((texts.err += text)));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts })));
}

describe.skipIf(isWindows)('a signal', () => {
  const CODES = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const;

  /** Runs held.ts; sends the signals one after another, each when the one before has arrived. */
  async function held(name: string, how: string, signals: readonly NodeJS.Signals[]) {
    mkdirSync(at(name));
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/node/held.ts', at(name, 'x'), how], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let sent = 0;
    const end = await ended(child, (text) => {
      const ready = text.includes('signalled') ? 2 : text.includes('writing') ? 1 : 0;
      if (sent >= Math.min(ready, signals.length)) return;
      if (sent === 0) expect(readdirSync(at(name)).filter((file) => file.endsWith('.tmp')).length).toBe(1);
      child.kill(signals[sent++]);
    });
    return { code: end.code, left: readdirSync(at(name)) };
  }

  it('while a file is being written stops it with 128 and its number, and leaves nothing', async () => {
    const ends = await Promise.all(CODES.map(([signal]) => held(`once ${signal}`, 'obedient', [signal])));
    expect(ends).toEqual(CODES.map(([, code]) => ({ code, left: [] })));
  });

  it('that is the second ends a program that is busy, and leaves nothing', async () => {
    const ends = await Promise.all([
      held('twice', 'busy', ['SIGINT', 'SIGINT']),
      held('mixed', 'busy', ['SIGTERM', 'SIGHUP']),
    ]);
    expect(ends).toEqual([
      { code: 130, left: [] },
      { code: 129, left: [] },
    ]);
  });

  it('while pictures are merged stops that', async () => {
    const big = await Promise.all(
      [0.25, 1, 4].map((exposure, i) => picture(folder, `big${i}.png`, scene(640, 480, exposure), 640, 480)),
    );
    // At several moments: frames are read, and rows are merged and written.
    const moments = [/darkest first/, /merging/];
    const ends = await Promise.all(
      moments.map(async (moment, i) => {
        mkdirSync(at(`merge${i}`));
        const files = ['-o', at(`merge${i}/x.exr`), '--exr-type', 'float', '--preview', at(`merge${i}/p.png`)];
        const child = spawn(process.execPath, [...SOURCE, 'merge', ...big, ...plain, ...files], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let isSent = false;
        const end = await ended(child, (text) => {
          if (isSent || !moment.test(text)) return;
          isSent = true;
          child.kill('SIGTERM');
        });
        return { ...end, left: readdirSync(at(`merge${i}`)) };
      }),
    );
    for (const { code, err, left } of ends) {
      expect(err).toMatch(/cancelled: nothing was written\n$/);
      expect([code, left]).toEqual([143, []]);
    }
  });
});

describe.skipIf(isWindows)('what is no plain file is refused before it is opened', () => {
  execFileSync('mkfifo', [at('pipe.png'), at('pipe.json')]);
  mkdirSync(at('maps'));
  mkdirSync(at('stack'));
  execFileSync('mkfifo', [at('maps/motion-1.png'), at('stack/exposure.txt')]);
  const made = ['0.png', '1.png', '2.png'].map(async (name) =>
    picture(at('stack'), name, scene(32, 24, 1), 32, 24).then(() => undefined),
  );
  const socket = createServer().listen(at('socket'));
  afterAll(() => void socket.close());

  it.each([
    ['a pipe as picture', [...merge4, at('pipe.png'), '-o', at('x.npy')], 'a pipe'],
    ['a device', [...merge4, '/dev/zero', '-o', at('x.npy')], 'a device'],
    ['a socket', [...merge4, at('socket'), '-o', at('x.npy')], 'a socket'],
    ['weights', ['merge', ...small, '--ev=-2,0,2', '--weights', '/dev/zero', '-o', at('x.npy')], 'a device'],
    ['a response', [...merge.slice(0, -2), '--response', at('pipe.json'), '-o', at('x.npy')], 'a pipe'],
    ['motion maps', [...merge, '--motion-in', at('maps'), '-o', at('x.npy')], 'a pipe'],
    ['a picture in a batch', ['batch', at('pipe.png'), '-o', at('out')], 'a pipe'],
    ['frames to align', ['align', ...small, at('pipe.png'), '--ev=-2,0,2,4', '-o', at('out')], 'a pipe'],
    ['exposures', ['evaluate', at('stack')], 'a pipe'],
    ['a checkpoint', ['convert', at('pipe.json'), '--dry-run'], 'a pipe'],
    [
      'a map of names',
      ['convert', 'test/goldens/fixed-merge-r0.weights.safetensors', '--map', at('pipe.json'), '--dry-run'],
      'a pipe',
    ],
    ['a config', ['convert', at('0.png'), '--config', '/dev/zero', '--dry-run'], 'a device'],
    ['weights to plan for', ['plan', '100x100', '--weights', at('pipe.json')], 'a pipe'],
    ['weights to tune for', ['tune', '--weights', at('pipe.json')], 'a pipe'],
  ])('%s', async (_, args, kind) => {
    await Promise.all(made);
    const { code, err } = await deghost(...args);
    expect(err).toContain(` is ${kind}, not a file: `);
    expect(code).toBe(1);
  });
});

describe('text that is lost', () => {
  const run = (args: readonly string[], stdio: ('ignore' | 'pipe' | number)[]) =>
    spawn(process.execPath, [...SOURCE, ...args], { stdio });

  it.runIf(existsSync('/dev/full'))('loses no picture, but fails where the text is the result', async () => {
    const full = openSync('/dev/full', 'w');
    const gone = run([...merge, '--json', '-o', at('gone.hdr')], ['ignore', full, 'pipe']);
    gone.stderr!.destroy();
    const [both, one, plan] = await Promise.all([
      ended(run([...merge, '--json', '-o', at('full.hdr')], ['ignore', full, full])),
      ended(gone),
      ended(run(['plan', '100x100', '--limits', 'default'], ['ignore', full, 'pipe'])),
    ]);
    closeSync(full);
    expect([both.code, one.code, plan.code]).toEqual([0, 0, 1]);
    expect(plan.err).toMatch(/^deghost: cannot write the output: no space left on the disk: .*\n$/m);
    const [first, second] = ['full.hdr', 'gone.hdr'].map((name) => readFileSync(at(name)));
    expect(first.equals(second)).toBe(true);
  });

  it.skipIf(isWindows)('is noticed where a disk takes only a part', async () => {
    const program = `ulimit -f 2; exec "$@" > '${at('part.json')}'`;
    const args = [process.execPath, ...SOURCE, 'plan', '100x100', '--json', '--limits', 'default'];
    const child = spawn('sh', ['-c', program, 'sh', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    });
    const { code, err } = await ended(child);
    expect(err).toMatch(/^deghost: cannot write the output: larger than the file system or the limit of this process/m);
    expect(code).toBe(1);
  });

  it('goes on when the reader of JSON has left, and all of it reaches one that is slow', async () => {
    const left = run([...merge, '--json', '-o', at('left.hdr')], ['ignore', 'pipe', 'ignore']);
    left.stdout!.destroy();
    const big = ['plan', '8000x8000', '--frames', '16', '--json', '--limits', 'default'];
    const slow = run(big, ['ignore', 'pipe', 'ignore']);
    slow.stdout!.pause();
    setTimeout(() => slow.stdout!.resume(), 2500);
    const [one, other] = await Promise.all([ended(left), ended(slow)]);
    expect([one.code, existsSync(at('left.hdr'))]).toEqual([0, true]);
    expect(other.code).toBe(0);
    expect(other.out.length).toBeGreaterThan(100_000);
    expect(JSON.parse(other.out)).toHaveProperty('traffic');
  });
});
