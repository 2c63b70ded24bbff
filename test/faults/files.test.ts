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

describe('what cannot be put right', () => {
  const write = async (works: string[], fails: string): Promise<Error> => {
    const group = new FileGroup();
    await group.with(async () => {
      for (const name of [...works, fails]) await writeFileAtomic(join(folder, name), content('new'));
    });
    // In its place there is a folder by then.
    fs.mkdirSync(join(folder, fails));
    return thrownBy(() => group.commit());
  };
  const thrownBy = (work: () => void): Error => {
    try {
      work();
    } catch (error) {
      return error as Error;
    }
    throw new Error('nothing was thrown');
  };
  /** Makes an operation fail in the folder. */
  const refuse = (operation: 'unlinkSync' | 'renameSync', when: (from: string, to?: string) => boolean) => {
    const all = fs as unknown as Record<string, (...args: string[]) => unknown>;
    const own = all[operation];
    all[operation] = (...args) => {
      if (when(...(args as [string]))) throw failed('EACCES');
      return own(...args);
    };
    syncBuiltinESMExports();
    return () => {
      all[operation] = own;
      syncBuiltinESMExports();
    };
  };

  it('a file that has appeared and cannot be removed is named', async () => {
    const restore = refuse('unlinkSync', (path) => path.endsWith('a.exr'));
    try {
      const error = await write(['a.exr'], 'b.png');
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toMatch(/cannot write .*b\.png.*; .*a\.exr cannot be removed: remove it yourself$/);
    } finally {
      restore();
    }
    expect(readdirSync(folder).sort()).toEqual(['a.exr', 'b.png']);
  });

  it('a file that cannot be put back is named with where it is', async () => {
    writeFileSync(join(folder, 'a.exr'), 'old');
    const restore = refuse('renameSync', (from, to) => from.includes('.a.exr.') && to!.endsWith('a.exr') && done++ > 0);
    let done = 0;
    try {
      const { message } = await write(['a.exr'], 'b.png');
      const [, kept] = /a\.exr was is now (.*)$/.exec(message)!;
      expect(readFileSync(kept, 'utf8')).toBe('old');
    } finally {
      restore();
    }
  });
});
