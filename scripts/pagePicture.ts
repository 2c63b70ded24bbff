/**
 * The picture in docs/web-page.md, `docs/page.jpg`: the bundled example merged in Chromium with the shipped weights,
 * compared with the plain merge. On a software adapter it takes some minutes: `npx tsx scripts/pagePicture.ts`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageFolder } from '../src/node/package.ts';
import { launchBrowser } from '../test/app/browser.ts';
import { serveSite } from '../test/app/site.ts';

/** A merge on two cores takes minutes. */
const PATIENCE = 1_800_000;

const root = packageFolder();
const site = await serveSite();
site.replace(/weights\/fixed\.safetensors$/, () => readFileSync(join(root, 'weights/fixed.safetensors')));
const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(site.url);
  await page.locator('#example').click();
  await page.locator('#compare:enabled').check({ timeout: PATIENCE });
  await page.waitForTimeout(1000); // drawn in a worker
  await sharp(await page.screenshot())
    .jpeg({ quality: 88 })
    .toFile(join(root, 'docs/page.jpg'));
} finally {
  await browser.close();
  await site.close();
}
