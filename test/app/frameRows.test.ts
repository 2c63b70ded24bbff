/**
 * The rows of the frame list: what a first look at the files shows before they are decoded, which frame is the
 * reference and why, thumbnails that enlarge, and how frames were aligned.
 */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { words } from '../../app/src/words/en.ts';
import { alignedFrames } from '../../app/src/worker/alignedFrames.ts';
import { SMALL, cameraJpeg, cr3, plainJpeg } from '../cameraFiles.ts';
import { dng, patches } from '../rawDng.ts';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, settled } from './drive.ts';

/** Notes what the rows show when all three have a picture and none is decoded: their text, and the first's size. */
function watchGlimpses(page: Page): Promise<void> {
  return page.evaluate(() => {
    const seen: unknown[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const rows = [...document.querySelectorAll('.frame')];
      const images = rows.map((row) => row.querySelector<HTMLImageElement>('img.thumb'));
      if (seen.length > 0 || !rows.every((row, k) => row.matches('.loading') && images[k]) || rows.length < 3) return;
      seen.push(rows.map((row) => [...row.querySelectorAll('.taken, .meta')].map(({ textContent }) => textContent)));
      const copy = new Image();
      copy.src = images[0]!.src;
      void copy.decode().then(() => seen.push([copy.naturalWidth, copy.naturalHeight]));
    }).observe(document.querySelector('#frames')!, { childList: true, subtree: true });
  });
}

const glimpsed = (page: Page): Promise<unknown> => page.evaluate(() => (window as unknown as { seen: unknown }).seen);

describe('on the page', () => {
  const served = servePage();
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    ({ page, problems } = await served.open());
  });

  it('a first look shows thumbnails and exposures before anything is decoded', async () => {
    await watchGlimpses(page);
    await dropFiles(page, await Promise.all([2, 0, 1].map(cameraJpeg)));
    await settled(page, 3);
    expect(await glimpsed(page)).toEqual([
      [
        ['1/320 s, f/5.6, ISO 200', '−2 EV. Reading…'],
        ['1/80 s, f/5.6, ISO 200', '0 EV. Reading…'],
        ['1/20 s, f/5.6, ISO 200', '+2 EV. Reading…'],
      ],
      // The camera's small picture, turned upright.
      [SMALL.height, SMALL.width],
    ]);
    expect(await page.locator('.frame.ready .taken').allTextContents()).toEqual([
      '1/320 s, f/5.6, ISO 200',
      '1/80 s, f/5.6, ISO 200',
      '1/20 s, f/5.6, ISO 200',
    ]);
  });

  it('so it does of RAW files: DNG with pictures in its directories, CR3 with some in its boxes', async () => {
    const { page: other } = await served.open();
    const [small, large] = [await plainJpeg(60, 45, '#224466'), await plainJpeg(900, 600, '#668822')];
    const previews = [
      { jpeg: small, width: 60, height: 45 },
      { jpeg: large, width: 900, height: 600 },
    ];
    const stack = [0.25, 1, 4].map((exposure, k) => ({
      name: `raw-${k + 1}.dng`,
      bytes: Buffer.from(dng({ width: 96, height: 64, scene: patches, exposure, previews, orientation: 6 })),
    }));
    await watchGlimpses(other);
    await dropFiles(other, stack);
    await settled(other, 3);
    expect(await glimpsed(other)).toEqual([
      [
        ['1/400 s, f/8, ISO 100', '−2 EV. Reading…'],
        ['1/100 s, f/8, ISO 100', '0 EV. Reading…'],
        ['1/25 s, f/8, ISO 100', '+2 EV. Reading…'],
      ],
      [600, 900],
    ]);
    expect(await other.locator('.frame.ready').count()).toBe(3);
    for (const _ of stack) await other.locator('.frame .remove').first().click();

    const [thumbnail, preview] = [await plainJpeg(160, 120, '#123456'), await plainJpeg(1600, 1200, '#654321')];
    await watchGlimpses(other);
    await dropFiles(
      other,
      [1000, 250, 60].map((part, k) => ({
        name: `raw-${k + 1}.cr3`,
        bytes: cr3({ time: [1, part], thumbnail, preview }),
      })),
    );
    await settled(other, 3); // without sensor data: none is developed
    expect(await glimpsed(other)).toEqual([
      [
        ['1/1000 s, f/7.1, ISO 400', '−2 EV. Reading…'],
        ['1/250 s, f/7.1, ISO 400', '0 EV. Reading…'],
        ['1/60 s, f/7.1, ISO 400', '+2.06 EV. Reading…'],
      ],
      // Made smaller.
      [1280, 960],
    ]);
    expect(await other.locator('.frame.failed').count()).toBe(3);
    await other.close();
  });

  it('the reference says why it is the reference', async () => {
    const facts = (): Promise<string[]> => page.locator('.frame .facts').allTextContents();
    expect(await facts()).toEqual(['', 'Reference: middle exposure', '']);
    await page.getByLabel('Reference: camera-3.jpg').check();
    expect(await facts()).toEqual(['', '', 'Reference: chosen']);
    await page.getByLabel('Take the reference that shows most').check();
    expect((await facts()).filter((text) => text !== '')).toEqual(['Reference: shows most']);
  });

  it('a thumbnail enlarges by a key; arrows go on, and Escape goes back to it', async () => {
    await page.getByRole('button', { name: 'Enlarge camera-1.jpg' }).focus();
    await page.keyboard.press('Enter');
    const box = page.locator('dialog.lightbox');
    expect(await box.locator('p').innerText()).toMatch(/camera-1\.jpg\s+1\/320 s, f\/5\.6, ISO 200\s+1 of 3/);
    expect(await findings(page)).toEqual([]);
    for (const _ of [1, 2, 3]) await page.keyboard.press('ArrowRight');
    expect(await box.getByRole('img', { name: 'camera-3.jpg' }).isVisible()).toBe(true);
    await page.keyboard.press('ArrowLeft');
    expect(await box.getByRole('img', { name: 'camera-2.jpg' }).isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await box.waitFor({ state: 'detached' });
    const label = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(label).toBe('Enlarge camera-1.jpg');
    expect(problems).toEqual([]);
  });
});

it('what a merge found of its frames is told in pixels and degrees', () => {
  const angle = (0.3 * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const turned = { kind: 'homography', displacement: 12.34, matrix: [c, -s, 5, s, c, 0, 0, 0, 1] } as const;
  const still = { kind: 'reference', displacement: 0, matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
  const found = alignedFrames(
    { alignment: [turned, still, { ...turned, failed: true }], order: [2, 0, 1] },
    [7, 8, 9].map((id) => ({ id, exposure: 1 })),
  );
  expect(found.map(({ id, kind, failed }) => [id, kind, failed])).toEqual([
    [9, 'homography', false],
    [7, 'reference', false],
    [8, 'homography', true],
  ]);
  expect([found[0].moved, found[1].moved]).toEqual([12.34, 0]);
  expect(found[0].turned).toBeCloseTo(0.3, 10);
  const { aligned } = words.frames;
  expect(aligned('12', '0.30', false)).toBe('Aligned: moved by up to 12 px, turned by 0.30°');
  expect(aligned('2.3', '', true)).toBe('Aligned: moved by up to 2.3 px, bent against parallax');
});
