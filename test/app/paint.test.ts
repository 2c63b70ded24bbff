/** Motion that a person paints changes the next merge, and only there; with the pointer and with the keyboard. */
import { readExr } from 'hdrify';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import { pngStack } from './stack.ts';

/**
 * Multiples of 16: other sizes differ at the right and lower edge when maps are given back (docs/command-line.md,
 * Motion maps).
 */
const WIDTH = 96;
const HEIGHT = 64;

const served = servePage();
let page: Page;

/** Opens the page with a merged picture, at 100 % and with its motion. */
async function openMerged(): Promise<void> {
  ({ page } = await served.open({ align: false }));
  await dropFiles(page, pngStack(WIDTH, HEIGHT));
  await settled(page, 3);
  await merge(page);
  await page.locator('#overlay').check();
  await page.locator('#zoom-full').click();
}

beforeAll(openMerged);

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

/** Waits until all changes are merged. */
async function changesMerged(steps: 'some' | 'none' = 'some'): Promise<void> {
  await page.waitForFunction(
    (isSome) =>
      document.querySelector('#view')!.getAttribute('aria-busy') === 'false' &&
      (document.querySelector('#undo') as HTMLButtonElement).disabled !== isSome,
    steps === 'some',
    { timeout: 60_000 },
  );
}

async function stroke(dx: number, from: number, to: number): Promise<void> {
  const { x, y } = await middle();
  await page.mouse.move(x + dx, y + from);
  await page.mouse.down();
  await page.mouse.move(x + dx, y + to, { steps: 4 });
  await page.mouse.up();
}

describe('painted motion', () => {
  let before: Float32Array;

  it('is merged where it was painted, undone to the bit, and done again', async () => {
    before = await picture();
    await page.getByLabel('Add', { exact: true }).check();
    await page.getByLabel('Brush size').fill('24');
    await stroke(-34, -28, 28);
    await changesMerged();
    // A merge of the whole is not offered.
    expect(await page.locator('#merge').isHidden()).toBe(true);
    expect(await page.locator('#result-note').innerText()).toContain('with your changes');
    const after = await picture();
    const { left, right } = changed(before, after);
    expect(left).toBeGreaterThan(0.2);
    expect(right).toBeLessThan(left / 2);
    await page.locator('#view').focus();
    await page.keyboard.press('Control+z');
    await changesMerged('none');
    expect(changed(before, await picture())).toEqual({ left: 0, right: 0 });
    await page.locator('#view').focus();
    await page.keyboard.press('Control+Shift+z');
    await page.waitForFunction(() => (document.querySelector('#redo') as HTMLButtonElement).disabled);
    await changesMerged();
    expect(changed(after, await picture())).toEqual({ left: 0, right: 0 });
    before = after;
  });

  it('with the keyboard: the brush moves by arrows and paints with the space bar', async () => {
    await page.getByLabel('Erase').focus();
    await page.keyboard.press('Space');
    expect(await page.getByLabel('Erase').isChecked()).toBe(true);
    await page.getByLabel('Brush size').fill('12');
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
    await changesMerged();
    await page.keyboard.press('Escape');
    expect(await page.locator('#brush').isHidden()).toBe(true);
    const { left, right } = changed(before, await picture());
    expect(left + right).toBeGreaterThan(0.01);
  });

  it('drops a stroke by Escape, and ends it where the brush is put away meanwhile', async () => {
    const [kept, { x, y }] = [await picture(), await middle()];
    // The picture alone, without the paint over it.
    await page.locator('#overlay').uncheck();
    const seen = () => page.screenshot({ clip: { x: x - 44, y: y - 20, width: 20, height: 20 } });
    await page.mouse.move(x + 40, y + 28);
    await page.waitForTimeout(500);
    const untouched = await seen();
    await page.locator('#overlay').check();
    await page.getByLabel('Erase').check();
    await page.getByLabel('Brush size').fill('24');
    const begin = async (): Promise<void> => {
      await page.mouse.move(x - 34, y - 20);
      await page.mouse.down();
      await page.mouse.move(x - 34, y, { steps: 3 });
    };
    await begin();
    await page.keyboard.press('Escape');
    expect(await page.getByLabel('Erase').isChecked()).toBe(true);
    // Neither a stroke nor the picture follows the pointer.
    await page.mouse.move(x - 34, y + 20, { steps: 3 });
    await page.mouse.up();
    expect(changed(kept, await picture())).toEqual({ left: 0, right: 0 });
    await begin();
    await page.locator('#overlay').evaluate((box: HTMLInputElement) => box.click());
    await page.mouse.up();
    await page.mouse.move(x + 40, y + 28);
    await expect.poll(async () => (await seen()).equals(untouched), { timeout: 60_000 }).toBe(false);
    await page.locator('#overlay').check();
    await page.locator('#view').focus();
    await page.keyboard.press('u');
    await changesMerged();
    expect(changed(kept, await picture())).toEqual({ left: 0, right: 0 });
  }, 120_000);

  it('has a brush that the wheel makes larger', async () => {
    await page.getByLabel('Add', { exact: true }).check();
    const size = async (): Promise<number> => Number(await page.getByLabel('Brush size').inputValue());
    await page.getByLabel('Brush size').fill('40');
    const { x, y } = await middle();
    await page.mouse.move(x, y);
    await page.keyboard.down('Alt');
    await page.mouse.wheel(0, -100);
    await page.keyboard.up('Alt');
    await expect.poll(size).toBeGreaterThan(44);
    await page.getByLabel('Off', { exact: true }).check();
  });
});

