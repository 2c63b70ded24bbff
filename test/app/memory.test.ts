/**
 * Too little memory, on the graphics card and in the tab: what the page says, that it frees what it took, and that it
 * goes on.
 */
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import { gpuBytes, restoreMemory, shortenMemory, watchGpu } from './gpuWatch.ts';
import { pngStack } from './stack.ts';

const WIDTH = 96;
const HEIGHT = 64;
/**
 * The size of the result, no smaller: radiance is the largest array of such a small merge, except the frames in the
 * engine's layout.
 */
const RADIANCE_BYTES = WIDTH * HEIGHT * 12;

const served = servePage();
let page: Page;
let problems: string[];

beforeAll(async () => {
  watchGpu(served.site);
});

beforeEach(async () => {
  ({ page, problems } = await served.open({ align: false }));
  await dropFiles(page, pngStack(WIDTH, HEIGHT));
  await settled(page, 3);
  await page.locator('#merge:enabled').waitFor();
});

afterEach(async () => {
  expect(problems).toEqual([]);
  await page.close();
});

const notice = async (tone: 'error' | 'info') =>
  (await page.locator(`.notice.${tone} > div`).innerText({ timeout: 60_000 })).replace(/\n+/g, '\n');

/** Expects an error message that begins with a text. */
async function expectError(text: string): Promise<void> {
  expect((await notice('error')).slice(0, text.length)).toBe(text);
}

describe('too little memory on the graphics card', () => {
  it('makes the merge begin again in smaller pieces, and says so', async () => {
    await shortenMemory(page, 'deghost', 0, 1);
    await merge(page);
    expect(await notice('info')).toBe(
      'The graphics card is short of memory\nThe merge has begun again in smaller pieces, which takes a little longer.',
    );
    expect((await save(page, 'exr-half')).bytes.length).toBeGreaterThan(1000);
  });

  it(
    'for smaller pieces too is told with what to do; everything is freed, and merging goes on when there is ' +
      'memory',
    async () => {
      await shortenMemory(page, 'deghost', 0);
      await page.locator('#merge').click();
      await expectError(
        'The graphics card has too little memory\nMerging in smaller pieces was tried as well. Close other tabs and ' +
          'programs that use it, then merge again; if that does not help, scale the frames down.',
      );
      expect(await gpuBytes(page)).toMatchObject({ merging: 0, devices: 1 });
      expect(await page.locator('.frame.ready').count()).toBe(3);
      expect(await findings(page)).toEqual([]);
      await restoreMemory(page);
      await merge(page);
      expect(await page.locator('.notice:not(.warning)').count()).toBe(0);
    },
  );

  it('to show the picture leaves it to be saved', async () => {
    await shortenMemory(page, 'viewer', WIDTH * HEIGHT);
    await page.locator('#merge').click();
    await expectError(
      'The graphics card has too little memory to show the picture\nIt is merged and can be saved. To see ' +
        'it too, close other tabs',
    );
    expect((await save(page, 'exr-half')).bytes.length).toBeGreaterThan(1000);
    // The plain merge is made after the picture, which may be saved before.
    await expect
      .poll(() => page.locator('#compare-note').innerText(), { timeout: 60_000 })
      .toBe('The plain merge could not be made: the graphics card has too little memory.');
  });
});

describe('too little memory in the tab', () => {
  it('for a merge is told with what to do; the frames stay, and merging goes on when there is memory', async () => {
    await shortenMemory(page, 'tab', RADIANCE_BYTES - 1);
    await page.locator('#merge').click();
    await expectError('This tab has too little memory\n');
    expect((await notice('error')).split('\n')[1]).toContain(
      ' Close other tabs and programs, take out some frames, or scale all of them down; then merge again. The frames ' +
        'are still here.',
    );
    expect(await gpuBytes(page)).toMatchObject({ merging: 0, devices: 1 });
    expect(await page.locator('.frame.ready').count()).toBe(3);
    await restoreMemory(page);
    await merge(page);
    expect(await page.locator('.notice:not(.warning)').count()).toBe(0);
  });

  it('for one more frame is told beside it, and the others stay', async () => {
    await shortenMemory(page, 'tab', WIDTH * HEIGHT * 3 - 1);
    const [{ bytes }] = pngStack(WIDTH, HEIGHT);
    await dropFiles(page, [{ name: 'fourth.png', bytes }]);
    await settled(page, 4);
    expect(await page.locator('.frame.failed .problem').innerText()).toBe(
      'fourth.png needs more memory than this tab has: close other tabs, take out other frames, or scale all of them ' +
        'down',
    );
    await restoreMemory(page);
    await page.getByLabel('Dismiss fourth.png').click();
    await dropFiles(page, [{ name: 'again.png', bytes }]);
    await settled(page, 4);
    expect(await page.locator('.frame.ready').count()).toBe(4);
  });

  it('for a file is told, and another can be saved', async () => {
    await merge(page);
    await page.locator('#compare:enabled').waitFor({ timeout: 60_000 });
    await shortenMemory(page, 'tab', WIDTH * HEIGHT * 3 - 1);
    await page.locator('[data-save=png]').click();
    await expectError(
      'There is too little memory to make this file\nClose other tabs and programs and try again, or save Radiance ' +
        '.hdr, which needs the least.',
    );
    await restoreMemory(page);
    expect((await save(page, 'png')).bytes.length).toBeGreaterThan(1000);
    expect(await page.locator('.notice:not(.warning)').count()).toBe(0);
  });
});
