/** The page from dropped files to saved ones, against the same merge in Node. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readExr, readJpegGainMap } from 'hdrify';
import exifr from 'exifr';
import sharp from 'sharp';
import { decode as decodeTiff } from 'tiff';
import { beforeAll, describe, expect, it } from 'vitest';
import { Deghoster } from '../../src/index.ts';
import type { MergeResult } from '../../src/index.ts';
import { halfToFloat } from '../../src/float16.ts';
import { decodeRgbe } from '../../src/image/rgbe.ts';
import { Finisher } from '../../src/finish/finisher.ts';
import { HDR_HEADROOM } from '../../src/finish/ultraHdr.ts';
import { readStack } from '../../src/node/index.ts';
import { testDevice } from '../gpu.ts';
import { servePage } from './served.ts';
import { dismissWarnings, dropFiles, merge, save, settled } from './drive.ts';
import type { OpenPage, PictureFile } from './drive.ts';
import { THIN_FIXED } from './site.ts';
import { pngStack } from './stack.ts';

const WIDTH = 192;
const HEIGHT = 128;

const served = servePage();
let opened: OpenPage;
let expected: MergeResult;
/** The merge in Node in the default look: for ordinary displays as codes, and for brighter ones. */
let natural: { codes: Uint8Array; bright: Float32Array };
/** Addresses requested after the page had loaded. */
const requested: string[] = [];

beforeAll(async () => {
  const files = pngStack(WIDTH, HEIGHT);
  expected = await mergeInNode(files);
  const finisher = await Finisher.create(await testDevice(), expected);
  const settings = finisher.settingsOf('natural');
  natural = {
    codes: await finisher.finish('codes', settings),
    bright: await finisher.finish('linear', settings, { headroom: HDR_HEADROOM }),
  };
  finisher.dispose();
  opened = await served.open();
  // Of the page and of its worker.
  opened.page.context().on('request', (request) => requested.push(request.url()));
  // The order of dropping does not matter.
  await dropFiles(opened.page, [files[2], files[0], files[1]]);
  await settled(opened.page, 3);
});

