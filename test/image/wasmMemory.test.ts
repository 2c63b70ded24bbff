/** Decoders in WebAssembly take no more memory than a picture of the size that was checked. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeHeic } from '../../src/image/decode/heic.ts';
import { heifHeader } from '../../src/image/decode/heifHeader.ts';
import { decoderBytes, withMostMemory } from '../../src/image/decode/wasmMemory.ts';
import { InputError } from '../../src/index.ts';
import { loadLibHeif } from '../../src/node/decodePackages.ts';
import { startAvif } from '../avif.ts';

const PAGE = 65536;
const MIB = 2 ** 20;
const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** Exports the memory as "m". */
const EXPORT = [7, 5, 1, 1, 0x6d, 2, 0];
/** A program with a section before the memory, which lies at the end of what is read. */
const program = (...memory: number[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([...HEAD, 0, 3, 1, 0x78, 0, 5, memory.length, ...memory, ...EXPORT]);

async function memoryOf(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Memory> {
  const { instance } = await WebAssembly.instantiate(bytes);
  return instance.exports.m as WebAssembly.Memory;
}

describe('a limit of memory', () => {
  it.each<[string, number[], number, least: number, most: number]>([
    ['none before', [1, 0, 1], 3 * PAGE, 1, 3],
    ['a higher one before', [1, 1, 2, 0x90, 0x4e], 5 * PAGE + 7, 2, 5],
    ['a lower one before', [1, 1, 2, 4], 300 * PAGE, 2, 4],
    ['numbers of several bytes', [1, 0, 0xac, 0x02], 400 * PAGE, 300, 400],
  ])('%s', async (_, memory, mostBytes, least, most) => {
    const found = await memoryOf(withMostMemory(program(...memory), mostBytes));
    expect(found.buffer.byteLength).toBe(least * PAGE);
    found.grow(most - least);
    expect(() => found.grow(1)).toThrow(RangeError);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['that is below what it starts with', program(1, 0, 9), /of 9 pages: 4 are the most/],
    ['of memory that is shared', program(1, 3, 1, 9), /4 are the most/],
    ['of no memory', Uint8Array.from([...HEAD, 0, 3, 1, 0x78, 0]), /without memory/],
    ['of half a program', Uint8Array.from([...HEAD, 5, 0x80]), /cut off/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => withMostMemory(bytes, 4 * PAGE)).toThrow(message);
  });

  it('grows with the picture, and one of the largest pictures may take all that there is', () => {
    expect(decoderBytes(8, 8)).toBe(128 * MIB);
    expect(decoderBytes(4000, 3000)).toBe(decoderBytes(4000, 3001));
    expect(decoderBytes(8192, 8192)).toBeGreaterThan(4000 * MIB);
  });
});

/** Runs with the memories of what it starts. */
async function memories(work: () => Promise<void>): Promise<WebAssembly.Memory[]> {
  const found: WebAssembly.Memory[] = [];
  const own = WebAssembly.Instance;
  class Watched extends own {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      found.push(...Object.values(this.exports).filter((one) => one instanceof WebAssembly.Memory));
    }
  }
  WebAssembly.Instance = Watched as typeof own;
  await work().finally(() => (WebAssembly.Instance = own));
  return found;
}

describe('an AVIF whose picture is larger than its boxes say', () => {
  it('is not decoded, and takes as little as they say', async () => {
    const [side, boxed] = [4096, 8];
    const create = { width: side, height: side, channels: 3, background: '#888' } as const;
    const bytes = await sharp({ create }).avif({ effort: 0, quality: 30 }).toBuffer();
    const ispe = bytes.indexOf('ispe');
    const honest = Uint8Array.from(bytes);
    expect(bytes.readUInt32BE(ispe + 8)).toBe(side);
    bytes.writeUInt32BE(boxed, ispe + 8);
    bytes.writeUInt32BE(boxed, ispe + 12);
    // Its boxes agree with each other.
    const { width, height } = heifHeader(bytes, 'a.avif');
    const [memory, ...others] = await memories(async () => {
      const { decode } = await startAvif(decoderBytes(width, height));
      let picture: unknown = null;
      try {
        picture = decode(bytes, 8);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
      expect(picture).toBeNull();
    });
    expect(others).toEqual([]);
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(128 * MIB);
    // It would take more.
    const [free] = await memories(async () => {
      const { decode } = await startAvif(decoderBytes(side, side));
      expect(decode(honest, 8)?.width).toBe(side);
    });
    expect(free.buffer.byteLength).toBeGreaterThan(128 * MIB);
    // And one that says so honestly is a picture of 50 MB in a kB.
    expect(() => heifHeader(honest, 'a.avif')).toThrow(/a\.avif is cut off: the header says 4096x4096/);
  });
});

describe('a HEIC', () => {
  const bytes = readFileSync(new URL('../pictures/8bit.heic', import.meta.url));

  it('gets a decoder of its own, with as much memory as its size needs', async () => {
    const all = await memories(async () => {
      for (let k = 0; k < 2; k++) await decodeHeic(loadLibHeif, bytes, 'a.heic');
    });
    expect(all.length).toBe(2);
    for (const memory of all) expect(() => memory.grow(128 * 16)).toThrow(RangeError);
  });

  it('that needs more is refused by name', async () => {
    const tooLittle = (): ReturnType<typeof loadLibHeif> => loadLibHeif(17 * MIB);
    const large = Buffer.concat([bytes, Buffer.alloc(40 * MIB)]);
    await expect(decodeHeic(tooLittle, large, 'a.heic')).rejects.toThrow(InputError);
    await expect(decodeHeic(tooLittle, large, 'a.heic')).rejects.toThrow(/a\.heic cannot be decoded/);
  });
});
