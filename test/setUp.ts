/**
 * Before any run: the folder for temporary files, which goes with all that is in it when the run ends.
 *
 * Before the whole suite: is there a Chromium whose pages have WebGPU? If there is none, the run ends here, with the
 * remedy, instead of failing test by test. A run of chosen files starts at once: most need no browser, and one that
 * does reports the same error.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { findChromium, launchChromium } from './chromium.ts';
import { TEMPORARY } from './temporary.ts';

/** Whether the command line chooses no files and no tests. Options with values are written `--option=value`. */
export function isWholeSuite(args: readonly string[]): boolean {
  return args.every(
    (word) => word === 'run' || (word.startsWith('--') && !/^--(testNamePattern|shard|changed|project)\b/.test(word)),
  );
}

/** Opens a page and asks for an adapter. @throws Error saying what fails. */
async function tryWebGpu(): Promise<void> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
    await page.goto('http://localhost/');
    const missing = await page.evaluate(async () => {
      if (!navigator.gpu) return 'its pages have no navigator.gpu';
      return (await navigator.gpu.requestAdapter()) ? '' : 'its pages get no WebGPU adapter';
    });
    if (missing) throw new Error(missing);
  } finally {
    await browser.close();
  }
}

/** The line of a browser's failure that says most; its first one is general. */
function reasonOf({ message }: Error): string {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trim().replace(/^- /, ''));
  return lines.find((line) => /error while loading|no such file|exitCode=|cannot open/i.test(line)) ?? lines[0];
}

/** The whole suite ends here, with one line, where there is no Chromium. */
async function needChromium(): Promise<void> {
  try {
    const { path, from } = findChromium();
    if (from === 'npm') console.log(`No Chromium is installed: tests of pages run in npm's, ${path}.`);
    await tryWebGpu().catch((error: Error) => {
      throw new Error(
        `tests of pages cannot run in ${path} (${reasonOf(error)}): install another Chromium or Chrome (Debian, ` +
          'Ubuntu: `apt-get install chromium`), or set CHROMIUM=path',
        { cause: error },
      );
    });
  } catch (error) {
    console.error(
      process.env.DEGHOST_DEBUG
        ? error
        : `npm test: ${(error as Error).message}; without those tests: npx vitest run test/kernels test/graph`,
    );
    process.exit(1);
  }
}

/** Vitest calls it once, before any test, and what it returns once after all. */
export default async function setUp(): Promise<() => void> {
  if (isWholeSuite(process.argv.slice(2))) await needChromium();
  mkdirSync(TEMPORARY, { recursive: true });
  return () => rmSync(TEMPORARY, { recursive: true, force: true, maxRetries: 3 });
}