async function mergeInNode(files: readonly PictureFile[]): Promise<MergeResult> {
  const folder = mkdtempSync(join(tmpdir(), 'deghost-test-'));
  try {
    const paths = files.map(({ name, bytes }) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    });
    const deghoster = await Deghoster.create({ weights: readFileSync(THIN_FIXED), device: await testDevice() });
    const result = await deghoster.merge((await readStack(paths)).frames);
    deghoster.dispose();
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a stack dropped on the page', () => {
  it('is listed in exposure order, with EV from EXIF and the middle frame as the reference', async () => {
    const { page } = opened;
    expect(await page.locator('.frame .name').allTextContents()).toEqual(['scene-1.png', 'scene-2.png', 'scene-3.png']);
    const evs = await page
      .locator('.frame input.ev')
      .evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value));
    expect(evs).toEqual(['-2', '0', '2']);
    expect(await page.getByLabel('Reference: scene-2.png').isChecked()).toBe(true);
  });

  it('becomes the picture that Node makes of it', async () => {
    const { page, problems } = opened;
    await merge(page);
    const { name, bytes } = await save(page, 'exr-float');
    expect(name).toBe('scene-1-merged-float.exr');
    const exr = readExr(bytes);
    expect([exr.width, exr.height]).toEqual([WIDTH, HEIGHT]);
    let worst = 0;
    expected.radiance.forEach((y, i) => {
      const want = y * expected.scale;
      worst = Math.max(worst, Math.abs(exr.data[4 * Math.floor(i / 3) + (i % 3)] - want) / Math.max(want, 1e-4));
    });
    expect(worst).toBeLessThan(1e-3);
    expect(problems).toEqual([]);
  });

  it('is saved as .hdr within one step of a mantissa', async () => {
    const { name, bytes } = await save(opened.page, 'hdr');
    expect(name).toBe('scene-1-merged.hdr');
    const hdr = decodeRgbe(bytes);
    let worst = 0; // in steps of the pixel's mantissas
    for (let p = 0; p < WIDTH * HEIGHT; p++) {
      const want = [0, 1, 2].map((c) => expected.radiance[3 * p + c] * expected.scale);
      const step = 2 ** (Math.ceil(Math.log2(Math.max(...want, 1e-30))) - 8);
      want.forEach((value, c) => (worst = Math.max(worst, Math.abs(hdr.data[3 * p + c] - value) / step)));
    }
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('is saved as half-float EXR', async () => {
    const { bytes } = await save(opened.page, 'exr-half');
    const { data } = readExr(bytes);
    let worst = 0;
    expected.radiance.forEach((y, i) => {
      const want = y * expected.scale;
      worst = Math.max(worst, Math.abs(data[4 * Math.floor(i / 3) + (i % 3)] - want) / Math.max(want, 1e-3));
    });
    expect(worst).toBeGreaterThan(1e-5); // it is half
    expect(worst).toBeLessThan(2e-3);
  });

  it('is saved as half-float TIFF and as DNG', async () => {
    const { name, bytes } = await save(opened.page, 'tiff');
    expect(name).toBe('scene-1-merged.tif');
    const { data } = decodeTiff(bytes)[0];
    const isNear = (y: number, i: number) => Math.abs(halfToFloat(data[i]) - y * expected.scale) < 2e-3 * y + 1e-6;
    expect(expected.radiance.every(isNear)).toBe(true);
    const dng = await save(opened.page, 'dng');
    expect(dng.name).toBe('scene-1-merged.dng');
    const tags = await exifr.parse(Buffer.from(dng.bytes), { tiff: true, pick: ['DNGVersion', 'UniqueCameraModel'] });
    expect(tags.UniqueCameraModel).toBe('deghost linear srgb');
  });

  it('is saved as the PNG that the command line makes', async () => {
    const { name, bytes } = await save(opened.page, 'png');
    expect(name).toBe('scene-1-merged.png');
    const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([WIDTH, HEIGHT]);
    const off = Array.from(natural.codes, (value, i) => Math.abs(value - data[i])).sort((a, b) => a - b);
    // Settings come from quantiles of merges that differ by rounding.
    expect(off[Math.floor(0.999 * off.length)]).toBeLessThanOrEqual(1);
    expect(off[off.length - 1]).toBeLessThanOrEqual(3);
  });

  it('is saved as Ultra HDR: a JPEG whose gain map gives the light back', async () => {
    const { name, bytes } = await save(opened.page, 'ultrahdr');
    expect(name).toBe('scene-1-merged.jpg');
    expect((await sharp(bytes).metadata()).width).toBe(WIDTH);
    const { data } = readJpegGainMap(bytes);
    // JPEG is lossy.
    const ratios = Array.from(
      { length: WIDTH * HEIGHT },
      (_, p) => (data[4 * p + 1] + 1 / 64) / (natural.bright[3 * p + 1] + 1 / 64),
    ).sort((a, b) => a - b);
    const at = (q: number) => ratios[Math.floor(q * (ratios.length - 1))];
    expect(Math.abs(Math.log2(at(0.5)))).toBeLessThan(0.05);
    expect(at(0.95)).toBeLessThan(1.25);
    expect(at(0.05)).toBeGreaterThan(0.8);
    expect(Math.max(...natural.bright)).toBeGreaterThan(1.5);
  });

  it('offers looks of the picture itself, and counts its light', async () => {
    const { page } = opened;
    const looks = page.locator('#looks label');
    expect(await looks.allInnerTexts()).toEqual(['Natural', 'Vivid', 'Soft', 'Black & white']);
    const sizes = await page
      .locator('#looks img')
      .evaluateAll((images) =>
        images.map((image) => [(image as HTMLImageElement).naturalWidth, (image as HTMLImageElement).naturalHeight]),
      );
    expect(sizes).toEqual([0, 1, 2, 3].map(() => [WIDTH, HEIGHT]));
    expect(await page.locator('#histogram figcaption').innerText()).toMatch(
      /^[\d.]+% shown white\s+[\d.]+% shown black$/,
    );
    expect(await page.locator('#finish-reset').isDisabled()).toBe(true);
    await page.locator('#finish-saturation').fill('-100');
    expect(await page.locator('#finish-reset').isDisabled()).toBe(false);
    const { data } = await sharp((await save(page, 'png')).bytes)
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    for (let i = 0; i < data.length; i += 3) expect(Math.max(...data.subarray(i, i + 3)) - data[i]).toBeLessThan(2);
    // A double click puts a slider back where the look has it.
    await page.locator('label[for=finish-saturation]').dblclick();
    expect(await page.locator('#finish-saturation').inputValue()).toBe('15');
    await page.locator('#finish-reset').click();
    expect(await page.locator('#finish-reset').isDisabled()).toBe(true);
  });

  it('is cropped: what is in the frame is seen and saved, as in the whole picture', async () => {
    const { page } = opened;
    await dismissWarnings(page);
    const rows = async (bytes: Buffer | Uint8Array) =>
      sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const whole = await rows((await save(page, 'png')).bytes);
    await page.locator('#crop-open').click();
    await page.locator('#crop-aspect').selectOption('1');
    expect(await page.locator('#crop-size').innerText()).toBe('128 × 128 pixels');
    // By keys: to the left edge, where it stops, and a step narrower.
    await page.locator('#crop-aspect').selectOption('free');
    await page.locator('#crop-frame').focus();
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Shift+ArrowLeft');
    expect(await page.locator('#crop-size').innerText()).toBe('126 × 128 pixels');
    await page.keyboard.press('Enter');
    expect(await page.locator('#crop-frame').isVisible()).toBe(false);
    const part = await rows((await save(page, 'png')).bytes);
    expect([part.info.width, part.info.height]).toEqual([126, 128]);
    for (let y = 0; y < 128; y++)
      expect(part.data.subarray(3 * 126 * y, 3 * 126 * (y + 1))).toEqual(
        whole.data.subarray(3 * WIDTH * y, 3 * (WIDTH * y + 126)),
      );
    const exr = readExr((await save(page, 'exr-half')).bytes);
    expect([exr.width, exr.height]).toEqual([126, 128]);
    await page.locator('#crop-open').click();
    await page.locator('#crop-angle').fill('5');
    expect(await page.locator('#crop-angle').getAttribute('aria-valuetext')).toBe('+5°');
    await page.locator('#crop-whole').click();
    await page.locator('#crop-done').click();
    expect((await rows((await save(page, 'png')).bytes)).data).toEqual(whole.data);
  });

  it.each(['Natural', 'Vivid', 'Black & white', 'Soft with sliders moved'])(
    'is drawn on the canvas as it is saved: %s',
    async (look) => {
      const { page } = opened;
      await dismissWarnings(page);
      await page
        .locator('#looks label')
        .filter({ hasText: look.replace(/ with.*/, '') })
        .click();
      if (look.includes('with'))
        for (const [name, value] of Object.entries({ exposure: 0.7, clarity: 60, temperature: -40, shadows: 90 }))
          await page.locator(`#finish-${name}`).fill(String(value));
      await page.locator('#zoom-full').click();
      const { data: want } = await sharp((await save(page, 'png')).bytes)
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      await page.waitForTimeout(500);
      const box = await page.locator('#view').boundingBox();
      if (!box) throw new Error('the view has no box');
      const clip = {
        x: Math.round(box.x + box.width / 2 - WIDTH / 2),
        y: Math.round(box.y + box.height / 2 - HEIGHT / 2),
        width: WIDTH,
        height: HEIGHT,
      };
      const shown = await sharp(await page.screenshot({ clip }))
        .removeAlpha()
        .raw()
        .toBuffer();
      // Within a pixel of the middle. The canvas has 9 bits a channel.
      const differences = [-1, 0, 1].flatMap((dy) =>
        [-1, 0, 1].map((dx) => {
          const values: number[] = [];
          for (let y = 10; y < HEIGHT - 10; y++) {
            for (let x = 10; x < WIDTH - 10; x++)
              for (let c = 0; c < 3; c++)
                values.push(Math.abs(shown[3 * (y * WIDTH + x) + c] - want[3 * ((y + dy) * WIDTH + x + dx) + c]));
          }
          return values.sort((a, b) => a - b)[Math.floor(0.99 * values.length)];
        }),
      );
      expect(Math.min(...differences)).toBeLessThanOrEqual(3);
    },
  );

  it(
    'is moved by dragging, zoomed by the wheel about the pointer, and divided where the divider is ' + 'dragged',
    async () => {
      const { page } = opened;
      const zoom = () => page.locator('#zoom-value').innerText();
      const box = await page.locator('#view').boundingBox();
      if (!box) throw new Error('the view has no box');
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      await page.mouse.move(x, y);
      await page.mouse.wheel(0, -500);
      await expect.poll(zoom).toBe('200 %');
      const middle = () =>
        page
          .screenshot({ clip: { x: x - 40, y: y - 40, width: 80, height: 80 } })
          .then((png) => sharp(png).removeAlpha().raw().toBuffer());
      await page.waitForTimeout(300);
      const before = await middle();
      await page.mouse.down();
      await page.mouse.move(x + 20, y, { steps: 4 });
      await page.mouse.up();
      await page.waitForTimeout(300);
      const after = await middle();
      // What was in the middle is 20 pixels further right.
      let worst = 0;
      for (let row = 0; row < 80; row++)
        for (let i = 0; i < 50 * 3; i++)
          worst = Math.max(worst, Math.abs(after[row * 240 + 60 + i] - before[row * 240 + i]));
      expect(worst).toBeLessThanOrEqual(2);

      await page.locator('#compare:enabled').check();
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x - box.width / 4, y, { steps: 4 });
      await page.mouse.up();
      expect(Number(await page.locator('#divider-at').inputValue())).toBeCloseTo(25, 0);
      await page.locator('#zoom-fit').click();
      await page.locator('#compare').uncheck();
      // A small picture is enlarged to fit; a double click changes between that and 100 %.
      const fitted = await zoom();
      expect(parseInt(fitted, 10)).toBeGreaterThan(100);
      await page.mouse.dblclick(x, y);
      await expect.poll(zoom).toBe('100 %');
      await page.mouse.dblclick(x, y);
      await expect.poll(zoom).toBe(fitted);
    },
  );

  it('left the network alone', () => {
    expect(requested.filter((url) => !url.startsWith('blob:'))).toEqual([]);
  });
});

