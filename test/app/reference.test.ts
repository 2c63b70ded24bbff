/**
 * The page that chooses the reference by itself: it says which frame and why, takes the weights that suit it, and lets
 * the person choose another.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readExr } from 'hdrify';
import { expect, it } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import type { MergeResult } from '../../src/index.ts';
import { readStack } from '../../src/node/index.ts';
import { testDevice } from '../gpu.ts';
import { expectClose } from '../reference/random.ts';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, save, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { THIN_ANY } from './site.ts';
import { exposeScene, pngFiles } from './stack.ts';

const WIDTH = 48;
const HEIGHT = 32;

const served = servePage();

/** Three exposures with the given shares of burnt-out pixels, darkest first. */
function burntStack(burnt: readonly number[]): PictureFile[] {
  return pngFiles('scene', WIDTH, HEIGHT, (k) => {
    const rows = exposeScene(WIDTH, HEIGHT, 4 ** (k - 1), k).map((code) => Math.min(Math.max(code, 5), 250));
    return rows.fill(255, 0, 3 * burnt[k]);
  });
}

async function mergeInNode(files: readonly PictureFile[], reference: number): Promise<MergeResult> {
  const folder = mkdtempSync(join(tmpdir(), 'deghost-test-'));
  const deghoster = await Deghoster.create({ weights: readFileSync(THIN_ANY), device: await testDevice() });
  try {
    const paths = files.map(({ name, bytes }) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    });
    return await deghoster.merge((await readStack(paths)).frames, { reference });
  } finally {
    deghoster.dispose();
    rmSync(folder, { recursive: true });
  }
}

it('takes the frame that lost least, says why, and merges with it; the person can still pick another', async () => {
  const { page, problems } = await served.open();
  const files = burntStack([96, 384, 768]);
  await dropFiles(page, files);
  await settled(page, 3);
  const isReference = (k: number): Promise<boolean> => page.getByLabel(`Reference: scene-${k}.png`).isChecked();
  const box = page.getByLabel('Take the reference that shows most');
  const note = page.locator('#reference-note');
  expect(await isReference(2)).toBe(true);
  expect(await note.textContent()).toBe('');

  await box.check();
  expect(await isReference(1)).toBe(true);
  expect(await note.textContent()).toBe(
    'scene-1.png is taken: 6.3 % of it is burnt out or black, 25.0 % of scene-2.png, 50.0 % of scene-3.png.',
  );
  expect(await findings(page)).toEqual([]);
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, 'reference.png') });

  await page.getByLabel('Reference: scene-3.png').check();
  expect([await isReference(3), await box.isChecked(), await note.textContent()]).toEqual([true, false, '']);
  // When the person clears the checkbox, the reference is the middle frame again.
  await box.check();
  await box.uncheck();
  expect(await isReference(2)).toBe(true);

  await box.check();
  await merge(page);
  const { bytes } = await save(page, 'exr-float');
  const { data } = readExr(bytes);
  const expected = await mergeInNode(files, 0);
  const rgb = Float32Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]);
  expectClose(
    rgb,
    expected.radiance.map((value) => value * expected.scale),
    { tol: 1e-4, scale: 1, label: 'radiance' },
  );
  expect(problems).toEqual([]);
}, 240_000);
