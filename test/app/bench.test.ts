/**
 * The bench's page in Chromium, on SwiftShader: at the smallest sizes it runs to its end, and what it saves can be put
 * into docs/performance.md. Where something is missing, wrong or lost, it says so.
 */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { PAGE, committedReports, figures, withFigures } from '../../bench/performancePage.ts';
import { readReport } from '../../bench/readReport.ts';
import { launchChromium } from '../chromium.ts';
import { findings } from './axe.ts';
import { launchForTest, serveForTest, servePage } from './served.ts';
import type { Site } from './site.ts';

/** SwiftShader compiles slowly, and other tests run meanwhile. */
const MOST_MS = 400_000;
const WORKER = /assets\/worker-[^/]+\.js$/;

const served = servePage({ launch: launchChromium });

interface Bench {
  page: Page;
  problems: string[];
  /** Paths that the page fetched. */
  fetched: string[];
}

async function open(at: Site, from: Browser = served.browser, script = ''): Promise<Bench> {
  const page = await from.newPage({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
  const [problems, fetched]: [string[], string[]] = [[], []];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  if (script) await page.addInitScript(script);
  await page.goto(`${at.url}bench.html`);
  return { page, problems, fetched };
}

/** Waits until the bench has ended, in whatever way. */
async function ended(page: Page): Promise<void> {
  await page.locator('#start-form').waitFor({ timeout: MOST_MS });
}

const notice = (page: Page): Promise<string> => page.locator('.notice').innerText();

describe('the bench', () => {
  it(
    'starts at a click, runs to its end, and saves what docs/performance.md takes',
    async () => {
      const { page, problems, fetched } = await open(served.site);
      expect(fetched.filter((path) => /weights|goldens/.test(path))).toEqual([]);
      expect(await findings(page)).toEqual([]);
      await page.locator('#start').click();
      await page.locator('#progress').waitFor();
      await ended(page);
      expect(await page.locator('.notice').count()).toBe(0);

      expect(await page.locator('#results-title').innerText()).toMatch(/swiftshader/i);
      expect(await page.locator('#no-gpu').innerText()).toContain('say nothing about GPUs');
      expect(await page.locator('.checks .good').count()).toBe(3);
      expect(await page.locator('.checks .bad').count()).toBe(0);
      expect(await page.locator('.peaks').innerText()).toMatch(/Multiply-adds, f32\s+[\d.,]+ [GT]FLOP\/s/);
      const tables = await page.locator('.part h3').allInnerTexts();
      expect(tables).toEqual(['Correctness', 'Peaks', 'Whole merges', 'Layers', 'Kernels']);
      for (const name of ['Whole merges', 'Layers', 'Kernels'])
        expect(await page.getByRole('region', { name }).innerText()).not.toMatch(/undefined|NaN|Infinity/);
      await page.getByText('All variants').click();
      const variants = await page.locator('#variants tbody tr').allInnerTexts();
      expect(variants.filter((text) => text.includes('(default)')).length).toBe(1);
      expect(variants.length).toBeGreaterThan(1);
      expect(await findings(page)).toEqual([]);

      await page.locator('#gpu-name').fill('  A card,  driver 1 ');
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save-json').click()]);
      expect(download.suggestedFilename()).toMatch(/^a-card-driver-1-.*chrom[a-z]*-\d+-on-linux\.json$/);
      const json = readFileSync(await download.path(), 'utf8');
      const report = readReport(json, 'saved.json');
      expect(report.adapter).toMatchObject({ software: true, source: 'browser' });
      expect(report.adapter.name).toMatch(/^A card, driver 1 \(.*swiftshader.*\)$/i);
      expect(report.validated.map(({ error }) => error! < 1e-4)).toEqual([true, true]);
      expect(report.peaks.gflops).toBeGreaterThan(0);
      expect(report.peaks.gbytes).toBeGreaterThan(0);
      expect(report.kernels.length).toBeGreaterThan(20);
      for (const { ms, wrong } of report.kernels) expect([ms > 0, wrong]).toEqual([true, undefined]);
      // The default and other candidates of a layer.
      const [layer] = report.layers!;
      expect(Object.keys(layer.gflops)).toContain(layer.fallback);
      expect(Object.values(layer.gflops).filter((rate) => Number(rate) > 0).length).toBeGreaterThan(1);
      expect(report.merges!.map(({ precision, width, height }) => `${precision} ${width}x${height}`)).toContain(
        'f32 64x48',
      );
      for (const { ms, multiplyAdds, error } of report.merges!)
        expect([ms! > 0, multiplyAdds! > 0, error]).toEqual([true, true, undefined]);

      const text = withFigures(readFileSync(PAGE, 'utf8'), figures([...committedReports(), report]));
      expect(text).toContain('### A card, driver 1 (');
      expect(text).toContain('| f32, 64x48 | 512 MiB | default |');

      await page
        .context()
        .grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(served.site.url).origin });
      await page.locator('#copy-json').click();
      await page.getByText('Copied.').waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(json);
      expect(problems).toEqual([]);
      await page.close();
    },
    MOST_MS,
  );

  it(
    'is cancelled at once, keeps what it has, and can start again',
    async () => {
      const { page, problems } = await open(served.site);
      await page.locator('#start').click();
      await page.locator('.checks li').first().waitFor({ timeout: MOST_MS });
      await page.locator('#cancel').click();
      await ended(page);
      expect(await notice(page)).toMatch(/Cancelled[\s\S]*is below/);
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save-json').click()]);
      const report = readReport(readFileSync(await download.path(), 'utf8'), 'saved.json');
      expect(report.remarks!.at(-1)).toBe('It was cancelled before its end.');
      expect(await page.locator('#start').isEnabled()).toBe(true);
      expect(problems).toEqual([]);
      await page.close();
    },
    MOST_MS,
  );

  it(
    'marks a wrong result, and says when the device is lost',
    async () => {
      const odd = await serveForTest();
      // Other weights than those that PyTorch ran with: the last thousand are all 0.5.
      odd.replace(/goldens\/fixed-wide\.weights\.safetensors$/, (original) => {
        const bytes = Buffer.from(original);
        for (let at = bytes.length - 4000; at < bytes.length; at += 4) bytes.writeFloatLE(0.5, at);
        return bytes;
      });
      // The GPU goes away when the peaks are measured.
      odd.replace(
        WORKER,
        (original) =>
          `{ const make = GPUDevice.prototype.createComputePipelineAsync;
             GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
               if (descriptor.layout === 'auto') this.destroy();
               return make.call(this, descriptor);
             }; }\n${original.toString('utf8')}`,
      );
      const { page } = await open(odd);
      await page.locator('#start').click();
      await ended(page);
      expect(await page.locator('.checks .bad').innerText()).toMatch(/^fixed-wide: .+/);
      expect(await page.locator('.checks .good').count()).toBe(1);
      expect(await notice(page)).toMatch(/The graphics card was lost[\s\S]*is below and can be saved/);
      expect(await page.locator('#save').isVisible()).toBe(true);
      expect(await findings(page)).toEqual([]);
      await page.close();
    },
    MOST_MS,
  );

  it('says what is missing: WebGPU, an adapter, its files', async () => {
    const { page } = await open(served.site, served.browser, 'delete Navigator.prototype.gpu;');
    expect(await notice(page)).toMatch(/This browser has no WebGPU/);
    expect(await page.locator('#start').isDisabled()).toBe(true);
    expect(await findings(page)).toEqual([]);
    await page.close();

    const without = await launchForTest([
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-software-rasterizer',
    ]);
    const { page: bare } = await open(served.site, without);
    await bare.locator('#start').click();
    await bare.locator('.notice').waitFor();
    expect(await notice(bare)).toMatch(/No graphics adapter was found/);

    const incomplete = await serveForTest();
    incomplete.replace(/goldens\/any-5\.safetensors$/, () => {
      throw new Error('not there');
    });
    const { page: partial } = await open(incomplete);
    await partial.locator('#start').click();
    await partial.locator('.notice').waitFor();
    expect(await notice(partial)).toMatch(/A file of this page is missing[\s\S]*goldens\/any-5\.safetensors/);
    await partial.close();
  }, 60_000);
});
