/** Tuning in a browser: on Chromium's SwiftShader, kept in IndexedDB from one visit of a page to the next. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { serve } from '../package/serve.ts';
import type { Served } from '../package/serve.ts';

const MAIN = `
import { openPlatformDevice } from './src/index.ts';
import { deviceTuneKey, indexedDbCache, readTuning, tune, writeTuning } from './src/tune/index.ts';
const config = {
  variant: 'fixed', width: 8, segWidths: [4, 8, 12, 16], slope: 0.2, gamma: 2.2, maskMode: 'soft', base: 'merge',
  extra: {},
};
globalThis.visit = async () => {
  const device = await openPlatformDevice();
  const cache = indexedDbCache('test');
  const tile = { width: 32, height: 32 };
  const found = await tune({ device, config, frames: 3, tile, filter: (name) => name === 'blend' });
  const before = await readTuning(cache, deviceTuneKey(device));
  await writeTuning(cache, found);
  const after = await readTuning(cache, found.key);
  device.destroy();
  return { found, before, after, other: await readTuning(cache, deviceTuneKey(device, 'f16')) };
};
globalThis.refused = async () => {
  const open = () => { throw new DOMException('no', 'SecurityError'); };
  Object.defineProperty(globalThis, 'indexedDB', { value: { open } });
  const cache = indexedDbCache('test');
  await cache.write('key', {});
  return (await cache.read('key')) === undefined;
};
`;

const folder = mkdtempSync(join(tmpdir(), 'deghost-browser-'));
let browser: Browser;
let server: Served;
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: MAIN, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  writeFileSync(join(folder, 'main.js'), outputFiles[0].contents);
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>',
  );
  server = await serve(folder);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('keeps a tuning from one visit to the next', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  const first = (await page.evaluate('visit()')) as Record<
    'found' | 'before' | 'after' | 'other',
    { classes: { candidates: { ms: number }[] }[] } | undefined
  >;
  expect(first.found).toMatchObject({
    precision: 'f32',
    unreached: [],
    classes: [{ name: 'blend', candidates: [{ implementation: '', ms: expect.any(Number) }] }],
  });
  expect(first.found!.classes[0].candidates[0].ms).toBeGreaterThan(0);
  expect([first.before, first.other]).toEqual([undefined, undefined]);
  expect(first.after).toEqual(first.found);
  await page.reload();
  const second = (await page.evaluate('visit()')) as typeof first;
  expect(second.before).toEqual(first.found);
  expect(second.after).toEqual(second.found);
  // A browser that keeps nothing is no error.
  expect(await page.evaluate('refused()')).toBe(true);
  await page.close();
});
