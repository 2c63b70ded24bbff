/**
 * The examples, run as their first lines say: in Node from the installed package, in Deno and in Chromium from the
 * repository. Each merges the same small stack with the same thin weights, and three implementations of WebGPU must
 * agree on the result.
 */
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRgbe } from '../../src/image/rgbe.ts';
import type { RgbeImage } from '../../src/image/rgbe.ts';
import { adapterChoice, requestAdapter } from '../../src/node/adapter.ts';
import { findSwiftShader, unpackSwiftShader } from '../../src/node/softwareAdapter.ts';
import { launchChromium } from '../chromium.ts';
import { scene } from '../node/commandLine.ts';
import { ROOT, bin, installed, run, succeed, tarball, temporaryFolder, withOptional } from './installed.ts';
import { serve } from './serve.ts';
import type { Served } from './serve.ts';

const [W, H] = [40, 24];
const WEIGHTS = 'test/goldens/fixed-r2.weights.safetensors';
const EV = [-2, 0, 2];
const folder = temporaryFolder();
const stack = EV.map((ev) => join(folder, `${ev}.png`));
const results = new Map<string, RgbeImage>();

beforeAll(async () => {
  EV.forEach((ev, k) =>
    writeFileSync(stack[k], encode({ width: W, height: H, channels: 3, depth: 8, data: scene(W, H, 2 ** ev) })),
  );
  await tarball(); // builds dist, which the examples in the repository load
});

/**
 * Reads a result and keeps it for comparison; it has the stack's size and is not flat. (What it should be is tested on
 * goldens elsewhere.)
 */
function check(runtime: string, bytes: Uint8Array): void {
  const result = decodeRgbe(bytes);
  expect([result.width, result.height]).toEqual([W, H]);
  expect(new Set(result.data).size).toBeGreaterThan(100);
  results.set(runtime, result);
}

/**
 * The largest difference of two results, of the largest value. A step of RGBE is 1/256 of a pixel's brightest channel.
 */
function difference(a: string, b: string): number {
  const [x, y] = [a, b].map((name) => {
    const result = results.get(name);
    if (!result) throw new Error(`there is no result of ${name}: its own test failed`);
    return result.data;
  });
  const largest = x.reduce((most, value) => Math.max(most, value), 0);
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0) / largest;
}

it('are at most 60 lines each', () => {
  const files = ['node', 'deno', 'browser'].flatMap((name) =>
    readdirSync(join(ROOT, 'examples', name)).map((file) => join(ROOT, 'examples', name, file)),
  );
  expect(files.length).toBeGreaterThanOrEqual(5);
  for (const file of files) expect(readFileSync(file, 'utf8').split('\n').length, file).toBeLessThanOrEqual(60);
});

describe('examples/node', () => {
  it('merges files into a .hdr', async () => {
    const cwd = await withOptional();
    copyFileSync(join(ROOT, 'examples/node/merge.mjs'), join(cwd, 'merge.mjs'));
    const out = await succeed(
      process.execPath,
      ['merge.mjs', ...stack, '--ev=-2,0,2', '--weights', join(ROOT, WEIGHTS), '-o', 'out.hdr'],
      { cwd },
    );
    expect(out).toContain(`out.hdr: ${W}x${H}, moment of 0.png`);
    check('Node', readFileSync(join(cwd, 'out.hdr')));
  });

  it('runs in the repository too, and says what is wrong', async () => {
    const { code, err } = await run(process.execPath, ['examples/node/merge.mjs', ...stack, '--ev=-2,0']);
    expect(code).toBe(1);
    expect(err).toContain('2 exposures given for 3 files');
  });
});

describe('examples/deno', () => {
  /** Deno takes the system's Vulkan driver, else npm's SwiftShader, as Node does by itself. Nothing is fetched. */
  async function environment(): Promise<Record<string, string>> {
    const env = { DENO_DIR: join(folder, 'deno') };
    const { info } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    const found = info.source === 'npm' ? findSwiftShader() : undefined;
    if (!found) return env;
    const swiftshader = unpackSwiftShader(found);
    return { ...env, VK_DRIVER_FILES: join(swiftshader, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: swiftshader };
  }

  it('merges PNGs into a .hdr, on its own WebGPU', async () => {
    const output = join(folder, 'deno.hdr');
    const args = [
      'run',
      '-A',
      '--cached-only',
      'examples/deno/merge.ts',
      '--ev=-2,0,2',
      ...stack,
      '--weights',
      WEIGHTS,
      '-o',
      output,
    ];
    expect(await succeed(bin('deno'), args, { env: await environment() })).toContain(`${output}: ${W}x${H}`);
    check('Deno', readFileSync(output));
    expect(difference('Deno', 'Node')).toBeLessThan(0.01);
  });

  it('finds the installed package and its weights by name', async () => {
    const cwd = await installed();
    const code =
      "import { Deghoster } from 'deghost'; console.log(typeof Deghoster.create, (await Deno.readFile(new " +
      "URL(import.meta.resolve('deghost/weights/any.safetensors')))).length);";
    writeFileSync(join(cwd, 'deno.js'), code);
    const out = await succeed(bin('deno'), ['run', '-A', '--cached-only', 'deno.js'], {
      cwd,
      env: { DENO_DIR: join(folder, 'deno') },
    });
    expect(out.trim()).toBe(`function ${readFileSync(join(ROOT, 'weights/any.safetensors')).length}`);
  });
});

describe('examples/browser', () => {
  let browser: Browser;
  let server: Served;
  let page: Page;
  const problems: string[] = [];
  beforeAll(async () => {
    server = await serve(ROOT);
    browser = await launchChromium();
    page = await browser.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const status = (): Promise<string> =>
    page
      .locator('#status')
      .textContent()
      .then((text) => text ?? '');

  it('merges picked files, shows the picture and offers the .hdr', async () => {
    await page.goto(`${server.url}/examples/browser/?weights=/${WEIGHTS}`);
    await page.locator('#files').setInputFiles(stack);
    await page.locator('#merge').click();
    await expect
      .poll(status, { timeout: 100_000, interval: 200 })
      .toMatch(/^done$|^(?!(response|compile|segmentation|fusion) \d).+/);
    expect(await status()).toBe('done');
    const shown = await page
      .locator('#canvas')
      .evaluate((canvas: HTMLCanvasElement) => [
        canvas.width,
        canvas.height,
        new Set(canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data).size,
      ]);
    expect(shown.slice(0, 2)).toEqual([W, H]);
    expect(shown[2]).toBeGreaterThan(50);
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
    expect(download.suggestedFilename()).toBe('merged.hdr');
    check('Chromium', readFileSync(await download.path()));
    expect(difference('Chromium', 'Node')).toBeLessThan(0.01);
    expect(problems).toEqual([]);
  });

  it('takes the weights that come with deghost by default', async () => {
    await page.goto(`${server.url}/examples/browser/`);
    await page.locator('#files').setInputFiles(stack);
    const [response] = await Promise.all([page.waitForResponse(/safetensors/), page.locator('#merge').click()]);
    expect([response.status(), (await response.body()).length]).toEqual([
      200,
      readFileSync(join(ROOT, 'weights/fixed.safetensors')).length,
    ]);
    await page.reload(); // that merge uses the real network and takes too long here
  });

  it('says what is wrong', async () => {
    await page.locator('#files').setInputFiles(stack.slice(0, 1));
    await page.locator('#merge').click();
    await expect.poll(status, { timeout: 60_000 }).toMatch(/^1 frame given, at least 2 are needed/);
  });
});
