/** Using the page as a person does: dropping and picking files, merging, saving. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import type { Site } from './site.ts';

export interface PictureFile {
  name: string;
  bytes: Buffer;
}

export interface PageOptions {
  width?: number;
  height?: number;
  colorScheme?: 'light' | 'dark';
  /** A phone: fingers, and no mouse. */
  touch?: boolean;
  /** Whether the page may keep itself for use without a network, which costs time; false by default. */
  serviceWorkers?: boolean;
  /** Whether merges align their frames, which takes a software adapter many programs more; true by default. */
  align?: boolean;
  /** The browser's language, English by default. */
  locale?: string;
}

export interface OpenPage {
  page: Page;
  /** Everything the page printed as an error, and what it threw. */
  problems: string[];
}

/** Opens the page and waits until everything it needs has been fetched. */
export async function openPage(
  browser: Browser,
  site: Site,
  {
    width = 1280,
    height = 800,
    colorScheme = 'light',
    touch = false,
    align = true,
    serviceWorkers = false,
    locale,
  }: PageOptions = {},
): Promise<OpenPage> {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme,
    acceptDownloads: true,
    hasTouch: touch,
    isMobile: touch,
    locale,
    serviceWorkers: serviceWorkers ? 'allow' : 'block',
  });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  // Playwright sees the pickers of inputs alone.
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'showOpenFilePicker'));
  await page.goto(site.url);
  await page.locator('body[data-fetched]').waitFor();
  if (!align)
    await page.locator('#align').evaluate((box: HTMLInputElement) => {
      box.checked = false;
    });
  return { page, problems };
}

/**
 * Closes the page's notices about a merge: random weights mark most of a picture as moving, and notices make the view
 * smaller.
 */
export async function dismissWarnings(page: Page): Promise<void> {
  const close = page.locator('.notice.warning button');
  while ((await close.count()) > 0) await close.first().click();
}

/** Drops files on the page. */
export async function dropFiles(page: Page, files: readonly PictureFile[]): Promise<void> {
  const encoded = files.map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') }));
  const dataTransfer = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of list)
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { lastModified: 0 }));
    return transfer;
  }, encoded);
  await page.dispatchEvent('body', 'drop', { dataTransfer });
}

/** Waits until every file is either a frame or refused. */
export async function settled(page: Page, files: number): Promise<void> {
  await page.waitForFunction(
    (count) => document.querySelectorAll('.frame.ready, .frame.failed').length === count,
    files,
    { timeout: 30_000 },
  );
}

/** Merges the loaded frames and waits for the result. @throws Error with the page's message. */
export async function merge(page: Page): Promise<void> {
  await page.locator('#merge:enabled').click();
  await finished(page);
}

/** Merges, and waits for what follows the result: the plain merge, and the looks, the worker's last work. */
export async function mergeAndRest(page: Page): Promise<void> {
  // Those of the last result stay until the new ones come.
  await page.evaluate(() => {
    for (const look of document.querySelectorAll<HTMLImageElement>('#looks img')) look.dataset.last = look.src;
  });
  await merge(page);
  await page.locator('#compare:enabled').waitFor({ timeout: 60_000 });
  await page.waitForFunction(
    () =>
      [...document.querySelectorAll<HTMLImageElement>('#looks img')].every((look) => look.src !== look.dataset.last),
    undefined,
    { timeout: 60_000 },
  );
}

/** Waits for the merge under way. */
export async function finished(page: Page): Promise<void> {
  await page.waitForFunction(() => document.body.dataset.state !== 'merging', undefined, { timeout: 110_000 });
  const notice = page.locator('.notice.error');
  if ((await notice.count()) > 0) throw new Error(`the page says: ${await notice.first().innerText()}`);
}

/** Saves the result. @returns the file's name and bytes. */
export async function save(page: Page, format: string): Promise<PictureFile> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-save=${format}]`).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}
