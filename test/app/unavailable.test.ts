/** Where WebGPU is missing the page says so at once, in words that help. */
import type { Browser } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findings } from './axe.ts';
import { dropFiles, openPage, settled } from './drive.ts';
import { launchForTest, serveForTest } from './served.ts';
import type { Site } from './site.ts';
import { pngStack } from './stack.ts';

/** The page's message in a browser. Files can still be looked at, but not merged. */
async function words(browser: Browser, at: Site): Promise<string> {
  const { page } = await openPage(browser, at);
  const notice = page.locator('.notice.error');
  await notice.waitFor();
  expect(await findings(page)).toEqual([]);
  await dropFiles(page, pngStack(24, 16));
  await settled(page, 3);
  expect(await page.locator('#merge').isDisabled()).toBe(true);
  expect(await page.locator('#merge-note').innerText()).toBe('Merging needs WebGPU, see above.');
  return await notice.innerText();
}

describe('without WebGPU', () => {
  it('the page names browsers that have it', async () => {
    // Chromium has no switch that removes WebGPU from workers, so a line in front of the worker's program does.
    const older = await serveForTest();
    older.replace(
      /assets\/main-[^/]+\.js$/,
      (original) => `delete WorkerNavigator.prototype.gpu;${original.toString('utf8')}`,
    );
    expect(await words(await launchForTest(), older)).toMatch(
      /This browser has no WebGPU[\s\S]*chrome:\/\/flags\/#enable-unsafe-webgpu[\s\S]*npx deghost merge a\.jpg/,
    );
  });

  it('without an adapter the page names drivers', async () => {
    const browser = await launchForTest([
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-software-rasterizer',
    ]);
    expect(await words(browser, await serveForTest())).toMatch(
      /No graphics adapter was found[\s\S]*hardware acceleration[\s\S]*graphics driver[\s\S]*npx deghost merge a\.jpg/,
    );
  });

  it('without a secure address the page says which are secure', async () => {
    // Chromium takes http: from any address but localhost as insecure.
    const browser = await launchForTest([
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP deghost.test 127.0.0.1',
    ]);
    const site = await serveForTest();
    expect(await words(browser, { ...site, url: site.url.replace('localhost', 'deghost.test') })).toMatch(
      /This address is not secure[\s\S]*https: addresses or from localhost/,
    );
  });

  it('a program that does not start is told, and that another load may help', async () => {
    const broken = await serveForTest();
    broken.replace(/assets\/main-[^/]+\.js$/, () => 'throw new Error("cut off on the way");');
    const browser = await launchForTest();
    const page = await browser.newPage();
    await page.goto(broken.url);
    expect(await page.locator('.notice.error').innerText()).toMatch(
      /^The page could not start\s+Its worker failed: .*cut off on the way\. Load the page again\.$/,
    );
  });

  it('missing weights are named when they are needed', async () => {
    const incomplete = await serveForTest();
    incomplete.replace(/weights\/fixed\.safetensors$/, () => Buffer.from('not weights'));
    const browser = await launchForTest();
    const { page } = await openPage(browser, incomplete);
    await dropFiles(page, pngStack(24, 16));
    await settled(page, 3);
    await page.locator('#merge:enabled').click();
    await page.locator('.notice.error').waitFor();
    expect(await page.locator('.notice.error').innerText()).toMatch(/These frames cannot be merged[\s\S]*weights/);
  });
});
