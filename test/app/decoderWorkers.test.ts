/**
 * The workers of decoders on the built page, under its own Content-Security-Policy: they decode, and a file that keeps
 * its decoder busy without end keeps nothing else busy.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { writeImage } from '../../src/node/writeImage.ts';
import { temporaryFolder } from '../node/pictures.ts';
import { dropFiles, merge, settled } from './drive.ts';
import { servePage } from './served.ts';
import { pngStack } from './stack.ts';

const { path: folder } = temporaryFolder();
const at = (name: string): string => join(folder, name);
const served = servePage();
const JXL = { name: 'endless.jxl', bytes: readFileSync('test/pictures/p3-16bit.jxl') };
let page: Page;
let problems: string[];

beforeAll(async () => {
  // In front of the decoders' program: of one file it never comes back.
  const endless = `addEventListener('message', ({ data }) => { while (data.name === '${JXL.name}'); });`;
  served.site.replace(/assets\/wasmWorker-[^/]+\.js$/, (original) => `${endless}${original.toString('utf8')}`);
  ({ page, problems } = await served.open({ align: false }));
});

it('files of all formats that have them are decoded', async () => {
  const plain = sharp({ create: { width: 24, height: 16, channels: 3, background: '#963' } });
  const radiance = new Float32Array(24 * 16 * 3).fill(0.5);
  await writeImage(at('a.exr'), { radiance, width: 24, height: 16, scale: 1 });
  const files = [
    JXL,
    { name: 'a.heic', bytes: readFileSync('test/pictures/8bit.heic') },
    { name: 'a.avif', bytes: await plain.avif().toBuffer() },
    { name: 'a.exr', bytes: readFileSync(at('a.exr')) },
  ];
  for (const file of files) {
    await dropFiles(page, [{ ...file, name: `good-${file.name}` }]);
    await settled(page, 1);
    expect(await page.locator('.frame.ready .name').allTextContents()).toEqual([`good-${file.name}`]);
    await page
      .locator('.frame')
      .getByRole('button', { name: /^Remove/ })
      .click();
  }
  expect(problems).toEqual([]);
});

it('the frame of a file that never ends can be removed; those behind it are decoded and merged', async () => {
  const [first, ...others] = pngStack(24, 16);
  await dropFiles(page, [first, JXL, ...others]);
  await settled(page, 1);
  await page.waitForTimeout(1000);
  expect(await page.locator('.frame.ready .name').allTextContents()).toEqual([first.name]);
  await page
    .locator('.frame', { hasText: JXL.name })
    .getByRole('button', { name: /^Remove/ })
    .click();
  await settled(page, 3);
  const names = [first, ...others].map(({ name }) => name);
  expect(await page.locator('.frame.ready .name').allTextContents()).toEqual(names);
  await merge(page);
  expect(await page.locator('#result-note').innerText()).toMatch(/24 × 16, 3 frames/);
  expect(problems).toEqual([]);
}, 120_000);
