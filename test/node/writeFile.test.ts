/** Files are written whole or not at all, and every failure is one line that names the path. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkWritable, removeTemporaryFiles, writeFileAtomic } from '../../src/node/writeFile.ts';
import { temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
const at = (name: string) => join(folder, name);
const input = (message: string | RegExp) =>
  expect.objectContaining({ code: 'input', message: expect.stringMatching(message) });
const leftovers = () => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

async function* pieces(...list: (Uint8Array | Error)[]) {
  for (const piece of list) {
    if (piece instanceof Error) throw piece;
    yield piece;
  }
}

it('writes bytes and pieces, and replaces', async () => {
  await writeFileAtomic(at('a'), Buffer.from('one'));
  expect(readFileSync(at('a'), 'utf8')).toBe('one');
  chmodSync(at('a'), 0o640);
  await writeFileAtomic(at('a'), pieces(Buffer.from('t'), Buffer.from(''), Buffer.from('wo')));
  expect(readFileSync(at('a'), 'utf8')).toBe('two');
  expect(statSync(at('a')).mode & 0o777).toBe(0o640);
  await writeFileAtomic(at(`${'ü'.repeat(120)}.hdr`), Buffer.from('long name'));
  expect(leftovers()).toEqual([]);
});

it('writes through a symbolic link', async () => {
  writeFileSync(at('target'), 'old');
  symlinkSync(at('target'), at('link'));
  await writeFileAtomic(at('link'), Buffer.from('new'));
  expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
  expect(readFileSync(at('target'), 'utf8')).toBe('new');
});

it('writes pieces over earlier ones', async () => {
  const content = [
    Buffer.from('head'),
    Buffer.alloc(4),
    Buffer.from('body'),
    { at: 4, bytes: Buffer.from('1234') },
    Buffer.from('!'),
  ];
  await writeFileAtomic(at('placed'), content);
  expect(readFileSync(at('placed'), 'utf8')).toBe('head1234body!');
});

it('leaves the old file when the content fails', async () => {
  writeFileSync(at('b'), 'old');
  await expect(writeFileAtomic(at('b'), pieces(Buffer.from('half'), new Error('broken')))).rejects.toThrow('broken');
  expect(readFileSync(at('b'), 'utf8')).toBe('old');
  expect(leftovers()).toEqual([]);
});

it('stops on abort, before and between pieces', async () => {
  await expect(writeFileAtomic(at('c'), Buffer.from('x'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'cancelled',
    name: 'AbortError',
  });
  const controller = new AbortController();
  async function* slow() {
    yield Buffer.from('x');
    expect(leftovers().length).toBe(1);
    controller.abort();
    yield Buffer.from('y');
  }
  await expect(writeFileAtomic(at('c'), slow(), { signal: controller.signal })).rejects.toMatchObject({
    code: 'cancelled',
  });
  expect(existsSync(at('c'))).toBe(false);
  expect(leftovers()).toEqual([]);
});

it('names what is in the way', async () => {
  mkdirSync(at('dir.hdr'));
  await expect(writeFileAtomic(at('dir.hdr'), Buffer.from('x'))).rejects.toThrow(
    input(/^cannot write .*dir\.hdr: it is a folder/),
  );
  await expect(writeFileAtomic(at('no/such/x.hdr'), Buffer.from('x'))).rejects.toThrow(
    input(/^cannot write .*x\.hdr: the folder .*no\/such does not exist, create it first$/),
  );
  await expect(writeFileAtomic(at('a/x.hdr'), Buffer.from('x'))).rejects.toThrow(
    input(/x\.hdr: .*(is not a folder|not a folder)/),
  );
  await expect(writeFileAtomic('/dev/null', Buffer.from('x'))).rejects.toThrow(
    input('/dev/null: it is a device, name a regular file'),
  );
  await expect(writeFileAtomic(at(`${'x'.repeat(300)}.hdr`), Buffer.from('x'))).rejects.toThrow(
    input('the name is too long'),
  );
});

it('checks that a file can be created by creating one, which does not stay', async () => {
  const before = readdirSync(folder);
  await checkWritable(at('fine.hdr'));
  await checkWritable(at('a'));
  expect(readdirSync(folder)).toEqual(before);
  expect(readFileSync(at('a'), 'utf8')).toBe('two');
});

// Folders that say that they are writable, and take no file.
it.skipIf(process.platform !== 'linux').each(['/proc/x.png', '/dev/fd/1.png', '/proc/self/fd/1.png'])(
  'names a folder in which nothing can be created: %s',
  async (path) => {
    const message = input(
      /^cannot write .*: (no file can be created in \/proc\S*, name another folder|permission denied)$/,
    );
    await expect(checkWritable(path)).rejects.toThrow(message);
    await expect(writeFileAtomic(path, Buffer.from('x'))).rejects.toThrow(message);
  },
);

it.skipIf(process.platform !== 'linux')('leaves nothing open where a file cannot be created', async () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  for (let i = 0; i < 8; i++) await checkWritable('/proc/x.png').catch(() => undefined);
  for (let i = 0; i < 8; i++) await checkWritable(at('fine.hdr'));
  expect(descriptors()).toBeLessThanOrEqual(before);
});

it.skipIf(process.getuid?.() === 0)('names a write-protected folder', async () => {
  mkdirSync(at('locked'), { mode: 0o500 });
  await expect(checkWritable(at('locked/x'))).rejects.toThrow(input(/locked\/x: permission denied/));
});

it('turns a full disk into one line and leaves nothing', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  await expect(writeFileAtomic(at('full.hdr'), pieces(Buffer.from('x'), full))).rejects.toThrow(
    input(/^cannot write .*full\.hdr: no space left on the disk: free some, or write elsewhere$/),
  );
  expect(existsSync(at('full.hdr'))).toBe(false);
  expect(leftovers()).toEqual([]);
});

it('a process that exits, or calls removeTemporaryFiles, leaves nothing', async () => {
  const stuck = writeFileAtomic(
    at('stuck'),
    (async function* () {
      yield Buffer.from('x');
      removeTemporaryFiles();
      expect(leftovers()).toEqual([]);
      throw new Error('end');
    })(),
  );
  await expect(stuck).rejects.toThrow('end');

  const script = at('exit.mts');
  const source = new URL('../../src/node/writeFile.ts', import.meta.url).href;
  writeFileSync(
    script,
    `import { writeFileAtomic } from ${JSON.stringify(source)};
    import { readdirSync } from 'node:fs';
    void writeFileAtomic(${JSON.stringify(at('never'))}, (async function* () {
      yield Buffer.from('x');
      console.log(readdirSync(${JSON.stringify(folder)}).filter((n) => n.endsWith('.tmp')).length);
      process.exit(7);
    })());`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  const code = await new Promise((resolve) => child.on('exit', resolve));
  expect([code, out.trim()]).toEqual([7, '1']);
  expect(leftovers()).toEqual([]);
  expect(existsSync(at('never'))).toBe(false);
  rmSync(script);
});
