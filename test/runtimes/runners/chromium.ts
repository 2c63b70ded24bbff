/** The suite in a headless Chromium on its own SwiftShader. `CHROMIUM` is the path of another. */
import { launchChromium } from '../../chromium.ts';
import type { RunnerEvent } from '../events.ts';
import { main, print } from './files.ts';
import { runInPage } from './pageServer.ts';

await main(async () => {
  const browser = await launchChromium();
  // The page knows only its major version.
  const named = (event: RunnerEvent): RunnerEvent =>
    event.type === 'begin' ? { ...event, version: `Chromium ${browser.version()}` } : event;
  await runInPage(
    async (url, fail) => {
      const page = await browser.newPage();
      page.on('crash', () => fail('the page crashed'));
      page.on('pageerror', (error) => fail(`the page: ${error.message}`));
      browser.on('disconnected', () => fail('the browser crashed'));
      await page.goto(url);
      return () => browser.close();
    },
    (event) => print(named(event)),
  );
});
