/** Reading several pictures: their order and exposures, and what happens if one is bad. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readStack } from '../../src/node/index.ts';
import { readFrameFiles } from '../../src/node/readImage.ts';
import { exposureFields, noise8, png, temporaryFolder, tiff } from './pictures.ts';

const folder = temporaryFolder();
const { put } = folder;
const W = 13;
const H = 7;
const rgb8 = noise8(W, H);
const raw = (channels: 1 | 2 | 3 | 4, width = W, height = H) => ({ raw: { width, height, channels } });
const equal = (a: ArrayLike<number>, b: ArrayLike<number>) => expect(Array.from(a)).toEqual(Array.from(b));

describe('readStack', () => {
  it('takes exposures from EXIF, or those given', async () => {
    const paths = await Promise.all(
      [
        [1, 320],
        [1, 20],
      ].map(async ([n, d], i) => {
        const exif = tiff([], exposureFields({ time: [n, d], fNumber: [56, 10], iso: 200 }));
        const jpeg = await sharp(rgb8, raw(3)).jpeg().toBuffer();
        const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif]);
        const app1 = Buffer.concat([Buffer.from([0xff, 0xe1, (body.length + 2) >> 8, (body.length + 2) & 255]), body]);
        return put(`e${i}.jpg`, Buffer.concat([jpeg.subarray(0, 2), app1, jpeg.subarray(2)]));
      }),
    );
    const { frames, response, camera, exif: blocks, notes } = await readStack(paths);
    expect([response, camera, notes]).toEqual(['auto', undefined, []]);
    expect(blocks.map((block) => block?.length)).toEqual(frames.map(() => expect.any(Number)));
    expect(frames.map((f) => f.name)).toEqual(['e0.jpg', 'e1.jpg']);
    expect(frames[0].exposure).toBeCloseTo(((1 / 320) * 2) / 5.6 ** 2, 12);
    expect(frames[1].exposure / frames[0].exposure).toBeCloseTo(16, 9);
    expect((await readStack(paths, { exposures: [1, 4] })).frames.map((f) => f.exposure)).toEqual([1, 4]);
    await expect(readStack(paths, { exposures: [1] })).rejects.toThrow('1 exposures given for 2 files');
    const bare = put('bare.png', png({ width: W, height: H, rows: rgb8 }));
    await expect(readStack([paths[0], bare])).rejects.toThrow(
      /bare\.png has no exposure time in its EXIF data: give the exposures yourself/,
    );
  });
});

describe('several pictures', () => {
  /** Noise, of which the later pictures have less and so are decoded sooner. */
  const rows = (i: number): Uint8Array => noise8(40, 20, i).fill(7, 0, 3 * 40 * i);
  const pictures = async (count: number): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, i) =>
        put(
          `many${i}.png`,
          await sharp(rows(i), raw(3, 40, 20))
            .png()
            .toBuffer(),
        ),
      ),
    );

  it('come in their order, whichever is decoded first', async () => {
    const paths = await pictures(9);
    let count = 0;
    for await (const { data } of readFrameFiles(paths)) equal(data, rows(count++));
    expect(count).toBe(9);
    for await (const _ of readFrameFiles([])) throw new Error('there is none');
  });

  it('tell of the first that is bad, after those before it', async () => {
    const paths = await pictures(5);
    paths[2] = put('broken.png', 'no picture');
    paths[3] = folder.path;
    let seen = 0;
    const read = async (): Promise<void> => {
      for await (const _ of readFrameFiles(paths)) seen++;
    };
    await expect(read()).rejects.toThrow(/broken\.png/);
    expect(seen).toBe(2);
    paths[1] = put(
      'wide.png',
      await sharp(noise8(41, 20), raw(3, 41, 20))
        .png()
        .toBuffer(),
    );
    await expect(read()).rejects.toThrow(/wide\.png is 41x20 but .*many0\.png is 40x20: all frames must have one size/);
    expect(seen).toBe(3);
  });

  it('stop when told', async () => {
    const paths = await pictures(6);
    const stop = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of readFrameFiles(paths, { signal: stop.signal })) stop.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'cancelled' });
  });
});
