/** The end of `.ci/run`: results of a real run of Vitest, and of runtimes as `npm run test:runtimes` writes them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/checkLines.ts';
import { json } from '../runtimes/table.ts';
import type { Status } from '../runtimes/watch.ts';

// Inside the project: the files of tests import Vitest.
mkdirSync(join(ROOT, 'out'), { recursive: true });
const folder = mkdtempSync(join(ROOT, 'out/summary-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FILES = {
  'right.test.js': "it('adds', () => expect(1 + 1).toBe(2)); it('subtracts', () => expect(2 - 1).toBe(1));",
  'wrong.test.js': "describe('sums', () => it('are wrong', () => expect(1 + 1).toBe(3)));",
  'absent.test.js': "import './nothing.js'; it('adds', () => {});",
  'hook.test.js': "beforeAll(() => { throw new Error('no folder'); }); it('waits', () => {});",
};

/** The results of a run of Vitest over some of the files. */
function vitest(names: (keyof typeof FILES)[]): string {
  const root = mkdtempSync(join(folder, 'tests-'));
  for (const name of names)
    writeFileSync(join(root, name), `import { beforeAll, describe, expect, it } from 'vitest';\n${FILES[name]}\n`);
  // Otherwise it takes the project's.
  writeFileSync(join(root, 'vitest.config.js'), 'export default {};');
  const results = join(root, 'results.json');
  const program = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const options = ['run', '--root', root, '--reporter=json', `--outputFile=${results}`];
  const { status } = spawnSync(process.execPath, [program, ...options], { encoding: 'utf8' });
  if (status === null) throw new Error('Vitest did not run');
  return results;
}

/** The results of one runtime with two tests. */
function runtime(name: string, ok: boolean, status: Status): string {
  const file = join(folder, `${name}.json`);
  const test = { group: 'kernel' as const, error: ok ? 0 : 0.5, tolerance: 0.1, ms: 1 };
  const results = [
    { ...test, name: 'upsample', ok: true },
    { ...test, name: 'pool', ok, message: ok ? undefined : 'error 0.5, at most 0.1 is allowed' },
  ];
  const outcome = { name, required: true, status, reason: 'the browser went away', tests: 2, seconds: 1, results };
  writeFileSync(file, JSON.stringify(json([outcome])));
  return file;
}

function summary(tests: string[], runtimes: string[]): string {
  const files = ['--tests', ...tests, '--runtimes', ...runtimes];
  return execFileSync(process.execPath, [join(ROOT, 'scripts/ciSummary.mjs'), ...files], {
    cwd: ROOT,
    encoding: 'utf8',
  });
}

describe('the summary of all tests', () => {
  let passed: string;
  let failed: string;
  beforeAll(() => {
    passed = vitest(['right.test.js']);
    failed = vitest(['right.test.js', 'wrong.test.js', 'absent.test.js', 'hook.test.js']);
  }, 60_000);

  it('is one line where all passed', () => {
    expect(summary([passed], [runtime('deno', true, 'passed')])).toBe('4 passed, 0 failed\n');
  });

  it('names what failed, files that did not load and hooks included, and why', () => {
    const lines = summary([passed, failed], [runtime('deno', true, 'passed')])
      .trim()
      .split('\n');
    expect(lines.at(-1)).toBe('6 passed, 3 failed');
    const text = lines.join('\n');
    expect(text).toMatch(/wrong\.test\.js > sums > are wrong\n {4}.*expected 2 to be 3/);
    expect(text).toMatch(/absent\.test\.js\n {4}.*nothing\.js/);
    expect(text).toMatch(/hook\.test\.js\n {4}.*no folder/);
    expect(text).not.toContain('right.test.js');
  });

  it('names what failed in a runtime, and runtimes that did not run to their end', () => {
    const text = summary([passed], [runtime('bun', false, 'failed'), runtime('chromium', true, 'broken')]);
    expect(text).toContain('bun: pool\n    error 0.5, at most 0.1 is allowed');
    expect(text).toContain('chromium: broken\n    the browser went away');
    expect(text.trim().split('\n').at(-1)).toBe('5 passed, 2 failed');
  });

  it('counts results that are missing or broken as one failed test each', () => {
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{"testResults": [');
    expect(summary([passed, broken], [join(folder, 'none.json')])).toMatch(/\n2 passed, 2 failed\n$/);
  });
});
