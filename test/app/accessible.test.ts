/**
 * The page for everyone, in each of its states: axe finds nothing, light and dark; what is clicked is wide enough for
 * fingers (44 CSS pixels) and mice (24); text follows the browser's text size; nothing leaves the window, at a zoom of
 * 400 % neither; the focus is seen wherever it goes; what happens is told, once.
 */
import type { CDPSession, Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { findings } from './axe.ts';
import { brackets } from './brackets.ts';
import { servePage } from './served.ts';
import { dismissWarnings, dropFiles, finished, merge, settled } from './drive.ts';
import { pngStack } from './stack.ts';
import { outsideOfWindow, smallTargets, textSizes } from './targets.ts';

const served = servePage();
let page: Page;
let session: CDPSession;

beforeAll(async () => {
  ({ page } = await served.open({ width: 390, height: 844, align: false }));
  session = await page.context().newCDPSession(page);
});

const state = () => page.evaluate(() => document.body.dataset.state);

/** What axe finds, light and dark. */
async function axeFaults(): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await findings(page)).map((text) => `${colorScheme}: ${text}`));
  }
  return found;
}

const setTextSize = (standard: number) => session.send('Page.setFontSizes', { fontSizes: { standard } });

/** What axe finds, and what is too small for a mouse or for fingers. */
async function faults(): Promise<string[]> {
  const found = await axeFaults();
  found.push(...(await smallTargets(page, 24)));
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  expect(await page.evaluate(() => matchMedia('(any-pointer: coarse)').matches)).toBe(true);
  found.push(...(await smallTargets(page, 44)));
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: false });
  return found;
}

