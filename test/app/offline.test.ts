/**
 * The page as an installed program, under a path as on Pages: it opens and merges without a network, takes a new
 * version at the next load, and gets photos that were shared with it.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { kindOfFile } from '../../app/build/offline.ts';
import type { OfflineFiles } from '../../app/build/offline.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import { pngStack } from './stack.ts';

const served = servePage({ base: '/deghost/' });
let page: Page;
let problems: string[];
let files: OfflineFiles;
let list: string;

const hashOf = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  const program = readFileSync(join(served.site.folder, 'serviceWorker.js'), 'utf8');
  list = /\{\s*"?page"?.*?\]\]\}/.exec(program)![0];
  files = JSON.parse(list);
  ({ page, problems } = await served.open({ align: false, serviceWorkers: true }));
});

/** Waits until the service worker has everything. */
async function kept(): Promise<void> {
  const counts = (): Promise<number[]> =>
    page.evaluate(async () => {
      const names = (await caches.keys()).sort();
      return Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).length));
    });
  await expect.poll(counts, { timeout: 30_000 }).toEqual([files.later.length, files.page.length]);
}

it('the list has every file that the page needs, with its hash', () => {
  const paths = files.page.map(([path]) => path);
  expect(paths).toEqual(expect.arrayContaining(['index.html', 'manifest.webmanifest', 'icons/512.png']));
  expect(files.later.map(([path]) => path)).toEqual(
    expect.arrayContaining(['weights/any.safetensors', 'example/1.jpg']),
  );
  for (const [path, hash] of [...files.page, ...files.later])
    expect(hashOf(readFileSync(join(served.site.folder, path))), path).toMatch(new RegExp(`^${hash}`));
  for (const [, path] of readFileSync(join(served.site.folder, 'index.html'), 'utf8').matchAll(
    /(?:href|src)="\.\/([^"#?]+)"/g,
  ))
    if (kindOfFile(path) === 'page') expect(paths).toContain(path);
});

it('the manifest names icons that exist, and takes shared photos and files', async () => {
  const manifest = JSON.parse(readFileSync(join(served.site.folder, 'manifest.webmanifest'), 'utf8'));
  for (const { src, sizes } of manifest.icons) {
    const { width, height } = await (await import('sharp')).default(join(served.site.folder, src)).metadata();
    expect(`${width}x${height}`).toBe(sizes);
  }
  expect(manifest.share_target.action).toBe('./share');
  expect(manifest.file_handlers[0].accept['image/jpeg']).toContain('.jpg');
  // The browser reads it, under the page's policy, and finds nothing wrong.
  const session = await page.context().newCDPSession(page);
  const { errors, url } = await session.send('Page.getAppManifest');
  expect([url, errors]).toEqual([`${served.site.url}manifest.webmanifest`, []]);
});

it('a new version is told once nothing is unsaved, and the next load has it', async () => {
  await kept();
  await dropFiles(page, pngStack(24, 16));
  await settled(page, 3);
  await merge(page);
  const html = readFileSync(join(served.site.folder, 'index.html'), 'utf8').replace('<title>deghost<', '<title>newer<');
  const renewed = files.page.map(([path, hash]) => [path, path === 'index.html' ? hashOf(html).slice(0, 32) : hash]);
  served.site.replace(/index\.html$/, () => html);
  served.site.replace(/serviceWorker\.js$/, (old) =>
    old.toString().replace(list, () => JSON.stringify({ ...files, page: renewed })),
  );
  const notice = page.locator('.notice[data-key=version]');
  await page.evaluate(async () => {
    const changed = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
    await (await navigator.serviceWorker.getRegistration())!.update();
    await changed;
  });
  expect(await notice.count()).toBe(0);
  await save(page, 'hdr');
  expect(await notice.innerText()).toMatch(/A new version is ready/);
  expect(await page.title()).toBe('deghost');
  await Promise.all([page.waitForEvent('load'), notice.getByRole('button', { name: 'Load it now' }).click()]);
  expect(await page.title()).toBe('newer');
});

it('photos that are shared with it are opened', async () => {
  await page.locator('body[data-fetched]').waitFor();
  const shared = pngStack(24, 16).map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') }));
  await page.evaluate(async (photos) => {
    const body = new FormData();
    for (const { name, base64 } of photos)
      body.append('photos', new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    await fetch('./share', { method: 'POST', body, redirect: 'manual' });
  }, shared);
  await page.goto(`${served.site.url}?shared`);
  await settled(page, 3);
  expect(await page.locator('.frame.ready .name').allTextContents()).toEqual(shared.map(({ name }) => name));
  expect(page.url()).toBe(served.site.url);
});

it('without a network it opens, has the example, and merges', async () => {
  await page.context().setOffline(true);
  await served.site.close();
  await page.reload();
  await page.locator('body[data-fetched]').waitFor();
  const example = await page.evaluate(async () => (await (await fetch('./example/1.jpg')).blob()).size);
  expect(example).toBe(readFileSync(join(served.site.folder, 'example/1.jpg')).length);
  await dropFiles(page, pngStack(24, 16));
  await settled(page, 3);
  await page.locator('#align').evaluate((box: HTMLInputElement) => void (box.checked = false));
  await merge(page);
  expect(await page.locator('#result-note').innerText()).toMatch(/24 × 16, 3 frames/);
  // Workers of decoders have their programs too: what is wrong is the size alone.
  await dropFiles(page, [{ name: 'other.jxl', bytes: readFileSync('test/pictures/alpha.jxl') }]);
  await settled(page, 4);
  expect(await page.locator('.frame.failed .problem').innerText()).toMatch(/^other\.jxl is \d+x\d+ but /);
  expect(problems).toEqual([]);
});
