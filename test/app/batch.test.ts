/** Folders on the page: the plan, merging one bracket after another, and what ends it early. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { planBatch } from '../../src/node/cli/batchPlan.ts';
import { FORTY_BRACKETS, writeForty } from '../folderOfForty.ts';
import { findings } from './axe.ts';
import { HEIGHT, WIDTH, brackets, photo } from './brackets.ts';
import { servePage } from './served.ts';
import { dropFiles, finished, merge, save, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { gpuBytes, watchGpu } from './gpuWatch.ts';
import { workerHeap } from './workerHeap.ts';

const served = servePage();
let folder: string;
let page: Page;
let problems: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deghost-folder-'));
  watchGpu(served.site);
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  expect(problems ?? []).toEqual([]);
  await page?.close();
});

async function open(): Promise<void> {
  ({ page, problems } = await served.open());
}

/** Writes files into a folder of that name. @returns its path. */
function written(name: string, files: readonly PictureFile[]): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (const file of files) {
    mkdirSync(join(path, file.name, '..'), { recursive: true });
    writeFileSync(join(path, file.name), file.bytes);
  }
  return path;
}

const titles = () => page.locator('.bracket .name').allTextContents();
const states = () =>
  page.locator('.bracket').evaluateAll((all) => all.map((card) => (card as HTMLElement).dataset.state));
const outcome = () => page.locator('#batch-outcome:visible').innerText({ timeout: 100_000 });
const planned = () => page.locator('#batch:visible .bracket').first().waitFor();

/** Chooses a format that says what is in it to the bit. */
const chooseFloat = () => page.getByLabel('Save as').selectOption('exr-float');

/** Collects what the page downloads. */
function downloads(): Map<string, Promise<string>> {
  const found = new Map<string, Promise<string>>();
  page.on('download', (download) => found.set(download.suggestedFilename(), download.path()));
  return found;
}

/** In place of the browser's dialog for a folder: one that only the page sees. */
async function offerFolder(): Promise<void> {
  await page.evaluate(() =>
    Object.assign(window, {
      showDirectoryPicker: async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle('out', { create: true }),
    }),
  );
  await dropFiles(page, await brackets(2)); // the page asks again what the browser can do
  await planned();
  await page.getByLabel('Save to').selectOption('folder');
  await page.locator('#batch-target', { hasText: 'The folder “out”' }).waitFor();
}

/** Names and sizes of the files in that folder. */
const inFolder = () =>
  page.evaluate(async () => {
    const out = await (await navigator.storage.getDirectory()).getDirectoryHandle('out');
    const files: [string, number][] = [];
    for await (const [name, handle] of out as unknown as AsyncIterable<[string, FileSystemFileHandle]>)
      files.push([name, (await handle.getFile()).size]);
    return files.sort();
  });

