/** Files as cameras write them, with pictures beside their own: JPEG, and the outer parts of Canon's CR3. */
import sharp from 'sharp';
import { numbersEntry, textEntry, tiffOf, TIFF_TYPE } from '../src/image/tiffEntries.ts';
import type { PictureFile } from './app/drive.ts';
import { TIMES, exposeScene } from './app/stack.ts';
import { exposureFields, tiff } from './node/pictures.ts';

const [WIDTH, HEIGHT] = [96, 64];
/** Of a camera's small picture, which lies on its side. */
export const SMALL = { width: 20, height: 12 };

/** A JPEG as cameras write them: with its exposure, and a small picture in the second directory of its EXIF. */
export async function cameraJpeg(k: number): Promise<PictureFile & { small: Buffer }> {
  const rows = exposeScene(WIDTH, HEIGHT, 4 ** (k - 1), k);
  const picture = await sharp(rows, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg()
    .toBuffer();
  const small = await sharp({ create: { ...SMALL, channels: 3, background: '#cc2211' } })
    .jpeg()
    .toBuffer();
  const block = tiff([[274, 3, [6]]], exposureFields({ time: [...TIMES[k]], fNumber: [56, 10], iso: 200 }));
  block.writeUInt32LE(block.length, 10 + 12 * block.readUInt16LE(8));
  const second = Buffer.alloc(2 + 2 * 12 + 4);
  second.writeUInt16LE(2, 0);
  [block.length + second.length, small.length].forEach((value, i) => {
    second.writeUInt16LE(513 + i, 2 + 12 * i);
    second.writeUInt16LE(4, 4 + 12 * i);
    second.writeUInt32LE(1, 6 + 12 * i);
    second.writeUInt32LE(value, 10 + 12 * i);
  });
  const body = Buffer.concat([Buffer.from('Exif\0\0'), block, second, small]);
  const head = Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 4);
  return { name: `camera-${k + 1}.jpg`, bytes: Buffer.concat([head, body, picture.subarray(2)]), small };
}

/** A JPEG of one colour. */
export function plainJpeg(width: number, height: number, background: string): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

function box(type: string, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

const uuid = (id: string, ...parts: Uint8Array[]): Buffer => box('uuid', Buffer.from(id, 'hex'), ...parts);

/** What comes before a JPEG in its box: `[16 bits of size or flags]`, 0 where nothing reads them. */
function smallHead(version: number[], jpeg: Uint8Array): Buffer {
  const head = Buffer.alloc(16);
  version.forEach((value, i) => head.writeUInt16BE(value, 2 * i));
  head.writeUInt32BE(jpeg.length, version.length === 4 ? 8 : 12);
  return head;
}

export interface Cr3Picture {
  /** Seconds. */
  time: [number, number];
  orientation?: number;
  /** 160 x 120, and the larger one. */
  thumbnail?: Uint8Array;
  preview?: Uint8Array;
}

/** A CR3 file, but for its sensor data. */
export function cr3({ time, orientation = 1, thumbnail, preview }: Cr3Picture): Buffer {
  const about = tiffOf([
    textEntry(271, 'Canon'),
    textEntry(272, 'Canon EOS R5'),
    numbersEntry(274, TIFF_TYPE.short, [orientation]),
  ]);
  const exposure = tiffOf([
    numbersEntry(33434, TIFF_TYPE.rational, time),
    numbersEntry(33437, TIFF_TYPE.rational, [71, 10]),
    numbersEntry(34855, TIFF_TYPE.short, [400]),
    textEntry(36867, '2026:11:26 10:09:26'),
  ]);
  const data = Buffer.alloc(64);
  data.writeUInt32BE(1, 0); // the size is in 64 bits
  data.write('mdat', 4);
  data.writeBigUInt64BE(64n, 8);
  return Buffer.concat([
    box('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1')),
    box(
      'moov',
      uuid(
        '85c0b687820f11e08111f4ce462b6a48',
        box('CNCV', Buffer.alloc(30)),
        box('CMT1', about),
        box('CMT2', exposure),
        ...(thumbnail ? [box('THMB', smallHead([0, 0, 160, 120], thumbnail), thumbnail)] : []),
      ),
      box('mvhd', Buffer.alloc(100)),
    ),
    uuid('be7acfcb97a942e89c71999491e3afac', Buffer.from('<?xpacket begin="" id=""?>')),
    ...(preview
      ? [
          uuid(
            'eaf42b5e1c984b88b9fbb7dc406e4d16',
            Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]),
            box('PRVW', smallHead([0, 0, 1, 1620, 1080, 1], preview), preview),
          ),
        ]
      : []),
    data,
  ]);
}
