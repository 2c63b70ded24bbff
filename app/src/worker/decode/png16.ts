/** 16-bit PNG, which the browser decodes to 8 bits only. */
import { InputError } from '../../../../src/errors.ts';
import { readExposureInfo } from '../../../../src/image/exif.ts';
import type { ExifReader } from '../../../../src/image/exif.ts';
import { checkInflated } from '../../../../src/image/inflate.ts';
import { toRgb } from '../../../../src/image/decode/channels.ts';
import type { StoredPicture } from '../../../../src/image/decode/channels.ts';
import { orient } from '../../../../src/image/decode/orient.ts';
import { SRGB } from '../../../../src/image/decode/sourceColor.ts';
import type { SourceColor } from '../../../../src/image/decode/sourceColor.ts';
import { damaged } from '../../../../src/image/refusals.ts';
import { join } from './header.ts';

/** What decoding needs of packages. */
export interface Png16Packages {
  exifr(): Promise<ExifReader>;
  fastPng(): Promise<Pick<typeof import('fast-png'), 'decode'>>;
}

/** A 16-bit PNG of the colours given. @throws InputError naming the file. */
export async function decodePng16(
  bytes: Uint8Array,
  name: string,
  color: SourceColor,
  { exifr, fastPng }: Png16Packages,
): Promise<StoredPicture> {
  const { decode } = await fastPng();
  let image: ReturnType<typeof decode>;
  try {
    image = decode(await pixelsAlone(bytes, name));
  } catch (error) {
    throw error instanceof InputError ? error : damaged(name, error);
  }
  const { width, height, channels, transparency } = image;
  const { data, ...size } = orient(
    image.data as Uint16Array,
    width,
    height,
    (await readExposureInfo(await exifr(), bytes)).orientation ?? 1,
    channels,
  );
  const rgb = toRgb(data, channels, name);
  return {
    ...size,
    ...rgb,
    ...(transparency && { coverage: exceptOneColour(data, channels, transparency) }),
    bits: 16,
    color: channels >= 3 ? color : SRGB,
  };
}

/** What pixels depend on: header, palette, transparent colour, pixels, end. */
const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
/** Width and height of the cells that Adam7's passes take a pixel of (PNG, 8.2). */
const PASSES = [
  [8, 8],
  [8, 8],
  [4, 8],
  [4, 4],
  [2, 4],
  [2, 2],
  [1, 2],
];

/**
 * The PNG without chunks that are not needed, which the decoder would unpack too, once it is known that its pixels
 * unpack to no more than its header says.
 */
async function pixelsAlone(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [bytes.subarray(0, 8)];
  const pixels: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 + view.getUint32(at);
    if (end > bytes.length) throw damaged(name);
    if (NEEDED.has(type)) parts.push(bytes.subarray(at, end));
    if (type === 'IDAT') pixels.push(bytes.subarray(at + 8, end - 4));
  }
  const [width, height, colour, interlaced] = [view.getUint32(16), view.getUint32(20), bytes[25], bytes[28]];
  const pixel = 2 * ({ 2: 3, 4: 2, 6: 4 }[colour] ?? 1);
  // Adam7's passes overlap in none; each line begins with its filter.
  const most = interlaced
    ? PASSES.reduce((sum, [w, h]) => sum + Math.ceil(height / h) * (1 + pixel * Math.ceil(width / w)), 0)
    : height * (1 + pixel * width);
  await checkInflated(join(pixels), most, name, 'its picture');
  return join(parts);
}

/** tRNS of pictures without alpha: one colour is transparent. */
function exceptOneColour(data: Uint16Array, channels: number, transparent: ArrayLike<number>): Uint8Array | undefined {
  const coverage = Uint8Array.from({ length: data.length / channels }, (_, p) => {
    for (let c = 0; c < channels; c++) if (data[p * channels + c] !== transparent[c]) return 1;
    return 0;
  });
  return coverage.includes(0) ? coverage : undefined;
}
