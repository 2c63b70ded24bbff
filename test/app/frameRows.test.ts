/**
 * The rows of the frame list: what a first look at the files shows before they are decoded, which frame is the
 * reference and why, thumbnails that enlarge, and how frames were aligned.
 */
import sharp from 'sharp';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { words } from '../../app/src/words/en.ts';
import { alignedFrames } from '../../app/src/worker/alignedFrames.ts';
import { embeddedThumbnail } from '../../src/image/decode/embeddedThumbnail.ts';
import { exposureFields, tiff } from '../node/pictures.ts';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { TIMES, exposeScene } from './stack.ts';

const [WIDTH, HEIGHT] = [96, 64];
/** Of a camera's small picture, which lies on its side. */
const SMALL = { width: 20, height: 12 };

/** A JPEG as cameras write them: with its exposure, and a small picture in the second directory of its EXIF. */
async function cameraJpeg(k: number): Promise<PictureFile & { small: Buffer }> {
  const rows = exposeScene(WIDTH, HEIGHT, 4 ** (k - 1), k);
  const picture = await sharp(rows, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg()
    .toBuffer();
  const small = await sharp({ create: { ...SMALL, channels: 3, background: '#cc2211' } })
    .jpeg()
    .toBuffer();
  const block = tiff([[274, 3, [6]]], exposureFields({ time: [...TIMES[k]], fNumber: [56, 10], iso: 200 }));
  block.writeUInt32LE(block.length, 10 + 12 * block.readUInt16LE(8));
  const second = Buffer.alloc(2 + 2 * 12 + 4);
  second.writeUInt16LE(2, 0);
  [block.length + second.length, small.length].forEach((value, i) => {
    second.writeUInt16LE(513 + i, 2 + 12 * i);
    second.writeUInt16LE(4, 4 + 12 * i);
    second.writeUInt32LE(1, 6 + 12 * i);
    second.writeUInt32LE(value, 10 + 12 * i);
  });
  const body = Buffer.concat([Buffer.from('Exif\0\0'), block, second, small]);
  const head = Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 4);
  return { name: `camera-${k + 1}.jpg`, bytes: Buffer.concat([head, body, picture.subarray(2)]), small };
}

describe('on the page', () => {
  const served = servePage();
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    ({ page, problems } = await served.open());
  });

  it('a first look shows thumbnails and exposures before anything is decoded', async () => {
    await page.evaluate(() => {
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
    await dropFiles(page, await Promise.all([2, 0, 1].map(cameraJpeg)));
    await settled(page, 3);
    expect(await page.evaluate(() => (window as unknown as { seen: unknown }).seen)).toEqual([
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

describe('a camera’s small picture', () => {
  it('is found in the second directory', async () => {
    const { bytes, small } = await cameraJpeg(0);
    expect(Buffer.from(embeddedThumbnail(bytes)!)).toEqual(small);
  });

  it('is none where the file is cut off or its offsets lie', async () => {
    const { bytes, small } = await cameraJpeg(0);
    const at = bytes.indexOf(small);
    for (const length of [0, 4, 30, at, at + small.length - 1])
      expect(embeddedThumbnail(bytes.subarray(0, length))).toBeUndefined();
    const lying = Buffer.from(bytes);
    lying.writeUInt32LE(0xfffffff0, at - 4 - 12 - 4); // the first entry's value
    expect(embeddedThumbnail(lying)).toBeUndefined();
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