describe('the loupe', () => {
  it('shows a thing in each frame, and the moment that is chosen, there alone', async () => {
    const before = await picture();
    const { x, y } = await middle();
    // Where motion was painted.
    await page.mouse.click(x - 34, y - 8);
    const crops = page.locator('#loupe [role=radio]');
    await crops.nth(2).waitFor({ timeout: 30_000 });
    expect(await crops.count()).toBe(3);
    expect(await crops.nth(1).getAttribute('aria-checked')).toBe('true');
    expect(await crops.nth(0).innerText()).toMatch(/scene-1\.png\s+−2 EV/);
    expect(await findings(page)).toEqual([]);
    const mark = await page.locator('.mark-thing').boundingBox();
    expect(mark!.x).toBeLessThan(x - 34);
    await crops.nth(2).click();
    await page.locator('#loupe').getByRole('button', { name: 'Close' }).click();
    await changesMerged();
    const after = await picture();
    const { left, right } = changed(before, after);
    expect(left + right).toBeGreaterThan(0.05);
    await page.locator('#view').focus();
    for (const key of ['u', 'Control+y', 'Control+z']) await page.keyboard.press(key);
    await page.waitForFunction(() => !(document.querySelector('#redo') as HTMLButtonElement).disabled);
    await changesMerged();
    expect(changed(before, await picture())).toEqual({ left: 0, right: 0 });
  });

  it('says where nothing moves, for all to see, and for some seconds', async () => {
    const told = page.locator('#told');
    expect(await told.isVisible()).toBe(false);
    // Beside the picture.
    await page.locator('#view').click({ position: { x: 4, y: 4 } });
    await told.waitFor();
    expect(await told.innerText()).toBe('Nothing moves there.');
    await expect.poll(() => page.locator('#status').textContent()).toBe('Nothing moves there.');
    await told.waitFor({ state: 'hidden', timeout: 8000 });
  });

  it('opens by keyboard, goes from thing to thing and back to the picture', async () => {
    await page.locator('#view').focus();
    await page.keyboard.press('Enter');
    const crops = page.locator('#loupe [role=radio]');
    await crops.nth(2).waitFor({ timeout: 30_000 });
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('radio');
    await page.keyboard.press('ArrowRight');
    expect(await crops.nth(2).evaluate((one) => one === document.activeElement)).toBe(true);
    await page.keyboard.press('Escape');
    expect(await page.locator('#loupe').isHidden()).toBe(true);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('view');
  });
});

/** Has the first adapter that the worker asks for look like a GPU. */
const AS_GPU = `
(() => {
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = async function (...args) {
    GPU.prototype.requestAdapter = requestAdapter;
    const adapter = await requestAdapter.apply(this, args);
    const info = { vendor: 'nvidia', architecture: 'ampere', device: '', description: '', isFallbackAdapter: false };
    return Object.defineProperty(adapter, 'info', { value: info });
  };
})();
`;

it('on a GPU, the picture changes while the brush is still down', async () => {
  served.site.replace(/assets\/main-[^/]+\.js$/, (original) => `${AS_GPU}${original.toString('utf8')}`);
  await openMerged();
  // The picture alone, without the paint over it.
  await page.locator('#opacity').fill('0');
  await page.getByLabel('Add', { exact: true }).check();
  await page.getByLabel('Brush size').fill('24');
  const before = await picture();
  const { x, y } = await middle();
  const seen = () => page.screenshot({ clip: { x: x - 44, y: y - 30, width: 20, height: 20 } });
  await page.mouse.move(x + 30, y + 28);
  await page.waitForTimeout(500);
  const untouched = await seen();
  await page.mouse.move(x - 34, y - 28);
  await page.mouse.down();
  await page.mouse.move(x - 34, y + 28, { steps: 4 });
  await expect.poll(async () => (await seen()).equals(untouched), { timeout: 60_000 }).toBe(false);
  await page.mouse.up();
  await changesMerged();
  const { left } = changed(before, await picture());
  expect(left).toBeGreaterThan(0.2);
  await page.locator('#view').focus();
  await page.keyboard.press('Control+z');
  await changesMerged('none');
  expect(changed(before, await picture())).toEqual({ left: 0, right: 0 });
}, 200_000);
