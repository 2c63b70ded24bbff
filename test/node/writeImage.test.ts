/** Output files, read back by readers written here from the formats' descriptions. */
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { readExr as readByHdrify } from 'hdrify';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/image/npy.ts';
import { decodeRgbe } from '../../src/image/rgbe.ts';
import { encodeExr, streamExr } from '../../src/image/exr.ts';
import { checkOutputPath, writeImage } from '../../src/node/writeImage.ts';
import { random, temporaryFolder } from './pictures.ts';

const { path: folder, put } = temporaryFolder();
const at = (name: string) => join(folder, name);

function picture(width: number, height: number, scale = 4) {
  const next = random(width * 100 + height);
  return {
    radiance: Float32Array.from({ length: width * height * 3 }, () => 2 ** (-12 * next())),
    width,
    height,
    scale,
  };
}

/** The value of a half, from its definition. */
function half(h: number): number {
  const e = (h >> 10) & 31;
  const m = h & 1023;
  const sign = h & 0x8000 ? -1 : 1;
  if (e === 31) return m ? NaN : sign * Infinity;
  return sign * (e === 0 ? m * 2 ** -24 : (1024 + m) * 2 ** (e - 25));
}

/** Reads the EXR files this project writes: scanlines, ZIP, R, G and B. */
function readExr(file: Buffer) {
  expect([file.readUInt32LE(0), file.readUInt32LE(4)]).toEqual([20000630, 2]);
  let p = 8;
  const text = () => {
    const end = file.indexOf(0, p);
    const s = file.toString('latin1', p, end);
    p = end + 1;
    return s;
  };
  const attributes: Record<string, { type: string; value: Buffer }> = {};
  for (let name = text(); name !== ''; name = text()) {
    const type = text();
    const size = file.readUInt32LE(p);
    attributes[name] = { type, value: file.subarray(p + 4, p + 4 + size) };
    p += 4 + size;
  }
  for (const name of [
    'channels',
    'compression',
    'dataWindow',
    'displayWindow',
    'lineOrder',
    'pixelAspectRatio',
    'screenWindowCenter',
    'screenWindowWidth',
  ])
    expect(attributes).toHaveProperty(name);
  const box = attributes.dataWindow.value;
  expect([box.readInt32LE(0), box.readInt32LE(4)]).toEqual([0, 0]);
  const width = box.readInt32LE(8) + 1;
  const height = box.readInt32LE(12) + 1;
  expect(attributes.compression.value[0]).toBe(3);
  const list = attributes.channels.value;
  expect(list.length).toBe(3 * 18 + 1);
  const channels = [0, 1, 2].map((i) => ({
    name: String.fromCharCode(list[18 * i]),
    type: list.readInt32LE(18 * i + 2),
  }));
  expect(channels.map((c) => c.name)).toEqual(['B', 'G', 'R']);
  const size = channels[0].type === 1 ? 2 : 4;
  const data = new Float32Array(width * height * 3);
  let end = 0;
  for (let k = 0; k < Math.ceil(height / 16); k++) {
    const start = Number(file.readBigUInt64LE(p + 8 * k));
    const y0 = file.readInt32LE(start);
    expect(y0).toBe(16 * k);
    const length = file.readInt32LE(start + 4);
    const lines = Math.min(16, height - y0);
    const body = file.subarray(start + 8, start + 8 + length);
    end = start + 8 + length;
    let raw = Buffer.from(body);
    if (length !== lines * width * 3 * size) {
      const packed = inflateSync(body);
      for (let i = 1; i < packed.length; i++) packed[i] = (packed[i - 1] + packed[i] - 128) & 255;
      const middle = Math.ceil(packed.length / 2);
      raw = Buffer.from(packed.map((_, i) => (i % 2 ? packed[middle + (i - 1) / 2] : packed[i / 2])));
    }
    expect(raw.length).toBe(lines * width * 3 * size);
    for (let y = 0; y < lines; y++) {
      for (let c = 0; c < 3; c++) {
        for (let x = 0; x < width; x++) {
          const from = ((y * 3 + c) * width + x) * size;
          data[((y0 + y) * width + x) * 3 + 2 - c] = size === 2 ? half(raw.readUInt16LE(from)) : raw.readFloatLE(from);
        }
      }
    }
  }
  expect(end).toBe(file.length);
  return { width, height, data, type: size === 2 ? 'half' : 'float' };
}

