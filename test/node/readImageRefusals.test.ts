/** Pictures that are not read: each refusal names the file and the remedy. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeNpy } from '../npy.ts';
import { readFrame } from '../../src/node/index.ts';
import { noise8, png, temporaryFolder, tiff } from './pictures.ts';

const folder = temporaryFolder();
const { put } = folder;
const W = 13;
const H = 7;
const raw = (channels: 1 | 2 | 3 | 4, width = W, height = H) => ({ raw: { width, height, channels } });
const refused = (path: string, message: string | RegExp) =>
  expect(readFrame(path)).rejects.toThrow(
    expect.objectContaining({ code: 'input', message: expect.stringMatching(message) }),
  );

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
