/** Small files that say or hold too much, or whose directories are wrong. */
import { deflateSync } from 'node:zlib';
import { exposureFields, png, tiff } from '../node/pictures.ts';
import type { TiffField } from '../node/pictures.ts';

/** 256 MiB of zeros in 260 kB. */
export const ZEROS = deflateSync(Buffer.alloc(2 ** 28), { level: 9 });
export const SIZE = 8;
const STRIP: TiffField[] = [
  [256, 4, [SIZE]],
  [257, 4, [SIZE]],
  [258, 3, [8, 8, 8]],
  [262, 3, [2]],
  [277, 3, [3]],
  [278, 4, [SIZE]],
];

/** A TIFF of one strip, or of one tile of a size. */
export function packed(
  compression: number,
  data: Uint8Array,
  tile?: [width: number, height: number],
  more: TiffField[] = [],
) {
  const build = (at: number): Buffer =>
    tiff(
      [
        ...STRIP.filter(([tag]) => !more.some(([other]) => other === tag)),
        ...more,
        [259, 3, [compression]],
        ...(tile
          ? ([
              [322, 4, [tile[0]]],
              [323, 4, [tile[1]]],
              [324, 4, [at]],
              [325, 4, [data.length]],
            ] as TiffField[])
          : ([[279, 4, [data.length]]] as TiffField[])),
      ],
      [],
      data,
    );
  return build(build(0).length - data.length);
}

const rows8 = new Uint8Array(SIZE * SIZE * 3).fill(9);

/** A PNG whose picture is what was deflated. */
export function deflatedPng(data: Uint8Array, depth: 8 | 16): Buffer {
  const whole = png({ width: SIZE, height: SIZE, depth, rows: new Uint8Array((SIZE * SIZE * 3 * depth) / 8) });
  const at = whole.indexOf('IDAT') - 4;
  const end = at + 12 + whole.readUInt32BE(at);
  const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from('IDAT'), data, Buffer.alloc(4)]);
  chunk.writeUInt32BE(data.length);
  return Buffer.concat([whole.subarray(0, at), chunk, whole.subarray(end)]);
}

/** One of 16 bit. */
export const deflated16 = (data: Uint8Array): Buffer => deflatedPng(data, 16);

/**
 * A JPEG of so many scans, each of which goes over the whole picture.
 * @param progressive a JPEG of several scans, with nothing behind it.
 */
export function withScans(progressive: Buffer, scans: number): Buffer {
  const last = progressive.lastIndexOf(Buffer.from([0xff, 0xda]));
  const end = progressive.length - 2;
  const own = progressive.toString('latin1').split('\u00ff\u00da').length - 1;
  const more = Array<Buffer>(scans - own).fill(progressive.subarray(last, end));
  return Buffer.concat([progressive.subarray(0, end), ...more, progressive.subarray(end)]);
}

/** A PNG whose colour profile unpacks to 256 MiB. */
export function profileBomb(): Buffer {
  const profile = Buffer.concat([Buffer.from('x\0\0'), ZEROS]);
  return png({ width: SIZE, height: SIZE, rows: rows8, extra: [['iCCP', profile]] });
}

/** A Radiance header of 64 million pixels. */
export function wideRadiance(): Buffer {
  return Buffer.from(`#?RADIANCE\n\n-Y 4 +X 16000000\n${' '.repeat(64)}`);
}

/** A WebP header of 8000x8000. */
export function shortWebp(): Buffer {
  const webp = Buffer.alloc(30);
  webp.write('RIFF', 0);
  webp.writeUInt32LE(22, 4);
  webp.write('WEBPVP8X', 8);
  webp.writeUIntLE(7999, 24, 3);
  webp.writeUIntLE(7999, 27, 3);
  return webp;
}

/** A JPEG header of 8192x8192. */
export function longJpeg(): Buffer {
  return Buffer.from('ffd8ffc0000b082000200001011100ffda000401ffffd9', 'hex');
}

/** A PNG whose EXIF says that its exposure time has 16,777,215 values. */
export function claimingExif(): Buffer {
  const exif = tiff([], [...exposureFields({ time: [1, 50], fNumber: [8, 1], iso: 200 })]);
  // ExposureTime claims 16,777,215 values; the block goes on.
  const claim = Buffer.from(exif);
  for (let at = 0; at + 12 < claim.length; at++)
    if (claim.readUInt16BE(at) === 33434 && claim.readUInt16BE(at + 2) === 5) claim.writeUInt32BE(0xffffff, at + 4);
    else if (claim.readUInt16LE(at) === 33434 && claim.readUInt16LE(at + 2) === 5)
      claim.writeUInt32LE(0xffffff, at + 4);
  if (claim.equals(exif)) throw new Error('there is no exposure time');
  return png({ width: SIZE, height: SIZE, rows: rows8, extra: [['eXIf', claim]] });
}

/** TIFF files by what is wrong with their directory. */
export function directories(): Record<string, Buffer> {
  const plain = (more: TiffField[]): Buffer => packed(1, Buffer.alloc(192), undefined, more);
  return Object.fromEntries<Buffer>([
    ['without entries', Buffer.from('49492a00000000', 'hex')],
    ['that is not there', Buffer.from('49492a000008', 'hex')],
    ['whose width is a list', plain([[256, 4, [8, 8]]])],
    ['whose height is text', plain([[257, 2, 'eight']])],
    ['whose bits are none', plain([[258, 2, '8']])],
    ['whose kind is a list', plain([[262, 3, [2, 2]]])],
    ['whose channels are none', plain([[277, 3, [0]]])],
    ['whose rows are none', plain([[278, 4, [0]]])],
    ['whose compression is a list', packed(1, Buffer.alloc(192), undefined, [[259, 3, [1, 1]]])],
    ['whose predictor is text', plain([[317, 2, 'two']])],
    ['whose profile is one number', plain([[34675, 4, [7]]])],
    ['whose orientation is text', plain([[274, 2, 'up']])],
    ['whose alpha is text', plain([[338, 2, 'yes']])],
  ]);
}
