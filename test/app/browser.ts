/**
 * Chromium that also shows WebGPU canvases without a GPU: they are handed to the compositor as Vulkan images, so it
 * must run on the same SwiftShader. Without these flags the GPU process ends at the first canvas (Chromium 156, "Unable
 * to create shared image").
 */
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { chromiumPath } from '../chromium.ts';

/** The usual flags. */
export const FLAGS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
];

/** Starts Chromium. @param flags in place of the usual ones. */
export function launchBrowser(flags: readonly string[] = FLAGS): Promise<Browser> {
  // As in test/chromium.ts: Chromium uses its own SwiftShader, whatever driver this process has chosen.
  const { VK_DRIVER_FILES: _, VK_ICD_FILENAMES: __, ...env } = process.env;
  return chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: [...flags],
    env: env as Record<string, string>,
  });
}
