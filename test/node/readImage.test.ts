/** Reading pictures: exact samples against files put together by hand or by pngjs. */
import { deflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeNpy } from '../npy.ts';
import { readFrame } from '../../src/node/index.ts';
import { bigEndian, exposureFields, noise16, noise8, png, temporaryFolder, tiff } from './pictures.ts';

const folder = temporaryFolder();
const { put } = folder;
const W = 13;
const H = 7;
const rgb8 = noise8(W, H);
const rgb16 = noise16(W, H);
const raw = (channels: 1 | 2 | 3 | 4, width = W, height = H) => ({ raw: { width, height, channels } });
const equal = (a: ArrayLike<number>, b: ArrayLike<number>) => expect(Array.from(a)).toEqual(Array.from(b));
const refused = (path: string, message: string | RegExp) =>
  expect(readFrame(path)).rejects.toThrow(
    expect.objectContaining({ code: 'input', message: expect.stringMatching(message) }),
  );

describe('samples', () => {
  it('PNG 8 and 16 bit, exactly as pngjs reads them', async () => {
    const path = put('a.png', png({ width: W, height: H, depth: 16, rows: bigEndian(rgb16) }));
    const frame = await readFrame(path);
    expect(frame).toMatchObject({ width: W, height: H, bits: 16, format: 'png', exif: {} });
    expect(frame.data).toBeInstanceOf(Uint16Array);
    equal(frame.data, rgb16);
    const peer = PNG.sync.read(png({ width: W, height: H, depth: 16, rows: bigEndian(rgb16) }), {
      skipRescale: true,
    } as object);
    equal(
      frame.data,
      Array.from(peer.data as unknown as Uint16Array).filter((_, i) => i % 4 < 3),
    );
    const small = await readFrame(put('b.png', png({ width: W, height: H, rows: rgb8 })));
    expect(small.bits).toBe(8);
    equal(small.data, rgb8);
  });

  it.each(['none', 'lzw', 'deflate'] as const)('TIFF 8 and 16 bit, %s', async (compression) => {
    equal((await readFrame(put('a.tif', await sharp(rgb8, raw(3)).tiff({ compression }).toBuffer()))).data, rgb8);
    const frame = await readFrame(
      put('b.tif', await sharp(rgb16, raw(3)).toColourspace('rgb16').tiff({ compression }).toBuffer()),
    );
    expect(frame.bits).toBe(16);
    equal(frame.data, rgb16);
  });

  it('TIFF put together by hand', async () => {
    const fields: Parameters<typeof tiff>[0] = [
      [256, 3, [W]],
      [257, 3, [H]],
      [258, 3, [16, 16, 16]],
      [259, 3, [1]],
      [262, 3, [2]],
      [277, 3, [3]],
      [278, 3, [H]],
      [279, 4, [rgb16.byteLength]],
    ];
    const frame = await readFrame(
      put('hand.tif', tiff(fields, exposureFields({ time: [1, 30], iso: 200 }), new Uint8Array(rgb16.buffer))),
    );
    equal(frame.data, rgb16);
    expect(frame.exif).toEqual({ time: 1 / 30, iso: 200 });
  });

  it('JPEG within its loss', async () => {
    const smooth = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => 40 + 5 * Math.floor((i / 3) % 32) + (i % 3) * 10);
    const frame = await readFrame(
      put(
        'a.jpg',
        await sharp(smooth, raw(3, 32, 32))
          .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
          .toBuffer(),
      ),
    );
    expect(frame).toMatchObject({ width: 32, height: 32, bits: 8, format: 'jpeg' });
    expect(Math.max(...frame.data.map((v, i) => Math.abs(v - smooth[i])))).toBeLessThanOrEqual(3);
  });

  it('NPY of all three types', async () => {
    const float = Float32Array.from(rgb16, (v) => v / 65535);
    for (const data of [float, rgb8, rgb16]) {
      const frame = await readFrame(put('a.npy', encodeNpy(data, [H, W, 3])));
      expect(frame).toMatchObject({ width: W, height: H, bits: data.BYTES_PER_ELEMENT * 8, format: 'npy' });
      expect(frame.data).toEqual(data);
    }
  });

  it('greyscale becomes RGB, 1, 8 and 16 bit', async () => {
    const grey = noise16(W, H).subarray(0, W * H);
    const frame = await readFrame(
      put('g16.png', png({ width: W, height: H, depth: 16, colour: 0, rows: bigEndian(grey) })),
    );
    equal(
      frame.data,
      Array.from(grey).flatMap((v) => [v, v, v]),
    );
    const grey8 = rgb8.subarray(0, W * H);
    equal(
      (await readFrame(put('g8.png', png({ width: W, height: H, colour: 0, rows: grey8 })))).data,
      Array.from(grey8).flatMap((v) => [v, v, v]),
    );
    equal(
      (
        await readFrame(
          put('g1.png', png({ width: 8, height: 1, depth: 1, colour: 0, rows: Uint8Array.of(0b10010011) })),
        )
      ).data,
      [...'10010011'].flatMap((b) => Array(3).fill(Number(b) * 255)),
    );
  });

  it('opaque alpha is dropped, transparency becomes coverage', async () => {
    const rgba = Uint16Array.from({ length: W * H * 4 }, (_, i) =>
      i % 4 === 3 ? 65535 : rgb16[Math.floor(i / 4) * 3 + (i % 4)],
    );
    equal(
      (await readFrame(put('rgba.png', png({ width: W, height: H, depth: 16, colour: 6, rows: bigEndian(rgba) }))))
        .data,
      rgb16,
    );
    const at = (3 * W + 2) * 4 + 3;
    for (const [alpha, covered] of [
      [0, 0],
      [32767, 0],
      [32768, 1],
      [65534, 1],
    ]) {
      rgba[at] = alpha;
      const bytes = png({ width: W, height: H, depth: 16, colour: 6, rows: bigEndian(rgba) });
      const { coverage, data } = await readFrame(put('rgba.png', bytes));
      equal(data, rgb16);
      equal(
        coverage ?? new Uint8Array(W * H).fill(1),
        Array.from({ length: W * H }, (_, p) => (p === 3 * W + 2 ? covered : 1)),
      );
    }
    for (let i = 3; i < rgba.length; i += 4) rgba[i] = 0;
    await refused(
      put('rgba.png', png({ width: W, height: H, depth: 16, colour: 6, rows: bigEndian(rgba) })),
      /rgba\.png is transparent everywhere/,
    );
    const greyAlpha = Uint8Array.of(10, 255, 20, 255);
    equal(
      (await readFrame(put('ga.png', png({ width: 2, height: 1, colour: 4, rows: greyAlpha })))).data,
      [10, 10, 10, 20, 20, 20],
    );
  });

  it('of several TIFF pages the first counts', async () => {
    const pages = await sharp(Buffer.concat([rgb8, noise8(W, H, 9)]), raw(3, W, 2 * H))
      .tiff({ compression: 'none' })
      .toBuffer();
    expect((await readFrame(put('p.tif', pages))).height).toBe(2 * H);
    const two = await sharp(
      [
        put('1.png', png({ width: W, height: H, rows: rgb8 })),
        put('2.png', png({ width: W, height: H, rows: noise8(W, H, 9) })),
      ],
      { join: { animated: true } } as object,
    )
      .tiff({ compression: 'none' })
      .toBuffer();
    expect((await sharp(two).metadata()).pages).toBe(2);
    equal((await readFrame(put('two.tif', two))).data, rgb8);
  });
});

