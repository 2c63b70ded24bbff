/**
 * A page that Vite serves or builds, in a browser: the package's modules load, and the weights arrive by their URL.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { build, createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { installed } from './installed.ts';
import { serve } from './serve.ts';

const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>';
const MAIN = `
import { Deghoster, loadWeights } from 'deghost';
import url from 'deghost/weights/any.safetensors?url';
const weights = new Uint8Array(await (await fetch(url)).arrayBuffer());
const frames = [1, 4].map((exposure) => {
  const data = new Uint8Array(16 * 16 * 3).fill(40 * exposure);
  return { data, width: 16, height: 16, exposure };
});
const deghoster = await Deghoster.create({ weights });
const { radiance } = await deghoster.merge(frames, { method: 'merge' });
const { variant } = (await loadWeights(weights)).config;
globalThis.result = { variant, length: radiance.length, positive: radiance.every((x) => x > 0) };
`;

let browser: Browser;
let root: string;
beforeAll(async () => {
  browser = await launchChromium();
  root = join(await installed(), 'page');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'index.html'), PAGE);
  writeFileSync(join(root, 'main.js'), MAIN);
});
afterAll(() => browser?.close());

/** What the page at a URL made of the package; its errors fail the test. */
async function result(url: string): Promise<unknown> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
  await page.goto(url);
  await expect
    .poll(async () => problems.length > 0 || (await page.evaluate('"result" in globalThis')), { timeout: 60_000 })
    .toBe(true);
  const made = await page.evaluate('globalThis.result');
  expect(problems).toEqual([]);
  await page.close();
  return made;
}

const EXPECTED = { variant: 'any', length: 16 * 16 * 3, positive: true };

describe('a page in a browser', () => {
  it('built by Vite', async () => {
    await build({ root, configFile: false, logLevel: 'error', build: { emptyOutDir: true } });
    const server = await serve(join(root, 'dist'));
    try {
      expect(await result(`${server.url}/`)).toEqual(EXPECTED);
    } finally {
      await server.close();
    }
  });

  it("served by Vite's development server", async () => {
    const server = await createServer({
      root,
      configFile: false,
      logLevel: 'error',
      cacheDir: join(root, '.vite'),
      server: { host: 'localhost', port: 0 },
    });
    await server.listen();
    try {
      expect(await result(server.resolvedUrls?.local[0] ?? '')).toEqual(EXPECTED);
    } finally {
      await server.close();
    }
  });
});
