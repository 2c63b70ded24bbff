/**
 * The browser that tests run in.
 *
 * playwright-core brings no browser. The system's Chromium or Chrome is used, or else npm's (npmChromium.ts).
 * SwiftShader, Chromium's own software Vulkan, is its WebGPU adapter, so a machine without a GPU is enough and all
 * machines compute alike.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { SWIFTSHADER_PACKAGE, supportsSwiftShader } from '../src/node/softwareAdapter.ts';
import { npmChromiumPath } from './npmChromium.ts';

/** Where systems install Chromium or Chrome, the free build first. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** `--no-sandbox`: containers and root have none. WebGPU on Linux and on a software adapter is still behind a flag. */
const FLAGS = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--disable-dev-shm-usage'];

/** A Chromium, and its source. */
export interface FoundChromium {
  path: string;
  from: 'CHROMIUM' | 'system' | 'npm';
}

/**
 * The Chromium to run: that of the variable CHROMIUM, else the first one installed, else npm's.
 * @throws Error with the remedy when there is none.
 */
export function findChromium(): FoundChromium {
  const given = process.env.CHROMIUM;
  if (given) {
    if (!isExecutable(given))
      throw new Error(`CHROMIUM is ${given}, which cannot be run: set it to the path of a Chromium or Chrome`);
    return { path: given, from: 'CHROMIUM' };
  }
  const folders = [...new Set(['/usr/bin', ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)])];
  const found = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...MAC].find(isExecutable);
  if (found) return { path: found, from: 'system' };
  const path = npmChromiumPath();
  if (path) return { path, from: 'npm' };
  const npm = supportsSwiftShader() ? `, or run \`npm ci\`, which brings one with ${SWIFTSHADER_PACKAGE}` : '';
  throw new Error(
    'tests of pages need Chromium, and none is installed: install Chromium or Chrome (Debian, Ubuntu: `apt-get ' +
      `install chromium\`), or set CHROMIUM=path${npm}`,
  );
}

/** The path of the Chromium to run. @throws as {@link findChromium}. */
export function chromiumPath(): string {
  return findChromium().path;
}

/** Starts a headless Chromium whose pages have WebGPU. WebGPU needs a secure context: serve pages from localhost. */
export function launchChromium(): Promise<Browser> {
  // Chromium uses its own SwiftShader. Another driver chosen in this process (`deghost info` looks at npm's) would
  // leave it without an adapter.
  const { VK_DRIVER_FILES: _, VK_ICD_FILENAMES: __, ...env } = process.env;
  return chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: FLAGS,
    env: env as Record<string, string>,
  });
}

/** Whether a file can be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
