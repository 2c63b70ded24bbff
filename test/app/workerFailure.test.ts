/** The page's worker throws, or is ended by the browser: the page says so, and what is still possible works. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { servePage } from './served.ts';
import { dismissWarnings, dropFiles, merge, save, settled } from './drive.ts';
import { pngStack } from './stack.ts';

const served = servePage();

/** Put in front of the worker's program: it throws, or ends, when it is told to. */
const DISTURBED = `new BroadcastChannel('disturb').onmessage = ({ data }) => {
  if (data === 'end') self.close();
  else throw new Error(data);
};`;

beforeAll(async () => {
  served.site.replace(/assets\/main-[^/]+\.js$/, (original) => `${DISTURBED}${original.toString('utf8')}`);
});

const disturb = (page: Page, how: string): Promise<void> =>
  page.evaluate((what) => new BroadcastChannel('disturb').postMessage(what), how);

async function loaded(): Promise<Page> {
  const { page } = await served.open({ align: false });
  await dropFiles(page, pngStack(48, 32));
  await settled(page, 3);
  return page;
}

it('in the middle of a merge: nothing waits for it, and another load is advised', async () => {
  const page = await loaded();
  await page.locator('#merge:enabled').click();
  expect(await page.evaluate(() => document.body.dataset.state)).toBe('merging');
  await disturb(page, 'end');
  await page.locator('.notice.error').waitFor();
  expect(await page.locator('.notice.error').innerText()).toMatch(
    /^The page has stopped working\s+The browser has ended its worker, perhaps for lack of memory\. Close other tabs/,
  );
  expect(await page.evaluate(() => document.body.dataset.state)).toBe('loaded');
  expect(await page.locator('#merge').isDisabled()).toBe(true);
  expect(await page.locator('#merge-note').innerText()).toBe('The page has stopped working, see above.');
  await dropFiles(page, pngStack(24, 16).slice(0, 1));
  await settled(page, 4);
  expect(await page.locator('.frame.failed').count()).toBe(1);
  await page.close();
});

it('beside an unsaved picture: it can be saved after an error, and is told lost with the worker', async () => {
  const page = await loaded();
  await merge(page);
  await dismissWarnings(page);
  await disturb(page, 'out of luck');
  await page.locator('.notice.error').waitFor();
  expect(await page.locator('.notice.error').innerText()).toMatch(
    /^The page has stopped working\s+Its worker failed: .*out of luck\. Save the picture if you still can, then load/,
  );
  expect((await save(page, 'hdr')).bytes.length).toBeGreaterThan(48 * 32);
  await disturb(page, 'end');
  await page.locator('.notice.error', { hasText: 'The browser has ended its worker' }).waitFor();
  expect(await page.locator('[data-save]:enabled').count()).toBe(0);
  await page.close();
});
