/**
 * Sizes: what is clicked is wide enough for fingers (44 CSS pixels) and mice (24), text follows the browser's text
 * size, and nothing leaves the window, at a zoom of 400 % neither. In every state of the page.
 */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { brackets } from './brackets.ts';
import { launchBrowser } from './browser.ts';
import { dropFiles, merge, openPage, settled } from './drive.ts';
import { serveSite } from './site.ts';
import type { Site } from './site.ts';
import { pngStack } from './stack.ts';
import { outsideOfWindow, smallTargets, textSizes } from './targets.ts';

let browser: Browser;
let site: Site;
let page: Page;
let session: CDPSession;

beforeAll(async () => {
  [browser, site] = await Promise.all([launchBrowser(), serveSite()]);
  ({ page } = await openPage(browser, site, { width: 390, height: 844, align: false }));
  session = await page.context().newCDPSession(page);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

const setTextSize = (standard: number) => session.send('Page.setFontSizes', { fontSizes: { standard } });

/** Checks the page in the state it is in. @returns what is wrong. */
async function faults(): Promise<string[]> {
  const found: string[] = [];
  const add = (where: string, list: readonly string[]) => found.push(...list.map((text) => `${where}: ${text}`));
  add('mouse', await smallTargets(page, 24));
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  expect(await page.evaluate(() => matchMedia('(any-pointer: coarse)').matches)).toBe(true);
  add('finger', await smallTargets(page, 44));
  for (const [width, height] of [
    [390, 844],
    [320, 256],
    [1280, 800],
  ]) {
    await page.setViewportSize({ width, height });
    add(`${width}x${height}`, await outsideOfWindow(page));
    const before = await textSizes(page);
    await setTextSize(32);
    const after = await textSizes(page);
    if (width > 320) add(`${width}x${height}, text of 32 px`, await outsideOfWindow(page));
    // Headings grow with the window too, and less than twice where it is narrow.
    const sizes = new Map(after.map(({ text, size }) => [text, size]));
    for (const { text, size } of before)
      if (!/^H1/.test(text) && (sizes.get(text) ?? 2 * size) < 1.8 * size)
        add('text size', [`${text}: ${size} px, then ${sizes.get(text)}`]);
    await setTextSize(16);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: false });
  return found;
}

it('before photos are chosen', async () => {
  expect(await faults()).toEqual([]);
});

it('with frames, and with a file that cannot be used', async () => {
  await dropFiles(page, [...pngStack(48, 32), { name: 'broken.png', bytes: Buffer.from('no picture') }]);
  await settled(page, 4);
  expect(await faults()).toEqual([]);
});

it('with a result, all controls shown, and a question', async () => {
  await merge(page);
  await page.locator('#compare:enabled').check();
  await page.locator('#overlay').check();
  await page.locator('#frames-section').evaluate((details: HTMLDetailsElement) => {
    details.open = true;
  });
  expect(await faults()).toEqual([]);
  await page.locator('#clear').click();
  await page.locator('dialog').waitFor();
  expect(await faults()).toEqual([]);
  await page.getByRole('button', { name: 'Discard it' }).click();
});

it('with the plan of a folder', async () => {
  await dropFiles(page, await brackets(2));
  await page.locator('#batch:visible .bracket').first().waitFor();
  expect(await faults()).toEqual([]);
});

it('on the bench', async () => {
  await page.goto(`${site.url}bench.html`);
  expect(await faults()).toEqual([]);
});
