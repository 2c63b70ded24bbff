/** Motion that a person paints changes the next merge, and only there; with the pointer and with the keyboard. */
import { readExr } from 'hdrify';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.ts';
import { dropFiles, merge, openPage, save, settled } from './drive.ts';
import { serveSite } from './site.ts';
import type { Site } from './site.ts';
import { pngStack } from './stack.ts';

/**
 * Multiples of 16: other sizes differ at the right and lower edge when maps are given back (docs/command-line.md,
 * Motion maps).
 */
const WIDTH = 96;
const HEIGHT = 64;

let browser: Browser;
let site: Site;
let page: Page;

beforeAll(async () => {
  [browser, site] = await Promise.all([launchBrowser(), serveSite()]);
  ({ page } = await openPage(browser, site, { align: false }));
  await dropFiles(page, pngStack(WIDTH, HEIGHT));
  await settled(page, 3);
  await merge(page);
  await page.locator('#overlay').check();
  await page.locator('#zoom-full').click();
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function picture(): Promise<Float32Array> {
  return readExr((await save(page, 'exr-float')).bytes).data as Float32Array;
}

/** Where two pictures differ by more than rounding: the share of pixels, left and right of the middle. */
function changed(a: Float32Array, b: Float32Array): { left: number; right: number } {
  const counts = [0, 0];
  for (let p = 0; p < WIDTH * HEIGHT; p++) {
    const differs = [0, 1, 2].some((c) => Math.abs(a[4 * p + c] - b[4 * p + c]) > 1e-3 * Math.max(1e-3, a[4 * p + c]));
    if (differs) counts[p % WIDTH < WIDTH / 2 ? 0 : 1]++;
  }
  return { left: counts[0] / ((WIDTH * HEIGHT) / 2), right: counts[1] / ((WIDTH * HEIGHT) / 2) };
}

/** The view's middle on the page. */
async function middle(): Promise<{ x: number; y: number }> {
  const box = await page.locator('#view').boundingBox();
  if (!box) throw new Error('the view has no box');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

it('motion is shown on one side of the divider: the plain merge stays as it is', async () => {
  await page.locator('#compare:enabled').check({ timeout: 100_000 });
  const { x, y } = await middle();
  const side = (left: number) => page.screenshot({ clip: { x: left, y: y + 20, width: 20, height: 10 } });
  await page.waitForTimeout(500);
  const [plain, marked] = [await side(x - 40), await side(x + 20)];
  await page.locator('#overlay').uncheck();
  await expect.poll(async () => (await side(x + 20)).equals(marked), { timeout: 20_000 }).toBe(false);
  expect((await side(x - 40)).equals(plain)).toBe(true);
  await page.locator('#compare').uncheck();
  await page.locator('#overlay').check();
});

describe('painted motion', () => {
  let before: Float32Array;

  it('is offered only when something was painted, and undone exactly', async () => {
    before = await picture();
    expect(await page.locator('#merge').isHidden()).toBe(true);
    await page.getByLabel('Add', { exact: true }).check();
    const { x, y } = await middle();
    await page.mouse.move(x - 30, y);
    await page.mouse.down();
    await page.mouse.move(x - 30, y + 10, { steps: 3 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Merge again with your motion' }).waitFor();
    await page.locator('#undo').click();
    await page.locator('#merge').waitFor({ state: 'hidden' });
    expect(await page.locator('#undo').isDisabled()).toBe(true);
  });

  it('with the pointer merges again, with the change where it was painted', async () => {
    const { x, y } = await middle();
    await page.getByLabel('Brush size').fill('12');
    await page.getByLabel('Add', { exact: true }).check();
    for (const dx of [-40, -32, -24]) {
      await page.mouse.move(x + dx, y - 28);
      await page.mouse.down();
      await page.mouse.move(x + dx, y + 28, { steps: 4 });
      await page.mouse.up();
    }
    await merge(page);
    expect(await page.locator('#result-note').innerText()).toContain('with your motion');
    const after = await picture();
    const { left, right } = changed(before, after);
    expect(left).toBeGreaterThan(0.2);
    expect(right).toBeLessThan(left / 2);
    before = after;
  });

  it('with the keyboard: the brush moves by arrows and paints with the space bar', async () => {
    await page.getByLabel('Erase').focus();
    await page.keyboard.press('Space');
    expect(await page.getByLabel('Erase').isChecked()).toBe(true);
    await page.locator('#view').focus();
    const ring = async () =>
      page
        .locator('#brush')
        .evaluate((brush) => ({ left: parseFloat(brush.style.left), width: parseFloat(brush.style.width) }));
    const start = await ring();
    for (let i = 0; i < 8; i++) await page.keyboard.press(']');
    expect((await ring()).width).toBeGreaterThan(start.width * 3);
    for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight');
    expect((await ring()).left).toBeGreaterThan(start.left);
    await page.keyboard.down('Space');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.up('Space');
    await page.getByRole('button', { name: 'Merge again with your motion' }).waitFor();
    await page.keyboard.press('u');
    await page.locator('#merge').waitFor({ state: 'hidden' });
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Merge again with your motion' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('#brush').isHidden()).toBe(true);
    await merge(page);
    const { left, right } = changed(before, await picture());
    expect(left + right).toBeGreaterThan(0.01);
  });
});
