/** The page keeps a list of brackets: a page that is loaded again goes on with it. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import type { Session } from '../../app/src/kept/session.ts';
import { findings } from './axe.ts';
import { brackets } from './brackets.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import { openTab, servePage } from './served.ts';

const served = servePage();
let page: Page;
let problems: string[];

beforeAll(async () => {
  ({ page, problems } = await openTab(served));
});

/** A machine under load takes its time. */
const soon = <T>(what: () => Promise<T>) => expect.poll(what, { timeout: 30_000 });
const bar = () => page.locator('#kept');
const tabs = () => page.locator('#strip button');
const tabStates = () => tabs().evaluateAll((all) => all.map((tab) => (tab as HTMLElement).dataset.state));
const cards = () => page.locator('#batch:visible .bracket');

/** What the database has, without handles. */
const records = (): Promise<Session[]> =>
  page.evaluate(async () => {
    const [{ name }] = await indexedDB.databases();
    const wait = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await wait(indexedDB.open(name!));
    const all = await wait(database.transaction('sessions').objectStore('sessions').getAll());
    database.close();
    const places = (session: Session) => session.list?.files.map(({ place }) => place?.path);
    return all.map((session) => ({ ...JSON.parse(JSON.stringify(session)), places: places(session) }));
  });

/** How many files of ours there are. */
const copies = (): Promise<number> =>
  page.evaluate(async () => {
    let count = 0;
    const list = async (folder: FileSystemDirectoryHandle): Promise<void> => {
      for await (const entry of folder.values())
        if (entry.kind === 'directory') await list(entry as FileSystemDirectoryHandle);
        else count += Number(entry.name.startsWith('photo-'));
    };
    for await (const [name, entry] of await navigator.storage.getDirectory())
      if (name !== 'dropped') await list(entry as FileSystemDirectoryHandle);
    return count;
  });

async function again(): Promise<void> {
  await page.reload();
  await page.locator('body[data-fetched]').waitFor();
}

it('photos that were dropped are copied; the plan is there again, without the open picture', async () => {
  await dropFiles(page, await brackets(3));
  await cards().nth(2).waitFor();
  await soon(async () => (await records())[0]?.list?.files.filter(({ copy }) => copy).length).toBe(9);
  expect(await copies()).toBe(9);
  await again();
  expect(await bar().innerText()).toMatch(/9 photos of several pictures\. Kept in this browser alone/);
  expect(await findings(page)).toEqual([]);
  await bar().getByRole('button', { name: 'Continue' }).click();
  await cards().nth(2).waitFor();
  expect(await page.locator('#batch .bracket[data-state=saved]').count()).toBe(0);
});

it('the one that is open, its picture, and what was saved', async () => {
  await cards().nth(1).locator('.open').click();
  await settled(page, 3);
  await page.locator('#align').evaluate((box: HTMLInputElement) => box.click());
  await merge(page);
  await save(page, 'exr-half');
  await soon(tabStates).toEqual(['', 'saved', '']);
  await soon(async () => (await records())[0]?.list?.saved.length).toBe(1);
  await soon(async () => (await records())[0]?.picture?.isSaved).toBe(true);
  expect(await copies()).toBe(9);
  await again();
  await bar().getByRole('button', { name: 'Continue' }).click();
  await page.locator('body[data-state=result]').waitFor();
  await settled(page, 3);
  await soon(tabStates).toEqual(['', 'saved', '']);
  expect(await tabs().nth(1).getAttribute('aria-current')).toBe('true');
  await page.locator('#to-brackets').click();
  await cards().nth(2).waitFor();
  expect(await cards().nth(1).getAttribute('data-state')).toBe('saved');
  expect(await cards().nth(1).locator('input').isChecked()).toBe(false);
  // Another one takes the place of the picture; the list stays.
  await cards().nth(0).locator('.open').click();
  await settled(page, 3);
  await soon(async () => {
    const [{ list, picture, frames }] = await records();
    return [list?.files.length, list?.saved.length, picture, frames.length];
  }).toEqual([9, 1, undefined, 3]);
  expect(await copies()).toBe(9);
}, 180_000);

it('“Start over” forgets all of it', async () => {
  await page.locator('#frames-section').evaluate((details: HTMLDetailsElement) => void (details.open = true));
  await page.locator('#clear').click();
  await soon(async () => [(await records()).length, await copies()]).toEqual([0, 0]);
});

it('a folder with a handle is not copied, and is opened again after one question', async () => {
  const files = (await brackets(2)).map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') }));
  const stub = async (): Promise<void> => {
    await page.evaluate(async (list) => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('dropped', { create: true });
      const sub = await root.getDirectoryHandle('day 1', { create: true });
      const entries: object[] = [];
      for (const { name, base64 } of list) {
        const handle = await sub.getFileHandle(name, { create: true });
        const stream = await handle.createWritable();
        await stream.write(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
        await stream.close();
        const file = (done: (file: File) => void) => void handle.getFile().then(done);
        entries.push({ isFile: true, isDirectory: false, name, file });
      }
      const folder = (name: string, within: object[]) => {
        const createReader = () => {
          const left = [within, []];
          return { readEntries: (done: (entries: object[]) => void) => done(left.shift() ?? []) };
        };
        return { isFile: false, isDirectory: true, name, createReader };
      };
      const dropped = folder('dropped', [folder('day 1', entries)]);
      DataTransferItem.prototype.webkitGetAsEntry = () => dropped as unknown as FileSystemEntry;
      DataTransferItem.prototype.getAsFileSystemHandle = async () => root;
    }, files);
  };
  await stub();
  await dropFiles(page, [{ name: 'dropped', bytes: Buffer.from('-') }]);
  await cards().nth(1).waitFor();
  await soon(async () => (await records())[0]?.list?.files.length).toBe(6);
  const [{ places }] = (await records()) as unknown as { places: string[][] }[];
  expect(places).toEqual(files.map(({ name }) => ['day 1', name]));
  expect(await copies()).toBe(0);

  await again();
  expect(await bar().innerText()).toMatch(/“dropped”[\s\S]*6 photos/);
  await page.evaluate(() => {
    let granted = false;
    FileSystemHandle.prototype.queryPermission = async () => (granted ? 'granted' : 'prompt');
    FileSystemHandle.prototype.requestPermission = async () => {
      Object.assign(window, { asked: ((window as { asked?: number }).asked ?? 0) + 1 });
      granted = (window as { mayOpen?: boolean }).mayOpen === true;
      return granted ? 'granted' : 'denied';
    };
  });
  const goOn = bar().getByRole('button', { name: 'Continue' });
  await goOn.click();
  await page.locator('.notice[data-key=kept]', { hasText: 'not opened' }).waitFor();
  await page.evaluate(() => void Object.assign(window, { mayOpen: true, asked: 0 }));
  await goOn.click();
  await cards().nth(1).waitFor();
  expect(await page.evaluate(() => (window as { asked?: number }).asked)).toBe(1);
  expect(problems).toEqual([]);
});
