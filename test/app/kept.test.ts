/** The page keeps the picture: a page that is loaded again goes on with it. */
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { MOST_COPIED, toCopy } from '../../app/src/kept/session.ts';
import type { Session } from '../../app/src/kept/session.ts';
import { findings } from './axe.ts';
import { openTab, servePage } from './served.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import { pngStack } from './stack.ts';

const WIDTH = 48;
const HEIGHT = 32;

const served = servePage();
let page: Page;
let context: BrowserContext;
let problems: string[];

beforeAll(async () => {
  ({ page, problems } = await openTab(served));
  context = page.context();
  await page.locator('#align').evaluate((box: HTMLInputElement) => void (box.checked = false));
});

const bar = (at = page) => at.locator('#kept');
const state = (): Promise<string | undefined> => page.evaluate(() => document.body.dataset.state);
const exposures = (): Promise<string[]> =>
  page.locator('.frame.ready input.ev').evaluateAll((all) => all.map((input) => (input as HTMLInputElement).value));

/** A machine under load takes its time. */
const soon = <T>(what: () => Promise<T>) => expect.poll(what, { timeout: 30_000 });

/** What the database has. */
const records = (): Promise<(Session & { handles: number })[]> =>
  page.evaluate(async () => {
    const [{ name }] = await indexedDB.databases();
    const wait = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await wait(indexedDB.open(name!));
    const all = await wait(database.transaction('sessions').objectStore('sessions').getAll());
    database.close();
    const handles = (session: Session): number => session.frames.filter(({ handle }) => handle).length;
    return all.map((session) => ({ ...JSON.parse(JSON.stringify(session)), handles: handles(session) }));
  });

/** The names of all files in folders. */
const files = (): Promise<string[]> =>
  page.evaluate(async () => {
    const found: string[] = [];
    const list = async (folder: FileSystemDirectoryHandle): Promise<void> => {
      for await (const entry of folder.values())
        if (entry.kind === 'directory') await list(entry as FileSystemDirectoryHandle);
        else found.push(entry.name.replace(/-.*/, ''));
    };
    await list(await navigator.storage.getDirectory());
    return found.sort();
  });

/** Loads the page again. */
async function again(): Promise<void> {
  await page.reload();
  await page.locator('body[data-fetched]').waitFor();
}

it('copies photos without handles, all or none', () => {
  const [known, small, large] = [{ size: MOST_COPIED }, { size: 10 }, { size: MOST_COPIED - 10 }];
  const copied = (...files: { size: number }[]) => toCopy(files, (file) => file === known);
  expect(copied(known, small, large)).toEqual([small, large]);
  expect(copied(known)).toEqual([]);
  expect(copied(small, small, large)).toBeUndefined();
});

it('frames and what was chosen before a merge', async () => {
  await dropFiles(page, pngStack(WIDTH, HEIGHT));
  await settled(page, 3);
  await page.locator('.frame input.ev').first().fill('-3');
  await page.locator('.frame input.ev').first().blur();
  await page.getByLabel('Reference: scene-3.png').check();
  await page.locator('#strength').fill('0.7');
  const before = await exposures();
  await soon(async () => {
    const [session] = await records();
    return [
      session?.frames.map(({ copy, isReference }) => [copy !== undefined, isReference]),
      session?.controls.strength,
    ];
  }).toEqual([
    [
      [true, false],
      [true, false],
      [true, true],
    ],
    '0.7',
  ]);

  await again();
  expect(await bar().innerText()).toMatch(/Your last picture: scene-1[\s\S]*3 frames\. Kept in this browser alone/);
  expect(await findings(page)).toEqual([]);
  await bar().getByRole('button', { name: 'Continue' }).click();
  await settled(page, 3);
  await soon(exposures).toEqual(before);
  expect(before[0]).toBe('-5');
  expect(await page.getByLabel('Reference: scene-3.png').isChecked()).toBe(true);
  expect(await page.locator('#strength').inputValue()).toBe('0.7');
  expect(await page.locator('#align').isChecked()).toBe(false);
});

it('the merged picture, as it was, with its motion and its look', async () => {
  await merge(page);
  const merged = await save(page, 'exr-float');
  await page.locator('#overlay').check();
  await page.locator('input[name=brush][value=add]').check();
  const box = (await page.locator('#view').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 30, box.y + box.height / 2 + 10, { steps: 3 });
  await page.mouse.up();
  await page.locator('#view[aria-busy=true]').waitFor();
  await page.locator('#view[aria-busy=false]').waitFor({ timeout: 60_000 });
  const painted = await save(page, 'exr-float');
  expect(painted.bytes.equals(merged.bytes)).toBe(false);
  await page.locator('#crop-open').click();
  await page.locator('#crop-angle').fill('5');
  await page.locator('#crop-done').click();
  await page.locator('#finish-contrast').fill('40');
  await soon(async () => (await records())[0]?.finish.settings?.contrast).toBe(40);
  await soon(files).toEqual(['photo', 'photo', 'photo', 'result']);

  await again();
  expect(await bar().innerText()).toContain('3 frames, merged.');
  await bar().getByRole('button', { name: 'Continue' }).click();
  await soon(state).toBe('result');
  await settled(page, 3);
  await soon(() => page.locator('#finish-contrast').inputValue()).toBe('40');
  await page.locator('#crop-open').click();
  expect(await page.locator('#crop-angle').inputValue()).toBe('5');
  await page.locator('#crop-whole').click();
  await page.locator('#crop-done').click();
  expect((await save(page, 'exr-float')).bytes.equals(painted.bytes)).toBe(true);
  // To be painted again it must be merged again.
  await page.locator('#overlay').check();
  expect(await page.locator('#brush-note').isVisible()).toBe(true);
  expect(await page.locator('input[name=brush][value=add]').isDisabled()).toBe(true);
  expect(await page.locator('#merge').innerText()).toBe('Merge again');
  await page.locator('#compare:enabled').waitFor({ timeout: 60_000 });
});

