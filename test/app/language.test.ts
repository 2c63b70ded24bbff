/** The page in a German browser: nothing English is left, nothing overflows, and the language can be changed. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { words as german } from '../../app/src/words/de.ts';
import { words as english } from '../../app/src/words/en.ts';
import { jpegWith } from '../../src/image/metadataSegments.ts';
import { exifBlock, tagsAt } from '../folderOfForty.ts';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { dropFiles, merge, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { exposeScene, pngStack } from './stack.ts';

const served = servePage();
let page: Page;
let problems: string[];
const scripts: string[] = [];

beforeAll(async () => {
  ({ page, problems } = await served.open({ locale: 'de-DE', align: false }));
  page.context().on('request', (request) => scripts.push(request.url()));
});

/** The words of a language: of its texts, and of the texts in its functions. */
function vocabulary(language: object): Set<string> {
  const texts = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    // What is quoted in small letters alone is a key.
    if (typeof value === 'function')
      return (String(value).match(/`[^`]*`|'[^']*'|"[^"]*"/g) ?? []).filter((text) => !/^.[a-z-]+.$/.test(text));
    return Object.values(value as object).flatMap(texts);
  };
  return new Set(texts(language).flatMap((text) => wordsOf(text.replace(/\$\{[^}]*\}/g, ' '))));
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
}

const GERMAN = vocabulary(german);
/** Of colour spaces and languages. */
const NAMES = ['display', 'english'];
const ENGLISH = [...vocabulary(english)].filter((word) => !GERMAN.has(word) && !NAMES.includes(word));

/** English words that are seen, or told to screen readers. */
async function englishWords(): Promise<string[]> {
  const said = await page.evaluate(() => {
    const named = [...document.body.querySelectorAll('[aria-label], [title], [aria-valuetext], img[alt]')]
      .filter((element) => element.checkVisibility())
      .flatMap((element) => ['aria-label', 'title', 'aria-valuetext', 'alt'].map((name) => element.getAttribute(name)));
    return [document.body.innerText, ...named].join('\n');
  });
  return wordsOf(said.replace(/\S+\.(png|jpg|txt)/g, '')).filter((word) => ENGLISH.includes(word));
}

/** What is wider than its place on a phone. */
async function overflowing(): Promise<string[]> {
  await page.setViewportSize({ width: 390, height: 844 });
  const found = await page.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>('h1, h2, p, button, label, summary, select, span, b, li')];
    const wide = all.filter((element) => {
      if (!element.checkVisibility() || element.closest('.visually-hidden, .name, canvas, .names')) return false;
      const { left, right } = element.getBoundingClientRect();
      const isCut = getComputedStyle(element).display !== 'inline' && element.scrollWidth > element.clientWidth + 1;
      return isCut || left < -1 || right > innerWidth + 1;
    });
    const page = document.documentElement.scrollWidth > innerWidth ? ['the page'] : [];
    return [...page, ...wide.map((element) => element.outerHTML.slice(0, 200))];
  });
  await page.setViewportSize({ width: 1280, height: 800 });
  return found;
}

async function expectGerman(): Promise<void> {
  expect(await englishWords()).toEqual([]);
  expect(await overflowing()).toEqual([]);
}

it('begins in German, and loads no other language', async () => {
  expect(await page.locator('html').getAttribute('lang')).toBe('de');
  expect(await page.getByRole('button', { name: german.welcome.pick }).isVisible()).toBe(true);
  await expectGerman();
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  expect(loaded.filter((name) => /\/de-[^/]*\.js$/.test(name))).toHaveLength(1);
  expect(loaded.filter((name) => /\/en-[^/]*\.js$/.test(name))).toEqual([]);
});

it('shows no English before it speaks German, unless nothing else comes', async () => {
  const { browser, site } = served;
  const program = site.hold(/assets\/index-[^/]*\.js$/);
  for (const locale of ['de-DE', 'en-GB']) {
    const early = await browser.newPage({ locale, serviceWorkers: 'block' });
    await early.goto(site.url, { waitUntil: 'commit' });
    await early.locator('#proof').waitFor();
    const seen = await early
      .locator('[data-text]')
      .evaluateAll((all) => all.filter((one) => one.checkVisibility({ visibilityProperty: true })).length);
    if (locale === 'en-GB') expect(seen).toBeGreaterThan(5);
    else {
      expect(seen).toBe(0);
      await early.getByText(english.welcome.title2).waitFor({ timeout: 10_000 });
    }
    await early.close();
  }
  program.release();
});

it('merges in German, with numbers as Germans write them', async () => {
  await dropFiles(page, pngStack(64, 48));
  await settled(page, 3);
  await expectGerman();
  const ev = page.locator('.frame .ev-field input').last();
  await ev.fill('viel');
  await ev.blur();
  expect(await page.locator('.ev-problem:visible').innerText()).toBe(german.frames.noEv('viel', 64));
  await ev.fill('2.25');
  await ev.blur();
  expect(await ev.inputValue()).toBe('2,25');
  await ev.fill('2,5');
  await ev.blur();
  expect(await ev.inputValue()).toBe('2,5');
  await expectGerman();
  await merge(page);
  await page.getByText(german.look.averaged).waitFor();
  await page.locator('#overlay').check();
  await page.locator('#histogram figcaption span:not(:empty)').first().waitFor();
  expect(await page.locator('#result-note').innerText()).toMatch(/In \d+,\d s mit [\d,]+ [KM]iB/);
  await expectGerman();
  expect(await findings(page)).toEqual([]);
});

it('changes its language where it is, and keeps the choice', async () => {
  scripts.length = 0;
  await page.getByLabel(german.page.language).selectOption('English');
  await page.getByText(english.look.averaged).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
  expect(await page.locator('#result-note').innerText()).toMatch(/Merged in \d+\.\d s/);
  const left = wordsOf(await page.locator('body').innerText()).filter((word) => GERMAN.has(word));
  const both = vocabulary(english);
  expect(left.filter((word) => !both.has(word) && word !== 'deutsch')).toEqual([]);
  const languages = scripts.map((url) => url.replace(/.*\//, '')).filter((name) => /^[a-z]{2}-/.test(name));
  expect(languages).toEqual([expect.stringMatching(/^en-.*\.js$/)]);
  await page.getByLabel(english.page.language).selectOption('Deutsch');
  await page.getByText(german.look.averaged).waitFor();
  await expectGerman();
  await page.getByLabel(german.page.language).selectOption('English');
  page.on('dialog', (dialog) => void dialog.accept()); // the result is not saved
  await page.goto(served.site.url);
  await page.getByRole('button', { name: english.welcome.pick }).waitFor();
});

it('plans a folder in German, since its address says so', async () => {
  await page.goto(`${served.site.url}?lang=de`);
  await page.getByRole('button', { name: german.welcome.pick }).waitFor();
  await page.locator('body[data-fetched]').waitFor();
  const photo = async (name: string, seconds: number, stops: number): Promise<PictureFile> => {
    const samples = exposeScene(48, 32, 2 ** stops, seconds / 240);
    const jpeg = await sharp(samples, { raw: { width: 48, height: 32, channels: 3 } })
      .jpeg()
      .toBuffer();
    return { name, bytes: Buffer.concat(jpegWith(jpeg, { exif: exifBlock(tagsAt(seconds, stops)) })) };
  };
  const shots = [-2, 0, 2, -1.5, 0, 1.5].map((stops, i) => photo(`IMG_${i}.jpg`, 60 * Math.floor(i / 3) + i, stops));
  const alone = photo('IMG_9.jpg', 600, 0);
  await dropFiles(page, [...(await Promise.all([...shots, alone])), { name: 'liste.txt', bytes: Buffer.from('-') }]);
  await page.locator('#batch:visible .bracket').nth(1).waitFor();
  await page.locator('#left-over summary').click();
  expect(await page.locator('#left-over').innerText()).toContain(german.plan.reason('alone', ''));
  expect(await page.locator('.bracket').nth(1).locator('.ev').allInnerTexts()).toEqual(['−1,5 EV', '0 EV', '+1,5 EV']);
  await expectGerman();
  expect(problems).toEqual([]);
});