describe('writeImage', () => {
  it.each([
    [1, 1],
    [17, 16],
    [33, 37],
    [5, 100],
  ])('.exr %ix%i', async (width, height) => {
    const image = picture(width, height);
    await writeImage(at('a.exr'), image);
    const halves = readExr(readFileSync(at('a.exr')));
    expect(halves).toMatchObject({ width, height, type: 'half' });
    halves.data.forEach((v, i) => {
      const want = image.radiance[i] * 4;
      if (!(Math.abs(v - want) <= want * 2 ** -11)) throw new Error(`${i}: ${v} for ${want}`);
    });
    await writeImage(at('f.exr'), image, { exr: 'float' });
    const floats = readExr(readFileSync(at('f.exr')));
    expect(floats.type).toBe('float');
    expect(floats.data).toEqual(image.radiance.map((v) => v * 4));
  });

  it(".exr holds the same with the web platform's deflate", async () => {
    const image = picture(33, 37);
    await writeImage(at('node.exr'), image);
    const { pieces } = await encodeExr(image.radiance, 33, 37, { scale: image.scale });
    expect(readExr(Buffer.concat(pieces))).toEqual(readExr(readFileSync(at('node.exr'))));
  });

  it('.exr streams: the pieces at their offsets are the file, and another reader reads it', async () => {
    const image = picture(61, 83);
    const file = Buffer.alloc(1 << 20);
    let [end, placed, held] = [0, 0, 0];
    const { pieces, type } = await streamExr(image.radiance, 61, 83, { scale: image.scale });
    expect(type).toBe('half');
    for await (const piece of pieces) {
      if (piece instanceof Uint8Array) {
        file.set(piece, end);
        end += piece.length;
        held = Math.max(held, piece.length);
      } else {
        expect(piece.at + piece.bytes.length).toBeLessThanOrEqual(end);
        file.set(piece.bytes, piece.at);
        placed++;
      }
    }
    expect(placed).toBe(1);
    expect(held).toBeLessThanOrEqual(8 + 16 * 61 * 3 * 2); // a chunk of 16 lines and its head
    const whole = Buffer.concat((await encodeExr(image.radiance, 61, 83, { scale: image.scale })).pieces);
    expect(file.subarray(0, end).equals(whole)).toBe(true);
    await writeImage(at('hdrify.exr'), image);
    for (const bytes of [whole, readFileSync(at('hdrify.exr'))]) {
      const read = readByHdrify(new Uint8Array(bytes));
      expect([read.width, read.height]).toEqual([61, 83]);
      const own = readExr(bytes).data;
      for (let p = 0; p < 61 * 83; p++)
        for (let c = 0; c < 3; c++)
          if (Math.abs(read.data[4 * p + c] - own[3 * p + c]) > 1e-6)
            throw new Error(`pixel ${p}: ${read.data[4 * p + c]} for ${own[3 * p + c]}`);
    }
  });

  it('lets other things run while it writes, and stops in the middle when told', async () => {
    const image = {
      radiance: new Float32Array(1500 * 1000 * 3).map((_, i) => (i % 977) / 977),
      width: 1500,
      height: 1000,
      scale: 4,
    };
    for (const extension of ['exr', 'hdr', 'npy', 'png']) {
      const stop = new AbortController();
      let turns = 0;
      const timer = setInterval(() => {
        if (++turns === 2) stop.abort();
      }, 1);
      await expect(writeImage(at(`stopped.${extension}`), image, { signal: stop.signal })).rejects.toMatchObject({
        code: 'cancelled',
      });
      clearInterval(timer);
      expect(readdirSync(folder).filter((name) => name.startsWith('stopped') || name.endsWith('.tmp'))).toEqual([]);
    }
  });

  it('.exr becomes float where half would overflow, and compresses', async () => {
    const image = { radiance: new Float32Array(100 * 100 * 3).fill(0.5), width: 100, height: 100, scale: 2 };
    await writeImage(at('flat.exr'), image);
    expect(readFileSync(at('flat.exr')).length).toBeLessThan(2500);
    await writeImage(at('big.exr'), { ...image, scale: 2 * 65505 });
    const { type, data } = readExr(readFileSync(at('big.exr')));
    expect([type, data[0]]).toEqual(['float', 65505]);
  });

  it('.hdr holds Y times the scale', async () => {
    const image = picture(20, 9, 16);
    await writeImage(at('a.hdr'), image);
    const { data, width, height } = decodeRgbe(readFileSync(at('a.hdr')));
    expect([width, height]).toEqual([20, 9]);
    for (let p = 0; p < 180; p++) {
      const want = [0, 1, 2].map((c) => image.radiance[3 * p + c] * 16);
      for (let c = 0; c < 3; c++)
        expect(Math.abs(data[3 * p + c] - want[c])).toBeLessThanOrEqual(Math.max(...want) / 256);
    }
  });

  it('.npy holds Y itself', async () => {
    const image = picture(6, 5);
    await writeImage(at('a.npy'), image);
    expect(decodeNpy(readFileSync(at('a.npy')))).toEqual({ data: image.radiance, shape: [5, 6, 3] });
  });

  it('.png and .jpg are tone-mapped 8-bit sRGB', async () => {
    const width = 64;
    const radiance = Float32Array.from(
      { length: 64 * 64 * 3 },
      (_, i) => 2 ** (-10 + (10 * (Math.floor(i / 3) % 64)) / 63),
    );
    for (const name of ['a.png', 'a.jpg', 'A.JPEG']) {
      await writeImage(at(name), { radiance, width, height: 64, scale: 4 });
      expect(await sharp(readFileSync(at(name))).metadata()).toMatchObject({
        width,
        height: 64,
        depth: 'uchar',
        channels: 3,
        format: name.endsWith('png') ? 'png' : 'jpeg',
      });
      const pixels = await sharp(readFileSync(at(name)))
        .raw()
        .toBuffer();
      expect(pixels[0]).toBeLessThan(70);
      expect(pixels[63 * 3]).toBeGreaterThan(240);
    }
  });

  it('refuses what is not finite, and leaves no file', async () => {
    for (const extension of ['hdr', 'exr', 'npy', 'png', 'jpg']) {
      for (const value of [NaN, Infinity]) {
        const image = picture(4, 3);
        image.radiance[(1 * 4 + 2) * 3] = value;
        await expect(writeImage(at(`bad.${extension}`), image)).rejects.toThrow(
          `bad.${extension}: row 1, column 2 holds ${value}, only finite values are written`,
        );
        expect(existsSync(at(`bad.${extension}`))).toBe(false);
      }
    }
    await expect(writeImage(at('bad.exr'), { ...picture(2, 2), scale: NaN })).rejects.toThrow('the scale is NaN');
    await expect(writeImage(at('bad.exr'), { ...picture(2, 2), scale: 3e38 * 1e10 })).rejects.toThrow(
      'only finite values',
    );
    await expect(writeImage(at('bad.exr'), { ...picture(2, 2), width: 3 })).rejects.toThrow(
      '12 values, 3x2 RGB needs 18',
    );
    await expect(writeImage(at('bad.exr'), picture(40, 40), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(readdirSync(folder).filter((name) => name.startsWith('bad') || name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('checkOutputPath', () => {
  it('says the format, or what is wrong, before any work', async () => {
    expect(await checkOutputPath(at('x.HDR'))).toBe('hdr');
    await expect(checkOutputPath(at('x.tga'))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /x\.tga has the unknown extension "\.tga": use one of \.hdr, \.exr, .*\.jpg, \.jpeg, \.uhdr\.jpg$/,
      ),
    });
    await expect(checkOutputPath(at('x'))).rejects.toThrow('x has no extension: use one of');
    await expect(checkOutputPath(at('none/x.hdr'))).rejects.toThrow(
      /the folder .*none does not exist, create it first/,
    );
    await expect(checkOutputPath(join(put('file', 'x'), 'x.hdr'))).rejects.toMatchObject({ code: 'input' });
    mkdirSync(at('sub.exr'));
    await expect(checkOutputPath(at('sub.exr'))).rejects.toThrow('it is a folder');
    expect(existsSync(at('x.HDR'))).toBe(false);
  });
});
