/** What a person would lose by mistake: a result that is not saved, photos that are dropped at the wrong moment. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { servePage } from './served.ts';
import { dropFiles, finished, merge, save, settled } from './drive.ts';
import { pngStack } from './stack.ts';

const WIDTH = 48;
const HEIGHT = 32;

const served = servePage();

const names = (page: Page): Promise<string[]> => page.locator('.frame.ready .name').allTextContents();
const state = (page: Page): Promise<string | undefined> => page.evaluate(() => document.body.dataset.state);

it('the same file twice is one frame', async () => {
  const { page, problems } = await served.open({ align: false });
  const files = pngStack(WIDTH, HEIGHT);
  await dropFiles(page, files);
  await settled(page, 3);
  await dropFiles(page, files.slice(1));
  expect(await page.locator('.notice').textContent()).toContain('2 photos are in the list already');
  expect(await names(page)).toEqual(['scene-1.png', 'scene-2.png', 'scene-3.png']);
  // Of the same name, but another file.
  await dropFiles(page, [{ ...pngStack(WIDTH, HEIGHT + 2)[0] }]);
  await settled(page, 4);
  expect(await page.locator('.notice').count()).toBe(0);
  expect(problems).toEqual([]);
});

it('photos that come during a merge are not taken, which is said; a result is kept until it may go', async () => {
  const { page, problems } = await served.open({ align: false });
  await dropFiles(page, pngStack(WIDTH, HEIGHT));
  await settled(page, 3);
  const others = pngStack(WIDTH, HEIGHT).map(({ bytes }, k) => ({ name: `other-${k + 1}.png`, bytes }));

  await page.locator('#merge:enabled').click();
  expect(await state(page)).toBe('merging');
  const transfer = await page.evaluateHandle(() => {
    const made = new DataTransfer();
    made.items.add(new File(['x'], 'x.png'));
    return made;
  });
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
  expect(await page.locator('#drop-veil').textContent()).toContain('A merge is running');
  await dropFiles(page, others);
  expect(await page.locator('.notice.info').textContent()).toContain('The photos were not added');
  await finished(page);
  expect(await names(page)).toEqual(['scene-1.png', 'scene-2.png', 'scene-3.png']);

  const dialog = page.locator('dialog');
  const frames = page.locator('#frames-section');
  if (!(await frames.evaluate((details: HTMLDetailsElement) => details.open))) await frames.locator('summary').click();
  await page.locator('#clear').click();
  expect(await dialog.textContent()).toContain('not saved');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await state(page)).toBe('result');
  await page.locator('#clear').click();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  expect(await state(page)).toBe('result');

  // Twice on the divider's handle is no wish to zoom.
  await page.locator('#compare:enabled').check();
  const zoom = page.locator('#zoom-value');
  const before = await zoom.textContent();
  await page.locator('#divider .grip').dblclick();
  expect(await zoom.textContent()).toBe(before);

  // A broken file beside a result is told where it is seen.
  await dropFiles(page, [{ name: 'broken.png', bytes: Buffer.from('no picture') }]);
  await page.getByText('broken.png cannot be used').waitFor();
  await page.getByLabel('Dismiss broken.png').click();

  await dropFiles(page, others);
  expect(await dialog.textContent()).toContain('begin with them alone? The picture is not saved.');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await names(page)).toHaveLength(3);
  await dropFiles(page, others);
  await dialog.getByRole('button', { name: 'Add them' }).click();
  await settled(page, 6);
  expect(await state(page)).toBe('result');

  // Closing the tab asks; once saved, it does not. (A headless browser asks nobody.)
  const asksToClose = (): Promise<boolean> =>
    page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));
  expect(await asksToClose()).toBe(true);
  await save(page, 'hdr');
  await expect.poll(asksToClose).toBe(false);
  const rest = others.map((file, k) => ({ ...file, name: `third-${k + 1}.png` }));
  await dropFiles(page, rest);
  expect(await dialog.textContent()).not.toContain('not saved');
  await dialog.getByRole('button', { name: 'Begin with them' }).click();
  await settled(page, 3);
  expect([await state(page), await names(page)]).toEqual(['loaded', ['third-1.png', 'third-2.png', 'third-3.png']]);

  await merge(page);
  expect(await asksToClose()).toBe(true);
  await save(page, 'hdr');
  await expect.poll(asksToClose).toBe(false);

  // A file that is being written does not have what is changed meanwhile.
  const downloaded = page.waitForEvent('download');
  await page.locator('#finish-contrast:enabled').evaluate((slider: HTMLInputElement) => {
    document.querySelector<HTMLButtonElement>('[data-save=hdr]')!.click();
    slider.value = '20';
    slider.dispatchEvent(new Event('input'));
  });
  await downloaded;
  await page.locator('[data-save=hdr]:not([aria-busy])').waitFor();
  expect(await asksToClose()).toBe(true);
  expect(problems).toEqual([]);
}, 240_000);
