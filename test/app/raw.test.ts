/** RAW files on the built page, under its own Content-Security-Policy. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { decodeExr } from '../../src/image/decode/floats.ts';
import { loadExrs } from '../../src/node/decodePackages.ts';
import { PATCH, cameraRgb, dng, patches } from '../rawDng.ts';
import type { DngPicture } from '../rawDng.ts';
import { servePage } from './served.ts';
import { dropFiles, finished, merge, save, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';

const SIZE = { width: 96, height: 64 };

const served = servePage();
let page: Page;
let problems: string[];

beforeAll(async () => {
  // Random weights do not keep colours.
  served.site.replace(/weights\/fixed\.safetensors$/, () => readFileSync('weights/fixed.safetensors'));
});
beforeEach(async () => {
  await page?.close();
  ({ page, problems } = await served.open());
});

function shot(name: string, exposure: number, more: Partial<DngPicture> = {}): PictureFile {
  return { name, bytes: Buffer.from(dng({ ...SIZE, scene: patches, exposure, ...more })) };
}

it('are merged to the colours of the scene, with the white balance of the reference', async () => {
  // The camera was wrong about the light of the others.
  const neutral = cameraRgb([1, 1, 1]).map((value, c) => value * [0.85, 1, 1.1][c]);
  await dropFiles(page, [shot('1.dng', 0.25, { neutral }), shot('2.dng', 1), shot('3.dng', 4, { neutral })]);
  await settled(page, 3);
  expect(
    await page.locator('.frame input.ev').evaluateAll((all) => all.map((e) => (e as HTMLInputElement).value)),
  ).toEqual(['-2', '0', '2']);
  await merge(page);
  await finished(page);
  const { bytes } = await save(page, 'exr-float');
  const { data, width } = decodeExr(await loadExrs(), bytes, 'saved.exr');
  for (let row = 0; row < SIZE.height / PATCH; row++)
    for (let column = 0; column < SIZE.width / PATCH; column++) {
      const at = 3 * ((row * PATCH + PATCH / 2) * width + column * PATCH + PATCH / 2);
      patches(column * PATCH, row * PATCH).forEach((value, c) =>
        expect(Math.abs(data[at + c] - value)).toBeLessThan(0.03 * value + 0.01),
      );
    }
  expect(problems).toEqual([]);
}, 240_000);

it('that are damaged are refused in their rows', async () => {
  const whole = shot('cut.dng', 1);
  await dropFiles(page, [{ name: 'cut.dng', bytes: whole.bytes.subarray(0, 4000) }, shot('good.dng', 1)]);
  await settled(page, 2);
  expect(await page.locator('.frame.failed .problem').allInnerTexts()).toEqual([
    expect.stringMatching(/^cut\.dng cannot be developed.*16-bit TIFF$/),
  ]);
  expect(await page.locator('.frame.ready .name').allTextContents()).toEqual(['good.dng']);
}, 60_000);