it('many brackets need code that one does not: a chunk of its own, beside an entry of at most 18.5 kB', async () => {
  const text = async (path: string) => (await fetch(new URL(path, served.site.url))).text();
  const [, entry] = /src="([^"]+index-[^"]+\.js)"/.exec(await text('')) ?? [];
  const code = await text(entry);
  expect(code).toMatch(/import\("?`?\.\/batch-|batch-[\w-]+\.js/);
  expect(code).not.toContain('batch-outcome');
  expect(brotliCompressSync(code).length).toBeLessThan(18_500);
});

describe('a folder on the page', () => {
  it('is grouped as on the command line: forty files of three cameras', async () => {
    const forty = join(folder, 'forty');
    mkdirSync(forty);
    await writeForty(forty);
    writeFileSync(join(forty, 'notes.txt'), 'no picture');
    const options = { inputs: [forty], folder: join(folder, 'none'), format: 'jpg', frames: undefined };
    const { stacks, skipped } = await planBatch(options, new AbortController().signal);
    await open();
    const requested: string[] = [];
    page.context().on('request', (request) => requested.push(request.url()));
    await page.locator('#folder').setInputFiles(forty);
    await planned();
    expect(await page.locator('#batch-title').innerText()).toBe('10 brackets in “forty”');
    expect(stacks).toHaveLength(FORTY_BRACKETS.length);
    const short = (path: string) => basename(path);
    expect(await titles()).toEqual(stacks.map(({ files }) => `${short(files[0])} to ${short(files.at(-1)!)}`));
    const outputs = await page.locator('.bracket .output').allTextContents();
    expect(outputs).toEqual(stacks.map(({ output }) => short(output).replace('.jpg', '-merged.jpg')));
    // Every picture that is left over, with Node's reason.
    await page.locator('#left-over summary').click();
    const left = await page.locator('#left-over li').allInnerTexts();
    const reasons = left.flatMap((line) => {
      const [names, reason] = line.split(/: (.*)/s);
      return names.split(', ').map((name) => [name, reason]);
    });
    const inNode = skipped.map(({ name, reason }) => [short(name), reason.replace(`${forty}/`, '')]);
    expect(reasons.sort()).toEqual(inNode.sort());
    expect(await findings(page)).toEqual([]);
    // Exposures of each frame, and thumbnails.
    const first = page.locator('.bracket').first();
    expect(await first.locator('.ev').allTextContents()).toEqual(['−2 EV', '0 EV', '+2 EV']);
    // A name keeps its room beside many photos.
    const room = await first.evaluate((card) => {
      const [shots, about] = [card.querySelector('.open')!, card.querySelector('.about')!];
      const more = Array.from({ length: 9 }, () => shots.querySelector('.shot')!.cloneNode(true));
      shots.append(...more);
      const { width } = about.getBoundingClientRect();
      for (const shot of more) (shot as Element).remove();
      return width;
    });
    expect(room).toBeGreaterThan(200);
    expect(await first.locator('.shutter').allTextContents()).toEqual(['1/400 s', '1/100 s', '1/25 s']);
    // The first bracket's files are RAW of which only the EXIF is there.
    await page.locator('.bracket').nth(1).locator('img.thumb').nth(2).waitFor();
    // Nothing is fetched once there are pictures, but for LibRaw's script by its workers: from the browser's cache.
    expect(requested.filter((url) => !url.startsWith('blob:') && !/\/libraw-[^/]*\.js$/.test(url))).toEqual([]);
  });

  it('is read when it is dropped, with the folders in it', async () => {
    const path = written('trip', [
      ...(await brackets(1)).map((file) => ({ ...file, name: `monday/${file.name}` })),
      ...(await brackets(1)).map((file) => ({ ...file, name: `tuesday/deep/${file.name}` })),
    ]);
    await open();
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await planned();
    expect(await page.locator('#batch-title').innerText()).toBe('2 brackets in “trip”');
    expect(await titles()).toEqual(['monday/IMG_00.jpg to IMG_02.jpg', 'tuesday/deep/IMG_00.jpg to IMG_02.jpg']);
    // Two files of one name would overwrite each other.
    const outputs = await page.locator('.bracket .output').allTextContents();
    expect(outputs).toEqual(['IMG_00-merged.jpg', 'IMG_00-merged-2.jpg']);
    expect(await page.locator('#drop-veil').isVisible()).toBe(false);
  });

  it('shows its brackets as a strip while one of them is open', async () => {
    await open();
    await dropFiles(page, await brackets(3));
    await planned();
    const strip = page.locator('#strip');
    const tabs = strip.getByRole('button');
    const state = (): Promise<string[]> => tabs.locator('.state').allTextContents();
    expect(await strip.isVisible()).toBe(false);
    await page.locator('.bracket .open').first().click();
    await settled(page, 3);
    expect(await tabs.count()).toBe(3);
    expect(await tabs.first().innerText()).toContain('3 frames');
    await tabs.locator('img.thumb').nth(2).waitFor();
    expect(await state()).toEqual(['open', '', '']);
    expect(await findings(page)).toEqual([]);
    const names = await page.locator('.frame .name').allTextContents();
    await tabs.nth(1).click();
    await settled(page, 3);
    expect(await state()).toEqual(['', 'open', '']);
    expect(await tabs.nth(1).getAttribute('aria-current')).toBe('true');
    expect(await page.locator('.frame .name').allTextContents()).not.toEqual(names);
    await page.locator('#to-brackets').click();
    expect(await strip.isVisible()).toBe(false);
  });

  it('with one bracket is that bracket, and what is left out is told', async () => {
    const path = written('one', [...(await brackets(1)), { name: 'IMG_99.jpg', bytes: await photo(900, 0, 0) }]);
    await open();
    await page.locator('#folder').setInputFiles(path);
    await settled(page, 3);
    expect(await page.locator('.frame .name').allTextContents()).toEqual(['IMG_00.jpg', 'IMG_01.jpg', 'IMG_02.jpg']);
    expect((await page.locator('.notice.info > div').innerText()).replace(/\n+/g, ' ')).toBe(
      'One bracket in “one” Left out: IMG_99.jpg (no other picture of the scene with another exposure right before ' +
        'or after it).',
    );
    expect(await page.locator('#to-brackets').isVisible()).toBe(false);
  });

  it('without pictures is told', async () => {
    await open();
    await page.locator('#folder').setInputFiles(written('empty', [{ name: 'a.txt', bytes: Buffer.from('a') }]));
    expect(await page.locator('.notice.error').innerText()).toContain('No pictures in “empty”');
    expect(await page.locator('#welcome').isVisible()).toBe(true);
  });

  it('that takes long to look through shows how far it is, and can be cancelled', async () => {
    const files = Array.from({ length: 1500 }, (_, i) => ({
      name: `${i}.jpg`,
      bytes: Buffer.from([0xff, 0xd8, i & 255]),
    }));
    await open();
    await page.locator('#folder').setInputFiles(written('long', files));
    expect(await page.locator('#batch-title:visible').innerText()).toBe('Looking through 1500 pictures…');
    await expect.poll(() => page.locator('#batch-progress').innerText()).toMatch(/[1-9]\d* of 1500/);
    await page.locator('#batch-cancel').click();
    expect(await page.locator('#welcome').isVisible()).toBe(true);
    expect(await page.evaluate(() => document.body.dataset.state)).toBe('empty');
    // Another stack is taken as always.
    await dropFiles(page, await brackets(1));
    await settled(page, 3);
  });

  it('without EXIF is grouped by the number that the person gives', async () => {
    const bytes = await sharp({ create: { width: 24, height: 16, channels: 3, background: '#876' } })
      .jpeg()
      .toBuffer();
    const bare = Array.from({ length: 20 }, (_, i) => ({ name: `f${i}.jpg`, bytes }));
    await open();
    await page.locator('#folder').setInputFiles(written('bare', bare));
    await page.locator('#batch:visible').waitFor();
    expect(await page.locator('#batch-title').innerText()).toBe('0 brackets in “bare”');
    expect(await page.locator('#left-over').innerText()).toContain('its EXIF says nothing of its exposure');
    expect(await page.locator('#batch-merge').isDisabled()).toBe(true);
    await page.getByLabel('Frames of a bracket').selectOption('3');
    expect(await titles()).toHaveLength(6);
    expect((await titles())[5]).toBe('f15.jpg to f17.jpg');
    await page.locator('#left-over summary').click();
    expect(await page.locator('#left-over').innerText()).toContain('2 left over after brackets of 3');
  });
});

describe('the brackets of a folder', () => {
  it('are merged one after another, each as it is alone, and saved', async () => {
    const files = await brackets(3);
    await open();
    const saved = downloads();
    await dropFiles(page, files);
    await planned();
    expect(await page.locator('#batch-title').innerText()).toBe('3 brackets in these 9 files');
    await page.getByLabel('IMG_10.jpg to IMG_12.jpg', { exact: true }).uncheck();
    expect(await page.locator('#batch-all').evaluate((box) => (box as HTMLInputElement).indeterminate)).toBe(true);
    await chooseFloat();
    await page.getByRole('button', { name: 'Merge 2 brackets' }).click();
    expect(await outcome()).toBe('2 of 2 pictures are merged and saved.');
    expect([...saved.keys()]).toEqual(['IMG_00-merged-float.exr', 'IMG_20-merged-float.exr']);
    expect(await states()).toEqual(['saved', undefined, 'saved']);
    expect(await page.locator('.bracket .result').count()).toBe(2);
    expect(await findings(page)).toEqual([]);
    // The one that was left is opened alone; so is one that was merged.
    for (const view of [1, 2]) {
      await page.locator(`.bracket:nth-child(${view + 1}) .open`).click();
      if (view === 2) await page.getByRole('button', { name: 'Discard it' }).click();
      const names = files.slice(3 * view, 3 * view + 3).map(({ name }) => name);
      await expect.poll(() => page.locator('.frame.ready .name').allTextContents(), { timeout: 30_000 }).toEqual(names);
      await merge(page);
      if (view === 2) {
        const alone = await save(page, 'exr-float');
        expect(alone.name).toBe('IMG_20-merged-float.exr');
        expect(alone.bytes.equals(readFileSync(await saved.get('IMG_20-merged-float.exr')!))).toBe(true);
      }
      await page.locator('#to-brackets').click();
      await planned();
    }
    // What is saved is not asked about.
    await page.locator('.bracket .open').first().click();
    await settled(page, 3);
  });

  it('are all merged but a broken one, which is named', async () => {
    const files = await brackets(3);
    files[4] = { ...files[4], bytes: files[4].bytes.subarray(0, files[4].bytes.length - 300) };
    await open();
    const saved = downloads();
    await dropFiles(page, files);
    await planned();
    await page.locator('#batch-merge').click();
    const text = await outcome();
    expect(text).toContain('2 of 3 pictures are merged and saved.');
    expect(text).toMatch(
      /1 bracket failed:\s+IMG_10\.jpg to IMG_12\.jpg: .* IMG_11\.jpg cannot be decoded, it is cut off/,
    );
    expect(await states()).toEqual(['saved', 'failed', 'saved']);
    expect(saved.size).toBe(2);
    expect(await page.locator('#batch-merge').innerText()).toBe('Merge 1 bracket');
    expect(await findings(page)).toEqual([]);
    // The focus is where the news is.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('batch-outcome');
  });

  it('are cancelled in the middle, which frees the GPU; the rest can be merged later', async () => {
    await open();
    const saved = downloads();
    await dropFiles(page, await brackets(3));
    await planned();
    await page.locator('#batch-merge').click();
    await page.waitForFunction(() => document.querySelector('.bracket:nth-child(2)[data-state=merging]'), undefined, {
      timeout: 60_000,
    });
    expect(await page.evaluate(() => document.body.dataset.state)).toBe('merging');
    expect(await page.title()).toMatch(/^\d+ % – deghost/);
    await page.locator('#batch-cancel').click();
    expect(await outcome()).toMatch(/^1 of 3 pictures is merged and saved\.\s+The others were cancelled\./);
    expect(await gpuBytes(page)).toMatchObject({ merging: 0 });
    expect(await states()).toEqual(['saved', undefined, undefined]);
    expect(await page.title()).toBe('deghost');
    await page.getByRole('button', { name: 'Merge 2 brackets' }).click();
    await expect.poll(outcome, { timeout: 100_000 }).toBe('2 of 2 pictures are merged and saved.');
    expect(saved.size).toBe(3);
  });

  it('take the memory of one', async () => {
    await open();
    await dropFiles(page, await brackets(6));
    await planned();
    await chooseFloat();
    const worker: number[] = [];
    await page.locator('#batch-merge').click();
    for (const k of [2, 6]) {
      await page.locator(`.bracket:nth-child(${k})[data-state=saved]`).waitFor({ timeout: 100_000 });
      worker.push((await workerHeap(served.browser)).arrays);
    }
    // While the third is merged, and when all are: frames, maps and result of none of those before stay.
    expect(worker[1] - worker[0]).toBeLessThan(WIDTH * HEIGHT * 12);
    await finished(page);
  });

  it('go into a folder, where nothing is overwritten and nothing is left half written', async () => {
    await open();
    await offerFolder();
    await page.evaluate(async () => {
      const out = await (await navigator.storage.getDirectory()).getDirectoryHandle('out');
      await out.getFileHandle('IMG_00-merged.jpg', { create: true });
      // The disk is full when the second bracket is written.
      const { createWritable } = FileSystemFileHandle.prototype;
      FileSystemFileHandle.prototype.createWritable = async function (...args) {
        const stream = await createWritable.apply(this, args);
        if (!this.name.startsWith('IMG_1')) return stream;
        await stream.abort();
        return new WritableStream({
          write: () => {
            throw new DOMException('the disk is full', 'QuotaExceededError');
          },
        }) as FileSystemWritableFileStream;
      };
    });
    await page.locator('#batch-merge').click();
    const text = await outcome();
    expect(text).toContain('1 of 2 pictures is merged and saved in “out”.');
    expect(text).toContain(
      'It is merged, but not saved. IMG_10-merged.jpg cannot be written into “out”: the disk is full.',
    );
    const files = await inFolder();
    expect(files.map(([name]) => name)).toEqual(['IMG_00-merged (1).jpg', 'IMG_00-merged.jpg']);
    expect(files[0][1]).toBeGreaterThan(1000);
    expect(files[1][1]).toBe(0);
    expect(await page.locator('.bracket').first().innerText()).toContain('Saved as IMG_00-merged (1).jpg');
  });

  it('can be chosen, opened and merged with the keyboard alone', async () => {
    await open();
    const saved = downloads();
    await dropFiles(page, await brackets(2));
    await planned();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('batch-title');
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await press('Tab', 'Tab', 'Space'); // all, the first
    expect(await page.locator('#bracket-0').isChecked()).toBe(false);
    await press('Tab', 'Enter');
    await settled(page, 2 + 1);
    await page.locator('#to-brackets').focus();
    await press('Enter');
    await planned();
    await page.locator('#batch-merge').focus();
    await press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('batch-cancel');
    expect(await outcome()).toBe('1 of 1 picture is merged and saved.');
    expect([...saved.keys()]).toEqual(['IMG_10-merged.jpg']);
  });
});
