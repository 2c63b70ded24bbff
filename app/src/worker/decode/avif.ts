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
import { avif } from './packages.ts';
import type { AvifPicture } from './packages.ts';

/** Decodes an AVIF, upright. @throws InputError naming the file. */
export async function decodeAvif(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<StoredPicture> {
  const { width, height, depth, color, turns } = heifHeader(bytes, name);
  if (!color) throw profileNotRead(name);
  const bits = depth > 8 ? 16 : 8;
  const decoder = await avif(decoderBytes(width, height));
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
