/** What a merge warns of, on the page: titles, what to do, and that a person can close them. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { pngFiles } from './stack.ts';

const WIDTH = 48;
const HEIGHT = 32;

const served = servePage();

/** Three frames of one code each. */
function flatStack(codes: readonly number[]): PictureFile[] {
  return pngFiles('flat', WIDTH, HEIGHT, (k) => new Uint8Array(WIDTH * HEIGHT * 3).fill(codes[k]));
}

it('says what may be wrong with a merge, and what to do', async () => {
  const { page, problems } = await served.open();
  await dropFiles(page, flatStack([60, 254, 255]));
  await settled(page, 3);
  await merge(page);
  const notices = page.locator('#notices .notice.warning');
  const texts = await notices.allTextContents();
  expect(texts.filter((text) => text.includes('The reference frame shows little'))).toHaveLength(1);
  expect(texts.join('\n')).toMatch(
    /Only 0 % of the reference, frame 2 \(flat-2\.png\), is neither burnt out nor black.*Choose another reference/,
  );
  expect(texts.filter((text) => text.includes('tone curve is uncertain'))).toHaveLength(1);
  // With what can be done here.
  expect(texts.join('\n')).toMatch(/add frames of other exposure, or choose another under “The files’ tone curve”/);
  expect(await notices.first().getAttribute('role')).toBe('status');
  expect(await findings(page)).toEqual([]);
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, 'warnings.png') });

  const count = texts.length;
  await page.getByLabel('Dismiss: The reference frame shows little').click();
  expect(await notices.count()).toBe(count - 1);
  expect(problems).toEqual([]);
}, 240_000);
