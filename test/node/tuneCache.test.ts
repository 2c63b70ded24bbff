/**
 * Tunings in a file of the user's cache folder: what was written is read back, and what is damaged or not deghost's is
 * replaced, with one message.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileTuneCache, tuningFile, userCacheFolder } from '../../src/node/tuneCache.ts';
import { readTuning, writeTuning } from '../../src/tune/cache.ts';
import { tuneResult, tunedClass } from '../tune/samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'deghost-tuning-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(folder, `${count++}`, 'deghost', 'tuning.json');
const RESULT = tuneResult([tunedClass('one', { a: 2, b: 1 }, 'b')], { unreached: ['two'] });

/** A cache over a file, and what it said. */
function cacheOf(path: string): { cache: FileTuneCache; said: string[] } {
  const said: string[] = [];
  return { cache: new FileTuneCache({ path, warn: (message) => said.push(message) }), said };
}

function holding(text: string): string {
  const path = fresh();
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

describe('userCacheFolder', () => {
  it("is the platform's", () => {
    expect(userCacheFolder('linux', {}, '/home/a')).toBe('/home/a/.cache');
    expect(userCacheFolder('linux', { XDG_CACHE_HOME: '/x' }, '/home/a')).toBe('/x');
    expect(userCacheFolder('darwin', {}, '/Users/a')).toBe('/Users/a/Library/Caches');
    expect(userCacheFolder('win32', { LOCALAPPDATA: 'C:\\local', XDG_CACHE_HOME: '/x' }, 'C:\\a')).toBe('C:\\local');
  });
});

describe('tuningFile', () => {
  it('is in that folder, or what DEGHOST_TUNING names', () => {
    expect(tuningFile({ XDG_CACHE_HOME: '/x', LOCALAPPDATA: '/x' })).toMatch(/[\\/]deghost[\\/]tuning\.json$/);
    expect(tuningFile({ XDG_CACHE_HOME: '/x', DEGHOST_TUNING: '/y/mine.json' })).toBe('/y/mine.json');
    expect(new FileTuneCache().path).toBe(process.env.DEGHOST_TUNING);
  });
});

describe('FileTuneCache', () => {
  it('gives back what was written, to another process too, and makes its folder', async () => {
    const path = fresh();
    const { cache, said } = cacheOf(path);
    expect(await readTuning(cache, RESULT.key)).toBeUndefined();
    await writeTuning(cache, RESULT);
    const other = tuneResult([], { key: 'another adapter | f16', precision: 'f16' });
    await writeTuning(cacheOf(path).cache, other);
    const { cache: third } = cacheOf(path);
    expect(await readTuning(third, RESULT.key)).toEqual(RESULT);
    expect(await readTuning(third, other.key)).toEqual(other);
    expect(said).toEqual([]);
    expect(readdirSync(join(path, '..'))).toEqual(['tuning.json']);
  });

  it.each([
    ['cut off', JSON.stringify({ deghost: 'tuning', entries: { [RESULT.key]: RESULT } }).slice(0, -20)],
    ['cut off after its first word', '{"deghost": "tuning"'],
    ['empty', ''],
  ])('ignores a file that is %s, says so once, and replaces it', async (_, text) => {
    const path = holding(text);
    const { cache, said } = cacheOf(path);
    expect(await readTuning(cache, RESULT.key)).toBeUndefined();
    expect(readFileSync(path, 'utf8')).toBe(text);
    await writeTuning(cache, RESULT);
    expect(said).toEqual([`${path} is damaged: it is not read, and the next tuning replaces it`]);
    const again = cacheOf(path);
    expect(await readTuning(again.cache, RESULT.key)).toEqual(RESULT);
    expect(again.said).toEqual([]);
  });

  it.each([
    ['of another program', '{"name": "other", "entries": {}}'],
    ['no JSON', 'tuning: yes\n'],
    ['null', 'null'],
    ['a picture', '\x89PNG\r\n\x1a\n'],
  ])('neither reads nor replaces a file that is %s', async (_, text) => {
    const path = holding(text);
    const { cache, said } = cacheOf(path);
    expect(await readTuning(cache, RESULT.key)).toBeUndefined();
    await expect(writeTuning(cache, RESULT)).rejects.toThrow(
      `${path} was not written by deghost, so it is not replaced: remove it, or name another file in DEGHOST_TUNING`,
    );
    expect(said).toEqual([`${path} was not written by deghost: it is neither read nor replaced`]);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('is not read where it is no plain file', async () => {
    const { cache, said } = cacheOf('/dev/zero');
    expect(await readTuning(cache, RESULT.key)).toBeUndefined();
    expect(said).toEqual(['/dev/zero is a device, not a file: name a file']);
  });

  it('keeps what is whole in a file of which a part is damaged', async () => {
    const path = holding(
      JSON.stringify({
        deghost: 'tuning',
        entries: { [RESULT.key]: RESULT, other: { ...RESULT, classes: 'many' }, third: RESULT },
      }),
    );
    const { cache, said } = cacheOf(path);
    expect(await readTuning(cache, RESULT.key)).toEqual(RESULT);
    expect(await readTuning(cache, 'other')).toBeUndefined();
    expect(said).toEqual([`${path}: 2 of 3 tunings are damaged and not read, the next tuning removes them`]);
    await writeTuning(cache, RESULT);
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).entries)).toEqual([RESULT.key]);
  });

  it('keeps the 32 newest', async () => {
    const { cache } = cacheOf(fresh());
    for (let i = 0; i < 34; i++)
      await cache.write(`${i}`, { ...RESULT, key: `${i}`, date: new Date(Date.UTC(2026, 0, 40 - i)).toISOString() });
    const held = await Promise.all(
      Array.from({ length: 34 }, async (_, i) => (await cache.read(`${i}`)) !== undefined),
    );
    expect(held.map((is, i) => (is ? i : -1)).filter((i) => i >= 0)).toEqual(Array.from({ length: 32 }, (_, i) => i));
  });

  it('says why it cannot write, and reads nothing from a folder in its place', async () => {
    const path = fresh();
    mkdirSync(path, { recursive: true });
    const { cache, said } = cacheOf(path);
    expect(await readTuning(cache, RESULT.key)).toBeUndefined();
    expect(said).toEqual([expect.stringMatching(/tuning\.json is a folder, not a file: name a file$/)]);
    await expect(writeTuning(cache, RESULT)).rejects.toThrow(/^cannot write .*tuning\.json: it is a folder/);
    const blocked = join(holding('x'), 'deghost', 'tuning.json');
    await expect(writeTuning(cacheOf(blocked).cache, RESULT)).rejects.toThrow(
      /^cannot write .*: a part of the path is not a folder/,
    );
    expect(existsSync(blocked)).toBe(false);
    if (process.getuid?.() === 0) return; // root writes anywhere
    const closed = fresh();
    mkdirSync(join(closed, '..', '..'), { recursive: true });
    chmodSync(join(closed, '..', '..'), 0o500);
    await expect(writeTuning(cacheOf(closed).cache, RESULT)).rejects.toThrow(/permission denied/);
  });
});