/** What leaves windows of several sizes, also with large text; and text that does not become larger. */
async function sizeFaults(): Promise<string[]> {
  const found: string[] = [];
  const add = (where: string, list: readonly string[]) => found.push(...list.map((text) => `${where}: ${text}`));
  for (const [width, height] of [
    [320, 256],
    [390, 844],
    [900, 560],
  ]) {
    await page.setViewportSize({ width, height });
    add(`${width}x${height}`, await outsideOfWindow(page));
    if (width === 320) continue;
    const before = await textSizes(page);
    await setTextSize(32);
    add(`${width}x${height}, text of 32 px`, await outsideOfWindow(page));
    const sizes = new Map((await textSizes(page)).map(({ text, size }) => [text, size]));
    // Headings grow with the window too, and less than twice where it is narrow.
    for (const { text, size } of before)
      if (!/^H1/.test(text) && (sizes.get(text) ?? 2 * size) < 1.8 * size)
        add('text size', [`${text}: ${size} px, then ${sizes.get(text)}`]);
    await setTextSize(16);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  return found;
}

it('before photos are chosen', async () => {
  // No slider claims a value that is not known.
  expect((await page.locator('#finish-sliders .value').allTextContents()).join('')).toBe('');
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
});

it('with frames, and with a file that cannot be used', async () => {
  await dropFiles(page, [...pngStack(48, 32), { name: 'broken.png', bytes: Buffer.from('no picture') }]);
  await settled(page, 4);
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
});

it('while it merges', async () => {
  await page.locator('#merge:enabled').click();
  expect(await axeFaults()).toEqual([]);
  expect(await state()).toBe('merging');
  await finished(page);
});

it('with a result and all controls shown', async () => {
  await page.locator('#compare:enabled').check();
  await page.locator('#overlay').check();
  await dismissWarnings(page);
  await openFrames();
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
});

it('with a thing seen in each frame, a crop, and a frame enlarged', async () => {
  await page.locator('#view').focus();
  await page.keyboard.press('Enter');
  await page.locator('#loupe:visible').waitFor();
  // The picture is seen beside it, in windows of any size.
  for (const [width, height, least] of [
    [390, 844, 300],
    [320, 256, 140],
    [900, 560, 200],
    [1280, 800, 400],
  ]) {
    await page.setViewportSize({ width, height });
    const picture = (): Promise<number> =>
      page.evaluate(() => {
        const [view, loupe] = ['view', 'loupe'].map((id) => document.getElementById(id)!.getBoundingClientRect());
        return Math.min(view.bottom, loupe.top) - view.top;
      });
    await expect.poll(picture, { message: `${width}x${height}` }).toBeGreaterThan(least);
    await expect.poll(() => page.evaluate(() => document.getElementById('loupe')!.offsetHeight)).toBeLessThan(260);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
  await page.keyboard.press('Escape');
  await page.locator('#crop-open').click();
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
  await page.locator('#crop-done').click();
  await page.locator('.frame .enlarge').first().click();
  await page.locator('dialog[open]').waitFor();
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
});

it('sliders say their values with units, and nothing says them twice', async () => {
  const wrong = await page.evaluate(() => {
    const silent = [...document.querySelectorAll('input[type=range]')].filter((slider) => !slider.ariaValueText);
    const live = [...document.querySelectorAll('output')].filter(
      (output) => output.ariaHidden !== 'true' && output.ariaLive !== 'off',
    );
    return [...silent, ...live].map(({ id }) => id);
  });
  expect(wrong).toEqual([]);
});

it('tells of strokes, each once, of what undoes them, and of what keys change on the picture', async () => {
  await page.evaluate(() => {
    const status = document.getElementById('status')!;
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => said.push(status.innerText)).observe(status, { childList: true });
  });
  const said = (count: number) =>
    expect
      .poll(() =>
        page.evaluate(() => (window as unknown as { said: string[] }).said.filter((text) => /Motion/.test(text))),
      )
      .toHaveLength(count);
  const last = () => page.evaluate(() => (window as unknown as { said: string[] }).said.at(-1));
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByLabel('Add', { exact: true }).check();
  const { x, y, width, height } = (await page.locator('#view').boundingBox())!;
  await page.mouse.move(x + width / 2 + 30, y + height / 2 - 20);
  await page.mouse.down();
  await page.mouse.move(x + width / 2 + 60, y + height / 2 + 20, { steps: 12 });
  await page.waitForTimeout(200); // messages of a merely slow page would come one by one
  await page.mouse.move(x + width / 2 + 60, y + height / 2 - 20, { steps: 12 });
  await page.mouse.up();
  await said(1);
  await page.locator('#view').focus();
  for (const [key, text] of [
    ['u', 'Undone. Nothing is left.'],
    [']', '60 px'],
    ['1', 'Zoom: 100 %'],
    ['Escape', 'The brush is off.'],
  ]) {
    await page.keyboard.press(key);
    await expect.poll(last).toBe(text);
  }
  await said(1);
});

it('the focus is seen wherever Tab leads, and nothing lies over it', async () => {
  for (const [width, height] of [
    [390, 844],
    [320, 256],
  ]) {
    await page.setViewportSize({ width, height });
    await page.evaluate(() => {
      (document.activeElement as HTMLElement).blur();
      scrollTo(0, 0);
    });
    const seen: string[] = [];
    for (let i = 0; i < 100; i++) {
      await page.keyboard.press('Tab');
      const { name, fault } = await page.evaluate(focusFault);
      if (name === '') break;
      seen.push(name);
      expect(fault, `${width}x${height}: ${name}`).toBe('');
    }
    expect(seen.length).toBeGreaterThan(45);
  }
});

it('lists the keys, gives the focus back, and says the question before a picture is lost', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('#view').focus();
  await page.keyboard.press('?');
  const dialog = page.locator('dialog');
  await expect.poll(() => dialog.innerText()).toContain('paint, as long as it is held');
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
  for (let i = 0; i < 4; i++) {
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement!.matches('body, dialog, dialog *'))).toBe(true);
  }
  // That key can be turned off, and on again.
  const single = dialog.getByLabel('Open this list with ?');
  await single.uncheck();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('view');
  await page.keyboard.press('?');
  expect(await dialog.count()).toBe(0);
  await page.locator('#zoom-tools').getByRole('button', { name: 'Keys' }).click();
  await single.check();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });

  await page.locator('#clear').click();
  await dialog.waitFor();
  expect(await faults()).toEqual([]);
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('clear');
});

it('the picture keeps free of everything at a zoom of 400 %', async () => {
  await page.setViewportSize({ width: 320, height: 256 });
  const wrong = await page.evaluate(() => {
    const view = document.getElementById('view')!;
    view.scrollIntoView({ block: 'center' });
    const { left, top, right, bottom } = view.getBoundingClientRect();
    const found: string[] = [];
    for (let y = Math.max(0, top) + 4; y < Math.min(innerHeight, bottom); y += 8)
      for (let x = left + 4; x < right; x += 8) {
        const at = document.elementFromPoint(x, y);
        if (!view.contains(at)) found.push(`${x},${y}: ${at?.outerHTML.slice(0, 80)}`);
      }
    return [...found, ...(bottom - top < 100 ? [`it is ${bottom - top} high`] : [])];
  });
  expect(wrong).toEqual([]);
});

