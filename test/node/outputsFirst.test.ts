/**
 * What a command is to write is checked before it reads a picture. The pictures here do not exist, or are none: an
 * error that names the output shows that nothing was read before.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deghost } from './commandLine.ts';
import { temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);
const gone = ['1.png', '2.png', '3.png'].map((name) => at('gone', name));

mkdirSync(at('stack'));
for (const name of ['1.png', '2.png']) writeFileSync(at('stack', name), 'no picture');
writeFileSync(at('stack/exposure.txt'), '0\n2\n');
// Folders where files should go.
for (const name of ['maps/motion-3.npy', 'frames/2.tif', 'sheets/stack.png']) mkdirSync(at(name), { recursive: true });
const everything = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
const before = everything();

async function expectRefused(args: readonly string[], path: string, reason: RegExp): Promise<void> {
  const { code, err } = await deghost(...args);
  expect(err).toContain(`deghost: cannot write ${path}: `);
  expect(err).toMatch(reason);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(1);
  expect(everything()).toEqual(before);
}

const OUT = ['-o', at('out.hdr')];

// Folders that say that they are writable, and take no file.
describe.skipIf(process.platform !== 'linux')('a folder that takes no file', () => {
  const reason = /no file can be created in \/proc|permission denied/;
  it.each([
    ['merge', ['merge', ...gone, '-o', '/proc/x.png'], '/proc/x.png'],
    ['merge to a descriptor', ['merge', ...gone, '-o', '/dev/fd/1.png'], '/dev/fd/1.png'],
    ['merge --preview', ['merge', ...gone, ...OUT, '--preview', '/proc/x.png'], '/proc/x.png'],
    ['merge --save-response', ['merge', ...gone, ...OUT, '--save-response', '/proc/x.json'], '/proc/x.json'],
    ['merge --response auto:', ['merge', ...gone, ...OUT, '--response', 'auto:/proc/x.json'], '/proc/x.json'],
    ['merge --motion', ['merge', ...gone, ...OUT, '--motion', '/proc/maps-x'], '/proc/maps-x'],
    ['align', ['align', ...gone, '--ev=-2,0,2', '-o', '/proc'], '/proc/1.tif'],
    ['convert', ['convert', at('gone/w.pth'), '-o', '/proc/x.safetensors'], '/proc/x.safetensors'],
    ['evaluate --json', ['evaluate', at('stack'), '--json', '/proc/x.json'], '/proc/x.json'],
    ['evaluate --pictures', ['evaluate', at('stack'), '--pictures', '/proc'], '/proc/stack.png'],
  ])('%s', (_, args, path) => expectRefused(args, path, reason));
});

describe('a folder in the place of a file', () => {
  it.each([
    ['merge --motion', ['merge', ...gone, ...OUT, '--motion', at('maps')], at('maps/motion-3.npy')],
    ['align', ['align', ...gone, '--ev=-2,0,2', '-o', at('frames')], at('frames/2.tif')],
    ['evaluate --pictures', ['evaluate', at('stack'), '--pictures', at('sheets')], at('sheets/stack.png')],
  ])('%s', (_, args, path) => expectRefused(args, path, /it is a folder, name a file in it/));
});

it('folders that a command has made for nothing go', async () => {
  for (const args of [
    ['align', ...gone, '--ev=-2,0,2', '-o', at('new/frames')],
    ['evaluate', at('stack'), '--pictures', at('new')],
  ]) {
    const { code, err } = await deghost(...args);
    expect(err).toMatch(/1\.png/);
    expect(code).toBe(1);
    expect(existsSync(at('new'))).toBe(false);
    expect(everything()).toEqual(before);
  }
});