it('another tab neither takes it nor destroys it, and keeps its own', async () => {
  const other = await context.newPage();
  await other.goto(served.site.url);
  await other.locator('body[data-fetched]').waitFor();
  // Longer than the page waits for a page that is being closed.
  await other.waitForTimeout(1000);
  expect(await bar(other).isVisible()).toBe(false);
  await dropFiles(
    other,
    pngStack(24, 16).map(({ bytes }, k) => ({ name: `other-${k}.png`, bytes })),
  );
  await settled(other, 3);
  await soon(async () => (await records()).length).toBe(2);
  await other.close();
  expect((await records()).filter(({ picture }) => picture)).toHaveLength(1);
});

it('“Start over” forgets it, “Forget” the other; switched off, nothing is kept', async () => {
  await page.locator('#frames-section').evaluate((details: HTMLDetailsElement) => void (details.open = true));
  await page.locator('#clear').click();
  await soon(state).toBe('empty');
  await soon(async () => (await records()).length).toBe(1);
  await soon(() => bar().innerText()).toContain('other');
  await bar().getByRole('button', { name: 'Forget' }).click();
  await soon(() => bar().isVisible()).toBe(false);
  await soon(files).toEqual([]);
  expect(await records()).toEqual([]);
  await dropFiles(page, pngStack(24, 16));
  await settled(page, 3);
  await page.locator('#keep').uncheck();
  await page.waitForTimeout(1000);
  expect([await records(), await files()]).toEqual([[], []]);
  await page.locator('#keep').check();
  await soon(async () => (await records()).length).toBe(1);
});

it('files with handles are not copied; without a permission they can be opened again', async () => {
  await page.locator('#clear').click();
  const stack = pngStack(24, 16).map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') }));
  await page.evaluate(async (list) => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true });
    const handles: FileSystemFileHandle[] = [];
    for (const { name, base64 } of list) {
      const handle = await folder.getFileHandle(name, { create: true });
      const stream = await handle.createWritable();
      await stream.write(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
      await stream.close();
      handles.push(handle);
    }
    globalThis.showOpenFilePicker = async () => handles;
  }, stack);
  await page.locator('#welcome [data-action=pick]').click();
  await settled(page, 3);
  await soon(async () => (await records())[0]?.handles).toBe(3);
  expect((await records())[0].frames.filter(({ copy }) => copy)).toEqual([]);

  await again();
  await page.evaluate(() => {
    const refused = new Set(['scene-1.png', 'scene-2.png', 'scene-3.png']);
    FileSystemFileHandle.prototype.queryPermission = async () => 'prompt';
    FileSystemFileHandle.prototype.requestPermission = async function () {
      return refused.has(this.name) ? 'denied' : 'granted';
    };
    addEventListener('grant', (event) => refused.delete((event as CustomEvent<string>).detail));
  });
  const grant = (k: number): Promise<boolean> =>
    page.evaluate((name) => dispatchEvent(new CustomEvent('grant', { detail: name })), `scene-${k}.png`);
  const goOn = bar().getByRole('button', { name: 'Continue' });
  await goOn.click();
  expect(await page.locator('.notice[data-key=kept]').innerText()).toMatch(/not opened[\s\S]*scene-1\.png, scene-2/);
  await grant(1);
  await grant(2);
  await goOn.click();
  await settled(page, 2);
  const missing = page.locator('.kept-missing');
  expect(await missing.innerText()).toContain('opens these photos again: scene-3.png.');
  await grant(3);
  await missing.getByRole('button', { name: 'Open again' }).click();
  await settled(page, 3);
  expect(await missing.isVisible()).toBe(false);
});

it('where nothing can be kept the page says so once, and works', async () => {
  await page.addInitScript(() => {
    StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('private', 'SecurityError'));
  });
  await again();
  await dropFiles(page, pngStack(24, 16));
  await settled(page, 3);
  expect(await page.locator('.notice[data-key=kept]').innerText()).toContain('This picture is not kept');
  await page.locator('.notice[data-key=kept] button').click();
  await page.locator('#strength').fill('0.3');
  await page.waitForTimeout(1000);
  expect(await page.locator('.notice').count()).toBe(0);
  expect(await page.locator('#merge').isEnabled()).toBe(true);
  expect(problems).toEqual([]);
});
