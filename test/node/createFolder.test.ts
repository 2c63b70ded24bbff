/** Folders that a command creates: what cannot be is told, and what was for nothing goes. */
import { readdirSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { createFolder, removeFolders } from '../../src/node/createFolder.ts';
import { temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
it('creates what is missing, and says which came first', async () => {
  expect(await createFolder(join(folder, 'a/b'))).toBe(join(folder, 'a'));
  expect(await createFolder(join(folder, 'a/b'))).toBeUndefined();
});

it('folders that were created together go together, as far as they are empty', async () => {
  const path = join(folder, 'p/q/r');
  const first = await createFolder(path);
  writeFileSync(join(folder, 'p/kept'), '');
  await removeFolders(path, first!);
  expect(readdirSync(folder)).toContain('p');
  expect(readdirSync(join(folder, 'p'))).toEqual(['kept']);
  await removeFolders(join(folder, 's/t'), (await createFolder(join(folder, 's/t')))!);
  expect(readdirSync(folder)).not.toContain('s');
});

it('a file in its place is named', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, '');
  const error: unknown = await createFolder(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toMatch(/^cannot create .*file: it is a file, name a folder$/);
});

it('a read-only file system is named', async () => {
  const { mkdir } = promises;
  const failed = (code: string): Error => Object.assign(new Error(code), { code });
  // As Node does it on a read-only file system.
  const refuse = async (_: string, options?: { recursive?: boolean }): Promise<never> => {
    throw failed(options?.recursive ? 'ENOENT' : 'EROFS');
  };
  Object.assign(promises, { mkdir: refuse });
  syncBuiltinESMExports();
  const error: unknown = await createFolder(join(folder, 'x/y')).catch((thrown: unknown) => thrown);
  Object.assign(promises, { mkdir });
  syncBuiltinESMExports();
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toMatch(/^cannot create .*x\/y: the file system is read-only$/);
});
