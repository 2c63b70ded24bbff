/**
 * A display of high dynamic range gets light above white unchanged.
 *
 * There is no such display here: Chromium is told that it has one (HDR10), and what the canvas holds is read back in
 * half float.
 */
import { readExr } from 'hdrify';
import sharp from 'sharp';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Finisher } from '../../src/finish/finisher.ts';
import { HDR_HEADROOM } from '../../src/finish/ultraHdr.ts';
import { testDevice } from '../gpu.ts';
import { FLAGS } from './browser.ts';
import { launchForTest, serveForTest, servePage } from './served.ts';
import { dismissWarnings, dropFiles, merge, openPage, save, settled } from './drive.ts';
import { pngStack } from './stack.ts';

const served = servePage({ flags: [...FLAGS, '--force-color-profile=hdr10'] });
let page: Page;

beforeAll(async () => {
  ({ page } = await served.open({ align: false }));
  await dropFiles(page, pngStack(96, 64));
  await settled(page, 3);
  await merge(page);
});

const bright = () => page.locator('#bright');

/** The largest value on the canvas, encoded as sRGB, which goes on above 1. */
function largestShown(): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector('#canvas') as HTMLCanvasElement;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    // Neither option is in TypeScript's types yet.
    const context = new OffscreenCanvas(width, height).getContext('2d', {
      colorType: 'float16',
    } as CanvasRenderingContext2DSettings) as OffscreenCanvasRenderingContext2D;
    context.drawImage(canvas, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height, { pixelFormat: 'rgba-float16' } as ImageDataSettings);
    return data.reduce((largest, value) => Math.max(largest, value), 0);
  });
}

describe('a display of high dynamic range', () => {
  it('is what the picture is shown for', async () => {
    expect(await bright().isVisible()).toBe(true);
    expect(await bright().isChecked()).toBe(true);
  });

  it('gets light above white, as much as Ultra HDR files hold; without it all ends at white', async () => {
    const exr = readExr((await save(page, 'exr-float')).bytes);
    const radiance = exr.data.filter((_, i) => i % 4 !== 3) as Float32Array<ArrayBuffer>;
    const finisher = await Finisher.create(await testDevice(), { radiance, width: exr.width, height: exr.height });
    const settings = finisher.settingsOf('natural');
    const light = Math.max(...(await finisher.finish('linear', settings, { headroom: HDR_HEADROOM })));
    finisher.dispose();
    expect(light).toBeGreaterThan(1.5);
    const encoded = 1.055 * light ** (1 / 2.4) - 0.055;
    await page.locator('#zoom-full').click();
    await expect
      .poll(async () => Math.abs((await largestShown()) / encoded - 1), { timeout: 20_000 })
      .toBeLessThan(0.02);
    await bright().uncheck();
    await expect.poll(largestShown, { timeout: 20_000 }).toBeLessThanOrEqual(1.002);
    await bright().check();
    await expect.poll(largestShown, { timeout: 20_000 }).toBeGreaterThan(1.2);
  });

  it('that is not there is not offered', async () => {
    const ordinary = await launchForTest();
    const { page: other } = await openPage(ordinary, served.site, { align: false });
    expect(await other.locator('#bright').isVisible()).toBe(false);
  });
});

describe('a browser without half-float canvases', () => {
  it('shows the picture in 8 bits, and offers no HDR display', async () => {
    const plain = await serveForTest();
    // As Firefox 153 refuses them.
    const refuse = `const { configure } = GPUCanvasContext.prototype;
      GPUCanvasContext.prototype.configure = function (options) {
        if (options.format === 'rgba16float') throw new TypeError('not yet supported');
        configure.call(this, options);
      };`;
    plain.replace(/assets\/main-[^/]+\.js$/, (original) => `{${refuse}}${original.toString('utf8')}`);
    const { page: other, problems } = await openPage(served.browser, plain, { align: false });
    await dropFiles(other, pngStack(96, 64));
    await settled(other, 3);
    await merge(other);
    await dismissWarnings(other);
    expect(await other.locator('#bright').isVisible()).toBe(false);
    await other.locator('#zoom-full').click();
    const box = await other.locator('#view').boundingBox();
    if (!box) throw new Error('the view has no box');
    const clip = {
      x: Math.round(box.x + box.width / 2 - 48),
      y: Math.round(box.y + box.height / 2 - 32),
      width: 96,
      height: 64,
    };
    const saved = await sharp((await save(other, 'png')).bytes)
      .removeAlpha()
      .raw()
      .toBuffer();
    const difference = async () => {
      const shown = await sharp(await other.screenshot({ clip }))
        .removeAlpha()
        .raw()
        .toBuffer();
      const differences = [...shown].map((value, i) => Math.abs(value - saved[i])).sort((a, b) => a - b);
      return differences[Math.floor(0.95 * differences.length)];
    };
    await expect.poll(difference, { timeout: 20_000 }).toBeLessThanOrEqual(3);
    expect(problems).toEqual([]);
    await other.close();
  });
});