describe('the empty page', () => {
  it('has an example, which knows its exposures and is merged at once', async () => {
    const { page } = await served.open();
    await page.locator('#example').click();
    await settled(page, 3);
    expect(await page.locator('.frame.ready .name').allTextContents()).toEqual([
      'balloons-1.jpg',
      'balloons-2.jpg',
      'balloons-3.jpg',
    ]);
    expect(
      await page
        .locator('.frame input.ev')
        .evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value)),
    ).toEqual(['-2', '0', '2']);
    await page.locator('#cancel').click();
    await page.locator('body[data-state=loaded]').waitFor();
    expect(await page.locator('#merge').innerText()).toBe('Merge 3 frames');
    await page.close();
  });

  it('can connect to nothing but its own files, and neither can its worker', async () => {
    const { page } = await served.open();
    const tryFetch = (where: string) =>
      page.evaluate(async (kind) => {
        const outside = 'http://127.0.0.1:9/';
        const attempt = `fetch('${outside}').then(() => 'reached', (error) => String(error))`;
        if (kind === 'page') {
          const blocked = new Promise<string>((resolve) =>
            addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective)),
          );
          fetch(outside).catch(() => undefined);
          return blocked;
        }
        const program =
          `addEventListener('securitypolicyviolation', (event) => ` +
          `postMessage(event.effectiveDirective)); ${attempt}`;
        const worker = new Worker(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })), {
          type: 'module',
        });
        return new Promise<string>((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
      }, where);
    expect(await tryFetch('page')).toBe('connect-src');
    expect(await tryFetch('worker')).toBe('connect-src');
    await page.close();
  });
});
