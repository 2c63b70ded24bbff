/** A browser and the page's site for the tests of a file, and what single tests need besides; all of it is closed. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { launchBrowser } from './browser.ts';
import { openPage } from './drive.ts';
import type { OpenPage, PageOptions } from './drive.ts';
import { serveSite } from './site.ts';
import type { Site } from './site.ts';

export interface Served {
  readonly browser: Browser;
  readonly site: Site;
  /** Opens the page, and waits until everything it needs has been fetched. */
  open(options?: PageOptions): Promise<OpenPage>;
}

export interface ServeOptions {
  /** Of the browser, in place of the usual ones. */
  flags?: readonly string[];
  launch?: () => Promise<Browser>;
  /** The path that the page is served under. */
  base?: string;
}

/**
 * Opens both before the first test of this file or group, and closes both after the last: each also where the other
 * could not be opened. To be called before hooks that need them.
 */
export function servePage({ flags, launch = () => launchBrowser(flags), base }: ServeOptions = {}): Served {
  let [browser, site]: [Browser?, Site?] = [];
  const opened = <T>(one: T | undefined): T => {
    if (!one) throw new Error('the browser and the site are open in hooks and tests alone');
    return one;
  };
  beforeAll(async () => {
    const outcomes = await Promise.allSettled([
      launch().then((launched) => (browser = launched)),
      serveSite(base).then((served) => (site = served)),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), site?.close()]);
  });
  return {
    get browser() {
      return opened(browser);
    },
    get site() {
      return opened(site);
    },
    open: (options) => openPage(opened(browser), opened(site), options),
  };
}

/** A tab: pages of its context share what the browser keeps for the site. What goes wrong in it is collected. */
export async function openTab(served: Served): Promise<{ page: Page; problems: string[] }> {
  const context = await served.browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(served.site.url);
  await page.locator('body[data-fetched]').waitFor();
  return { page, problems };
}

/** Another browser, closed after the test under way. */
export async function launchForTest(flags?: readonly string[]): Promise<Browser> {
  const browser = await launchBrowser(flags);
  onTestFinished(() => browser.close());
  return browser;
}

/** Another site, closed after the test under way. */
export async function serveForTest(): Promise<Site> {
  const site = await serveSite();
  onTestFinished(() => site.close());
  return site;
}
