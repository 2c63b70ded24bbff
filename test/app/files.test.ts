/** Files of all kinds on the page: what is read, what is refused, and where that is said. Nothing is merged here. */
import sharp from 'sharp';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { CONTROLS } from '../controls.ts';
import { bigEndian, exposureFields, noise16, noise8, png, tiff } from '../node/pictures.ts';
import type { TiffField } from '../node/pictures.ts';
import { servePage } from './served.ts';
import { dropFiles, settled } from './drive.ts';
import type { PictureFile } from './drive.ts';
import { TIMES, exposeScene, pngStack } from './stack.ts';

const WIDTH = 24;
const HEIGHT = 16;

const served = servePage();
let page: Page;

beforeEach(async () => {
  await page?.close();
  ({ page } = await served.open());
});

const text = (name: string, content: string): PictureFile => ({ name, bytes: Buffer.from(content, 'latin1') });
const problemOf = (name: string) => page.locator('.frame.failed', { hasText: name }).locator('.problem').innerText();
const names = () => page.locator('.frame.ready .name').allTextContents();
const metas = () => page.locator('.frame.ready .meta').allTextContents();
const evs = () =>
  page.locator('.frame input.ev').evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value));

/** An uncompressed TIFF. */
function plainTiff(
  bits: 8 | 16,
  samples: Uint8Array | Uint16Array,
  extra: TiffField[] = [],
  exif: TiffField[] = [],
): Buffer {
  const fields: TiffField[] = [
    [256, 4, [WIDTH]],
    [257, 4, [HEIGHT]],
    [258, 3, [bits, bits, bits]],
    [259, 3, [1]],
    [262, 3, [2]],
    [277, 3, [3]],
    [278, 4, [HEIGHT]],
    [279, 4, [samples.byteLength]],
    ...extra,
  ];
  return tiff(fields, exif, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
}

/** Mean colour of the left and right half of a frame's preview. */
async function halves(index: number): Promise<number[][]> {
  return page.evaluate(async (i) => {
    const image = document.querySelectorAll<HTMLImageElement>('.frame.ready img.thumb')[i];
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.drawImage(image, 0, 0);
    const half = Math.floor(canvas.width / 2);
    return [0, half].map((x) => {
      const { data } = context.getImageData(x, 0, half, canvas.height);
      return [0, 1, 2].map((c) =>
        Math.round(data.reduce((sum, v, k) => sum + (k % 4 === c ? v : 0), 0) / (data.length / 4)),
      );
    });
  }, index);
}

describe('wrong files', () => {
  it('are refused one by one, each in its row, and the good ones stay', async () => {
    const [a, b, c] = pngStack(WIDTH, HEIGHT);
    const wrong: [PictureFile, RegExp][] = [
      [text('notes.txt', 'hello'), /^notes\.txt is not a picture that is read/],
      [text('empty.jpg', ''), /^empty\.jpg is empty/],
      [text('img.heic', '\0\0\0\x18ftypheic\0\0\0\0'), /^img\.heic cannot be decoded, it is damaged or cut off/],
      [text('img.cr3', '\0\0\0\x18ftypcrx \0\0\0\0'), /^img\.cr3 cannot be developed.*16-bit TIFF/],
      [text('img.webp', 'RIFF\0\0\0\0WEBP'), /^img\.webp cannot be decoded, it is damaged or cut off/],
      [{ name: 'cut.png', bytes: a.bytes.subarray(0, a.bytes.length - 40) }, /^cut\.png .*cut off/],
      [
        { name: 'small.png', bytes: png({ width: 8, height: 8, rows: noise8(8, 8) }) },
        /^small\.png is 8x8 but scene-1\.png is 24x16: all frames must have one size/,
      ],
      [
        {
          name: 'glass.png',
          bytes: png({ width: WIDTH, height: HEIGHT, colour: 6, rows: new Uint8Array(WIDTH * HEIGHT * 4).fill(100) }),
        },
        /^glass\.png is transparent everywhere/,
      ],
      [
        {
          name: 'glass16.png',
          bytes: png({
            width: WIDTH,
            height: HEIGHT,
            colour: 6,
            depth: 16,
            rows: new Uint8Array(WIDTH * HEIGHT * 8).fill(100),
          }),
        },
        /^glass16\.png is transparent/,
      ],
      [
        { name: 'huge.png', bytes: png({ width: 9000, height: 9000 }) },
        /^huge\.png is 9000x9000 \(81 megapixels\), at most 67 megapixels/,
      ],
    ];
    await dropFiles(page, [
      a,
      ...wrong.slice(0, 5).map(([file]) => file),
      b,
      ...wrong.slice(5).map(([file]) => file),
      c,
    ]);
    await settled(page, 3 + wrong.length);
    for (const [{ name }, problem] of wrong) expect(await problemOf(name)).toMatch(problem);
    expect(await names()).toEqual(['scene-1.png', 'scene-2.png', 'scene-3.png']);
    expect(await page.locator('#merge').isEnabled()).toBe(true);
    expect(await page.locator('.notice').count()).toBe(0);
    await page.getByLabel('Dismiss notes.txt').click();
    expect(await page.locator('.frame.failed').count()).toBe(wrong.length - 1);
  });

  it('and names that would steer the text around them are shown harmless, as text', async () => {
    const names = ['<img src=x onerror=alert(1)>.png', 'gnp.\u202eevil\x1b[31m\u2028.png', 'two\nlines\u0085.txt'];
    await dropFiles(
      page,
      names.map((name) => text(name, 'hello')),
    );
    await settled(page, names.length);
    const shownText = await page.locator('body').innerText();
    const attributes = await page.evaluate(() =>
      [...document.querySelectorAll('#frames *, #notices *')].flatMap((element) =>
        [...element.attributes].map(({ value }) => value),
      ),
    );
    for (const part of [...shownText.split('\n'), ...attributes]) expect(part).not.toMatch(CONTROLS);
    expect(await page.locator('#frames img').count()).toBe(0);
    expect(await problemOf('gnp.')).toMatch(/^gnp\.\\u202eevil\\u001b\[31m\\u2028\.png is not a picture/);
    await page.getByLabel('Dismiss two\\u000alines\\u0085.txt').click();
    expect(await page.locator('.frame.failed').count()).toBe(names.length - 1);
  });

  it('beyond sixteen frames are one too many', async () => {
    const [a] = pngStack(WIDTH, HEIGHT);
    await dropFiles(
      page,
      Array.from({ length: 16 }, (_, k) => ({ name: `f${k}.png`, bytes: a.bytes })),
    );
    await settled(page, 16);
    await dropFiles(page, [{ name: 'f16.png', bytes: a.bytes }]);
    await settled(page, 17);
    expect(await problemOf('f16.png')).toBe(
      'f16.png is one too many: at most 16 frames are merged, remove another first',
    );
    expect(await page.locator('#merge-note').innerText()).toBe(
      'All frames have the same exposure: fill in the true ones.',
    );
    expect(await page.locator('#merge').isEnabled()).toBe(false);
  });
});

describe('exposures', () => {
  const notes = (): Promise<string> => page.locator('#frames-notes').innerText();
  const shown = async (count: number): Promise<number[]> => {
    await page.waitForFunction(
      (n) => [...document.querySelectorAll<HTMLInputElement>('input.ev')].filter(({ value }) => value).length === n,
      count,
    );
    return (await evs()).map(Number);
  };

  it('that no file tells are estimated, and can be corrected or replaced by the usual ones', async () => {
    const [a, b, c] = pngStack(WIDTH, HEIGHT, false);
    await dropFiles(page, [c, a]);
    await settled(page, 2);
    await shown(2);
    // Another frame changes the estimate.
    await dropFiles(page, [b]);
    await settled(page, 3);
    const [dark, middle, bright] = await shown(3);
    expect(await names()).toEqual(['scene-1.png', 'scene-2.png', 'scene-3.png']);
    expect(middle).toBe(0);
    // Two stops through a curve of 2.2, where cameras have more contrast.
    for (const step of [-dark, bright]) expect(Math.abs(step - (2 * 1.47) / 2.2)).toBeLessThan(0.25);
    expect(await notes()).toMatch(/^These files do not say how they were exposed\. Their EV is estimated from the /);
    expect(await notes()).toMatch(/each step may be off by 0\.\d: correct/);
    expect(await page.locator('#merge').isEnabled()).toBe(true);
    await page.getByLabel('Exposure of scene-3.png').fill('1.5');
    await page.getByLabel('Exposure of scene-3.png').blur();
    expect(await shown(3)).toEqual([dark, 0, 1.5]);
    expect(await notes()).toContain('Their EV is estimated from the pixels');
    await page.getByRole('button', { name: 'Use −2, 0, +2' }).click();
    expect(await evs()).toEqual(['-2', '0', '2']);
    expect(await notes()).toBe('');
    expect(await page.locator('#merge').isEnabled()).toBe(true);
  });

  it('of five frames a stop apart are estimated as such, and not taken to be two stops apart', async () => {
    const files = Array.from({ length: 5 }, (_, k) => ({
      name: `five-${k + 1}.png`,
      bytes: png({ width: WIDTH, height: HEIGHT, rows: exposeScene(WIDTH, HEIGHT, 2 ** (k - 2), 0) }),
    }));
    await dropFiles(page, files);
    await settled(page, 5);
    const estimated = await shown(5);
    expect(await names()).toEqual(files.map(({ name }) => name));
    // One stop through the same curve.
    const steps = estimated.slice(1).map((ev, k) => ev - estimated[k]);
    for (const step of steps) expect(Math.abs(step - 1.47 / 2.2)).toBeLessThan(0.2);
  });

  it('are no longer estimated when a file tells its own', async () => {
    const [a, b] = pngStack(WIDTH, HEIGHT, false);
    const [, , c] = pngStack(WIDTH, HEIGHT);
    await dropFiles(page, [a, b]);
    await settled(page, 2);
    await shown(2);
    await dropFiles(page, [c]);
    await settled(page, 3);
    expect(await notes()).toBe(
      'No exposure is known of scene-1.png, scene-2.png: fill in the EV, counted from the reference.',
    );
    expect((await evs()).filter((ev) => ev !== '')).toHaveLength(1);
  });

  it('that cannot be estimated are asked for, with a proposal', async () => {
    const files = [1, 254].map((level) => ({
      name: `level-${level}.png`,
      bytes: png({ width: WIDTH, height: HEIGHT, rows: new Uint8Array(WIDTH * HEIGHT * 3).fill(level) }),
    }));
    await dropFiles(page, files);
    await settled(page, 2);
    await page.getByText('have too little brightness in common').waitFor();
    expect(await notes()).toContain(
      'These files do not say how they were exposed, and level-1.png and level-254.png have too little brightness in ' +
        'common to estimate it. Fill in the EV of each, or take what most cameras do',
    );
    expect(await evs()).toEqual(['', '']);
    expect(await page.locator('#merge').isEnabled()).toBe(false);
    expect(await page.locator('#merge-note').innerText()).toBe('Fill in the exposures that are missing.');
    await page.getByRole('button', { name: 'Use −2, 0, +2' }).click();
    expect(await evs()).toEqual(['0', '2']);
    expect(await page.locator('#merge').isEnabled()).toBe(true);
  });

  it('can be typed, which orders the frames, and are counted from the reference', async () => {
    await dropFiles(page, pngStack(WIDTH, HEIGHT));
    await settled(page, 3);
    await page.getByLabel('Exposure of scene-1.png').fill('3.5');
    await page.getByLabel('Exposure of scene-1.png').blur();
    expect(await names()).toEqual(['scene-2.png', 'scene-3.png', 'scene-1.png']);
    // The others count from it, so it stays though the middle one is another now.
    expect(await page.getByLabel('Reference: scene-2.png').isChecked()).toBe(true);
    expect(await evs()).toEqual(['0', '2', '3.5']);
    await page.getByLabel('Remove scene-3.png').click();
    expect(await evs()).toEqual(['0', '3.5']);
  });

  it('are read as people write them; what is none is told, and what is cleared is what the file says', async () => {
    await dropFiles(page, pngStack(WIDTH, HEIGHT));
    await settled(page, 3);
    const field = page.getByLabel('Exposure of scene-1.png');
    const type = async (text: string): Promise<string[]> => {
      await field.fill(text);
      await field.blur();
      return evs();
    };
    const merge = page.locator('#merge');
    expect(await type('-1,5')).toEqual(['-1.5', '0', '2']);
    expect(await type('−3')).toEqual(['-3', '0', '2']);
    expect(await type('+.5 EV')).toEqual(['0', '0.5', '2']);
    for (const none of ['99', 'two', '1.5.2', '1e1', '--2']) {
      expect(await type(none), none).toContain(none);
      expect(await page.locator('.ev-problem:visible').textContent()).toContain(`“${none}” is no exposure`);
      expect(await merge.isDisabled(), none).toBe(true);
      expect(await page.locator('#merge-note').textContent()).toBe('Correct the exposure that cannot be read.');
    }
    expect(await type('')).toEqual(['-2', '0', '2']);
    expect(await page.locator('.ev-problem:visible').count()).toBe(0);
    expect(await merge.isEnabled()).toBe(true);
  });

  it('that contradict each other are told, without the command line’s words', async () => {
    const files = TIMES.map(([n, d], k) => ({
      name: `f${k}.png`,
      bytes: png({
        width: WIDTH,
        height: HEIGHT,
        rows: noise8(WIDTH, HEIGHT, k),
        extra: [['eXIf', tiff([], exposureFields({ time: [n, d], ...(k === 1 ? {} : { iso: 100 * (k + 1) }) }))]],
      }),
    }));
    await dropFiles(page, files);
    await settled(page, 3);
    expect(await page.locator('#frames-notes').innerText()).toContain(
      "f1.png has no ISO in its EXIF data, and the other frames' differ (100, 300): fill in the exposures",
    );
  });
});

describe('pictures', () => {
  it('of 8 and 16 bit are read: PNG, JPEG, TIFF', async () => {
    const samples = noise16(WIDTH, HEIGHT);
    const exif = exposureFields({ time: [1, 50] });
    const jpeg = await sharp(noise8(WIDTH, HEIGHT), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg()
      .toBuffer();
    await dropFiles(page, [
      {
        name: 'a.png',
        bytes: png({
          width: WIDTH,
          height: HEIGHT,
          depth: 16,
          rows: bigEndian(samples),
          extra: [['eXIf', tiff([], exif)]],
        }),
      },
      { name: 'b.tif', bytes: plainTiff(16, samples, [], exposureFields({ time: [1, 25] })) },
      { name: 'c.tif', bytes: plainTiff(8, noise8(WIDTH, HEIGHT), [], exposureFields({ time: [1, 10] })) },
      { name: 'd.jpg', bytes: jpeg },
      {
        name: 'e.tif',
        bytes: await sharp(noise8(WIDTH, HEIGHT), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
          .tiff({ compression: 'lzw' })
          .toBuffer(),
      },
    ]);
    await settled(page, 5);
    expect(await page.locator('.frame.failed').allInnerTexts()).toEqual([]);
    const list = (await names()).map((name, i) => [name, i] as const);
    const meta = await metas();
    for (const [name, i] of list) expect(meta[i]).toBe(`24 × 16, ${name === 'a.png' || name === 'b.tif' ? 16 : 8} bit`);
    // 1/50, 1/25 and 1/10 s; of five frames the third is the reference.
    expect((await evs()).slice(0, 3)).toEqual(['-2.32', '-1.32', '0']);
    expect(await page.locator('#frames-notes').innerText()).toMatch(/No exposure is known of [de]\.\w+, [de]\.\w+/);
  });

  it('that lie on their side are turned upright, whatever their format', async () => {
    // Red left, blue right when upright; stored turned by a quarter: orientation 6 is shown turned clockwise, so red is
    // stored below.
    const rows = new Uint8Array(WIDTH * HEIGHT * 3);
    for (let y = 0, i = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++, i += 3) rows.set(y < HEIGHT / 2 ? [0, 0, 255] : [255, 0, 0], i);
    const wide = Uint16Array.from(rows, (v) => v * 257);
    const exif = tiff([[274, 3, [6]]], exposureFields({ time: [1, 50] }));
    const jpeg = await sharp(rows, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg({ chromaSubsampling: '4:4:4' })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    await dropFiles(page, [
      { name: 'a.png', bytes: png({ width: WIDTH, height: HEIGHT, rows, extra: [['eXIf', exif]] }) },
      {
        name: 'b.png',
        bytes: png({ width: WIDTH, height: HEIGHT, depth: 16, rows: bigEndian(wide), extra: [['eXIf', exif]] }),
      },
      { name: 'c.tif', bytes: plainTiff(16, wide, [[274, 3, [6]]]) },
      { name: 'd.jpg', bytes: jpeg },
    ]);
    await settled(page, 4);
    expect(await page.locator('.frame.failed').allInnerTexts()).toEqual([]);
    for (const [i, meta] of (await metas()).entries()) {
      expect(meta).toContain('16 × 24');
      const [left, right] = await halves(i);
      expect(left[0]).toBeGreaterThan(200);
      expect(left[2]).toBeLessThan(60);
      expect(right[2]).toBeGreaterThan(200);
    }
  });

  it('with a colour profile are converted to sRGB, at 8 and at 16 bit', async () => {
    const plain = exposeScene(WIDTH, HEIGHT, 1, 0);
    const raw = { raw: { width: WIDTH, height: HEIGHT, channels: 3 as const } };
    const p3 = await sharp(plain, raw).withIccProfile('p3').png().toBuffer();
    const p3Wide = await sharp(p3).toColourspace('rgb16').keepIccProfile().tiff({ compression: 'lzw' }).toBuffer();
    await dropFiles(page, [
      { name: 'a.png', bytes: png({ width: WIDTH, height: HEIGHT, rows: plain }) },
      { name: 'b.png', bytes: p3 },
      { name: 'c.tif', bytes: p3Wide },
    ]);
    await settled(page, 3);
    expect(await page.locator('.frame.failed').allInnerTexts()).toEqual([]);
    const order = await names();
    const [a, b, c] = await Promise.all(['a.png', 'b.png', 'c.tif'].map((name) => halves(order.indexOf(name))));
    for (const [other, what] of [
      [b, '8 bit'],
      [c, '16 bit'],
    ] as const) {
      other.flat().forEach((value, i) => expect(Math.abs(value - a.flat()[i]), what).toBeLessThanOrEqual(4));
    }
  });
});