describe('orientation and colour', () => {
  /** What a viewer shows of 2x3 pixels numbered 0..5 row by row, for each EXIF orientation. */
  const upright: Record<number, number[]> = {
    1: [0, 1, 2, 3, 4, 5],
    2: [1, 0, 3, 2, 5, 4],
    3: [5, 4, 3, 2, 1, 0],
    4: [4, 5, 2, 3, 0, 1],
    5: [0, 2, 4, 1, 3, 5],
    6: [4, 2, 0, 5, 3, 1],
    7: [5, 3, 1, 4, 2, 0],
    8: [1, 3, 5, 0, 2, 4],
  };
  const six = Uint8Array.from([0, 1, 2, 3, 4, 5].flatMap((v) => [v * 40, v * 40, v * 40]));

  it.each(Object.keys(upright).map(Number))('EXIF orientation %i', async (orientation) => {
    const fields: Parameters<typeof tiff>[0] = [
      [256, 3, [2]],
      [257, 3, [3]],
      [258, 3, [8, 8, 8]],
      [259, 3, [1]],
      [262, 3, [2]],
      [274, 3, [orientation]],
      [277, 3, [3]],
      [278, 3, [3]],
      [279, 4, [18]],
    ];
    const files = {
      't.tif': tiff(fields, [], six),
      'p.png': png({ width: 2, height: 3, rows: six, extra: [['eXIf', tiff([[274, 3, [orientation]]])]] }),
    };
    for (const [name, bytes] of Object.entries(files)) {
      const frame = await readFrame(put(name, bytes));
      expect([frame.width, frame.height], name).toEqual(orientation < 5 ? [2, 3] : [3, 2]);
      expect(
        Array.from(frame.data)
          .filter((_, i) => i % 3 === 0)
          .map((v) => v / 40),
        name,
      ).toEqual(upright[orientation]);
    }
  });

  it('an sRGB profile changes nothing', async () => {
    const bytes8 = await sharp(rgb8, raw(3)).withIccProfile('srgb').png().toBuffer();
    expect((await sharp(bytes8).metadata()).icc).toBeDefined();
    equal((await readFrame(put('s8.png', bytes8))).data, rgb8);
    const profile = (await sharp(bytes8).metadata()).icc as Buffer;
    const frame = await readFrame(
      put('s16.png', png({ width: W, height: H, depth: 16, rows: bigEndian(rgb16), extra: [iccChunk(profile)] })),
    );
    equal(frame.data, rgb16);
  });

  it.each([8, 16])('a Display P3 profile is converted to sRGB, %i bit', async (bits) => {
    const profile = (
      await sharp(rgb8, raw(3))
        .withIccProfile('p3')
        .png()
        .toBuffer()
        .then((b) => sharp(b).metadata())
    ).icc as Buffer;
    // Colours inside sRGB, so that no gamut mapping enters.
    const values = Uint16Array.from({ length: W * H * 3 }, (_, i) => 20000 + (rgb16[i] >> 2));
    const bytes =
      bits === 16
        ? png({ width: W, height: H, depth: 16, rows: bigEndian(values), extra: [iccChunk(profile)] })
        : png({ width: W, height: H, rows: Uint8Array.from(values, (v) => v >> 8), extra: [iccChunk(profile)] });
    const frame = await readFrame(put('p3.png', bytes));
    expect(frame.bits).toBe(bits);
    const top = bits === 16 ? 65535 : 255;
    let worst = 0;
    for (let p = 0; p < W * H; p++) {
      const expected = p3ToSrgb(
        [0, 1, 2].map((c) => (bits === 16 ? values[3 * p + c] / 65535 : (values[3 * p + c] >> 8) / 255)),
      );
      for (let c = 0; c < 3; c++) worst = Math.max(worst, Math.abs(frame.data[3 * p + c] / top - expected[c]));
    }
    // 8 bit: rounding of both sides and of the 8-bit transform; 16 bit: the profile's own curve tables.
    expect(worst).toBeLessThan(bits === 16 ? 0.0015 : 1.5 / 255);
  });
});

function iccChunk(profile: Uint8Array): [string, Uint8Array] {
  return ['iCCP', Buffer.concat([Buffer.from('p\0\0', 'latin1'), deflateSync(profile)])];
}

/** From the primaries: both spaces share white point and curve. Matrix: linear P3 to linear sRGB. */
function p3ToSrgb(encoded: number[]): number[] {
  const linear = encoded.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const m = [
    [1.2249402, -0.2249402, 0],
    [-0.042057, 1.042057, 0],
    [-0.0196376, -0.0786361, 1.0982736],
  ];
  return m
    .map((row) =>
      Math.min(
        1,
        Math.max(
          0,
          row.reduce((sum, k, i) => sum + k * linear[i], 0),
        ),
      ),
    )
    .map((v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
}

it('reads EXIF of PNG', async () => {
  const path = put(
    'exif.png',
    png({
      width: 2,
      height: 1,
      rows: new Uint8Array(6),
      extra: [['eXIf', tiff([], exposureFields({ time: [1, 80], iso: 100 }))]],
    }),
  );
  expect((await readFrame(path)).exif).toEqual({ time: 1 / 80, iso: 100 });
});
