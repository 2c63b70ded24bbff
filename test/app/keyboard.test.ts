/** The page used with the keyboard alone, from the empty page to a saved file. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { servePage } from './served.ts';
import { finished, settled } from './drive.ts';
import { pngStack } from './stack.ts';

const served = servePage();

/** What has the focus, as a screen reader would name it, more or less. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    const label =
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement
        ? element.labels?.[0]?.innerText
        : undefined;
    return element?.getAttribute('aria-label') ?? label ?? element?.innerText ?? '';
  });
}

/** Presses Tab until a matching element has the focus, and checks that the focus is visible. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    seen.push(now);
    if (!name.test(now)) continue;
    const outline = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const style = (shown: Element | null) =>
        shown &&
        getComputedStyle(shown).outlineStyle !== 'none' &&
        parseFloat(getComputedStyle(shown).outlineWidth) >= 2;
      return style(element) || style(element.nextElementSibling); // segments show the focus on their labels
    });
    expect(outline, `focus on "${now}" can be seen`).toBe(true);
    return;
  }
  throw new Error(`Tab never reached ${name}: ${seen.join(' | ')}`);
}

it('picks files, chooses the reference, types an exposure, merges, looks around, paints, and saves', async () => {
  const { page, problems } = await served.open();
  const files = pngStack(48, 32).map(({ name, bytes }) => ({ name, mimeType: 'image/png', buffer: bytes }));

  // Listen first: a chooser that opens before somebody listens is lost.
  const choosing = page.waitForEvent('filechooser');
  await tabTo(page, /^Choose photos$/);
  await page.keyboard.press('Enter');
  await (await choosing).setFiles(files);
  await settled(page, 3);

  await tabTo(page, /^Exposure of scene-1\.png/);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('-2.1');
  await tabTo(page, /^Reference: scene-2\.png/);
  await page.keyboard.press('ArrowDown');
  expect(await page.getByLabel('Reference: scene-3.png').isChecked()).toBe(true);
  await page.keyboard.press('ArrowUp');
  expect(await page.getByLabel('Reference: scene-2.png').isChecked()).toBe(true);
  expect(await page.getByLabel('Exposure of scene-1.png').inputValue()).toBe('-2.1');

  await tabTo(page, /^Merge 3 frames$/);
  await page.keyboard.press('Enter');
  expect(await focused(page)).toMatch(/^Cancel/);
  await finished(page);
  await page.waitForFunction(() => document.activeElement?.id === 'view');

  const zoom = () => page.locator('#zoom-value').innerText();
  await page.keyboard.press('1');
  await expect.poll(zoom).toBe('100 %');
  await page.keyboard.press('+');
  await expect.poll(zoom).toBe('125 %');
  await page.keyboard.press('0');
  await expect.poll(zoom).toBe('400 %'); // a tiny picture is enlarged to fit

  await page.locator('#looks input:enabled').first().waitFor({ timeout: 60_000 });
  await tabTo(page, /^Natural$/);
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#looks input:checked').inputValue()).toBe('vivid');
  await page.locator('#compare:enabled').waitFor({ timeout: 60_000 });
  await tabTo(page, /^Compare with the plain merge$/);
  await page.keyboard.press('Space');
  await tabTo(page, /^Divider$/);
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#divider').evaluate((divider) => divider.style.left)).toBe('51%');
  await tabTo(page, /^Contrast$/);
  const contrast = () => page.locator('#finish-contrast').inputValue();
  const own = await contrast();
  await page.keyboard.press('ArrowRight');
  expect(await contrast()).toBe(String(Number(own) + 1));
  await page.keyboard.press('Delete');
  expect(await contrast()).toBe(own);
  await tabTo(page, /^Show what was taken to be moving$/);
  await page.keyboard.press('Space');
  await tabTo(page, /^Off$/);
  await page.keyboard.press('ArrowRight');
  expect(await page.getByLabel('Add', { exact: true }).isChecked()).toBe(true);

  await tabTo(page, /^OpenEXR, half/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(download.suggestedFilename()).toBe('scene-1-merged.exr');
  expect(readFileSync(await download.path()).readUInt32LE(0)).toBe(20000630); // OpenEXR's magic number
  await expect.poll(() => page.locator('#status').innerText()).toMatch(/^scene-1-merged\.exr was saved/);
  expect(problems).toEqual([]);
});
