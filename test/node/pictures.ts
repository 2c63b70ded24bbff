/** Pictures and folders for tests, made on the fly. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll } from 'vitest';

/** A seeded generator of numbers in [0,1) (mulberry32). */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A temporary folder that is removed after the file's tests. `put` writes a file into it and returns its path. */
export function temporaryFolder(): { path: string; put: (name: string, bytes: Uint8Array | string) => string } {
  const path = mkdtempSync(join(tmpdir(), 'deghost-test-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    put: (name, bytes) => {
      writeFileSync(join(path, name), bytes);
      return join(path, name);
    },
  };
}

/** Random samples, `[height, width, 3]`. */
export function noise8(width: number, height: number, seed = 1): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length: width * height * 3 }, () => Math.floor(next() * 256));
}
export function noise16(width: number, height: number, seed = 1): Uint16Array {
  const next = random(seed);
  return Uint16Array.from({ length: width * height * 3 }, () => Math.floor(next() * 65536));
}

function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}

function pngChunk(type: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const out = Buffer.alloc(named.length + 8);
  out.writeUInt32BE(body.length, 0);
  out.set(named, 4);
  out.writeUInt32BE(crc(named), named.length + 4);
  return out;
}

/**
 * A PNG put together by hand: `rows` are big-endian sample bytes without filter bytes. `extra` chunks go before IDAT.
 */
export function png(options: {
  width: number;
  height: number;
  depth?: number;
  colour?: number;
  rows?: Uint8Array;
  extra?: [string, Uint8Array][];
}): Buffer {
  const { width, height, depth = 8, colour = 2, rows, extra = [] } = options;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([depth, colour, 0, 0, 0], 8);
  const stride = rows ? rows.length / height : 0;
  const filtered = rows
    ? Buffer.concat(
        Array.from({ length: height }, (_, y) =>
          Buffer.concat([Buffer.from([0]), rows.subarray(y * stride, (y + 1) * stride)]),
        ),
      )
    : Buffer.alloc(0);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', head),
    ...extra.map(([type, body]) => pngChunk(type, body)),
    pngChunk('IDAT', deflateSync(filtered)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Big-endian bytes of 16-bit samples. */
export function bigEndian(samples: Uint16Array): Buffer {
  const out = Buffer.alloc(samples.length * 2);
  samples.forEach((v, i) => out.writeUInt16BE(v, 2 * i));
  return out;
}

/** One TIFF field: tag, type (2 text, 3 u16, 4 u32, 5 rational, 10 signed rational) and values (rationals as pairs). */
export type TiffField = [tag: number, type: number, values: number[] | string];

/** A little-endian TIFF directory at `at`, its overflow data behind it. */
function directory(fields: TiffField[], at: number): Buffer {
  const sorted = [...fields].sort((a, b) => a[0] - b[0]);
  const table = Buffer.alloc(2 + 12 * sorted.length + 4);
  table.writeUInt16LE(sorted.length, 0);
  const overflow: Buffer[] = [];
  let end = at + table.length;
  sorted.forEach(([tag, type, values], i) => {
    const body =
      typeof values === 'string'
        ? Buffer.from(`${values}\0`, 'latin1')
        : Buffer.concat(
            values.map((v) => {
              const b = Buffer.alloc(type === 3 ? 2 : 4);
              if (type === 3) b.writeUInt16LE(v);
              else b.writeInt32LE(v | 0);
              return b;
            }),
          );
    const count =
      typeof values === 'string' ? values.length + 1 : type === 5 || type === 10 ? values.length / 2 : values.length;
    const entry = 2 + 12 * i;
    table.writeUInt16LE(tag, entry);
    table.writeUInt16LE(type, entry + 2);
    table.writeUInt32LE(count, entry + 4);
    if (body.length <= 4) table.set(body, entry + 8);
    else {
      table.writeUInt32LE(end, entry + 8);
      overflow.push(body.length % 2 ? Buffer.concat([body, Buffer.alloc(1)]) : body);
      end += body.length + (body.length % 2);
    }
  });
  return Buffer.concat([table, ...overflow]);
}

/**
 * A TIFF file (or the payload of an EXIF block): one directory, an EXIF directory, and data that field 273 points to.
 */
export function tiff(fields: TiffField[], exif: TiffField[] = [], data: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.from('49492a0008000000', 'hex');
  const build = (exifAt: number, dataAt: number) =>
    directory(
      [
        ...fields,
        ...(exif.length > 0 ? [[34665, 4, [exifAt]] as TiffField] : []),
        ...(data.length > 0 ? [[273, 4, [dataAt]] as TiffField] : []),
      ],
      8,
    );
  const exifAt = 8 + build(0, 0).length;
  const exifPart = exif.length > 0 ? directory(exif, exifAt) : Buffer.alloc(0);
  return Buffer.concat([head, build(exifAt, exifAt + exifPart.length), exifPart, data]);
}

/** EXIF's exposure fields: each a rational [numerator, denominator] or a number. */
export function exposureFields(fields: {
  time?: [number, number];
  fNumber?: [number, number];
  iso?: number;
  orientation?: number;
}): TiffField[] {
  const out: TiffField[] = [];
  if (fields.time) out.push([33434, 5, fields.time]);
  if (fields.fNumber) out.push([33437, 5, fields.fNumber]);
  if (fields.iso !== undefined) out.push([34855, 3, [fields.iso]]);
  return out;
}
