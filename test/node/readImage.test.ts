/**
 * Reading pictures: exact samples against files put together by hand or by pngjs, and everything that must be refused.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeNpy } from '../npy.ts';
import { readFrame, readStack } from '../../src/node/index.ts';
import { readFrameFiles } from '../../src/node/readImage.ts';
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

describe('refusals name the file and the remedy', () => {
  const tiffHead = (extra: Parameters<typeof tiff>[0]) =>
    tiff(
      [
        [256, 3, [4]],
        [257, 3, [4]],
        [258, 3, [8, 8, 8]],
        [259, 3, [1]],
        [262, 3, [2]],
        [277, 3, [3]],
        [278, 3, [4]],
        [279, 4, [48]],
        ...extra,
      ],
      [],
      new Uint8Array(48),
    );
  const ftyp = (brand: string) =>
    Buffer.concat([Buffer.from('0000001c', 'hex'), Buffer.from(`ftyp${brand}`), Buffer.alloc(40)]);

  it.each<[string, Uint8Array | string, RegExp]>([
    ['empty.png', '', /empty\.png is empty/],
    ['text.png', 'hello, this is no picture', /text\.png is not a picture that is read: JPEG, PNG, TIFF, WebP/],
    ['a.heic', ftyp('heic'), /a\.heic cannot be decoded, it is damaged/],
    ['a.jpg', ftyp('mif1'), /a\.jpg cannot be decoded, it is damaged/],
    ['a.avif', ftyp('avif'), /a\.avif cannot be decoded, it is damaged/],
    ['a.cr3', ftyp('crx '), /a\.cr3 cannot be developed.*16-bit TIFF/],
    ['a.mp4', ftyp('isom'), /"isom" media/],
    ['a.nef', tiffHead([]), /a\.nef cannot be developed/],
    ['renamed.tif', tiffHead([[50706, 1, [1]]]), /renamed\.tif cannot be developed/],
    [
      'cfa.tif',
      tiff([
        [256, 3, [4]],
        [262, 3, [32803]],
      ]),
      /cfa\.tif cannot be developed/,
    ],
    [
      'a.cr2',
      Buffer.concat([Buffer.from('49492a00100000004352', 'hex'), Buffer.alloc(100)]),
      /a\.cr2 cannot be developed/,
    ],
    [
      'renamed.jpg',
      Buffer.concat([Buffer.from('49492a00100000004352', 'hex'), Buffer.alloc(100)]),
      /renamed\.jpg cannot be developed/,
    ],
    ['a.raf', 'FUJIFILMCCD-RAW 0201FF389501', /a\.raf cannot be developed/],
    ['a.rw2', 'IIU\0\x08\0\0\0', /a\.rw2 cannot be developed/],
    ['a.orf', 'IIRO\x08\0\0\0', /a\.orf cannot be developed/],
    ['a.arw', 'unknown bytes', /a\.arw cannot be developed/],
    ['a.gif', 'GIF89a......', /GIF file, which is not read: convert it to PNG or TIFF/],
    ['a.svg', '<svg xmlns=', /is a vector \(SVG\) file, which is not read/],
    ['a.webp', 'RIFF\0\0\0\0WEBPVP8 ', /a\.webp cannot be decoded/],
    ['a.exr', '\x76\x2f\x31\x01', /a\.exr cannot be decoded/],
    ['a.hdr', '#?RADIANCE\n', /a\.hdr cannot be read: .*cut off/],
    [
      'nan.npy',
      encodeNpy(Float32Array.of(0, 0, 0, 0, NaN, 1), [1, 2, 3]),
      /nan\.npy: row 0, column 1, channel 1 is NaN, values must be in \[0,1\]/,
    ],
    [
      'big.npy',
      encodeNpy(Float32Array.of(0, 0, 1.0001, 0, 0, 1), [2, 1, 3]),
      /big\.npy: row 0, column 0, channel 2 is 1\.0001/,
    ],
    ['neg.npy', encodeNpy(Float32Array.of(0, 0, 0, -1e-9, 0, 1), [2, 1, 3]), /row 1, column 0, channel 0 is -/],
    [
      'grey.npy',
      encodeNpy(new Uint8Array(6), [2, 3]),
      /grey\.npy: the shape is \(2, 3\), a frame is \(height, width, 3\)/,
    ],
    ['zero.npy', encodeNpy(new Uint8Array(0), [0, 5, 3]), /zero\.npy is 5x0/],
    ['cut.npy', encodeNpy(new Uint8Array(12), [2, 2, 3]).subarray(0, 139), /cut\.npy: \.npy shape/],
  ])('%s', async (name, bytes, message) => {
    await refused(put(name, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes), message);
  });

  it('missing files, folders and odd names', async () => {
    await refused(join(folder.path, 'absent.png'), /cannot read .*absent\.png: no such file/);
    mkdirSync(join(folder.path, 'sub.png'));
    await refused(join(folder.path, 'sub.png'), /sub\.png is a folder/);
    await refused(join(folder.path, 'two\nlines.png'), /^cannot read [^\n]*two\\u000alines\.png: no such file[^\n]*$/);
  });

  it('Lab and 32-bit integers', async () => {
    const page = (bits: number, photometric: number, sampleFormat: number, bytes: number) =>
      tiff(
        [
          [256, 3, [2]],
          [257, 3, [1]],
          [258, 3, [bits, bits, bits]],
          [259, 3, [1]],
          [262, 3, [photometric]],
          [277, 3, [3]],
          [278, 3, [1]],
          [279, 4, [bytes]],
          [339, 3, [sampleFormat, sampleFormat, sampleFormat]],
        ],
        [],
        new Uint8Array(bytes),
      );
    expect((await readFrame(put('plain.tif', page(8, 2, 1, 6)))).width).toBe(2); // the helper makes readable files
    await refused(
      put('lab.tif', page(8, 8, 1, 6)),
      /lab\.tif is a CIE Lab picture, which is not read: convert it to RGB/,
    );
    expect(await readFrame(put('float.tif', page(32, 2, 3, 24)))).toMatchObject({ bits: 32, linear: true });
    await refused(put('int.tif', page(32, 2, 1, 24)), /int\.tif .*uint samples, only integers of 8 and 16 bit/);
  });

  it('cut off at any point', async () => {
    const files = {
      'cut.png': png({ width: 60, height: 60, rows: noise8(60, 60) }),
      'cut.jpg': await sharp(noise8(60, 60), raw(3, 60, 60))
        .jpeg()
        .toBuffer(),
      'cutp.jpg': await sharp(noise8(60, 60), raw(3, 60, 60))
        .jpeg({ progressive: true })
        .toBuffer(),
      'cut.tif': await sharp(noise8(60, 60), raw(3, 60, 60))
        .tiff({ compression: 'lzw' })
        .toBuffer(),
    };
    for (const [name, bytes] of Object.entries(files)) {
      for (const part of [0.02, 0.3, 0.7, 0.95]) {
        await refused(
          put(name, bytes.subarray(0, Math.max(9, Math.floor(bytes.length * part)))),
          new RegExp(`^[^\\n]*${name.replace('.', '\\.')}[^\\n]*$`),
        );
      }
    }
    const flipped = Buffer.from(files['cut.png']);
    flipped[Math.floor(flipped.length / 2)] ^= 0xff;
    await refused(put('flip.png', flipped), /flip\.png cannot be decoded/);
  });

  it('a header that lies costs nothing', async () => {
    const before = process.memoryUsage().rss;
    await refused(
      put('lie.png', png({ width: 60000, height: 60000 })),
      /lie\.png is 60000x60000 \(3600 megapixels\), at most 67 megapixels/,
    );
    await refused(
      put('lie2.png', png({ width: 8000, height: 8000 })),
      /lie2\.png is cut off: the header says 8000x8000, which \d+ bytes cannot hold/,
    );
    const jpeg = await sharp(noise8(16, 16), raw(3, 16, 16))
      .jpeg()
      .toBuffer();
    const sof = jpeg.indexOf(Buffer.from('ffc0', 'hex'));
    jpeg.writeUInt16BE(60000, sof + 5);
    jpeg.writeUInt16BE(60000, sof + 7);
    await refused(put('lie.jpg', jpeg), /lie\.jpg is 60000x60000/);
    const fields: Parameters<typeof tiff>[0] = [
      [256, 4, [60000]],
      [257, 4, [60000]],
      [258, 3, [8, 8, 8]],
      [259, 3, [1]],
      [262, 3, [2]],
      [277, 3, [3]],
      [278, 4, [60000]],
      [279, 4, [48]],
    ];
    await refused(put('lie.tif', tiff(fields, [], new Uint8Array(48))), /lie\.tif/);
    await refused(
      put(
        'lie.npy',
        Buffer.concat(
          [encodeNpy(new Uint8Array(3), [1, 1, 3])].map((b) =>
            Buffer.from(
              Buffer.from(b).toString('latin1').replace('(1, 1, 3)', '(60000, 60000, 3)').replace('          \n', '\n'),
              'latin1',
            ),
          ),
        ),
      ),
      /lie\.npy/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
  });
});

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
