/**
 * The first minute: what the page fetches before it is drawn and before its first merge, the proof with its divider,
 * and the example, which loads and merges by one click.
 */
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keyedTo, wayAt } from '../../app/src/ui/proofDivider.ts';
import { findings } from './axe.ts';
import { servePage } from './served.ts';
import { pngStack } from './stack.ts';

const served = servePage();

const FIXED = '/weights/fixed.safetensors';

/** Bytes that a line of 4 Mbit/s brings in a second. */
const LINE = 500_000;
/** What requests and answers wait for each other: a few round trips of 40 ms. */
const WAITING = 0.4;
/** Most bytes of JavaScript with gzip before the first merge. */
const MOST_JAVASCRIPT = 150_000;

const sum = (files: readonly { bytes: Buffer }[]): number => files.reduce((all, { bytes }) => all + bytes.length, 0);
const isScript = ({ path }: { path: string }): boolean => path.endsWith('.js');

describe('the first minute', () => {
  let page: Page;
  const problems: string[] = [];
  let weights: { release(): void };

  beforeAll(async () => {
    // The example's merge takes seconds on a software adapter if its frames are small.
    pngStack(48, 32).forEach(({ bytes }, k) => served.site.replace(new RegExp(`example/${k + 1}\\.jpg$`), () => bytes));
    weights = served.site.hold(/weights\/fixed\.safetensors$/);
    page = await served.browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(served.site.url);
    await vi.waitFor(() => expect(served.site.requests.map(({ path }) => path)).toContain(FIXED), 10_000);
  });

  afterAll(async () => {
    weights.release();
    await page.close();
  });

  it('needs little before it is drawn, and fetches everything else after that', () => {
    const paths = served.site.requests.map(({ path }) => path);
    const worker = paths.findIndex((path) => /assets\/main-.*\.js$/.test(path));
    const first = served.site.requests.slice(0, worker);
    expect(first.filter(({ path }) => path.endsWith('.webp')).length).toBe(2);
    expect(first.filter(({ path }) => /weights|example|wasm/.test(path))).toEqual([]);
    expect(sum(first)).toBeLessThan(LINE * (1.5 - WAITING));
    expect(paths.indexOf(FIXED)).toBeGreaterThan(worker);
  });

  it('shows the proof: the divider follows pointer and keys, and stands still where motion is not wanted', async () => {
    const divider = page.getByRole('slider', { name: 'Divider between the plain merge and the deghosted picture' });
    const at = async (): Promise<number> => Number(await divider.getAttribute('aria-valuenow'));
    const place = (): Promise<string> =>
      page.locator('#proof').evaluate((proof: HTMLElement) => proof.style.getPropertyValue('--at'));
    await page.waitForTimeout(900); // it would have moved by now
    expect([await at(), await place()]).toEqual([50, '50%']);
    const { x, y, width, height } = (await page.locator('#proof').boundingBox())!;
    await page.mouse.move(x + 0.75 * width, y + height / 2);
    await expect.poll(at).toBe(75);
    await divider.focus();
    for (const key of ['ArrowLeft', 'PageDown']) await page.keyboard.press(key);
    expect(await at()).toBe(63);
    // Each name is on its own side.
    const cut = (side: string) =>
      page.locator(`#proof .side.${side}`).evaluate((one) => getComputedStyle(one).clipPath);
    expect(await cut('right')).toBe('inset(0px 0px 0px 63%)');
    expect(await cut('left')).toMatch(/^inset\(0px (37%|calc\(37%\)|calc\(100% - 63%\)) 0px 0px\)$/);
    expect(await divider.getAttribute('aria-valuetext')).toBe('63 % plain merge, 37 % without ghosts');
    await page.keyboard.press('Home');
    expect(await at()).toBe(0);
    expect(await findings(page)).toEqual([]);
  });

  it('merges the example by one click, and shows how much of the weights is there', async () => {
    await page.locator('#align').evaluate((box: HTMLInputElement) => (box.checked = false));
    expect(await page.locator('#example').isEnabled()).toBe(true);
    await page.locator('#example').click();
    await page.locator('.frame.ready').nth(2).waitFor();
    await expect.poll(() => page.locator('#progress-stage').innerText()).toBe('Loading the network');
    expect(await page.locator('#progress-left').innerText()).toMatch(/^[\d.]+ [KM]iB of [\d.]+ [KM]iB, (49|50) %$/);
    expect(await page.locator('#progress-bar').getAttribute('value')).toMatch(/^(49|50)$/);
  });

  it('has fetched no more for that than 15 s of a slow line bring', () => {
    const before = served.site.requests;
    expect(before.filter(({ path }) => /any\.safetensors|wasm$/.test(path))).toEqual([]);
    expect(sum(before)).toBeLessThan(LINE * (15 - WAITING));
    const scripts = before.filter(isScript);
    expect(scripts.length).toBeGreaterThan(2);
    expect(scripts.reduce((all, { bytes }) => all + gzipSync(bytes, { level: 9 }).length, 0)).toBeLessThan(
      MOST_JAVASCRIPT,
    );
  });

  it('fetches the rest then', async () => {
    weights.release();
    await expect.poll(() => page.locator('#progress-stage').innerText()).not.toBe('Loading the network');
    expect(await page.locator('body').getAttribute('data-state')).toMatch(/merging|result/);
    await page.locator('body[data-fetched]').waitFor();
    const paths = served.site.requests.map(({ path }) => path);
    expect(paths.indexOf('/weights/any.safetensors')).toBeGreaterThan(paths.indexOf(FIXED));
    expect(paths.filter((path) => path.endsWith('fixed.safetensors')).length).toBe(1);
    expect(problems).toEqual([]);
  });
});

describe('the divider', () => {
  it('goes to both sides by itself within five seconds, and comes back', () => {
    const places = Array.from({ length: 101 }, (_, k) => wayAt(50 * k));
    expect([places[0], places.at(-1)]).toEqual([50, 50]);
    expect([Math.min(...places), Math.max(...places)].map(Math.round)).toEqual([18, 92]);
    expect(Math.max(...places.slice(1).map((at, k) => Math.abs(at - places[k])))).toBeLessThan(4);
  });

  it('stays between the sides, whatever key is pressed', () => {
    expect(['ArrowRight', 'PageUp', 'End', 'x'].map((key) => keyedTo(key, 99))).toEqual([100, 100, 100, undefined]);
    expect(['ArrowDown', 'PageDown', 'Home'].map((key) => keyedTo(key, 1))).toEqual([0, 0, 0]);
  });
});
