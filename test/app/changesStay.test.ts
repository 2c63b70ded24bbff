/**
 * What a person changes in a result is what the library makes of it with the same maps, and stays: when the engine
 * that merged it is gone, and when the page is loaded again.
 */
import { readFileSync } from 'node:fs';
import { readExr } from 'hdrify';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import type { Session } from '../../app/src/kept/session.ts';
import { Deghoster } from '../../src/index.ts';
import type { MergeOptions } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import { openTab, servePage } from './served.ts';
import { THIN_ANY, THIN_FIXED } from './site.ts';
import { pngStack } from './stack.ts';

/** Multiples of 16: in other sizes given maps differ at the right and lower edge. */
const [WIDTH, HEIGHT] = [336, 96];
const FILES = pngStack(WIDTH, HEIGHT);
const PIXELS = WIDTH * HEIGHT;

const served = servePage();
let page: Page;
let deghoster: Deghoster;
let problems: string[];

beforeAll(async () => {
  deghoster = await Deghoster.create({
    weights: readFileSync(THIN_FIXED),
    momentWeights: async () => readFileSync(THIN_ANY),
    device: await testDevice(),
  });
  ({ page, problems } = await openTab(served));
  await page.locator('#align').evaluate((box: HTMLInputElement) => void (box.checked = false));
  await dropFiles(page, FILES);
  await settled(page, 3);
  await merge(page);
  await page.locator('#zoom-full').click();
});

/** What is saved, `[height, width, 3]`. */
async function picture(): Promise<Float32Array> {
  const { data } = readExr((await save(page, 'exr-float')).bytes);
  return Float32Array.from({ length: 3 * PIXELS }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]);
}

/** The whole merge in Node. */
async function whole(options: MergeOptions): Promise<Float32Array> {
  const frames = await Promise.all(
    FILES.map(async ({ bytes, name }, k) => ({
      data: new Uint8Array(await sharp(bytes).removeAlpha().raw().toBuffer()),
      ...{ width: WIDTH, height: HEIGHT, exposure: 4 ** k, name },
    })),
  );
  const { radiance, scale } = await deghoster.merge(frames, {
    align: 'none',
    response: 'auto',
    reference: 1,
    ...options,
  });
  return radiance.map((value) => value * scale);
}

/** What the page keeps of the result: its maps and moments. undefined while that is being written. */
async function kept(): Promise<{ motion: Float32Array[]; moment?: Uint8Array; isPainted: boolean } | undefined> {
  const found = await page.evaluate(async () => {
    const [{ name }] = await indexedDB.databases();
    const wait = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await wait(indexedDB.open(name!));
    const [session]: Session[] = await wait(database.transaction('sessions').objectStore('sessions').getAll());
    database.close();
    if (!session?.picture) return undefined;
    const root = await navigator.storage.getDirectory();
    for await (const place of root.values()) {
      const folder = await (place as FileSystemDirectoryHandle).getDirectoryHandle(session.id);
      const file = await (await folder.getFileHandle(session.picture.file)).getFile();
      return { changes: session.picture.changes, bytes: [...new Uint8Array(await file.arrayBuffer())] };
    }
    return undefined;
  });
  if (!found) return undefined;
  const { bytes, changes } = found;
  const part = (at: number) => Uint8Array.from(bytes.slice(PIXELS * at, PIXELS * (at + 1)));
  const { isPainted, hasMoments } = changes;
  return {
    motion: [0, 1, 2].map((k) => Float32Array.from(part(12 + k), (byte) => byte / 255)),
    moment: hasMoments ? part(15) : undefined,
    isPainted,
  };
}

/** Of the brightest value; both adapters round. */
const ROUNDING = 1e-5;

/** The largest difference, as a share of the brightest value. */
function worst(a: Float32Array, b: Float32Array): number {
  const most = a.reduce((most, value) => Math.max(most, value));
  return a.reduce((so, value, i) => Math.max(so, Math.abs(value - b[i])), 0) / most;
}

/** The rectangle of all pixels that differ in any bit. */
function changedRect(a: Float32Array, b: Float32Array): { x: number; y: number; right: number; bottom: number } {
  const rect = { x: WIDTH, y: HEIGHT, right: 0, bottom: 0 };
  a.forEach((value, i) => {
    if (Object.is(value, b[i])) return;
    const [x, y] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
    Object.assign(rect, { x: Math.min(rect.x, x), y: Math.min(rect.y, y) });
    Object.assign(rect, { right: Math.max(rect.right, x + 1), bottom: Math.max(rect.bottom, y + 1) });
  });
  return rect;
}

/** The rectangle of all pixels that show another moment. */
function momentRect(moment: Uint8Array): ReturnType<typeof changedRect> {
  const rgb = Float32Array.from({ length: 3 * PIXELS }, (_, i) => Number(moment[Math.floor(i / 3)] !== 255));
  return changedRect(rgb, new Float32Array(rgb.length));
}

/** A machine under load takes its time. */
const soon = <T>(what: () => Promise<T>) => expect.poll(what, { timeout: 60_000, interval: 200 });

async function changesMerged(): Promise<void> {
  // Strokes wait for the next one.
  await page.waitForTimeout(400);
  await page.locator('#view[aria-busy=false]').waitFor({ timeout: 90_000 });
}

