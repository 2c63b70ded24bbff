/** The page's settings of a merge: whether frames are aligned, and how readily something counts as moving. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readExr } from 'hdrify';
import { expect, it } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import type { MergeOptions, MergeResult } from '../../src/index.ts';
import { readStack } from '../../src/node/index.ts';
import { testDevice } from '../gpu.ts';
import { expectClose } from '../reference/random.ts';
import { scene, shoot } from '../align/scene.ts';
import { inverse } from '../../src/align/homography.ts';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { THIN_FIXED } from './site.ts';
import { pngFiles } from './stack.ts';

const SIZE = { width: 144, height: 96 };

const served = servePage();

/** Three exposures, each moved by some pixels. */
function handHeld(): PictureFile[] {
  return pngFiles('hand', SIZE.width, SIZE.height, (k) => {
    const matrix = [1, 0, 3.4 * (k - 1), 0, 1, -2.3 * (k - 1), 0, 0, 1];
    return shoot(scene(3), { ...SIZE, exposure: 0.25 * 4 ** (k - 1), matrix }, inverse).data as Uint8Array;
  });
}

async function mergeInNode(files: readonly PictureFile[], options: MergeOptions): Promise<MergeResult> {
  const folder = mkdtempSync(join(tmpdir(), 'deghost-test-'));
  const deghoster = await Deghoster.create({ weights: readFileSync(THIN_FIXED), device: await testDevice() });
  try {
    const paths = files.map(({ name, bytes }) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    });
    return await deghoster.merge((await readStack(paths)).frames, options);
  } finally {
    deghoster.dispose();
    rmSync(folder, { recursive: true });
  }
}

it('aligns unless told otherwise, and takes the strength; each makes the picture that Node makes', async () => {
  const { page, problems } = await served.open();
  const files = handHeld();
  await dropFiles(page, files);
  await settled(page, 3);
  const check = async (options: MergeOptions): Promise<MergeResult> => {
    await merge(page);
    const { data } = readExr((await save(page, 'exr-float')).bytes);
    const expected = await mergeInNode(files, options);
    const rgb = Float32Array.from({ length: SIZE.width * SIZE.height * 3 }, (_, i) => {
      return data[4 * Math.floor(i / 3) + (i % 3)];
    });
    expectClose(
      rgb,
      expected.radiance.map((value) => value * expected.scale),
      { tol: 2e-3, scale: 1, label: JSON.stringify(options) },
    );
    return expected;
  };
  const box = page.getByLabel('Align the frames');
  const slider = page.getByLabel('Ghost removal', { exact: true });
  expect(await box.isChecked()).toBe(true);
  expect(await page.locator('#strength-value').textContent()).toBe('normal');
  const aligned = await check({});
  expect(Math.min(...[0, 2].map((k) => aligned.alignment[k].displacement))).toBeGreaterThan(3);
  for (const k of [0, 2])
    expect(await page.locator('.frame .facts').nth(k).textContent()).toContain(
      `moved by up to ${aligned.alignment[k].displacement.toFixed(1)} px`,
    );
  expect(await page.locator('#merge').isHidden()).toBe(true);

  // Frames are folded away beside a result.
  await page.locator('#frames-section summary').click();
  await box.uncheck();
  await slider.fill('0.9');
  expect(await page.locator('#strength-value').textContent()).toBe('8 more');
  // What was found counts for the picture that is shown, not for the next one.
  expect(await page.locator('.frame .facts').first().textContent()).toBe('');
  expect(await page.locator('#merge-note').textContent()).toContain('settings have changed');
  expect(await findings(page)).toEqual([]);
  const other = await check({ align: 'none', strength: 0.9 });
  const differences = other.radiance.map((value, i) => Math.abs(value - aligned.radiance[i]));
  expect(Math.max(...differences)).toBeGreaterThan(0.05);

  // Back to what the picture was made with.
  if (!(await box.isVisible())) await page.locator('#frames-section summary').click();
  await box.check();
  expect(await page.locator('#merge').isVisible()).toBe(true);
  await box.uncheck();
  expect(await page.locator('#merge').isHidden()).toBe(true);
  expect(problems).toEqual([]);
}, 240_000);
