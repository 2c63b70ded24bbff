/**
 * Every file operation of writing a group of files fails once, each in a try of its own: afterwards all files are as
 * they were, or all are new, and nothing else is in the folder.
 */
import fs, { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { FileGroup, removeTemporaryFiles, writeFileAtomic } from '../../src/node/writeFile.ts';

const SYNC = ['openSync', 'closeSync', 'chmodSync', 'renameSync', 'rmSync', 'linkSync', 'lstatSync'] as const;
const CALLED_BACK = ['write', 'fsync'] as const;
const OPERATIONS = [...SYNC, ...CALLED_BACK];
type Operation = (typeof OPERATIONS)[number];
const CODES = ['ENOSPC', 'EIO', 'EACCES'] as const;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deghost-faults-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failed = (code: string): Error => Object.assign(new Error(`${code}: made to fail`), { code });

/** Makes the n-th call of an operation fail while `work` runs. @returns how often it was called. */
async function failing(operation: Operation, n: number, code: string, work: () => Promise<void>): Promise<number> {
  const all = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const own = all[operation];
  let calls = 0;
  all[operation] = (...args) => {
    // Only what lies in the folder, or has a number there.
    if (typeof args[0] === 'string' && !args[0].startsWith(folder)) return own(...args);
    if (++calls !== n) return own(...args);
    if ((SYNC as readonly string[]).includes(operation)) throw failed(code);
    return setImmediate(() => (args.at(-1) as (error: Error) => void)(failed(code)));
  };
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    all[operation] = own;
    syncBuiltinESMExports();
  }
  return calls;
}

const content = (text: string): Buffer => Buffer.from(text.repeat(1000));
const OLD = { 'a.exr': 'old a', 'b.png': 'old b' };
const NEW = { 'a.exr': 'new a', 'b.png': 'new b', 'c.json': 'new c' };

async function writeAll(): Promise<void> {
  const group = new FileGroup();
  try {
    await group.with(async () => {
      for (const [name, text] of Object.entries(NEW)) await writeFileAtomic(join(folder, name), content(text));
    });
    group.commit();
  } catch (error) {
    group.discard();
    throw error;
  }
}

function inFolder(): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

const texts = (files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [name, String(content(text))]));

describe.each(OPERATIONS)('%s', (operation) => {
  it('fails once, in every place', async () => {
    const reset = (): void => {
      rmSync(folder, { recursive: true, force: true });
      fs.mkdirSync(folder);
      for (const [name, text] of Object.entries(OLD)) writeFileSync(join(folder, name), content(text));
    };
    reset();
    const calls = await failing(operation, 0, 'EIO', writeAll);
    expect(inFolder()).toEqual(texts(NEW));
    expect(calls).toBeGreaterThanOrEqual(2);
    for (let n = 1; n <= calls; n++) {
      const code = CODES[n % CODES.length];
      reset();
      let error: unknown;
      await failing(operation, n, code, async () => {
        await writeAll().catch((thrown: unknown) => (error = thrown));
      });
      // What could not be removed is removed when the process ends.
      removeTemporaryFiles();
      const where = `call ${n} of ${calls}, ${code}: ${error}`;
      if (error !== undefined) expect(error, where).toBeInstanceOf(InputError);
      expect(inFolder(), where).toEqual(texts(error === undefined ? NEW : OLD));
    }
  });
});
