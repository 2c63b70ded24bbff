/** What the page says of itself, and of being opened as a file. */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { aboutOf } from '../../app/build/about.ts';
import { findings } from './axe.ts';
import { dropFiles, settled } from './drive.ts';
import { servePage } from './served.ts';
import { pngStack } from './stack.ts';

const served = servePage();

it('takes the repository’s address from the setting, then from package.json, and none that is unsafe', () => {
  const url = 'git+https://example.org/o/deghost.git';
  expect(aboutOf({ version: '1.2.3' }, undefined)).toEqual({ version: '1.2.3', repository: '' });
  expect(aboutOf({ version: '1.2.3' }, '').repository).toBe('');
  expect(aboutOf({ version: '1.2.3', repository: { url } }, undefined).repository).toBe(
    'https://example.org/o/deghost',
  );
  expect(aboutOf({ version: '1.2.3', repository: url }, 'https://x.org/o/r/').repository).toBe('https://x.org/o/r');
  expect(() => aboutOf({ version: '1.2.3' }, 'javascript:alert(1)')).toThrow(/"javascript:alert\(1\)".*https:/);
});

it('names its version and licence on the landing and beside a stack; as a file it says what to do', async () => {
  const { page, problems } = await served.open({ align: false });
  const about = page.locator('#about');
  expect(await about.innerText()).toMatch(/^deghost \d+\.\d+\.\d+/);
  expect(await page.locator('#unserved').count()).toBe(0);
  expect(await about.locator('a:visible').allInnerTexts()).toEqual(['MIT licence', 'How fast is your GPU?']);
  expect(await (await page.request.get(`${served.site.url}licenses/deghost.txt`)).text()).toMatch(/MIT License/);
  await dropFiles(page, pngStack(24, 16));
  await settled(page, 3);
  expect(await about.isVisible()).toBe(false);
  await page.getByRole('button', { name: 'About deghost' }).click();
  expect(await about.isVisible()).toBe(true);
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  expect(await about.isVisible()).toBe(false);
  expect(problems).toEqual([]);

  const file = await served.browser.newPage();
  await file.goto(pathToFileURL(join(served.site.folder, 'index.html')).href);
  const said = file.locator('#unserved');
  expect(await said.isVisible()).toBe(true);
  expect(await said.innerText()).toMatch(/web server[\s\S]*python3 -m http\.server/);
});