/** Chooses the third frame's moment of the next thing that moves. */
async function chooseMoment(frame = 2): Promise<void> {
  await page.locator('#view').focus();
  await page.keyboard.press('Enter');
  const crops = page.locator('#loupe [role=radio]');
  await crops.nth(2).waitFor({ timeout: 90_000 });
  await crops.nth(frame).click();
  await page.locator('#loupe').getByRole('button', { name: 'Close' }).click();
  await changesMerged();
}

/** A hard stroke from one place to another, in pixels of the picture from its middle. */
async function paint(from: number, to: number): Promise<void> {
  await page.locator('#overlay').check();
  await page.getByLabel('Add', { exact: true }).check();
  await page.getByLabel('Brush size').fill('16');
  await page.getByLabel('Hardness').fill('100');
  const box = (await page.locator('#view').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x + from, y);
  await page.mouse.down();
  await page.mouse.move(x + to, y, { steps: 3 });
  await page.mouse.up();
  await page.getByLabel('Off', { exact: true }).check();
  await changesMerged();
}

/** Feathers of moments: pixels around them. */
const FEATHER = 4;
let merged: Float32Array;
let chosen: Float32Array;

it('a moment is what the library makes of the same map, without a seam; outside of it no bit changes', async () => {
  merged = await picture();
  expect(worst(merged, await whole({}))).toBeLessThan(ROUNDING);
  await chooseMoment();
  chosen = await picture();
  await soon(async () => (await kept())?.moment !== undefined).toBe(true);
  const { moment, isPainted } = (await kept())!;
  expect(isPainted).toBe(false);
  expect(new Set(moment)).toEqual(new Set([2, 255]));
  expect(worst(merged, chosen)).toBeGreaterThan(0.01);
  expect(worst(chosen, await whole({ moment }))).toBeLessThan(ROUNDING);
  const [changed, shown] = [changedRect(merged, chosen), momentRect(moment!)];
  expect(changed.x).toBeGreaterThanOrEqual(Math.max(0, shown.x - FEATHER));
  expect(changed.y).toBeGreaterThanOrEqual(Math.max(0, shown.y - FEATHER));
  expect(changed.right).toBeLessThanOrEqual(Math.min(WIDTH, shown.right + FEATHER));
  expect(changed.bottom).toBeLessThanOrEqual(Math.min(HEIGHT, shown.bottom + FEATHER));
  expect((shown.right - shown.x) * (shown.bottom - shown.y)).toBeLessThan(PIXELS / 2);
}, 180_000);

it('stays, and more can be changed, after a merge that was cancelled took its engine', async () => {
  await page.locator('#frames-section').evaluate((details: HTMLDetailsElement) => void (details.open = true));
  await page.locator('#strength').fill('0.7');
  await page.locator('#merge:enabled').click();
  await page.locator('#cancel').click();
  await page.locator('body[data-state=result]').waitFor({ timeout: 60_000 });
  await page.locator('#strength').fill('0.5');
  expect(await page.locator('#merge').isHidden()).toBe(true);
  expect(worst(chosen, await picture())).toBe(0);
  await paint(60, 100);
  expect(await page.locator('.notice.error').count()).toBe(0);
  const painted = await picture();
  await soon(async () => (await kept())?.isPainted).toBe(true);
  const { motion, moment } = (await kept())!;
  expect(worst(chosen, painted)).toBeGreaterThan(0.001);
  // Maps are kept with 8 bits.
  expect(worst(painted, await whole({ motion, moment }))).toBeLessThan(0.01);
  // What was there before can be undone.
  await page.locator('#view').focus();
  for (const _ of [1, 2]) await page.keyboard.press('u');
  await changesMerged();
  expect(worst(merged, await picture())).toBeLessThan(0.01);
  await page.locator('#view').focus();
  for (const _ of [1, 2]) await page.keyboard.press('Control+y');
  await changesMerged();
  expect(worst(painted, await picture())).toBeLessThan(ROUNDING);
  expect(problems).toEqual([]);
}, 240_000);

it('stays when the page is loaded again, and when it is merged again then', async () => {
  const before = await picture();
  await soon(async () => {
    const { moment, isPainted } = (await kept()) ?? {};
    return [moment !== undefined, isPainted];
  }).toEqual([true, true]);
  await page.reload();
  await page.locator('body[data-fetched]').waitFor();
  await page.locator('#kept').getByRole('button', { name: 'Continue' }).click();
  await settled(page, 3);
  await page.locator('body[data-state=result]').waitFor();
  expect(worst(before, await picture())).toBe(0);
  // A click says what to do.
  await page.locator('#view').focus();
  await page.keyboard.press('Enter');
  expect(await page.locator('.notice[data-key=change]').innerText()).toMatch(/^Merge it again first\s/);
  await page.locator('#merge:enabled').click();
  expect(await page.locator('#merge').innerText()).toBe('Merge again');
  await page.locator('#merge').waitFor({ state: 'hidden', timeout: 110_000 });
  await page.locator('body[data-state=result]').waitFor({ timeout: 110_000 });
  expect(await page.locator('#result-note').innerText()).toContain('with your changes');
  expect(worst(before, await picture())).toBeLessThan(0.01);
  // It can be changed further.
  await page.locator('#zoom-full').click();
  await chooseMoment(0);
  expect(worst(before, await picture())).toBeGreaterThan(0.001);
  expect(problems).toEqual([]);
}, 240_000);