it('in forced colours the divider, the brush and what is chosen are seen', async () => {
  await page.setViewportSize({ width: 900, height: 560 });
  await page.emulateMedia({ forcedColors: 'active' });
  const style = (selector: string, pseudo = '') =>
    page
      .locator(selector)
      .first()
      .evaluate((element, pseudo) => {
        const { backgroundColor, outlineStyle, outlineColor, borderTopWidth } = getComputedStyle(
          element,
          pseudo || null,
        );
        return { backgroundColor, outlineStyle, outlineColor, borderTopWidth };
      }, pseudo);
  expect((await style('#divider', '::before')).backgroundColor).toBe('rgb(255, 255, 255)');
  expect((await style('#looks label:has(input:checked) img')).outlineStyle).toBe('solid');
  expect((await style('#looks label:not(:has(input:checked)) img')).outlineStyle).toBe('none');
  expect((await style('.segments input:checked + span')).borderTopWidth).toBe('3px');
  expect((await style('.frame.chosen')).outlineStyle).toBe('solid');
  await page.locator('#merge-note').waitFor({ state: 'attached' });
  await page.locator('#view').focus();
  await page.keyboard.press('0');
  expect((await style('#view')).outlineStyle).not.toBe('none');
  await page.emulateMedia({ forcedColors: 'none' });
});

it('on a phone, who merged again at the frames sees the first controls of the result', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const ev = page.locator('.frame input.ev').last();
  await ev.fill('2.5');
  await ev.blur();
  await page.locator('#clear').scrollIntoViewIfNeeded();
  // Notices are scrolled to, which is right; random weights cause some.
  await page.locator('#notices').evaluate((notices: HTMLElement) => {
    notices.hidden = true;
  });
  await merge(page);
  const place = await page.evaluate(() => ({
    title: document.getElementById('look-title')!.getBoundingClientRect().top,
    stage: document.getElementById('stage')!.getBoundingClientRect().bottom,
  }));
  expect(place.title).toBeGreaterThan(place.stage);
  expect(place.title).toBeLessThan(place.stage + 100);
});

it('beside a result, a file that cannot be used is told where it is seen', async () => {
  await page.locator('#notices').evaluate((notices: HTMLElement) => {
    notices.hidden = false;
  });
  await dismissWarnings(page);
  await openFrames();
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await dropFiles(page, [{ name: 'again.png', bytes: Buffer.from('no picture') }]);
  const notice = page.locator('.notice.error');
  await notice.waitFor();
  const isSeen = () =>
    notice.evaluate((element) => {
      const { left, top, bottom } = element.getBoundingClientRect();
      return (
        top >= 0 && bottom <= innerHeight && element.contains(document.elementFromPoint(left + 20, (top + bottom) / 2))
      );
    });
  await expect.poll(isSeen).toBe(true);
  await openFrames();
  await page.locator('#clear').click();
  await page.getByRole('button', { name: 'Discard it' }).click();
  await page.locator('body[data-state=empty]').waitFor();
});

it('with the plan of a folder, while it is merged, and after', async () => {
  await dropFiles(page, await brackets(2));
  await page.locator('#batch:visible .bracket').first().waitFor();
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
  await page.setViewportSize({ width: 900, height: 500 });
  await page.locator('#batch-merge:enabled').click();
  expect(await axeFaults()).toEqual([]);
  await page.locator('#batch-outcome:visible').waitFor({ timeout: 100_000 });
  expect(await faults()).toEqual([]);
});

it('on the bench', async () => {
  await page.goto(`${served.site.url}bench.html`);
  expect([...(await faults()), ...(await sizeFaults())]).toEqual([]);
});

async function openFrames(): Promise<void> {
  await page.locator('#frames-section').evaluate((details: HTMLDetailsElement) => {
    details.open = true;
  });
}

/** What has the focus, and what is wrong with it: run in the page. */
function focusFault(): { name: string; fault: string } {
  const element = document.activeElement as HTMLElement;
  if (!element || element === document.body) return { name: '', fault: '' };
  // What is drawn in place of a control: its label.
  const label = element.closest('label');
  const shown = [element, label, element.nextElementSibling];
  const hasRing = shown.some((one) => {
    if (!one) return false;
    const styles = [getComputedStyle(one), getComputedStyle(one, '::before')];
    return styles.some(({ outlineStyle, outlineWidth }) => outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2);
  });
  const area = label?.contains(element) ? label : element;
  const { left, right, top, bottom } = area.getBoundingClientRect();
  const [x, y] = [(left + right) / 2, (Math.max(0, top) + Math.min(innerHeight, bottom)) / 2];
  const over = document.elementFromPoint(x, y);
  const isSeen = y > 0 && y < innerHeight && over && (area.contains(over) || over.contains(area));
  return {
    name: `${element.tagName}#${element.id} ${element.ariaLabel ?? label?.innerText ?? element.innerText}`,
    fault: !hasRing ? 'no ring' : !isSeen ? `${x},${y} is ${over?.outerHTML.slice(0, 100)}` : '',
  };
}
