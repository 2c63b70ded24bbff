/** The page on a phone: two fingers zoom, one moves the picture or paints. */
import sharp from 'sharp';
import type { CDPSession, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, settled } from './drive.ts';
import { shortenMemory, watchGpu } from './gpuWatch.ts';
import { pngStack } from './stack.ts';

/** Half the side of the square that is compared around a point. */
const REACH = 12;
/** Time for the worker to draw. */
const POLL = { timeout: 20_000 };

const served = servePage();
let page: Page;
let session: CDPSession;
let view: { x: number; y: number; width: number; height: number };

beforeAll(async () => {
  watchGpu(served.site);
  ({ page } = await served.open({ width: 390, height: 844, touch: true, align: false }));
  session = await page.context().newCDPSession(page);
  await dropFiles(page, pngStack(192, 128));
  await settled(page, 3);
  await merge(page);
  const box = await page.locator('#view').boundingBox();
  if (!box) throw new Error('the view has no box');
  view = box;
});

interface Point {
  x: number;
  y: number;
}

const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: readonly Point[]) =>
  session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(({ x, y }, id) => ({ x, y, id })) });

/** Fingers set down one after another, moved together in steps, and lifted. */
async function gesture(from: readonly Point[], to: readonly Point[], steps = 8): Promise<void> {
  for (let i = 1; i <= from.length; i++) await touch('touchStart', from.slice(0, i));
  for (let i = 1; i <= steps; i++)
    await touch(
      'touchMove',
      from.map((point, k) => ({
        x: point.x + ((to[k].x - point.x) * i) / steps,
        y: point.y + ((to[k].y - point.y) * i) / steps,
      })),
    );
  await touch('touchEnd', []);
}

/** Two fingers, side by side. */
const fingers = ({ x, y }: Point, apart: number): Point[] => [
  { x: x - apart / 2, y },
  { x: x + apart / 2, y },
];
const zoom = async () => parseInt(await page.locator('#zoom-value').innerText(), 10);
const around = ({ x, y }: Point, reach: number) =>
  page.screenshot({ clip: { x: x - reach, y: y - reach, width: 2 * reach, height: 2 * reach } });
const middle = () => ({ x: view.x + view.width / 2, y: view.y + view.height / 2 });

/** The square around a point once nothing moves any more: two screenshots, a moment apart, are the same. */
async function settledAround(point: Point, reach: number): Promise<Buffer> {
  for (let before = await around(point, reach); ; ) {
    await page.waitForTimeout(400);
    const now = await around(point, reach);
    if (now.equals(before)) return now;
    before = now;
  }
}

/** Largest difference of two pictures' mean colours. */
async function difference(a: Buffer, b: Buffer): Promise<number> {
  const [one, other] = await Promise.all(
    [a, b].map(async (png) => (await sharp(png).removeAlpha().stats()).channels.map(({ mean }) => mean)),
  );
  return Math.max(...one.map((mean, c) => Math.abs(mean - other[c])));
}

describe('on a phone', () => {
  it('nothing is said of dropping files, and axe finds nothing serious', async () => {
    const { page: empty } = await served.open({ width: 390, height: 844, touch: true, align: false });
    expect(await empty.locator('.drop').innerText()).toMatch(
      /^Choose photos\s+Choose a folder\s+2 to 16 exposures of one scene, or a folder with many brackets\s+JPEG/,
    );
    expect(await findings(empty)).toEqual([]);
    await empty.close();
  });

  it('two fingers zoom, and what was between them stays between them', async () => {
    await page.locator('#zoom-full').tap();
    expect(await zoom()).toBe(100);
    const from = { x: middle().x + 30, y: middle().y - 20 };
    const to = { x: middle().x - 40, y: middle().y + 30 };
    const before = await settledAround(from, REACH);
    await gesture(fingers(from, 60), fingers(to, 120));
    expect(Math.abs((await zoom()) - 200)).toBeLessThanOrEqual(4);
    // At twice the size the same pixels take twice the room.
    await expect.poll(async () => difference(before, await around(to, 2 * REACH)), POLL).toBeLessThan(6);
    expect(await difference(before, await around(from, 2 * REACH))).toBeGreaterThan(6); // it has moved
    await gesture(fingers(to, 120), fingers(from, 60));
    expect(Math.abs((await zoom()) - 100)).toBeLessThanOrEqual(4);
    await expect.poll(async () => difference(before, await around(from, REACH)), POLL).toBeLessThan(6);
  });

  it('one finger moves the picture, and never out of sight', async () => {
    await page.locator('#zoom-full').tap();
    const at = middle();
    const before = await settledAround(at, REACH);
    await gesture([at], [{ x: at.x + 40, y: at.y + 10 }]);
    await expect
      .poll(async () => difference(before, await around({ x: at.x + 40, y: at.y + 10 }, REACH)), POLL)
      .toBeLessThan(3);
    for (let i = 0; i < 3; i++) await gesture([at], [{ x: view.x + 5, y: view.y + 5 }]);
    // The picture's far corner lies in the middle.
    const { channels } = await sharp(await settledAround({ x: at.x - 20, y: at.y - 20 }, REACH))
      .removeAlpha()
      .stats();
    expect(Math.max(...channels.map(({ stdev }) => stdev))).toBeGreaterThan(1);
    await page.locator('#zoom-fit').tap();
  });

  it('one finger paints, and two still zoom, without a dab where the first came down', async () => {
    await page.locator('#overlay').check();
    await page.getByLabel('Add', { exact: true }).tap();
    await page.evaluate(() => scrollTo(0, 0));
    const at = middle();
    await gesture(fingers(at, 60), fingers(at, 120));
    await expect.poll(zoom, POLL).toBeGreaterThan(150);
    await page.waitForTimeout(500); // a dab would have been reported by then
    expect(await page.locator('#undo').isDisabled()).toBe(true);
    expect(await page.locator('#merge').isHidden()).toBe(true);
    await gesture([at], [{ x: at.x + 30, y: at.y }]);
    await page.locator('#undo:enabled').waitFor();
    await page.locator('#view[aria-busy=true]').waitFor();
    await page.locator('#view[aria-busy=false]').waitFor({ timeout: 60_000 });
    expect(await page.locator('#undo').isEnabled()).toBe(true);
  });

  it('a failed merge is told where it is seen, and the control in use is not beneath the picture', async () => {
    await page.locator('#frames-section').evaluate((details) => ((details as HTMLDetailsElement).open = true));
    const ev = page.locator('.frame input.ev').last();
    await ev.focus();
    const { y = 0 } = (await ev.boundingBox()) ?? {};
    const stage = await page.locator('#stage').boundingBox();
    expect(y).toBeGreaterThan((stage?.y ?? 0) + (stage?.height ?? 0));
    await ev.fill('2.5');
    await ev.blur();
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(500);
    await shortenMemory(page, 'tab', 192 * 128 * 12 - 1);
    await page.locator('#merge').tap();
    await page.locator('.notice.error').waitFor();
    const notice = await page.locator('.notice.error').boundingBox();
    expect(notice?.y).toBeGreaterThanOrEqual(0);
    expect(notice?.y).toBeLessThan(844 / 2);
    await page.locator('.notice.error button').tap(); // nothing covers it
    expect(await page.locator('.notice').count()).toBe(0);
  });
});
