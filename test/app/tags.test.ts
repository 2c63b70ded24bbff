/** What files say of themselves: orientation flags that differ in what is read, colour profiles in what is saved. */
import sharp from 'sharp';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeIccProfile } from '../../src/image/iccEncoder.ts';
import { exposureFields, png, tiff } from '../node/pictures.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { TIMES, exposeScene } from './stack.ts';

const [WIDTH, HEIGHT] = [48, 32];

const served = servePage();
let page: Page;
let problems: string[];

beforeEach(async () => {
  ({ page, problems } = await served.open({ align: false }));
});

afterEach(async () => {
  expect(problems).toEqual([]);
  await page.close();
});

/** Three exposures. @param flags their orientation flags; all are stored upright. */
function flagged(flags: readonly number[]): PictureFile[] {
  return TIMES.map((time, k) => {
    const exif = tiff([[274, 3, [flags[k]]]], exposureFields({ time: [...time], fNumber: [8, 1], iso: 100 }));
    const rows = exposeScene(WIDTH, HEIGHT, 4 ** (k - 1), k);
    return { name: `f${k + 1}.png`, bytes: png({ width: WIDTH, height: HEIGHT, rows, extra: [['eXIf', exif]] }) };
  });
}

/** Merges frames and saves the result. */
async function merged(flags: readonly number[]): Promise<Buffer> {
  await dropFiles(page, flagged(flags));
  await settled(page, 3);
  await merge(page);
  return (await save(page, 'exr-float')).bytes;
}

describe('orientation flags that differ', () => {
  it.each([6, 3])('are left out where the frames agree without them: one of %i', async (odd) => {
    const upright = await merged([1, 1, 1]);
    await page.locator('#frames-section').evaluate((details) => ((details as HTMLDetailsElement).open = true));
    await page.locator('#clear').click();
    const turned = await merged([1, 1, odd]);
    expect(turned.equals(upright)).toBe(true);
    expect(await page.locator('.frame.ready .meta').allTextContents()).toEqual(new Array(3).fill('48 × 32, 8 bit'));
    expect(await page.locator('.notice', { hasText: 'About the files' }).innerText()).toContain(
      `F3.png has another orientation in its EXIF data (${odd}) than the other frames (1), but agrees with them ` +
        'without it: it is turned as they are.',
    );
  });

  it('of frames that do not fit even then are told beside the frame', async () => {
    const files = flagged([1, 1, 6]);
    const exif = tiff([[274, 3, [6]]], exposureFields({ time: [1, 20] }));
    // Upright as large as the others turned, but stored in another size.
    const rows = new Uint8Array(HEIGHT * HEIGHT * 3);
    files[2].bytes = png({ width: HEIGHT, height: HEIGHT, rows, extra: [['eXIf', exif]] });
    await dropFiles(page, files);
    await settled(page, 3);
    expect(await page.locator('.frame.failed .problem').innerText()).toBe(
      'f3.png is 32x32 but f1.png is 48x32: all frames must have one size',
    );
  });
});

describe('what is saved', () => {
  it.each(['srgb', 'p3'] as const)('names its colours in PNG and Ultra HDR: %s', async (space) => {
    await dropFiles(page, flagged([1, 1, 1]));
    await settled(page, 3);
    await page.getByLabel('Colours').selectOption(space);
    await merge(page);
    for (const format of ['png', 'ultrahdr']) {
      const { bytes } = await save(page, format);
      const { icc, exif } = await sharp(bytes).metadata();
      expect(icc && Buffer.from(icc)).toEqual(Buffer.from(encodeIccProfile(space, 'srgb')));
      expect(exif).toBeDefined();
      if (format === 'ultrahdr') {
        // One profile for the base: the browser's own is gone. The gain map is a file of its own.
        const base = bytes.subarray(0, bytes.indexOf(Buffer.from([0xff, 0xda])));
        expect(base.toString('latin1').split('ICC_PROFILE').length - 1).toBe(1);
      }
    }
  });
});
