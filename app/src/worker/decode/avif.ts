/**
 * AVIF with @jsquash/avif (libavif in WebAssembly): the browser's own decoder gives 8 bits only, and converts colours
 * to what it shows.
 */
import { toRgb } from '../../../../src/image/decode/channels.ts';
import type { StoredPicture } from '../../../../src/image/decode/channels.ts';
import { heifHeader } from '../../../../src/image/decode/heifHeader.ts';
import { orient } from '../../../../src/image/decode/orient.ts';
import { checkSize } from '../../../../src/image/picture.ts';
import { damaged, profileNotRead } from '../../../../src/image/refusals.ts';
import { decoderBytes } from '../../../../src/image/decode/wasmMemory.ts';

/** A picture as @jsquash/avif gives it: RGBA of 8 bits, or of 16. */
interface AvifPicture {
  data: Uint8ClampedArray | Uint16Array;
  width: number;
  height: number;
}

/** A part of @jsquash/avif's decoder, as emscripten makes it. */
export interface LibAvif {
  /** @returns null if the file cannot be decoded. */
  decode(bytes: Uint8Array, bitDepth: 8 | 16): AvifPicture | null;
}

/**
 * Decodes an AVIF, upright.
 * @param start starts libavif, with so many bytes of memory at most.
 * @throws InputError naming the file; what `start` throws.
 */
export async function decodeAvif(
  start: (mostBytes: number) => Promise<LibAvif>,
  bytes: Uint8Array,
  name: string,
): Promise<StoredPicture> {
  const { width, height, depth, color, turns } = heifHeader(bytes, name);
  if (!color) throw profileNotRead(name);
  const bits = depth > 8 ? 16 : 8;
  const decoder = await start(decoderBytes(width, height));
  let image: AvifPicture;
  try {
    const decoded = decoder.decode(bytes, bits);
    if (!decoded) throw new Error('it is not what its boxes say');
    image = decoded;
  } catch (error) {
    throw damaged(name, error);
  }
  checkSize(image.width, image.height, name);
  let upright = {
    data: bits === 16 ? (image.data as Uint16Array) : new Uint8Array(image.data.buffer),
    width: image.width,
    height: image.height,
  };
  for (const turn of turns) upright = orient(upright.data, upright.width, upright.height, turn, 4);
  return { ...upright, ...toRgb(upright.data, 4, name), bits, color };
}
